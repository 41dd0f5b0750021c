"""Statistics that batch norms have at each truncation, gathered for an export.

Brock et al. 2018, section 3.1 and appendix C ("standing statistics"): running averages belong to other weights than
those that are exported, and truncated z have statistics of their own, so that the finished generator makes many
batches and the means and variances of all of them together are kept.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gandream.training.networks.base import Stage
from gandream.training.networks.spectral import SpectralWeight

if TYPE_CHECKING:
    from gandream.training.networks.biggan_deep import BigGANDeepGenerator

STATISTICS = 51
"""Rows of the tables of statistics in exports: truncations 0, 0.02, ... 1."""
STEPS = 16
"""Of the power iteration, so that averaged weights have singular values of their own."""
BOUND = 2.0
"""Where normal numbers are cut."""


@torch.no_grad()
def standing_statistics(
    generator: BigGANDeepGenerator,
    stage: Stage,
    random: torch.Generator,
    *,
    truncations: int = STATISTICS,
    batch: int = 64,
    batches: int = 4,
) -> None:
    """Measure means and variances of every norm at ``truncations`` truncations from 0.02 to 1, for ``export``.

    Truncation psi scales z, which is drawn from a normal distribution cut at 2; classes are drawn evenly. Rows of the
    table in between are interpolated; row 0 is a copy of row 1, because at psi = 0 nothing would vary. The running
    statistics become those of psi = 1, so that the generator in evaluation makes what its export makes.
    """
    if not 2 <= truncations <= STATISTICS:
        raise ValueError(f"{truncations = }: 2 to {STATISTICS} are wanted")
    for module in generator.modules():
        if isinstance(module, SpectralWeight):
            module.iterate(STEPS)
    was_training = generator.training
    generator.eval()
    device = next(generator.parameters()).device
    norms = generator.norms(stage)
    measured = sorted({max(1, round(at)) for at in torch.linspace(0, STATISTICS - 1, truncations).tolist()})
    rows: list[dict[str, tuple[Tensor, Tensor]]] = []
    shape = (batch, generator.latent_size)
    latents = [truncated_normal(shape, random, device) for _ in range(batches)]
    classes = [
        torch.randint(max(generator.classes, 1), (batch,), generator=random, device=device) for _ in range(batches)
    ]
    try:
        # the same z and classes at each truncation, so that the rows differ by the truncation alone
        for row in measured:
            for norm in norms.values():
                norm.recorded = []
            for z, labels in zip(latents, classes, strict=True):
                generator(z * (row / (STATISTICS - 1)), labels, Stage(stage.resolution), random)
            rows.append({name: _together(norm.recorded or []) for name, norm in norms.items()})
    finally:
        for norm in norms.values():
            norm.recorded = None
        generator.train(was_training)
    generator.standing = {}
    for name, norm in norms.items():
        means, variances = (_table(measured, torch.stack([found[name][part] for found in rows])) for part in (0, 1))
        generator.standing[name] = (means, variances)
        norm.mean.copy_(means[-1])
        norm.variance.copy_(variances[-1])


def truncated_normal(shape: tuple[int, ...], random: torch.Generator, device: torch.device) -> Tensor:
    """Numbers of a normal distribution cut at -2 and 2, float32: the inverse of its distribution function."""
    below = 0.5 * math.erfc(BOUND / math.sqrt(2))
    uniform = torch.rand(shape, generator=random, device=device, dtype=torch.float64)
    return torch.special.ndtri(below + uniform * (1 - 2 * below)).float()


def _together(found: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Mean and variance of batches of one size together: the mean variance, and the variance of the means."""
    means = torch.stack([mean for mean, _ in found]).double()
    variances = torch.stack([variance for _, variance in found]).double()
    return means.mean(0).float(), (variances.mean(0) + means.var(0, unbiased=False)).float()


def _table(measured: list[int], values: Tensor) -> Tensor:
    """Rows [51, C] from those that were measured [T, C], linear in between and constant before the first."""
    places = torch.tensor(measured, dtype=torch.float32, device=values.device)
    wanted = torch.arange(STATISTICS, dtype=torch.float32, device=values.device).clamp(measured[0], measured[-1])
    upper = torch.searchsorted(places, wanted).clamp(1, len(measured) - 1)
    weight = (wanted - places[upper - 1]) / (places[upper] - places[upper - 1])
    return torch.lerp(values[upper - 1], values[upper], weight[:, None])
