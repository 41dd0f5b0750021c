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
    # On a CPU frame by frame, so that the planes stay in its cache (3x); a GPU wants few and large kernels.
    step = 1 if images.device.type == "cpu" else max(n, 1)
    for first in range(0, n, step):
        _convert(images[first : first + step], planes[first : first + step], subsampling)
    return planes


def _convert(images: Tensor, planes: Tensor, subsampling: Subsampling) -> None:
    import torch

    n, _, height, width = images.shape
    rgb = images.to(torch.float32).clamp(-1.0, 1.0)
    red, green, blue = rgb.unbind(1)
    luma = green * GREEN
    term = red * RED
    luma += term
    torch.mul(blue, BLUE, out=term)
    luma += term
    # D'Y = INT[(219 E'Y + 16)] (BT.709-6, 3.4), INT being the nearest; the conversion to uint8 cuts, hence +
    # 0.5.
    torch.mul(luma, 219 / 2, out=term)
    term += 219 / 2 + 16 + 0.5
    planes[:, : height * width].view(n, height, width).copy_(term)
    size = (planes.shape[1] - height * width) // 2
    for at, (colour, scale) in enumerate(((blue, BLUE_SCALE), (red, RED_SCALE))):
        colour -= luma
        codes = colour if subsampling == "444" else _halve(colour)
        codes *= 224 / (2 * scale)
        codes += 128 + 0.5
        start = height * width + at * size
        planes[:, start : start + size].view(codes.shape).copy_(codes)


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
