"""Pictures larger than a style-based network was trained for: its constant and its noise, continued beyond their edges.

Convolutions have no size of their own, so a wider constant gives a wider picture (Karras et al. 2019, section 2: all
that a synthesis network begins with is a constant of 4 x 4). What the constant holds beyond its edges is a choice.
Repeated, it shows the same things again; mirrored, it shows the mirror; its edges stretched out smear. Here new columns
are the mean column plus mixtures of how the columns differ from it: their differences turned by a rotation, of some
drawn at random the one that makes what is least like what is there. So new columns have the mean and the covariance of
those that were learned, which is what the layers know, and none comes twice; rows stay rows, as what belongs to the
ground stays low. New rows are mixed of rows likewise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gandream.models.noise import NoiseMaps

SEED = 0
"""Of mixtures and of the noise beyond a model's own: the same in every film."""
FIXED = (1 << 40) - 1
"""Number of that noise among the maps of its layer: no film that moves comes as far."""
FEW = 3
"""Columns: of fewer, mixtures are too much alike."""
DRAWN = 64
"""Rotations to choose one of."""
Size = tuple[int, int]
Maps = list[Tensor | None]
"""The noise of each convolution, by its style layer."""
Noise = Callable[[int, int, int, Tensor | None], Tensor | None]
"""(style layer, height, width, the model's own map [H, W]) -> noise [N or 1, 1, H, W], or None for none."""


@dataclass(frozen=True)
class Ground:
    """What pictures of one size begin with, whatever their w."""

    const: Tensor
    """[1, C, h, w]"""
    noise: Maps
    """The model's own map of each style layer, [H, W]."""
    size: Size
    """(height, width) of the pictures."""

    def extended(self, size: Size, maps: NoiseMaps) -> Ground:
        """What pictures that hold ``size`` begin with; these ones lie in the middle."""
        own = (self.const.shape[2], self.const.shape[3])
        shape = cells(own, self.size, size)
        if shape == own:
            return self

        def larger(side: tuple[int, ...]) -> Size:
            return side[0] // own[0] * shape[0], side[1] // own[1] * shape[1]

        noise = [
            None if one is None else extended_noise(one, larger(one.shape), layer, maps)
            for layer, one in enumerate(self.noise)
        ]
        return Ground(extended(self.const[0], shape)[None], noise, larger(self.size))


class Grounds:
    """What pictures of the native size and of the last other one begin with, and their fixed noise as it is added."""

    def __init__(self, native: Ground, fixed: Callable[[Ground], Maps], device: torch.device):
        self._fixed, self._device = fixed, device
        self.native = (native, fixed(native))
        self._other: tuple[Size, Ground, Maps] | None = None

    def of(self, size: Size | None) -> tuple[Ground, Maps]:
        """For pictures that hold a size; None is the native one."""
        if size is None or size == self.native[0].size:
            return self.native
        if self._other is None or self._other[0] != size:
            ground = self.native[0].extended(size, NoiseMaps(self._device))
            self._other = (size, ground, self._fixed(ground))
        return self._other[1:]


def cells(const: Size, native: Size, size: Size) -> Size:
    """Rows and columns of the constant that a picture of ``size`` needs, where ``const`` of them make ``native``.

    As many more on either side, so that what was learned stays in the middle; never fewer than there are.
    """
    more = (
        max(0, math.ceil((want * own / side - own) / 2)) for own, side, want in zip(const, native, size, strict=True)
    )
    rows, columns = (own + 2 * beside for own, beside in zip(const, more, strict=True))
    return rows, columns


def extended(const: Tensor, shape: Size) -> Tensor:
    """A constant [C, h, w] with more rows and columns around it: [C, H, W]."""
    wide = _wider(const, shape[1])
    return _wider(wide.transpose(1, 2), shape[0]).transpose(1, 2).contiguous()


