"""The generator of BigGAN-deep. Brock, Donahue & Simonyan 2018, arXiv 1809.11096, appendix B, figure 16, tables 7 to 9.

Its names in exports are those of the published PyTorch conversion: ``embeddings``, ``generator.gen_z``,
``generator.layers.N`` (blocks and the non-local block in one row), ``generator.bn``, ``generator.conv_to_rgb``.
Growing (Karras et al. 2018, section 3) isn't in the paper: each resolution has a head of its own here.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandream.training.networks import base
from gandream.training.networks.attention import NonLocal
from gandream.training.networks.base import Stage
from gandream.training.networks.biggan_deep_config import BigGANDeepConfig, small
from gandream.training.networks.biggan_deep_discriminator import BigGANDeepDiscriminator
from gandream.training.networks.conditional_norm import EPSILON, ConditionalNorm
from gandream.training.networks.halving import doubled
from gandream.training.networks.spectral import SpectralConv, SpectralWeight
from gandream.training.networks.standing_statistics import STATISTICS, standing_statistics

TRUNCATIONS = 11
"""Truncations that are measured for an export; the rest are interpolated."""

__all__ = ["BigGANDeepConfig", "BigGANDeepDiscriminator", "BigGANDeepGenerator", "small"]


class Block(nn.Module):
    """A bottleneck: 1 x 1, 3 x 3, 3 x 3, 1 x 1, each after a norm and a rectifier; figure 16 (b).

    The way past it keeps the first channels and doubles the size by repeating. Convolutions before a norm have no
    bias, because the norm takes it away; exports write zeros.
    """

    def __init__(self, inputs: int, outputs: int, condition: int, up: bool):
        super().__init__()
        self.inputs, self.outputs, self.up = inputs, outputs, up
        middle = inputs // 4
        self.norms: Any = nn.ModuleList(ConditionalNorm(channels) for channels in (inputs, middle, middle, middle))
        self.outer = SpectralWeight(inputs, condition, stack=2)
        """Gain and offset of the first norm."""
        self.inner = SpectralWeight(middle, condition, stack=6)
        """Gains and offsets of the other three, in turn."""
        self.convs: Any = nn.ModuleList(
            (
                SpectralConv(inputs, middle, 1, bias=False),
                SpectralConv(middle, middle, 3, bias=False),
                SpectralConv(middle, middle, 3, bias=False),
                SpectralConv(middle, outputs, 1),
            )
        )

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """x [N, I, H, W] and the condition [N, K] -> [N, O, H, W] or twice the size."""
        outer = torch.einsum("nk,sck->snc", condition, self.outer())
        inner = torch.einsum("nk,sck->snc", condition, self.inner())
        modulations = ((outer[0], outer[1]), *((inner[2 * i], inner[2 * i + 1]) for i in range(3)))
        h = x
        for index, (norm, conv, (gain, offset)) in enumerate(zip(self.norms, self.convs, modulations, strict=True)):
            h = norm(h, 1 + gain, offset)
            h = conv(doubled(h) if self.up and index == 1 else h)
        x = x[:, : self.outputs]
        return h.add_(doubled(x) if self.up else x)

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Everything by its name in checkpoints, but the statistics."""
        found = self.outer.stacked_tensors([f"{name}.bn_0.scale", f"{name}.bn_0.offset"])
        parts = [f"{name}.bn_{norm}.{part}" for norm in (1, 2, 3) for part in ("scale", "offset")]
        found |= self.inner.stacked_tensors(parts)
        for index, conv in enumerate(self.convs):
            found |= conv.tensors(f"{name}.conv_{index}")
        return found


class Head(nn.Module):
    """Norm, rectifier and a 3 x 3 convolution to three colours."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = ConditionalNorm(channels)
        self.gain = nn.Parameter(torch.ones(channels))
        self.offset = nn.Parameter(torch.zeros(channels))
        self.conv = SpectralConv(channels, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, R, R] -> [N, 3, R, R], before the tanh."""
        return self.conv(self.norm(x, self.gain[None], self.offset[None]))

    def tensors(self) -> dict[str, Tensor]:
        """Everything by its name in checkpoints, but the statistics; C outputs, of which only three are ever used."""
        channels = len(self.gain)
        found: dict[str, Tensor] = {"generator.bn.weight": self.gain, "generator.bn.bias": self.offset}
        for name, tensor in self.conv.tensors("generator.conv_to_rgb").items():
            missing = 0 if name.endswith("weight_v") else channels - len(tensor)
            found[name] = torch.cat((tensor, tensor.new_zeros(missing, *tensor.shape[1:])))
        return found


