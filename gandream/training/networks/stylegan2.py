"""StyleGAN2 that learns: generator with mapping, modulation and noise; residual discriminator.

Karras et al. 2020a, "Analyzing and improving the image quality of StyleGAN" (figure 2d, section 4.1: skip generator,
residual discriminator); Karras et al. 2020b (class conditions: an embedding beside z, and a projection in the
discriminator, Miyato & Koyama 2018). Tensors of the generator have the names of NVIDIA's checkpoints, so what is
learnt loads as ``gandream.models.stylegan2``. Growth is that of Karras et al. 2018: StyleGAN2 can do without it, but
small resolutions learn many times faster, which is what a machine without a GPU needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandream.training.networks import base
from gandream.training.networks.base import Stage
from gandream.training.networks.halving import halved
from gandream.training.networks.layers import (
    DownConv,
    EqualConv,
    EqualDense,
    unit,
    with_deviation,
)
from gandream.training.networks.modulated import Colours, Modulated, doubled

MAPPING_RATE = 0.01
"""Karras et al. 2019, appendix C; checkpoints store the mapping network's weights divided by it."""
HALF_POWER = math.sqrt(0.5)
"""Of both branches of a residual block (section 4.1)."""


@dataclass(frozen=True)
class StyleGAN2Config:
    """Sizes of both networks; ``channels`` by resolution."""

    resolution: int
    classes: int = 0
    latent_size: int = 512
    w_size: int = 512
    mapping_layers: int = 8
    channels: tuple[tuple[int, int], ...] = ()
    mixing: float = 0.9
    """Share of pictures that are mixed of two latents in training (Karras et al. 2019, section 3.1)."""
    mapping_rate: float = MAPPING_RATE
    """Learning rate of the mapping network, of that of the rest."""
    noise_rate: float = 1.0
    """Learning rate of the noise's strengths, of that of the rest; 0: no noise."""

    def width(self, resolution: int) -> int:
        """Channels at a resolution."""
        return dict(self.channels)[resolution]


def resolutions(final: int) -> list[int]:
    """4, 8 ... up to the final one."""
    return [2**power for power in range(2, final.bit_length())]


