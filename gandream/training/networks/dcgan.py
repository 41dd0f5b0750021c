"""DCGAN (Radford, Metz & Chintala 2016, "Unsupervised representation learning with deep convolutional generative
adversarial networks", arXiv 1511.06434, section 3): strided convolutions and batch norms, at one resolution only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandream.training.networks import base
from gandream.training.networks.base import Stage

SLOPE = 0.2
"""Of the discriminator's leaky rectifiers (section 4)."""
DEVIATION = 0.02
"""Of the normal distribution that all weights come from (section 4)."""
EPSILON = 1e-5
"""In the square root of batch norms: files don't hold it, so it is the one that everyone has."""
MOMENTUM = 0.1
"""Weight of the newest batch in the running statistics."""
KERNEL = 4
SMALLEST, LARGEST = 16, 128


@dataclass(frozen=True)
class DCGANConfig:
    """Sizes of both networks; the defaults make what figure 1 shows, with half of its channels."""

    resolution: int = 64
    """A power of two, 16..128."""
    latent_size: int = 100
    """D."""
    channels: int = 64
    """Of the layers at half the resolution; twice as many at each one below it ..."""
    channel_max: int = 1024
    """... but at most this many."""

    def __post_init__(self) -> None:
        if not SMALLEST <= self.resolution <= LARGEST or self.resolution & (self.resolution - 1):
            raise ValueError(f"resolution is {self.resolution}: a power of two, {SMALLEST} to {LARGEST}, is wanted")
        if min(self.latent_size, self.channels, self.channel_max) < 1:
            raise ValueError(f"{self}: sizes have to be positive")

    @property
    def widths(self) -> list[int]:
        """Channels at 4 x 4, 8 x 8 ... half the resolution."""
        count = self.resolution.bit_length() - 3
        return [min(self.channel_max, self.channels << power) for power in reversed(range(count))]

    def check(self, stage: Stage) -> None:
        """ValueError for a stage that isn't the final one: nothing grows here."""
        if stage.resolution != self.resolution or stage.alpha != 1:
            raise ValueError(f"{stage}: a DCGAN doesn't grow, it has {self.resolution} x {self.resolution} only")


class _Norm(nn.Module):
    """A batch norm, whose statistics are float32 whatever the activations are."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(1 + DEVIATION * torch.randn(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, H, W]: by the statistics of the batch in training, else by the running ones."""
        # The statistics are handed over as copies while they are learned: a second call before the first one's
        # backward pass must not change what that pass has saved.
        mean, variance = self.running_mean, self.running_var
        if not self.training:
            return F.batch_norm(x, mean, variance, self.weight, self.bias, False, MOMENTUM, EPSILON)
        learned = mean.clone(), variance.clone()
        y = F.batch_norm(x, *learned, self.weight, self.bias, True, MOMENTUM, EPSILON)
        with torch.no_grad():
            mean.copy_(learned[0])
            variance.copy_(learned[1])
        return y


def _weight(shape: tuple[int, ...]) -> nn.Parameter:
    return nn.Parameter(DEVIATION * torch.randn(shape))


class Generator(base.Generator):
    """z to pictures: transposed convolutions, each but the last with a batch norm and a rectifier; then tanh."""

    def __init__(self, config: DCGANConfig):
        super().__init__()
        self.config = config
        self.latent_size, self.classes, self.resolution = config.latent_size, 0, config.resolution
        sizes = [config.latent_size, *config.widths, 3]
        self.weights = nn.ParameterList(_weight((old, new, KERNEL, KERNEL)) for old, new in pairwise(sizes))
        self.norms = nn.ModuleList(_Norm(width) for width in config.widths)

    def forward(self, z: Tensor, labels: Tensor | None, stage: Stage, random: torch.Generator) -> Tensor:
        """Pictures float32 [N, 3, R, R] of z [N, D]; ``random`` is not drawn from."""
        self.config.check(stage)
        if labels is not None:
            raise ValueError("a DCGAN has no classes")
        x = z.to(self.compute)[:, :, None, None].contiguous(memory_format=torch.channels_last)
        for number, weight in enumerate(self.weights):
            stride, padding = (2, 1) if number else (1, 0)
            x = F.conv_transpose2d(x, weight.to(x.dtype), stride=stride, padding=padding)
            if number < len(self.norms):
                x = F.relu_(self.norms[number](x))
        return x.float().tanh()

    def export(self, stage: Stage) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors in the layout of PyTorch's example: ``main.0`` a convolution, ``main.1`` its norm, and so on."""
        self.config.check(stage)
        tensors, attributes = {}, {}
        for number, weight in enumerate(self.weights):
            tensors[f"main.{3 * number}.weight"] = weight.detach()
            attributes[f"main.{3 * number}"] = {"stride": [2 if number else 1], "padding": [1 if number else 0]}
        for number, norm in enumerate(self.norms):
            tensors |= {f"main.{3 * number + 1}.{part}": value for part, value in norm.state_dict().items()}
        return tensors, {"attributes": attributes}


class Discriminator(base.Discriminator):
    """Pictures to logits: strided convolutions with leaky rectifiers; batch norms but after the first and the last."""

    def __init__(self, config: DCGANConfig):
        super().__init__()
        self.config = config
        widths = config.widths[::-1]
        sizes = [3, *widths, 1]
        self.weights = nn.ParameterList(_weight((new, old, KERNEL, KERNEL)) for old, new in pairwise(sizes))
        self.norms = nn.ModuleList(_Norm(width) for width in widths[1:])

    def forward(self, images: Tensor, labels: Tensor | None, stage: Stage) -> Tensor:
        """Logits float32 [N] of pictures [N, 3, R, R]."""
        self.config.check(stage)
        if labels is not None:
            raise ValueError("a DCGAN has no classes")
        x = images.to(self.compute, memory_format=torch.channels_last)
        *inner, last = self.weights
        for number, weight in enumerate(inner):
            x = F.conv2d(x, weight.to(x.dtype), stride=2, padding=1)
            x = F.leaky_relu_(self.norms[number - 1](x) if number else x, SLOPE)
        return F.linear(x.flatten(1).to(last.dtype), last.flatten(1))[:, 0]
