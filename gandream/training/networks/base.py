"""What the training loop knows of a network, whatever its family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Stage:
    """How far a network has grown (Karras et al. 2018, section 3)."""

    resolution: int
    """Side of the pictures that are made and judged now: a power of two."""
    alpha: float = 1.0
    """Weight of the newest resolution while it fades in, 0..1."""


class Generator(nn.Module, ABC):
    """z [N, D] and labels [N] to pictures; parameters are float32, activations of type ``compute``."""

    latent_size: int
    classes: int
    """C; 0: unconditional."""
    resolution: int
    """Side of the pictures when it has grown."""
    compute: torch.dtype = torch.float32

    @abstractmethod
    def forward(self, z: Tensor, labels: Tensor | None, stage: Stage, random: torch.Generator) -> Tensor:
        """Pictures float32 [N, 3, R, R] in about [-1, 1] of z float32 [N, D] and labels int64 [N]."""

    @abstractmethod
    def export(self, stage: Stage) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors by their names in checkpoints of the family, cut to the stage, and the file's configuration."""

    def doubled(self, pictures: Tensor) -> Tensor:
        """How pictures [N, 3, R, R] are brought to twice the size where a new resolution fades in."""
        return F.interpolate(pictures, scale_factor=2.0, mode="nearest")

    def settle(self, stage: Stage, random: torch.Generator) -> None:
        """Measure what the finished network needs besides its weights, before an export (BigGANs: statistics)."""


class Discriminator(nn.Module, ABC):
    """Pictures [N, 3, R, R] and labels [N] to logits; parameters are float32, activations of type ``compute``."""

    compute: torch.dtype = torch.float32

    @abstractmethod
    def forward(self, images: Tensor, labels: Tensor | None, stage: Stage) -> Tensor:
        """Logits float32 [N]: above 0 where a picture is taken for a real one."""
