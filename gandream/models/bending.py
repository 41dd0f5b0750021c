"""Network bending: operations on what layers of a generator give, before the next layer sees it.

Broad, Leymarie & Grierson 2021, "Network bending: expressive manipulation of deep generative models", section 4. Here
every operation has values of its own for each picture of a batch, keeps to the channels' own scale (activations have
no unit), and lengths are shares of the picture's side, so that they mean the same in every layer. What lies beyond an
edge is the reflection in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.noise import NoiseMaps
from gandream.models.spec import CONSTANT, Spec

Parts = tuple[tuple[int, "int | None"], ...]
"""Numbers of channels, (first, last) with both ends; last None: to the end."""


@dataclass(frozen=True)
class Bend:
    """One operation on a batch of N pictures."""

    name: str
    """A word of :data:`OPERATION`."""
    layers: frozenset[int]
    """Numbers in ``spec.shown``; CONSTANT is what synthesis begins with, in families where that is a constant."""
    values: Mapping[str, np.ndarray]
    """What the operation wants, each [N]."""
    amounts: np.ndarray
    """[N]: 0 leaves what is there, 1 takes what the operation makes of it."""
    active: np.ndarray
    """bool [N]: the other pictures are left alone."""
    channels: float | Parts | None = None
    """A random share of them, or which; None is all."""
    seed: int = 0
    """Of the random share, and of noise."""
    choices: Mapping[str, Any] = field(default_factory=dict)
    maps: NoiseMaps | None = field(default=None, compare=False)
    """Where noise comes from, to be remembered from batch to batch."""

    def of(self, n: int) -> Bend:
        """For one picture of the batch."""
        one = slice(n, n + 1)
        values = {word: value[one] for word, value in self.values.items()}
        return replace(self, values=values, amounts=self.amounts[one], active=self.active[one])

    def chosen(self, count: int, layer: int) -> np.ndarray | None:
        """Numbers of the channels of a layer that has this many; None is all. Those that it lacks are passed over."""
        if self.channels is None:
            return None
        if not isinstance(self.channels, tuple):
            order = np.random.RandomState([self.seed, layer + 1]).permutation(count)
            return np.sort(order[: max(1, round(self.channels * count))])
        chosen = np.zeros(count, bool)
        for first, last in self.channels:
            chosen[first : None if last is None else last + 1] = True
        return np.flatnonzero(chosen)


@dataclass(frozen=True)
class Moment:
    """What an operation is told beside the activations: [n] of each value, and pixels of a side of the picture."""

    values: Mapping[str, np.ndarray]
    side: float
    layer: int
    bend: Bend

    def at(self, word: str, x: Tensor) -> Tensor:
        """A value of each picture, [n, 1, 1, 1]."""
        return torch.as_tensor(self.values[word], dtype=x.dtype, device=x.device).view(-1, 1, 1, 1)

    def numbers(self, word: str) -> list[float]:
        """A value of each picture."""
        return self.values[word].tolist()


class Bends:
    """The bends of a batch, asked after every layer: ``x = bends(layer, x)``. Nothing to do gives x itself."""

    def __init__(self, bends: Sequence[Bend], sides: Mapping[int, int]):
        self.bends = [bend for bend in bends if bend.active.any()]
        self._sides = sides

    def __bool__(self) -> bool:
        return bool(self.bends)

    def __call__(self, layer: int, x: Tensor) -> Tensor:
        """Activations [N, C, h, w] of a layer, bent in the order of the list; x is not overwritten."""
        for bend in self.bends:
            if layer in bend.layers:
                x = self._bent(bend, layer, x.float()).to(x.dtype)
        return x

    def of(self, n: int) -> Bends:
        """For one picture of the batch."""
        return Bends([bend.of(n) for bend in self.bends], self._sides) if self.bends else self

    def reach(self, layer: int) -> bool:
        """Whether a layer is bent."""
        return any(layer in bend.layers for bend in self.bends)

    def _bent(self, bend: Bend, layer: int, x: Tensor) -> Tensor:
        rows = np.flatnonzero(bend.active)
        chosen = bend.chosen(x.shape[1], layer)
        if not rows.size or (chosen is not None and not chosen.size):
            return x
        columns = np.arange(x.shape[1]) if chosen is None else chosen
        place = tuple(torch.as_tensor(part, device=x.device) for part in (rows[:, None], columns[None]))
        part = x if len(rows) == len(x) and chosen is None else x[place]
        side = self._sides.get(layer) or min(x.shape[2:])
        values = {word: value[rows] for word, value in bend.values.items()}
        made = OPERATION[bend.name](part, Moment(values, side, layer, bend))
        amounts = torch.as_tensor(bend.amounts[rows], dtype=x.dtype, device=x.device)[:, None, None, None]
        made = torch.lerp(part, made, amounts)  # at 1 it is what was made, to the last bit
        if part is not x:
            whole = x.clone()
            whole[place] = made
            return whole
        channels_last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
        return made.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


STRAIGHT = Bends((), {})
"""Nothing is bent."""


def bent(spec: Spec, bend: Sequence[object], count: int) -> Bends:
    """The bends of a batch of this many, checked against a model; ValueError where it has no such layer."""
    sides = {number: layer.resolution for number, layer in enumerate(spec.shown)}
    there = {*sides, *((CONSTANT,) if spec.constant else ())}
    found: list[Bend] = []
    for one in bend:
        if not isinstance(one, Bend) or one.name not in OPERATION:
            raise ValueError(f"{one!r} is no bend")
        if beyond := one.layers - there:
            raise ValueError(f"{spec.name} has no layer {sorted(beyond)} to bend; its layers are {sorted(there)}")
        if any(len(value) != count for value in (one.amounts, one.active, *one.values.values())):
            raise ValueError(f"a bend ({one.name}) has other than {count} values for {count} pictures")
        found.append(one)
    return Bends(found, sides)


# operations


def multiply(x: Tensor, at: Moment) -> Tensor:
    """Times."""
    return x * at.at("multiply", x)


def ablate(x: Tensor, at: Moment) -> Tensor:
    """Switched off."""
    return x * (1 - at.at("ablate", x))


def invert(x: Tensor, at: Moment) -> Tensor:
    """Mirrored at each channel's mean over the picture."""
    return x + (x.mean(dim=(2, 3), keepdim=True) - x) * (2 * at.at("invert", x))


