"""Random numbers that depend on nothing but (seed, picture, call): the same in any batch, order or resolution.

Counter-based, after Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3": the numbers of a call are a
hash of the picture's key and of the call's counter. The hash is MurmurHash3's 32-bit finaliser (Appleby), three rounds
of it over two words of key.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_WORD = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9


class Draws:
    """Draws for the N pictures ``indices`` (int64 [N]) of the stream ``seed``; every call gives fresh numbers.

    A painter must make the same calls in the same order whatever the batch, so that picture i is a function of
    (seed, i) alone.
    """

    def __init__(self, seed: int, indices: Tensor) -> None:
        self.count = int(indices.shape[0])
        self.device = indices.device
        low, high = indices & _WORD, (indices >> 32) & _WORD
        start = _mix_number((seed & _WORD) ^ _mix_number((seed >> 32) & _WORD ^ _GOLDEN))
        first = _mix(low ^ start)
        self._first = _mix(first ^ high)
        self._second = _mix((self._first + start + _GOLDEN * (low + 1)) & _WORD)
        self._calls = 0

    def words(self, *shape: int) -> Tensor:
        """Uniform words in 0..2^32 - 1, int64 [N, *shape]."""
        self._calls += 1
        number = math.prod(shape)
        counter = torch.arange(number, dtype=torch.int64, device=self.device)
        counter = _mix((counter + _mix_number(self._calls * _GOLDEN & _WORD)) & _WORD)
        word = _mix(counter[None] ^ self._first[:, None])
        word = _mix((word + self._second[:, None]) & _WORD)
        return word.reshape(self.count, *shape)

    def uniform(self, low: float = 0.0, high: float = 1.0, *shape: int) -> Tensor:
        """Uniform numbers in [low, high), float32 [N, *shape]."""
        unit = (self.words(*shape) >> 8).float() * (1.0 / (1 << 24))
        return unit.mul_(high - low).add_(low)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, float32 [N, *shape] (Box and Muller 1958)."""
        unit = (self.words(2, *shape) >> 8).float().add_(0.5).mul_(1.0 / (1 << 24))
        return torch.sqrt(-2.0 * torch.log(unit[:, 0])) * torch.cos(2 * math.pi * unit[:, 1])

    def integer(self, low: int, high: int, *shape: int) -> Tensor:
        """Whole numbers from ``low`` up to, not including, ``high``; int64 [N, *shape]."""
        return low + ((self.words(*shape) * (high - low)) >> 32)


def _mix(word: Tensor) -> Tensor:
    """MurmurHash3's finaliser on 32-bit words kept in int64 (products wrap; only their low 32 bits are used)."""
    word = word ^ (word >> 16)
    word = (word * 0x85EBCA6B) & _WORD
    word = word ^ (word >> 13)
    word = (word * 0xC2B2AE35) & _WORD
    return word ^ (word >> 16)


def _mix_number(word: int) -> int:
    word ^= word >> 16
    word = (word * 0x85EBCA6B) & _WORD
    word ^= word >> 13
    word = (word * 0xC2B2AE35) & _WORD
    return word ^ (word >> 16)
