"""Up-sampling to nearest neighbours, together with the convolution after it."""

from __future__ import annotations

from torch import Tensor


def doubling(weight: Tensor) -> Tensor:
    """Up-sampling to nearest neighbours and then a 3 x 3 convolution [O, I, 3, 3], as a transposed one [I, O, 4, 4].

    Its stride is 2 and its padding 1. Every one of the four new pixels sees 2 x 2 old ones: 16 products instead of 36
    for each old pixel. The kernel is the 3 x 3 one, spread by the 2 x 2 box that up-sampling is, and turned round,
    because a transposed convolution writes what a convolution reads.
    """
    outputs, inputs = weight.shape[:2]
    spread = weight.new_zeros(outputs, inputs, 4, 4)
    for y in (0, 1):
        for x in (0, 1):
            spread[:, :, y : y + 3, x : x + 3] += weight
    return spread.flip(2, 3).transpose(0, 1)


def phases(weight: Tensor) -> Tensor:
    """The same for each of the four new pixels by itself, as 2 x 2 kernels [4, O, I, 2, 2].

    In the order of rows and columns: upper left, upper right, lower left, lower right. The windows of the lower and of
    the right ones begin one old pixel further on; the first ones begin one pixel outside.
    """
    outputs, inputs = weight.shape[:2]
    found = weight.new_zeros(4, outputs, inputs, 2, 2)
    for phase in range(4):
        below, right = divmod(phase, 2)
        for y in range(3):
            for x in range(3):
                found[phase, :, :, (y + 1 - below) // 2, (x + 1 - right) // 2] += weight[:, :, y, x]
    return found