def threshold(x: Tensor, at: Moment) -> Tensor:
    """Two values for each channel, a deviation above its mean and below: what is above so many deviations, and not."""
    deviation, mean = torch.std_mean(x, (2, 3), correction=0, keepdim=True)
    above = x > mean + deviation * at.at("threshold", x)
    return mean + torch.where(above, deviation, -deviation)


def noise(x: Tensor, at: Moment) -> Tensor:
    """Noise is added that moves, of its own in each channel, in RMS of the activations; its grains have a size."""
    bend, count, size = at.bend, x.shape[1], list(x.shape[2:])
    maps, period = bend.maps or NoiseMaps(x.device), bend.choices.get("period")
    level = x.square().mean(dim=(1, 2, 3), keepdim=True).sqrt() * at.at("noise", x)
    grain = max(1.0, bend.choices.get("size", 0.0) * at.side)
    rows, columns = (max(1, round(side / grain)) for side in size)
    made = torch.stack(
        [
            maps.moving(bend.seed, at.layer + 1, phase, period, count * rows, columns).view(count, rows, columns)
            for phase in at.numbers("phase")
        ]
    ).to(x.dtype)
    if [rows, columns] != size:
        made = F.interpolate(made, size, mode="bicubic", align_corners=False)
    return torch.addcmul(x, made, level)


def rotate(x: Tensor, at: Moment) -> Tensor:
    """Turned clockwise about the middle."""
    turns = np.radians(at.values["rotate"])
    return _looked_up(x, np.cos(turns), np.sin(turns), -np.sin(turns), np.cos(turns))


def zoom(x: Tensor, at: Moment) -> Tensor:
    """Larger or smaller about the middle."""
    scale = 1 / at.values["zoom"]
    return _looked_up(x, scale, 0 * scale, 0 * scale, scale)


def translate(x: Tensor, at: Moment) -> Tensor:
    """Moved to the right and upward."""
    right, up = (at.values[word] * at.side for word in ("x", "y"))
    one = np.ones_like(right)
    return _looked_up(x, one, 0 * one, 0 * one, one, -right, up)


def _looked_up(x: Tensor, a: Any, b: Any, c: Any, d: Any, right: Any = 0.0, down: Any = 0.0) -> Tensor:
    """At each place p = (x, y) in pixels from the middle, y down, what is at ([[a, b], [c, d]] p + (right, down))."""
    height, width = x.shape[2:]
    rows = ((a, b * height / width, right * 2 / width), (c * width / height, d, down * 2 / height))
    matrix = np.stack([np.stack(np.broadcast_arrays(*row), axis=-1) for row in rows], axis=1)  # [n, 2, 3]
    matrix[:, :, 2] = np.mod(matrix[:, :, 2] + 2, 4) - 2  # the reflections repeat
    grid = F.affine_grid(torch.as_tensor(matrix, dtype=torch.float32).to(x.device), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid.to(x.dtype), "bilinear", "reflection", align_corners=False)


