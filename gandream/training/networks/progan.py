"""Progressive growing (Karras, Aila, Laine & Lehtinen 2018, "Progressive growing of GANs", arXiv 1710.10196).

The networks of table 2 with everything that section 3 and 4 add: growth with fade-in, the equalised learning rate,
pixelwise normalisation in the generator, the standard deviation over the minibatch in the discriminator. Classes are
appended to z as one-hot vectors in the generator (Odena et al. 2017, section 3); the discriminator takes their inner
product with its last features (projection: Miyato & Koyama 2018, "cGANs with projection discriminator", equation 3).

Biases are inside the scale of the equalised learning rate, y = c (W x + b), and c is sqrt(2 / inputs) everywhere, the
colours included: so files in pytorch_GAN_zoo's layout want it, and nothing in them says otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandream.training.networks import base
from gandream.training.networks.base import Stage
from gandream.training.networks.halving import doubled, halved
from gandream.training.networks.layers import SLOPE, rectified

EPSILON = 1e-8
"""In the square roots (section 4.2)."""
GROUP = 4
"""Most pictures that the standard deviation over the minibatch is taken of."""
FIRST = 4
"""Side of the pictures that training starts with."""


@dataclass(frozen=True)
class ProGANConfig:
    """Sizes of both networks; the defaults are those of table 2."""

    resolution: int = 256
    """A power of two from 4 on."""
    latent_size: int = 512
    """D."""
    classes: int = 0
    """C; 0: unconditional."""
    channel_base: int = 16384
    """Channels at a resolution of R are channel_base / R ..."""
    channel_max: int = 512
    """... but at most this many, and at least one."""

    def __post_init__(self) -> None:
        if self.resolution < FIRST or self.resolution & (self.resolution - 1):
            raise ValueError(f"resolution is {self.resolution}: a power of two from {FIRST} on is wanted")
        if min(self.latent_size, self.channel_base, self.channel_max) < 1 or self.classes < 0:
            raise ValueError(f"{self}: sizes have to be positive")

    def channels(self, resolution: int) -> int:
        """Channels of the layers that work at a resolution."""
        return max(1, min(self.channel_max, self.channel_base // resolution))

    @property
    def resolutions(self) -> list[int]:
        """4, 8, 16 ... up to the final one."""
        return [1 << power for power in range(FIRST.bit_length() - 1, self.resolution.bit_length())]

    def rung(self, stage: Stage) -> int:
        """The place of a stage's resolution among all of them; ValueError without one, or for alpha beyond 0..1."""
        if stage.resolution not in self.resolutions or not 0 <= stage.alpha <= 1:
            raise ValueError(f"{stage} is no stage of a network that grows to {self.resolution}")
        return self.resolutions.index(stage.resolution)


def _precise(dtype: torch.dtype) -> torch.dtype:
    """The type that statistics are taken in: float32, or better where activations are."""
    return torch.promote_types(dtype, torch.float32)


class _Normalise(torch.autograd.Function):
    """x [N, C, H, W] over its root mean square r along C; and 1 / r [N, 1, H, W].

    Written by hand because a pass over the activations is what costs: the plain formula takes three times as long.
    Its gradient is made of the two outputs, so that it can be differentiated again.
    """

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        norm = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=_precise(x.dtype))
        inverse = torch.rsqrt(norm.square() / x.shape[1] + EPSILON).to(x.dtype)
        return x * inverse, inverse

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*output)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor | None) -> Tensor | None:
        """With y = x / r: dx = (dy - y mean(dy y)) / r - d(1/r) y / r^2 / C."""
        y, inverse = ctx.saved_tensors
        dy, dinverse = grad_outputs
        along: Tensor | None = None
        if dy is not None:
            count = y.shape[1]
            rows = (dy * y).permute(0, 2, 3, 1).reshape(-1, count)
            mean = rows @ rows.new_full((count, 1), 1 / count)
            along = -mean.view(y.shape[0], *y.shape[2:]).unsqueeze(1) * inverse
        if dinverse is not None:
            extra = -dinverse * inverse.square() / y.shape[1]
            along = extra if along is None else along + extra
        if along is None:
            return None
        return y * along if dy is None else torch.addcmul(dy * inverse, y, along)


def pixel_norm(x: Tensor) -> Tensor:
    """x [N, C, H, W] or [N, C], each pixel's features scaled to a mean square of 1 (section 4.2)."""
    if x.ndim == 2:
        return x * torch.rsqrt(x.to(_precise(x.dtype)).square().mean(dim=1, keepdim=True) + EPSILON).to(x.dtype)
    return _Normalise.apply(x)[0]


def minibatch_deviation(x: Tensor) -> Tensor:
    """x [N, C, H, W] with one more feature: how much the pictures of its group differ, one number (section 3).

    Groups are of neighbours in the batch, ``GROUP`` of them or as many as divide N.
    """
    N, C, H, W = x.shape
    group = next(size for size in range(min(GROUP, N), 0, -1) if N % size == 0)
    parts = x.reshape(N // group, group, C, H, W).to(_precise(x.dtype))
    deviation = (parts.var(dim=1, unbiased=False) + EPSILON).sqrt().mean(dim=(1, 2, 3))  # [N / group]
    column = deviation.repeat_interleave(group).to(x.dtype)[:, None, None, None]
    return torch.cat([x, column.expand(N, 1, H, W)], dim=1).contiguous(memory_format=torch.channels_last)


class _Equalised(nn.Module):
    """Weights from N(0, 1) and biases of 0, both multiplied by sqrt(2 / inputs) where they are used (section 4.1)."""

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape))
        self.bias = nn.Parameter(torch.zeros(shape[0]))
        self.scale = math.sqrt(2 / math.prod(shape[1:]))

    def forward(self, x: Tensor) -> Tensor:
        """[N, I] or [N, I, H, W] to [N, O] or [N, O, H, W], in the type of x."""
        weight, bias = (self.weight * self.scale).to(x.dtype), (self.bias * self.scale).to(x.dtype)
        if weight.ndim == 2:
            return F.linear(x, weight, bias)
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)


