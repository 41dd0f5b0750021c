"""How large a BigGAN-deep is. Brock, Donahue & Simonyan 2018, arXiv 1809.11096, appendix B, tables 7 to 9."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

PAPER = {
    64: (16, 16, 8, 4, 2),
    128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
    512: (16, 16, 8, 8, 4, 2, 1, 1),
}
"""Channels at 4, 8, 16... pixels, in widths: of the paper, and for 64 the table of 128 cut."""


@dataclass(frozen=True)
class BigGANDeepConfig:
    """Sizes of both networks. Channels at 4 * 2^i pixels are ``width * multipliers[i]``, a multiple of 4."""

    resolution: int
    """Side of the pictures in pixels, a power of two from 8."""
    classes: int = 0
    """C; 0: unconditional, which is one class that is never told apart."""
    latent_size: int = 128
    embed_size: int = 128
    width: int = 128
    attention: int = 64
    """Side in pixels of the features that get a non-local block, below the resolution; 0: none."""
    multipliers: tuple[int, ...] = ()
    """One for each resolution from 4; empty: the paper's."""
    discriminator_multipliers: tuple[int, ...] = ()
    """Those of the discriminator, where it has others; empty: the same."""

    def __post_init__(self):
        if self.resolution < 8 or 2 ** (self.resolution.bit_length() - 1) != self.resolution:
            raise ValueError(f"resolution {self.resolution}: a power of two from 8 is wanted")
        if not self.multipliers:
            table = PAPER.get(self.resolution, PAPER[64] if self.resolution < 64 else PAPER[512])
            object.__setattr__(self, "multipliers", table[: len(self.resolutions)])
        if not self.discriminator_multipliers:
            object.__setattr__(self, "discriminator_multipliers", self.multipliers)
        for multipliers in (self.multipliers, self.discriminator_multipliers):
            if len(multipliers) != len(self.resolutions):
                raise ValueError(f"{len(multipliers)} multipliers for {len(self.resolutions)} resolutions")
            if any(self.width * one % 4 or self.width * one < 4 for one in multipliers):
                raise ValueError(f"width {self.width}: channels have to be multiples of 4")
            if any(low < high for low, high in itertools.pairwise(multipliers)):
                raise ValueError(f"multipliers {multipliers}: none may be larger than the one before it")

    @property
    def resolutions(self) -> tuple[int, ...]:
        """4, 8, 16... up to the final one."""
        return tuple(4 << power for power in range(int(math.log2(self.resolution)) - 1))

    def channels(self, resolution: int) -> int:
        """Channels of the generator's features that are ``resolution`` pixels wide."""
        return self.width * self.multipliers[self.resolutions.index(resolution)]

    def discriminator_channels(self, resolution: int) -> int:
        """The same in the discriminator."""
        return self.width * self.discriminator_multipliers[self.resolutions.index(resolution)]


def small(resolution: int = 64, classes: int = 0) -> BigGANDeepConfig:
    """A size that a CPU can train: 1.7 million parameters in G and 1.9 in D at 64 x 64."""
    steps = int(math.log2(resolution)) - 1
    return BigGANDeepConfig(
        resolution,
        classes,
        latent_size=64,
        embed_size=64,
        width=32,
        attention=16,
        multipliers=(8, 8, 4, 2, *[1] * steps)[:steps],
        discriminator_multipliers=(16, 16, 4, 2, *[1] * steps)[:steps],
    )
