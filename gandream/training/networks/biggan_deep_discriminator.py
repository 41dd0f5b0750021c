"""The discriminator of BigGAN-deep. Brock, Donahue & Simonyan 2018, arXiv 1809.11096, appendix B, figure 16 (c).

Classes enter by projection: Miyato & Koyama 2018, "cGANs with projection discriminator", section 3. There is no batch
norm, and everything can be differentiated twice, for penalties on gradients.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandream.training.networks import base
from gandream.training.networks.attention import NonLocal
from gandream.training.networks.base import Stage
from gandream.training.networks.biggan_deep_config import BigGANDeepConfig
from gandream.training.networks.halving import halved
from gandream.training.networks.spectral import SpectralConv, SpectralWeight


class DownBlock(nn.Module):
    """A bottleneck: rectifiers and 1 x 1, 3 x 3, 3 x 3, then half the size by means, and 1 x 1.

    The way past it takes the same means, and gets the channels that it lacks from a 1 x 1 convolution.
    """

    def __init__(self, inputs: int, outputs: int, down: bool):
        super().__init__()
        self.down = down
        middle = outputs // 4
        self.convs = nn.ModuleList(
            (
                SpectralConv(inputs, middle, 1),
                SpectralConv(middle, middle, 3),
                SpectralConv(middle, middle, 3),
                SpectralConv(middle, outputs, 1),
            )
        )
        self.extra = SpectralConv(inputs, outputs - inputs, 1) if outputs > inputs else None

    def forward(self, x: Tensor) -> Tensor:
        """x [N, I, H, W] -> [N, O, H, W] or half the size."""
        h = F.relu(x)
        for conv in self.convs[:3]:
            h = conv(h).relu_()
        if self.down:
            h, x = halved(h), halved(x)
        h = self.convs[3](h)
        if self.extra is not None:
            x = torch.cat((x, self.extra(x)), dim=1)
        return h.add_(x)


class BigGANDeepDiscriminator(base.Discriminator):
    """Pictures and labels to logits."""

    def __init__(self, config: BigGANDeepConfig):
        super().__init__()
        self.config = config
        resolutions = config.resolutions
        self.from_rgb = nn.ModuleDict(
            {str(one): SpectralConv(3, config.discriminator_channels(one), 3) for one in resolutions}
        )
        self.steps = nn.ModuleDict()
        for resolution in resolutions[1:]:
            fine, coarse = config.discriminator_channels(resolution), config.discriminator_channels(resolution // 2)
            step: list[nn.Module] = [DownBlock(fine, coarse, down=True), DownBlock(coarse, coarse, down=False)]
            if resolution // 2 == config.attention:
                step.append(NonLocal(coarse))
            self.steps[str(resolution)] = nn.Sequential(*step)
        self.linear = SpectralWeight(1, config.discriminator_channels(4))
        self.bias = nn.Parameter(torch.zeros(1))
        self.embeddings = SpectralWeight(config.classes, config.discriminator_channels(4)) if config.classes else None

    def forward(self, images: Tensor, labels: Tensor | None, stage: Stage) -> Tensor:
        """Logits float32 [N] of pictures [N, 3, R, R] in [-1, 1]."""
        images = images.to(self.compute, memory_format=torch.channels_last)
        resolution = stage.resolution
        x = self.from_rgb[str(resolution)](images)
        if resolution > 4:
            x = self.steps[str(resolution)](x)
            resolution //= 2
            if stage.alpha < 1:
                coarse = self.from_rgb[str(resolution)](halved(images))
                x = torch.lerp(coarse, x, stage.alpha)
        while resolution > 4:
            x = self.steps[str(resolution)](x)
            resolution //= 2
        features = F.relu(x).sum((2, 3), dtype=self.bias.dtype)
        logits = F.linear(features, self.linear(), self.bias)[:, 0]
        if self.embeddings is not None and labels is not None:
            logits = logits + (F.embedding(labels, self.embeddings()) * features).sum(1)
        return logits