class BigGANDeepGenerator(base.Generator):
    """z and the class's embedding make the first 4 x 4 features, and the gain and offset of every norm."""

    def __init__(self, config: BigGANDeepConfig):
        super().__init__()
        self.config, self.classes = config, config.classes
        self.latent_size, self.resolution = config.latent_size, config.resolution
        condition = config.latent_size + config.embed_size
        self.embeddings = nn.Embedding(max(config.classes, 1), config.embed_size)
        nn.init.orthogonal_(self.embeddings.weight)
        first = config.channels(4)
        self.gen_z = SpectralWeight(16 * first, condition)
        self.gen_z_bias = nn.Parameter(torch.zeros(16 * first))
        # ModuleDict tells nothing of what is in it
        self.steps: Any = nn.ModuleDict()
        self.attention: Any = nn.ModuleDict()
        self.heads: Any = nn.ModuleDict({str(one): Head(config.channels(one)) for one in config.resolutions})
        for resolution in config.resolutions[1:]:
            coarse, fine = config.channels(resolution // 2), config.channels(resolution)
            if resolution // 2 == config.attention:
                self.attention[str(resolution)] = NonLocal(coarse)
            pair = (Block(coarse, coarse, condition, up=False), Block(coarse, fine, condition, up=True))
            self.steps[str(resolution)] = nn.ModuleList(pair)
        self.standing: dict[str, tuple[Tensor, Tensor]] = {}
        """Statistics for each truncation [51, C], by the names of the norms: see ``standing_statistics``."""

    def forward(self, z: Tensor, labels: Tensor | None, stage: Stage, random: torch.Generator) -> Tensor:
        """Pictures float32 [N, 3, R, R] of z [N, D] and labels [N]; ``random`` isn't used."""
        if labels is None:
            labels = torch.zeros(z.shape[0], dtype=torch.int64, device=z.device)
        condition = torch.cat((z, self.embeddings(labels)), dim=1)
        x = F.linear(condition, self.gen_z(), self.gen_z_bias).to(self.compute)
        x = x.view(z.shape[0], 4, 4, -1).permute(0, 3, 1, 2)
        before = x
        for resolution in self.config.resolutions[1:]:
            if resolution > stage.resolution:
                break
            before = x
            if str(resolution) in self.attention:
                x = self.attention[str(resolution)](x)
            for block in self.steps[str(resolution)]:
                x = block(x, condition)
        rgb = self.heads[str(stage.resolution)](x).float()
        if stage.alpha < 1 and stage.resolution > 4:
            coarse = self.heads[str(stage.resolution // 2)](before).float()
            rgb = torch.lerp(doubled(coarse), rgb, stage.alpha)
        return rgb.tanh()

    def layers(self, stage: Stage) -> list[Block | NonLocal]:
        """The row of blocks up to a stage, the non-local one among them."""
        found: list[Any] = []
        for resolution in self.config.resolutions[1:]:
            if resolution <= stage.resolution:
                if str(resolution) in self.attention:
                    found.append(self.attention[str(resolution)])
                found += self.steps[str(resolution)]
        return found

    def norms(self, stage: Stage) -> dict[str, ConditionalNorm]:
        """All batch norms up to a stage, by their names in checkpoints."""
        found: dict[str, Any] = {}
        for index, layer in enumerate(self.layers(stage)):
            if isinstance(layer, Block):
                found |= {f"generator.layers.{index}.bn_{i}": norm for i, norm in enumerate(layer.norms)}
        return found | {"generator.bn": self.heads[str(stage.resolution)].norm}

    def settle(self, stage: Stage, random: torch.Generator) -> None:
        """Measure the statistics of each truncation, for the export of this stage."""
        standing_statistics(self, stage, random, truncations=TRUNCATIONS)

    def export(self, stage: Stage) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Blocks up to the stage and its head; statistics are the standing ones, or else the running ones."""
        norms = self.norms(stage)
        found: dict[str, Tensor] = {
            "embeddings.weight": self.embeddings.weight.t(),
            **self.gen_z.tensors("generator.gen_z"),
            "generator.gen_z.bias": self.gen_z_bias,
        }
        layers = self.layers(stage)
        for index, layer in enumerate(layers):
            found |= layer.tensors(f"generator.layers.{index}")
        found |= self.heads[str(stage.resolution)].tensors()
        for name, norm in norms.items():
            means, variances = self.standing.get(name, (norm.mean[None], norm.variance[None]))
            found[f"{name}.running_means"] = means.expand(STATISTICS, -1)
            found[f"{name}.running_vars"] = variances.expand(STATISTICS, -1)
        found = {name: tensor.detach().cpu().float().contiguous() for name, tensor in found.items()}
        return found, self._configuration(stage, layers)

    def _configuration(self, stage: Stage, layers: list[Block | NonLocal]) -> dict[str, Any]:
        """What config.json beside a published checkpoint would say; channels are in units of the last ones.

        Published code swaps the weights of two rows of statistics between which a truncation lies; here they aren't.
        """
        width = self.config.channels(stage.resolution)
        blocks = [layer for layer in layers if isinstance(layer, Block)]
        attention = [index for index, layer in enumerate(layers) if isinstance(layer, NonLocal)]
        config = {
            "output_dim": stage.resolution,
            "z_dim": self.latent_size,
            "class_embed_dim": self.config.embed_size,
            "channel_width": width,
            "num_classes": max(self.classes, 1),
            "layers": [[block.up, block.inputs // width, block.outputs // width] for block in blocks],
            "attention_layer_position": attention[0] if attention else -1,
            "eps": EPSILON,
            "n_stats": STATISTICS,
            "interpolation": "linear",
        }
        return {"attributes": {"": {"config": config}}}
