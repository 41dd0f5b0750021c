"""Self-attention between all places of a picture, with fewer keys than places.

Wang et al. 2018, "Non-local neural networks", section 3; Zhang et al. 2019, "Self-attention generative adversarial
networks", section 3: the result enters with a weight that starts at 0.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandream.training.networks.spectral import SpectralConv


class NonLocal(nn.Module):
    """x + gamma o(attention(x)): queries at full size, keys and values max-pooled 2 x 2; no scaling by size."""

    def __init__(self, channels: int):
        super().__init__()
        narrow = max(channels // 8, 1)
        self.theta = SpectralConv(channels, narrow, 1, bias=False)
        self.phi = SpectralConv(channels, narrow, 1, bias=False)
        self.g = SpectralConv(channels, channels // 2, 1, bias=False)
        self.o = SpectralConv(channels // 2, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, H, W] -> the same shape."""
        n, _, h, w = x.shape
        queries = self.theta(x).flatten(2).transpose(1, 2)
        keys = F.max_pool2d(self.phi(x), 2).flatten(2)
        values = F.max_pool2d(self.g(x), 2).flatten(2).transpose(1, 2)
        # softmax works in float32 inside, whatever the type of its ends
        weights = torch.softmax(torch.bmm(queries, keys), dim=2)
        found = torch.bmm(weights, values).view(n, h, w, -1).permute(0, 3, 1, 2)
        return torch.addcmul(x, self.o(found), self.gamma.to(x.dtype))

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Everything by its name in checkpoints."""
        found = {f"{name}.gamma": self.gamma}
        for part in ("theta", "phi", "g"):
            found |= getattr(self, part).normed.tensors(f"{name}.snconv1x1_{part}")
        return found | self.o.normed.tensors(f"{name}.snconv1x1_o_conv")