class Generator(base.Generator):
    """z and one-hot classes to pictures, grown as far as the stage says; the last layer is linear (table 2)."""

    def __init__(self, config: ProGANConfig):
        super().__init__()
        self.config = config
        self.latent_size, self.classes, self.resolution = config.latent_size, config.classes, config.resolution
        widths = [config.channels(resolution) for resolution in config.resolutions]
        self.dense = _Equalised((widths[0] * FIRST**2, config.latent_size + config.classes))
        self.first = _Equalised((widths[0], widths[0], 3, 3))
        self.blocks = nn.ModuleList(
            nn.ModuleList([_Equalised((new, old, 3, 3)), _Equalised((new, new, 3, 3))]) for old, new in pairwise(widths)
        )
        self.colours = nn.ModuleList(_Equalised((3, width, 1, 1)) for width in widths)

    def forward(self, z: Tensor, labels: Tensor | None, stage: Stage, random: torch.Generator) -> Tensor:
        """Pictures float32 [N, 3, R, R] of z [N, D] and labels [N]; ``random`` is not drawn from."""
        rung = self.config.rung(stage)
        if (labels is None) != (self.classes == 0):
            raise ValueError("labels are wanted exactly where there are classes")
        if labels is not None:
            z = torch.cat([z, F.one_hot(labels, self.classes).to(z.dtype)], dim=1)
        x = rectified(self.dense(pixel_norm(z).to(self.compute))).view(z.shape[0], -1, FIRST, FIRST)
        x = pixel_norm(x.contiguous(memory_format=torch.channels_last))
        x = pixel_norm(rectified(self.first(x)))
        below = x
        for block in self.blocks[:rung]:
            assert isinstance(block, nn.ModuleList)
            below = x
            x = doubled(x)
            for layer in block:
                x = pixel_norm(rectified(layer(x)))
        picture = self.colours[rung](x).float()
        if rung and stage.alpha < 1:
            old = doubled(self.colours[rung - 1](below).float())
            picture = torch.lerp(old, picture, stage.alpha)
        return picture

    def export(self, stage: Stage) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors in the layout of pytorch_GAN_zoo, whose alpha is the weight of the resolution that fades out."""
        rung = self.config.rung(stage)
        layers: dict[str, nn.Module] = {"formatLayer": self.dense, "groupScale0.0": self.first}
        for number, block in enumerate(self.blocks[:rung]):
            assert isinstance(block, nn.ModuleList)
            layers |= {f"scaleLayers.{number}.{order}": layer for order, layer in enumerate(block)}
        layers |= {f"toRGBLayers.{number}": layer for number, layer in enumerate(self.colours[: rung + 1])}
        tensors = {
            f"{name}.module.{part}": parameter.detach()
            for name, layer in layers.items()
            for part, parameter in layer.named_parameters()
        }
        known = {
            "alpha": 1 - stage.alpha if rung else 0,
            "categoryVectorDim": self.classes,
            "equalizedlR": True,
            "leakyReluLeak": SLOPE,
            "lossCriterion": "WGANGP",
            "perChannelNormalization": True,
        }
        return tensors, {"attributes": {"": {"config": known}}}


class Discriminator(base.Discriminator):
    """Pictures to logits: table 2 the other way round, with the standard deviation over the minibatch at the end."""

    def __init__(self, config: ProGANConfig):
        super().__init__()
        self.config = config
        widths = [config.channels(resolution) for resolution in config.resolutions]
        self.colours = nn.ModuleList(_Equalised((width, 3, 1, 1)) for width in widths)
        self.blocks = nn.ModuleList(
            nn.ModuleList([_Equalised((new, new, 3, 3)), _Equalised((old, new, 3, 3))]) for old, new in pairwise(widths)
        )
        last = widths[0]
        self.last = _Equalised((last, last + 1, 3, 3))
        self.dense = _Equalised((last, last * FIRST**2))
        self.decision = _Equalised((1, last))
        self.classes = nn.Parameter(torch.randn(config.classes, last)) if config.classes else None

    def forward(self, images: Tensor, labels: Tensor | None, stage: Stage) -> Tensor:
        """Logits float32 [N] of pictures [N, 3, R, R] and labels [N]."""
        rung = self.config.rung(stage)
        if images.shape[1:] != (3, stage.resolution, stage.resolution):
            raise ValueError(f"pictures have shape {list(images.shape)}, and {stage} is what they are for")
        if (labels is None) != (self.classes is None):
            raise ValueError("labels are wanted exactly where there are classes")
        x = self._features(images, rung)
        for number in reversed(range(rung)):
            block = self.blocks[number]
            assert isinstance(block, nn.ModuleList)
            for layer in block:
                x = rectified(layer(x))
            x = halved(x)
            if number == rung - 1 and stage.alpha < 1:
                x = torch.lerp(self._features(halved(images), number), x, stage.alpha)
        x = rectified(self.last(minibatch_deviation(x)))
        x = rectified(self.dense(x.flatten(1)))
        x = x.to(_precise(x.dtype))
        logits = self.decision(x)[:, 0]
        if labels is not None and self.classes is not None:
            logits = logits + (x * F.embedding(labels, self.classes)).sum(dim=1) / math.sqrt(x.shape[1])
        return logits

    def _features(self, images: Tensor, rung: int) -> Tensor:
        """fromRGB."""
        images = images.to(self.compute, memory_format=torch.channels_last)
        return rectified(self.colours[rung](images))
