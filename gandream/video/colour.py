"""Pictures as an encoder takes them: planar Y'CbCr of BT.709 for video, interleaved R'G'B' for PNG.

Only multiplications and additions, each rounded on its own: no fused or blocked arithmetic, so that the bytes
of a frame depend neither on its batch nor on the number of threads, nor on whether a CPU or a GPU made them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Subsampling = Literal["420", "444"]

# E'Y = 0.2126 E'R + 0.7152 E'G + 0.0722 E'B (BT.709-6, 3.2);
# E'CB = (E'B - E'Y) / 1.8556, E'CR = (E'R - E'Y) / 1.5748 (3.3).
RED, GREEN, BLUE = 0.2126, 0.7152, 0.0722
BLUE_SCALE, RED_SCALE = 1.8556, 1.5748

STRIP = 32_768
"""Pixels from which torch gives a CPU operation to several threads. We convert strips of less: an operation takes
microseconds, and where the encoder keeps the cores busy, waiting for a second thread takes milliseconds (measured at
512², both cores busy: 20 ms a frame with two threads, 4 with one, and 1.3 where nothing else runs).
"""


def frame_bytes(width: int, height: int, subsampling: Subsampling) -> int:
    """Bytes of one planar 8-bit frame."""
    return width * height * 3 if subsampling == "444" else width * height * 3 // 2


def planar_yuv(images: Tensor, subsampling: Subsampling = "420") -> Tensor:
    """BT.709 planes Y (16..235), Cb, Cr (16..240) of [N, 3, H, W] in [-1, 1]: uint8 [N, bytes], same device.

    Values beyond [-1, 1] are clamped; NaN becomes an arbitrary code. In 420 a chroma sample lies on the even
    columns, halfway between two rows ("left" in H.264, figure E-1): [1 2 1]/4 across, the mean of two rows
    down.
    """
    import torch

    n, channels, height, width = images.shape
    if channels != 3:
        raise ValueError(f"{channels = }: planar Y'CbCr is made of three")
    if subsampling == "420" and (height % 2 or width % 2):
        raise ValueError(f"{width}x{height}: 4:2:0 wants even sizes")
    planes = torch.empty((n, frame_bytes(width, height, subsampling)), dtype=torch.uint8, device=images.device)
    tall, wide = (height // 2, width // 2) if subsampling == "420" else (height, width)
    luma, chroma = planes[:, : height * width], planes[:, height * width :]
    luma, chroma = luma.view(n, height, width), chroma.view(n, 2, tall, wide)
    if images.device.type != "cpu":
        _convert(images, luma, chroma, subsampling)
        return planes
    rows = max(2, (STRIP - 1) // width // 2 * 2)
    for index in range(n):
        for top in range(0, height, rows):
            half = slice(top * tall // height, min(top + rows, height) * tall // height)
            strip = slice(top, top + rows)
            frame = slice(index, index + 1)
            _convert(images[frame, :, strip], luma[frame, strip], chroma[frame, :, half], subsampling)
    return planes


def _convert(images: Tensor, luma: Tensor, chroma: Tensor, subsampling: Subsampling) -> None:
    """Write the codes of [N, 3, H, W] into uint8 [N, H, W] and [N, 2, H, W] or [N, 2, H/2, W/2]."""
    import torch

    red, green, blue = (channel.to(torch.float32).clamp(-1.0, 1.0) for channel in images.unbind(1))
    y = green.mul_(GREEN)
    term = red * RED
    y += term
    torch.mul(blue, BLUE, out=term)
    y += term
    # D'Y = INT[(219 E'Y + 16)] (BT.709-6, 3.4), INT being the nearest; the conversion to uint8 cuts, so + 0.5.
    torch.mul(y, 219 / 2, out=term)
    term += 219 / 2 + 16 + 0.5
    luma.copy_(term)
    for at, (colour, scale) in enumerate(((blue, BLUE_SCALE), (red, RED_SCALE))):
        colour -= y
        codes = _halve(colour) if subsampling == "420" else colour
        codes *= 224 / (2 * scale)
        codes += 128 + 0.5
        chroma[:, at].copy_(codes)


def _halve(plane: Tensor) -> Tensor:
    """[N, H, W] to [N, H/2, W/2]: the mean of two rows, [1 2 1]/4 round even columns, the edge repeated."""
    rows = plane[:, 0::2] + plane[:, 1::2]
    even, odd = rows[:, :, 0::2], rows[:, :, 1::2]
    sums = even * 2.0
    sums += odd
    sums[:, :, 1:] += odd[:, :, :-1]
    sums[:, :, 0] += even[:, :, 0]
    sums *= 1 / 8
    return sums


def display_bytes(images: Tensor) -> Tensor:
    """Display values round(127.5 x + 127.5) of [N, C, H, W] in [-1, 1]: uint8 [N, H, W, C], same device."""
    import torch

    codes = images.to(torch.float32).clamp(-1.0, 1.0)
    codes *= 127.5
    codes += 127.5
    return codes.round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
