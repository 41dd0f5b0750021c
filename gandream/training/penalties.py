"""Regularisers: of the discriminator's gradient, and of the generator's path length."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from gandream.training.networks.base import Discriminator, Stage
from gandream.training.networks.stylegan2 import Generator

Penalty = Callable[[Discriminator, Tensor, Tensor, "Tensor | None", Stage, torch.Generator], Tensor]
"""(discriminator, real pictures, generated ones, labels, stage, random) -> scalar, to be times its weight."""


def _gradient(discriminator: Discriminator, pictures: Tensor, labels: Tensor | None, stage: Stage) -> Tensor:
    """Squared length [N] of the logits' gradient with respect to each picture."""
    pictures = pictures.detach().requires_grad_()
    logits = discriminator(pictures, labels, stage)
    (gradient,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3))


def r1(
    discriminator: Discriminator,
    real: Tensor,
    fake: Tensor,
    labels: Tensor | None,
    stage: Stage,
    random: torch.Generator,
) -> Tensor:
    """R1 = 1/2 E |grad D(x)|^2 over real pictures (Mescheder et al. 2018, equation 9)."""
    return _gradient(discriminator, real, labels, stage).mean() / 2


def one_lipschitz(
    discriminator: Discriminator,
    real: Tensor,
    fake: Tensor,
    labels: Tensor | None,
    stage: Stage,
    random: torch.Generator,
) -> Tensor:
    """E (|grad D(x)| - 1)^2 between real and generated pictures (Gulrajani et al. 2017, equation 3)."""
    share = torch.rand(real.shape[0], 1, 1, 1, generator=random, device=real.device)
    squares = _gradient(discriminator, torch.lerp(real, fake.detach(), share), labels, stage)
    return ((squares + 1e-12).sqrt() - 1).square().mean()


PENALTIES: Mapping[str, Penalty] = {"r1": r1, "one_lipschitz": one_lipschitz}


def path_length(
    generator: Generator,
    z: Tensor,
    labels: Tensor | None,
    stage: Stage,
    random: torch.Generator,
    mean: Tensor,
    times: int,
) -> Tensor:
    """E (|J_w^T y| - a)^2 with y ~ N(0, I) and ``mean`` a, which moves on (Karras et al. 2020a, equation 4).

    a is the mean of all lengths so far, and of about the last hundred after ``times`` of them: an average that began
    at 0 would shrink the generator's lengths to nothing in the first thousands of steps, which is all a small one has.

    w [N, L, D'] is one w for each layer; y is scaled by 1 / sqrt(H W), as the lengths are averaged over layers.
    """
    w = generator.styles(z, labels, stage, random)
    pictures = generator.synthesis(w, stage, random, generator.compute)
    y = torch.randn(pictures.shape, generator=random, device=z.device) / math.sqrt(
        pictures.shape[2] * pictures.shape[3]
    )
    (gradient,) = torch.autograd.grad((pictures * y).sum(), w, create_graph=True)
    lengths = gradient.square().sum(dim=2).mean(dim=1).sqrt()
    mean.lerp_(lengths.detach().mean(), max(0.01, 1 / (times + 1)))
    return (lengths - mean).square().mean()
