"""Sliced Wasserstein distance over a Laplacian pyramid: how far two sets of pictures are apart, level by level.

Karras et al. 2018, "Progressive Growing of GANs" (arXiv 1710.10196), section 5: small neighbourhoods are cut out of
each level of a Laplacian pyramid (Burt & Adelson 1983) from the full resolution down to 16x16, normalised by the mean
and the standard deviation of each colour channel, and compared by the Wasserstein distance of their projections on
random directions. The level of 16x16 says how far the large structures agree, the full resolution how far edges and
noise do.

Two things follow, here as in the paper. Each set is normalised on its own, so a colour cast or a contrast that all its
pictures share is not seen, only what differs from picture to picture. And two finite sets of the same pictures aren't
at 0 but at a floor that falls with the number of descriptors: compare figures of equal numbers, or with the figure of
two sets of real pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

LOWEST = 16
"""Resolution of the last level, which holds what is left of the picture and not a difference."""
SIDE = 7
FEATURES = 3 * SIDE * SIDE
PER_IMAGE = 32
"""Descriptors per picture and level, where the paper takes 128: a quarter of the memory and the time.

Measured on 8192 pictures of 64x64 with the spectrum and the edges of photographs: two sets of the same kind are 3.7,
3.6, 5.6 apart (64, 32, 16) and 2.1, 2.0, 5.1 with 128; a set with spectra steeper by a tenth is at 9.6, 5.7, 6.7 and
8.8, 4.6, 6.4. The floor is higher at the fine levels, and the same differences stand out from it."""
PROJECTIONS = 512
_AT_ONCE = 32
_ROWS = 8192
_CHUNK = 1 << 16


class Descriptors:
    """Neighbourhoods of 7x7 pixels from a growing set of pictures, for each level of the pyramid.

    Memory: 294 * ``per_image`` bytes for each picture and level (float16), so 8192 pictures of 64x64 take 231 MB.

    Args:
        resolution: side of the pictures, a power of two from 16 on.
        per_image: descriptors per picture and level.
        seed: of the places that are cut out; with the number of the picture it decides them alone.
    """

    def __init__(self, resolution: int, *, per_image: int = PER_IMAGE, seed: int = 0):
        if resolution < LOWEST or resolution & (resolution - 1):
            raise ValueError(f"a power of two from {LOWEST} on is wanted, not {resolution}")
        self.resolution, self.per_image, self.seed = resolution, per_image, seed
        self.levels = tuple(LOWEST << k for k in reversed(range((resolution // LOWEST).bit_length())))
        self.images = 0
        self._kept: dict[int, list[Tensor]] = {level: [] for level in self.levels}

    @torch.no_grad()
    def add(self, images: Tensor) -> None:
        """Add pictures [N, 3, R, R]: uint8, or floats in [-1, 1], which are brought to display values first."""
        if images.ndim != 4 or images.shape[1:] != (3, self.resolution, self.resolution):
            raise ValueError(f"[N, 3, {self.resolution}, {self.resolution}] is wanted, not {list(images.shape)}")
        if images.dtype != torch.uint8:
            images = (images.float() * 127.5 + 127.5).round().clamp(0, 255)
        numbers = np.arange(self.images, self.images + len(images))
        for level in laplacian_pyramid(images.float() / 127.5 - 1):
            side = level.shape[-1]
            rows, columns = places(self.seed, numbers, side, self.per_image)
            self._keep(self._kept[side], _cut(level, rows, columns))
        self.images += len(images)

    def blocks(self, level: int) -> list[Tensor]:
        """Descriptors of a level in the order they came, float16 [some, 147] each: 49 for each colour."""
        count = self.images * self.per_image
        return [chunk[: count - k * _CHUNK] for k, chunk in enumerate(self._kept[level])]

    def _keep(self, chunks: list[Tensor], rows: Tensor) -> None:
        """Append rows [some, 147] to chunks of a fixed size: many small tensors would hold twice their memory."""
        at = self.images * self.per_image
        while len(rows):
            if at == len(chunks) * _CHUNK:
                chunks.append(torch.empty(_CHUNK, FEATURES, dtype=torch.float16))
            room = _CHUNK - at % _CHUNK
            chunks[-1][at % _CHUNK :][: len(rows)] = rows[:room]
            at += len(rows[:room])
            rows = rows[room:]

    def statistics(self, level: int) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each colour channel over all descriptors of a level: float64 [3] each."""
        count = self.images * self.per_image * SIDE * SIDE
        total, squares = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
        for block in _rows(self.blocks(level)):
            channels = block.view(-1, 3, SIDE * SIDE).double()
            total += channels.sum((0, 2))
            squares += channels.square().sum((0, 2))
        mean = total / count
        return mean, (squares / count - mean.square()).clamp_min(0).sqrt()

    def projected(self, level: int, directions: Tensor) -> np.ndarray:
        """Normalised descriptors along directions [147, P], sorted upwards: float32 [P, images * per_image]."""
        mean, std = (value.repeat_interleave(SIDE * SIDE) for value in self.statistics(level))
        scaled = directions.double() / torch.where(std > 0, std, 1)[:, None]  # a channel that is even stays at 0
        offset = (mean @ scaled).float()[:, None]
        along = torch.empty(directions.shape[1], self.images * self.per_image)
        at = 0
        for block in _rows(self.blocks(level)):
            torch.sub(scaled.float().T @ block.T, offset, out=along[:, at : at + len(block)])
            at += len(block)
        values = along.numpy()
        values.sort(axis=1)  # numpy's sort of plain values is several times faster than one that keeps the order
        return values