class Mapping(nn.Module):
    """z and class to w (Karras et al. 2019, section 2; with classes 2020b, appendix D)."""

    w_avg: Tensor

    def __init__(self, config: StyleGAN2Config):
        super().__init__()
        self.embed = EqualDense(config.classes, config.latent_size) if config.classes else None
        inputs = config.latent_size * (2 if config.classes else 1)
        self.layers = config.mapping_layers
        for number in range(self.layers):
            setattr(self, f"fc{number}", EqualDense(inputs, config.w_size, rate=config.mapping_rate, rectify=True))
            inputs = config.w_size
        self.register_buffer("w_avg", torch.zeros(config.w_size))

    def forward(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """[N, D] and [N] -> [N, D']."""
        x = unit(z)
        if self.embed is not None:
            assert labels is not None
            x = torch.cat([x, unit(self.embed(F.one_hot(labels, self.embed.weight.shape[1])))], dim=1)
        for number in range(self.layers):
            x = self.get_submodule(f"fc{number}")(x)
        return x


class Block(nn.Module):
    """One resolution of the generator."""

    const: nn.Parameter | None

    def __init__(self, config: StyleGAN2Config, resolution: int):
        super().__init__()
        width = config.width(resolution)
        if resolution == 4:
            self.const = nn.Parameter(torch.randn(width, 4, 4))
            self.conv0 = None
        else:
            self.const = None
            self.conv0 = Modulated(
                config.width(resolution // 2), width, config.w_size, resolution, config.noise_rate, up=True
            )
        self.conv1 = Modulated(width, width, config.w_size, resolution, config.noise_rate)
        self.torgb = Colours(width, config.w_size)


class Synthesis(nn.Module):
    """w [N, L, D'] to pictures."""

    def __init__(self, config: StyleGAN2Config):
        super().__init__()
        for resolution in resolutions(config.resolution):
            setattr(self, f"b{resolution}", Block(config, resolution))

    def block(self, resolution: int) -> Block:
        """The block of a resolution."""
        block = self.get_submodule(f"b{resolution}")
        assert isinstance(block, Block)
        return block

    def forward(self, w: Tensor, stage: Stage, random: torch.Generator, compute: torch.dtype) -> Tensor:
        """Pictures float32 [N, 3, R, R]."""
        first = self.block(4)
        assert first.const is not None
        x = first.const.to(compute).expand(w.shape[0], -1, -1, -1).contiguous(memory_format=torch.channels_last)
        row, picture = 0, torch.zeros((), device=w.device)
        for resolution in resolutions(stage.resolution):
            block = self.block(resolution)
            if block.conv0 is not None:
                x = block.conv0(x, w[:, row], random)
                row += 1
            x = block.conv1(x, w[:, row], random)
            row += 1
            colours = block.torgb(x, w[:, row])
            # A new resolution fades in by its colours alone: before it, the picture is the last one, up-sampled.
            weight = stage.alpha if resolution == stage.resolution else 1.0
            picture = colours if resolution == 4 else doubled(picture) + weight * colours
        return picture


class Generator(base.Generator):
    """Mapping and synthesis, with style mixing regularisation."""

    def __init__(self, config: StyleGAN2Config):
        super().__init__()
        self.config = config
        self.latent_size, self.classes, self.resolution = config.latent_size, config.classes, config.resolution
        self.mapping, self.synthesis = Mapping(config), Synthesis(config)

    def rows(self, stage: Stage) -> int:
        """L: rows of w at a stage."""
        return 2 * len(resolutions(stage.resolution))

    def styles(self, z: Tensor, labels: Tensor | None, stage: Stage, random: torch.Generator) -> Tensor:
        """w [N, L, D']; in training, a share of pictures switches to the w of a second z at a random layer.

        Style mixing regularisation (Karras et al. 2019, section 3.1). In training, ``w_avg`` follows the mean of w.
        """
        w, rows = self.mapping(z, labels), self.rows(stage)
        if not self.training:
            return w[:, None].expand(-1, rows, -1)
        with torch.no_grad():
            self.mapping.w_avg.lerp_(w.mean(dim=0), 0.005)
        count = z.shape[0]
        other = torch.randn(z.shape, generator=random, device=z.device)
        crossover = torch.randint(1, rows, (count, 1), generator=random, device=z.device)
        mixed = torch.rand(count, 1, generator=random, device=z.device) < self.config.mixing
        from_other = mixed & (torch.arange(rows, device=z.device) >= crossover)
        return torch.where(from_other[:, :, None], self.mapping(other, labels)[:, None], w[:, None])

    def forward(self, z: Tensor, labels: Tensor | None, stage: Stage, random: torch.Generator) -> Tensor:
        """Pictures float32 [N, 3, R, R]."""
        return self.synthesis(self.styles(z, labels, stage, random), stage, random, self.compute)

    def doubled(self, pictures: Tensor) -> Tensor:
        """By the filter of its skip connections: real pictures must not be sharper than the best generated ones."""
        return doubled(pictures)

    def export(self, stage: Stage) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors by NVIDIA's names, up to the stage's resolution; alpha is folded into the last colours."""
        kept = tuple(f"synthesis.b{resolution}." for resolution in resolutions(stage.resolution))
        tensors = {
            name: tensor.detach().clone()
            for name, tensor in self.state_dict().items()
            if name.startswith(("mapping.", *kept))
        }
        for part in ("weight", "bias"):
            tensors[f"synthesis.b{stage.resolution}.torgb.{part}"].mul_(stage.alpha)
        for name, tensor in tensors.items():
            if name.startswith("mapping.fc"):
                tensor.mul_(self.config.mapping_rate / MAPPING_RATE)
            elif name.endswith("noise_strength"):
                tensor.mul_(self.config.noise_rate)
        return tensors, {"attributes": {}}


class JudgeBlock(nn.Module):
    """One resolution of the discriminator: two convolutions beside a linear branch, half the size after."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv0 = EqualConv(inputs, inputs, 3)
        self.conv1 = DownConv(inputs, outputs, 3)
        self.skip = DownConv(inputs, outputs, 1, bias=False, rectify=False)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, 2 H, 2 W] -> [N, outputs, H, W]."""
        return self.conv1(self.conv0(x), HALF_POWER) + self.skip(x, HALF_POWER)


class Discriminator(base.Discriminator):
    """Residual discriminator with minibatch standard deviation, and a projection of the class."""

    def __init__(self, config: StyleGAN2Config):
        super().__init__()
        self.config = config
        self.colours = nn.ModuleDict()
        self.blocks = nn.ModuleDict()
        for resolution in resolutions(config.resolution):
            width = config.width(resolution)
            self.colours[str(resolution)] = EqualConv(3, width, 1)
            if resolution > 4:
                self.blocks[str(resolution)] = JudgeBlock(width, config.width(resolution // 2))
        width = config.width(4)
        self.conv = EqualConv(width + 1, width, 3)
        self.dense = EqualDense(width * 16, width, rectify=True)
        self.out = EqualDense(width, config.w_size if config.classes else 1)
        self.embed = EqualDense(config.classes, config.w_size) if config.classes else None

    def forward(self, images: Tensor, labels: Tensor | None, stage: Stage) -> Tensor:
        """Logits float32 [N]."""
        images = images.to(self.compute, memory_format=torch.channels_last)
        x = self.colours[str(stage.resolution)](images)
        for resolution in reversed(resolutions(stage.resolution)[1:]):
            x = self.blocks[str(resolution)](x)
            if resolution == stage.resolution and stage.alpha < 1:
                before = self.colours[str(resolution // 2)](halved(images))
                x = before + (x - before) * stage.alpha
        x = self.conv(with_deviation(x))
        x = self.out(self.dense(x.float().flatten(1)))
        if self.embed is None:
            return x[:, 0]
        assert labels is not None
        known = unit(self.embed(F.one_hot(labels, self.embed.weight.shape[1])))
        return (x * known).sum(dim=1) / math.sqrt(x.shape[1])
