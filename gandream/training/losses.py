"""Losses: what the discriminator and the generator minimise, from the logits of real and generated pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

DRIFT = 0.001
"""Weight of D(x)^2 over real pictures in WGAN-GP (Karras et al. 2018, appendix A.1)."""


@dataclass(frozen=True)
class Loss:
    """Two functions of logits [N]; the losses are means over the batch."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    """(of real pictures, of generated ones) -> scalar."""
    generator: Callable[[Tensor], Tensor]
    """(of generated pictures) -> scalar."""


def _logistic(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def _hinge(real: Tensor, fake: Tensor) -> Tensor:
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def _wasserstein(real: Tensor, fake: Tensor) -> Tensor:
    return fake.mean() - real.mean() + DRIFT * real.square().mean()


LOSSES: Mapping[str, Loss] = {
    # Goodfellow et al. 2014, section 3: the generator maximises log D(G(z)), with D = sigmoid(logit).
    "non_saturating": Loss(_logistic, lambda fake: F.softplus(-fake).mean()),
    # Lim & Ye 2017, "Geometric GAN", equations 12 and 13; as in Brock et al. 2019.
    "hinge": Loss(_hinge, lambda fake: -fake.mean()),
    # Arjovsky et al. 2017, equation 3, with a drift that keeps logits near 0: Karras et al. 2018, appendix A.1.
    "wasserstein": Loss(_wasserstein, lambda fake: -fake.mean()),
}
