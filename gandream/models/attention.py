"""The non-local block of the BigGANs (Zhang et al. 2019, "Self-attention generative adversarial networks")."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def attended(x: Tensor, convs: Sequence[Tensor], dtype: torch.dtype = torch.float32) -> Tensor:
    """Attention of each place to the maxima of 2 x 2 places, added to x [N, C, H, W] (section 3).

    ``convs`` are the 1 x 1 kernels theta, phi, g, and o times gamma. Channels are last in memory: a 1 x 1 convolution
    is a product of matrices then. ``dtype`` is what is computed in where it can be half precision.
    """
    theta, phi, g, o = (conv.flatten(1) for conv in convs)
    last = x.permute(0, 2, 3, 1)
    queries = F.linear(last, theta).flatten(1, 2)
    keys, values = (
        F.max_pool2d(F.linear(last, weight).permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1).flatten(1, 2)
        for weight in (phi, g)
    )
    if dtype == torch.float32:
        found = torch.bmm(torch.softmax(torch.bmm(queries, keys.transpose(1, 2)), dim=2), values)
    else:
        found = _found(queries, keys, values, dtype)
    made = F.linear(found.view(*last.shape[:3], values.shape[2]), o.to(found.dtype))
    return (made.add_(last) if made.dtype == last.dtype else last + made).permute(0, 3, 1, 2)


def _found(queries: Tensor, keys: Tensor, values: Tensor, dtype: torch.dtype) -> Tensor:
    """The same in blocks that stay in the cache (Dao et al. 2022, "FlashAttention"), of halves.

    What is compared would lose too much by rounding, as exponentials magnify errors. So it is split into what a half
    holds and the rest: (a + b) (c + d) = a c + b c + a d and a term that is small. All must have the size of values.
    """
    parts = [torch.stack((one.to(dtype), (one - one.to(dtype).float()).to(dtype))) for one in (queries, keys)]
    (a, b), (c, d) = parts
    asked, held = torch.cat((a, b, a), dim=2), torch.cat((c, c, d), dim=2)
    size = max(asked.shape[2], values.shape[2])
    asked, held, given = (F.pad(one, (0, size - one.shape[2]))[:, None] for one in (asked, held, values.to(dtype)))
    return F.scaled_dot_product_attention(asked, held, given, scale=1.0)[:, 0, :, : values.shape[2]]
