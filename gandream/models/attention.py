"""The non-local block of the BigGANs (Zhang et al. 2019, "Self-attention generative adversarial networks")."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def attended(x: Tensor, convs: Sequence[Tensor]) -> Tensor:
    """Attention of each place to the maxima of 2 x 2 places, added to x [N, C, H, W] (section 3).

    ``convs`` are the 1 x 1 kernels theta, phi, g, and o times gamma. Channels are last in memory: a 1 x 1 convolution
    is a product of matrices then.
    """
    theta, phi, g, o = (conv.flatten(1) for conv in convs)
    last = x.permute(0, 2, 3, 1)
    queries = F.linear(last, theta).flatten(1, 2)
    keys, values = (
        F.max_pool2d(F.linear(last, weight).permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1).flatten(1, 2)
        for weight in (phi, g)
    )
    found = torch.bmm(torch.softmax(torch.bmm(queries, keys.transpose(1, 2)), dim=2), values)
    return F.linear(found.view(*last.shape[:3], -1), o).add_(last).permute(0, 3, 1, 2)