FLIPPED = {"horizontal": (3,), "vertical": (2,), "both": (2, 3)}


def flip(x: Tensor, at: Moment) -> Tensor:
    """Left and right, or top and bottom, change places."""
    return x.flip(FLIPPED[at.bend.choices["flip"]])


def dilate(x: Tensor, at: Moment) -> Tensor:
    """The greatest within a square: what is high spreads."""
    parts = zip(x.split(1), at.numbers("dilate"), strict=True)
    return torch.cat([_greatest(one, radius * at.side) for one, radius in parts])


def erode(x: Tensor, at: Moment) -> Tensor:
    """The least within a square: what is high shrinks."""
    parts = zip(x.split(1), at.numbers("erode"), strict=True)
    return torch.cat([_greatest(-one, radius * at.side).neg_() for one, radius in parts])


def _greatest(x: Tensor, radius: float) -> Tensor:
    """Within a square of 2 radius + 1 pixels; between whole radii, what lies between."""
    whole = min(math.floor(radius), max(x.shape[2:]))

    def within(reach: int) -> Tensor:
        rows = F.max_pool2d(x, (2 * reach + 1, 1), stride=1, padding=(reach, 0)) if reach else x
        return F.max_pool2d(rows, (1, 2 * reach + 1), stride=1, padding=(0, reach)) if reach else x

    return torch.lerp(within(whole), within(whole + 1), min(radius - whole, 1.0))


def blur(x: Tensor, at: Moment) -> Tensor:
    """A gaussian; the value is its sigma."""
    return _smoothed(x, [share * at.side for share in at.numbers("blur")])


def sharpen(x: Tensor, at: Moment) -> Tensor:
    """Unsharp mask: x + amount (x - blurred x); never finer than the pixels."""
    soft = _smoothed(x, [max(share * at.side, 0.6) for share in at.numbers("radius")])
    return torch.lerp(soft, x, 1 + at.at("sharpen", x))


def _smoothed(x: Tensor, sigmas_px: list[float]) -> Tensor:
    """Each picture by its own gaussian, edges reflected, as one matrix for the rows and one for the columns."""
    made = []
    for one, sigma in zip(x, sigmas_px, strict=True):
        down, across = (torch.as_tensor(_gaussian(side, sigma), dtype=x.dtype).to(x.device) for side in x.shape[2:])
        made.append(torch.matmul(torch.matmul(down, one), across.T))
    return torch.stack(made)


def _gaussian(side: int, sigma: float) -> np.ndarray:
    """Rows of weights [side, side] over what is reflected at both ends."""
    if sigma < 0.05:
        return np.eye(side)
    reach = min(math.ceil(3.2 * sigma), 2 * side)
    steps = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (steps / sigma) ** 2)
    places = np.mod(np.arange(side)[:, None] + steps, 2 * side)
    places = np.minimum(places, 2 * side - 1 - places)
    matrix = np.zeros((side, side))
    np.add.at(matrix, (np.arange(side)[:, None], places), weights / weights.sum())
    return matrix


def edges(x: Tensor, at: Moment) -> Tensor:
    """The length of the gradient (Sobel's kernels, over 8)."""
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    height, width = x.shape[2:]

    def slope(dim: int) -> Tensor:
        other, size, length = (3, width, height) if dim == 2 else (2, height, width)
        smooth = padded.narrow(other, 0, size) + 2 * padded.narrow(other, 1, size) + padded.narrow(other, 2, size)
        return smooth.narrow(dim, 2, length) - smooth.narrow(dim, 0, length)

    return torch.lerp(x, torch.hypot(slope(2), slope(3)) / 8, at.at("edges", x))


OPERATION: dict[str, Callable[[Tensor, Moment], Tensor]] = {
    "multiply": multiply,
    "ablate": ablate,
    "invert": invert,
    "threshold": threshold,
    "noise": noise,
    "translate": translate,
    "rotate": rotate,
    "zoom": zoom,
    "flip": flip,
    "erode": erode,
    "dilate": dilate,
    "blur": blur,
    "sharpen": sharpen,
    "edges": edges,
}
"""What each word of `gandream.recipe.bend` means: activations [n, C, h, w] and a moment -> as many."""