def _wider(const: Tensor, columns: int) -> Tensor:
    """More columns on both sides; a wider one begins with the same."""
    own = const.shape[2]
    beside = (columns - own) // 2
    if beside < 1:
        return const
    groups = [_turned(const, rotation) for rotation in _rotations(const, 2 * -(-beside // own))]
    left, right = (torch.cat(groups[side::2], dim=2)[:, :, :beside] for side in (0, 1))
    return torch.cat((left.flip(2), const, right), dim=2)


def _turned(const: Tensor, rotation: np.ndarray) -> Tensor:
    """As many new columns of the same mean and covariance: [C, h, w]."""
    mean = const.mean(dim=2, keepdim=True)
    basis, turn = (
        torch.as_tensor(m, dtype=const.dtype, device=const.device) for m in (_across(const.shape[2]), rotation)
    )
    places = (const - mean) @ basis  # [C, h, w - 1]
    together = places if len(turn) == places.shape[2] else places.flatten(1)
    return mean + (together @ turn).view_as(places) @ basis.T


def _rotations(const: Tensor, count: int) -> list[np.ndarray]:
    """Rotations, each the one of a few drawn whose columns are least like those that are there, as if in a mirror too.

    Of few columns there are no others than themselves, as they are or swapped: there the rows are turned together.
    """
    random, (height, width) = np.random.RandomState(SEED), const.shape[1:]
    if width < FEW:
        return [_rotation(random, height * (width - 1)) for _ in range(count)]
    basis = _across(width)
    found: list[np.ndarray] = []
    there = [basis[::-1], basis]  # outward on the left and on the right
    for _ in range(count):
        drawn = [_rotation(random, width - 1) for _ in range(DRAWN)]
        rows = [np.concatenate((there[-2][-1:], basis @ one.T)) for one in drawn]  # the edge that they go on from
        best = min(range(DRAWN), key=lambda one: max(_likeness(rows[one], other) for other in (rows[one], *there)))
        found.append(drawn[best])
        there.append(rows[best])
    return found


def _likeness(columns: np.ndarray, others: np.ndarray) -> float:
    """How much two neighbours are like two others [w, w - 1] at most, as they are or mirrored."""
    like = columns @ others.T
    as_is, mirrored = like[1:, 1:] + like[:-1, :-1], like[1:, :-1] + like[:-1, 1:]
    if columns is others:
        np.fill_diagonal(as_is, -np.inf)
    return float(max(as_is.max(), mirrored.max()))


def _across(count: int) -> np.ndarray:
    """An orthonormal basis of what is across a vector of ones, [count, count - 1] (Helmert 1876)."""
    rows = [[1.0] * k + [-float(k)] + [0.0] * (count - k - 1) for k in range(1, count)]
    return np.asarray([np.asarray(row) / math.sqrt(k * (k + 1)) for k, row in enumerate(rows, 1)]).reshape(-1, count).T


def _rotation(random: np.random.RandomState, size: int) -> np.ndarray:
    """A random orthogonal matrix, all of them alike likely (Stewart 1980)."""
    q, r = np.linalg.qr(random.randn(size, size))
    return q * np.sign(np.diag(r))


def extended_noise(own: Tensor, shape: Size, layer: int, maps: NoiseMaps) -> Tensor:
    """A style layer's own noise [h, w] in the middle of white noise [H, W]."""
    height, width = own.shape
    if (height, width) == shape:
        return own
    made = maps.white(SEED, layer, FIXED, *shape).clone()
    top, left = (shape[0] - height) // 2, (shape[1] - width) // 2
    made[top : top + height, left : left + width] = own
    return made


def drawn(noise: str | Noise, layer: int, own: Tensor | None) -> Tensor | None:
    """The noise of a style layer, [N or 1, 1, H, W]: "fixed", its own [H, W]; "off", or what a function gives."""
    if noise == "off" or own is None:
        return None
    made = own if isinstance(noise, str) else noise(layer, own.shape[0], own.shape[1], own)
    return made[None, None] if made is not None and made.ndim == 2 else made


def centre(x: Tensor, size: Size, of: tuple[float, float]) -> Tensor:
    """The middle of x [N, C, H, W]: that part of it which ``size`` is of a picture ``of`` this size."""
    wanted = [max(1, round(side * part / whole)) for side, part, whole in zip(x.shape[2:], size, of, strict=True)]
    top, left = ((side - part) // 2 for side, part in zip(x.shape[2:], wanted, strict=True))
    return x[:, :, top : top + wanted[0], left : left + wanted[1]]