def swd(a: Descriptors, b: Descriptors, seed: int = 0) -> dict[int, float]:
    """Distance of two sets on each level, times 1000: {resolution: distance}, the highest resolution first.

    Sets of different size are compared at the quantiles of the smaller. ``seed`` draws the directions.
    """
    if a.resolution != b.resolution:
        raise ValueError(f"pictures of {a.resolution} and of {b.resolution} pixels can't be compared")
    if not a.images or not b.images:
        raise ValueError("an empty set of pictures has no distance")
    directions = torch.randn(FEATURES, PROJECTIONS, generator=torch.Generator().manual_seed(seed))
    directions /= directions.norm(dim=0)
    distances = {}
    for level in a.levels:
        parts = [
            wasserstein(a.projected(level, some), b.projected(level, some))
            for some in directions.split(_AT_ONCE, dim=1)
        ]
        distances[level] = 1000 * float(np.concatenate(parts).mean())
    return distances


def mean(distances: Mapping[int, float]) -> float:
    """Average over the levels: the one figure of the paper's tables."""
    return sum(distances.values()) / len(distances)


def wasserstein(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance (earth mover's, order 1) between samples on a line, sorted upwards: [P, K] and [P, M] -> [P]."""
    count = min(a.shape[1], b.shape[1])
    a, b = (values if values.shape[1] == count else values[:, _quantiles(count, values.shape[1])] for values in (a, b))
    apart = a - b
    return np.abs(apart, out=apart).mean(axis=1, dtype=np.float64)


def laplacian_pyramid(images: Tensor) -> list[Tensor]:
    """Levels of pictures [N, 3, R, R], R down to 16: each less what the next can say of it, the last as it is."""
    levels = []
    while images.shape[-1] > LOWEST:
        smaller = _blur(images)[..., ::2, ::2]
        spread = torch.zeros_like(images)
        spread[..., ::2, ::2] = smaller
        levels.append(images - 4 * _blur(spread))
        images = smaller
    return [*levels, images]


def places(seed: int, numbers: np.ndarray, side: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Upper left corners of ``count`` neighbourhoods in each picture: rows and columns, int64 [N, count] each."""
    state = _mixed(np.array([seed, side], np.int64).view(np.uint64))
    key = _mixed(state[0] ^ np.roll(state, 1)[:1])
    bits = _mixed(_mixed(key + numbers.astype(np.uint64))[:, None] + np.arange(count, dtype=np.uint64))
    free = np.uint64(side - SIDE + 1)
    half = np.uint64(32)
    return ((bits >> half) % free).astype(np.int64), ((bits & np.uint64(2**32 - 1)) % free).astype(np.int64)


def _mixed(values: np.ndarray) -> np.ndarray:
    """Scatter 64-bit words so that neighbours have nothing in common (SplitMix64, Steele et al. 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _blur(images: Tensor) -> Tensor:
    """Binomial low-pass of 5x5 (Burt & Adelson 1983), mirrored at the edges; slices are faster than a convolution."""
    for axis in (2, 3):
        size = images.shape[axis]
        padded = F.pad(images, (0, 0, 2, 2) if axis == 2 else (2, 2, 0, 0), mode="reflect")
        far, near, middle, after, beyond = (padded.narrow(axis, k, size) for k in range(5))
        images = (far + beyond).add_(near + after, alpha=4).add_(middle, alpha=6).div_(16)
    return images


def _cut(level: Tensor, rows: np.ndarray, columns: np.ndarray) -> Tensor:
    """Neighbourhoods at places [N, K] of a level [N, 3, S, S] -> [N * K, 147]."""
    side, steps = level.shape[-1], np.arange(SIDE)
    window = (steps[:, None] * side + steps).reshape(-1)  # [49]
    index = torch.from_numpy((rows * side + columns)[..., None] + window).to(level.device)  # [N, K, 49]
    cut = level.flatten(2).gather(2, index.flatten(1)[:, None].expand(-1, 3, -1))  # [N, 3, K * 49]
    return cut.unflatten(2, (rows.shape[1], SIDE * SIDE)).transpose(1, 2).reshape(rows.size, FEATURES)


def _rows(blocks: list[Tensor]) -> Iterator[Tensor]:
    """The same descriptors in float32, a piece at a time."""
    return (part.float() for block in blocks for part in block.split(_ROWS))


def _quantiles(count: int, size: int) -> np.ndarray:
    """Where the middles of ``count`` equal shares lie in ``size`` sorted values: int64 [count]."""
    return ((2 * np.arange(count) + 1) * size) // (2 * count)
