"""Pictures as an encoder takes them: planar Y'CbCr of BT.709 or R'G'B' for video, interleaved R'G'B' for PNG.

Only multiplications and additions, each rounded on its own: no fused or blocked arithmetic, so that the bytes
of a frame depend neither on its batch nor on the number of threads, nor on whether a CPU or a GPU made them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from gandream.video.dither import noise

if TYPE_CHECKING:
    from torch import Tensor

Subsampling = Literal["420", "422", "444", "rgb"]
"""How chroma is kept; in `rgb` there is none: planes G', B', R'."""

# E'Y = 0.2126 E'R + 0.7152 E'G + 0.0722 E'B (BT.709-6, 3.2);
# E'CB = (E'B - E'Y) / 1.8556, E'CR = (E'R - E'Y) / 1.5748 (3.3).
RED, GREEN, BLUE = 0.2126, 0.7152, 0.0722
BLUE_SCALE, RED_SCALE = 1.8556, 1.5748

STRIP = 32_768
"""Pixels from which torch gives a CPU operation to several threads. We convert strips of less: an operation takes
microseconds, and where the encoder keeps the cores busy, waiting for a second thread takes milliseconds (measured at
512², both cores busy: 20 ms a frame with two threads, 4 with one, and 1.3 where nothing else runs).
"""


def frame_bytes(width: int, height: int, subsampling: Subsampling, depth: int = 8, alpha: bool = False) -> int:
    """Bytes of one planar frame; ValueError for a size that has no whole number of chroma samples."""
    if (subsampling in ("420", "422") and width % 2) or (subsampling == "420" and height % 2):
        raise ValueError(f"{width}x{height}: 4:{subsampling[1]}:{subsampling[2]} wants even sizes")
    values = width * height * (3 + alpha)
    if subsampling in ("420", "422"):
        values -= width * height * (3 if subsampling == "420" else 2) // 2
    return values * (1 if depth == 8 else 2)


def planar_yuv(images: Tensor, subsampling: Subsampling = "420") -> Tensor:
    """BT.709 planes Y (16..235), Cb, Cr (16..240) of [N, 3, H, W] in [-1, 1]: uint8 [N, bytes], same device."""
    return planes(images, subsampling)


def planes(
    images: Tensor, subsampling: Subsampling = "420", depth: int = 8, alpha: bool = False, first: int = 0
) -> Tensor:
    """Planes of [N, 3, H, W] in [-1, 1], or [N, 4, H, W] with ``alpha``: uint8 [N, bytes], same device.

    Y, Cb, Cr of BT.709, or G', B', R', and then the opacity if wanted. Of more than 8 bits each value takes two bytes,
    the lower first; Y'CbCr of 10 bits is dithered, for which ``first`` numbers the first picture. Values beyond
    [-1, 1] are clamped; NaN becomes an arbitrary code. In 420 a chroma sample lies on the even columns, halfway
    between two rows ("left" in H.264, figure E-1): [1 2 1]/4 across, the mean of two rows down; in 422 on its row.
    """
    import torch

    if images.device.type == "mps" and depth > 8:
        images = images.cpu()  # numbers of 16 bits without a sign came late to Apple's GPUs
    n, channels, height, width = images.shape
    if channels != 3 + alpha:
        raise ValueError(f"{channels = }: planar Y'CbCr is made of three" + ", and alpha is one more" * alpha)
    size = frame_bytes(width, height, subsampling, depth, alpha)
    whole = torch.empty((n, size), dtype=torch.uint8, device=images.device)
    values = whole if depth == 8 else whole.view(torch.uint16)
    chroma = (height // (1 + (subsampling == "420")), width // (1 + (subsampling in ("420", "422"))))
    shapes, parts, at = [(height, width), chroma, chroma, (height, width)][:channels], [], 0
    for high, wide in shapes:
        parts.append(values[:, at : at + high * wide].view(n, high, wide))
        at += high * wide
    if images.device.type != "cpu":
        _convert(images, parts, subsampling, depth, range(first, first + n), 0)
        return whole
    rows = max(2, (STRIP - 1) // width // 2 * 2)
    for index in range(n):
        frame, number = slice(index, index + 1), range(first + index, first + index + 1)
        for top in range(0, height, rows):
            end = min(top + rows, height)
            strips = [part[frame, top * part.shape[1] // height : end * part.shape[1] // height] for part in parts]
            _convert(images[frame, :, top:end], strips, subsampling, depth, number, top)
    return whole


def _convert(
    images: Tensor, parts: Sequence[Tensor], subsampling: Subsampling, depth: int, frames: range, top: int
) -> None:
    """Write the codes of [N, 3 or 4, H, W], which are rows from ``top`` on, into integer planes [N, H', W']."""
    import torch

    scale, largest = 1 << (depth - 8), (1 << depth) - 1

    def write(plane: int, codes: Tensor) -> None:
        """The conversion to integers cuts; so half a code more makes it the nearest, and up to one dithers."""
        if depth == 10:
            high, wide = parts[plane].shape[1:]
            begin = top * high // max(1, images.shape[2])
            codes += noise(frames, plane, range(begin, begin + high), wide, codes.device)
        parts[plane].copy_(codes)

    red, green, blue, *opacity = (channel.to(torch.float32).clamp(-1.0, 1.0) for channel in images.unbind(1))
    for plane, full in enumerate((green, blue, red) if subsampling == "rgb" else ()):
        parts[plane].copy_(full.mul_(largest / 2).add_(largest / 2).round_())
    if opacity:
        parts[3].copy_(opacity[0].mul_(largest / 2).add_(largest / 2).round_())
    if subsampling == "rgb":
        return
    y = green.mul_(GREEN)
    term = red * RED
    y += term
    torch.mul(blue, BLUE, out=term)
    y += term
    # D'Y = INT[(219 E'Y + 16) 2^(n-8)] (BT.709-6, 3.4), INT being the nearest.
    torch.mul(y, 219 / 2 * scale, out=term)
    term += (219 / 2 + 16) * scale + 0.5
    write(0, term)
    for plane, (colour, full) in enumerate(((blue, BLUE_SCALE), (red, RED_SCALE)), 1):
        colour -= y
        codes = HALVED[subsampling](colour)
        codes *= 224 / (2 * full) * scale
        codes += 128 * scale + 0.5
        write(plane, codes)


def _across(rows: Tensor) -> Tensor:
    """[N, H, W] to 4 times [N, H, W/2]: [1 2 1] round even columns, the edge repeated."""
    even, odd = rows[:, :, 0::2], rows[:, :, 1::2]
    sums = even * 2.0
    sums += odd
    sums[:, :, 1:] += odd[:, :, :-1]
    sums[:, :, 0] += even[:, :, 0]
    return sums


HALVED: dict[str, Callable[[Tensor], Tensor]] = {
    "420": lambda plane: _across(plane[:, 0::2] + plane[:, 1::2]).mul_(1 / 8),
    "422": lambda plane: _across(plane).mul_(1 / 4),
    "444": lambda plane: plane,
}
"""A plane of colour differences as chroma samples, by subsampling."""


def display_bytes(images: Tensor) -> Tensor:
    """Display values round(127.5 x + 127.5) of [N, C, H, W] in [-1, 1]: uint8 [N, H, W, C], same device."""
    import torch

    codes = images.to(torch.float32).clamp(-1.0, 1.0)
    codes *= 127.5
    codes += 127.5
    return codes.round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
