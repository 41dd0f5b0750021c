"""Augmentation of what the discriminator sees, so that small data sets can be trained on.

Real and generated pictures alike go through random transformations before they are judged; gradients reach the
generator through them. What is transformed with a probability below 1 can be told from what is not, so the generator
goes on making pictures that aren't transformed (Karras et al. 2020b, arXiv 2006.06676, section 2.2).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gandream.training.augment.adaptive import ada
from gandream.training.augment.controller import Controller
from gandream.training.augment.differentiable import diffaugment

__all__ = ["AUGMENTATIONS", "Augmentation", "Controller", "ada", "diffaugment", "none"]

Augmentation = Callable[[Tensor, Tensor | float, torch.Generator], Tensor]
"""Pictures [N, 3, R, R] in about [-1, 1], a probability 0..1 and the source of all that is drawn, to pictures."""


def none(images: Tensor, p: Tensor | float, random: torch.Generator) -> Tensor:
    """The pictures themselves; nothing is drawn."""
    return images


AUGMENTATIONS: dict[str, Augmentation] = {"none": none, "ada": ada, "diffaugment": diffaugment}
