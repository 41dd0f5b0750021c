"""The input: waves, moved and turned (Karras et al. 2021, section 3.2 and appendix F)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from gandream.models.arguments import double, wide
from gandream.models.style.mapping import FullyConnected
from gandream.models.stylegan3.plan import Fourier


class FourierInput:
    """w [N, D] to [N, C, H, W]: sin(2 pi (f p + phase)) at each place p, mixed by a matrix."""

    def __init__(self, plan: Fourier, tensors: Mapping[str, np.ndarray], device: torch.device):
        host = wide(device)

        def put(part: str) -> Tensor:
            return torch.as_tensor(tensors[f"{plan.key}.{part}"], dtype=torch.float64).to(host)

        self.plan = plan
        self.affine = FullyConnected(plan.affine, tensors, device)
        self.frequencies, self.phases = put("freqs"), put("phases")  # [C, 2] as (x, y), [C]
        self.weight = (put("weight") / math.sqrt(plan.channels)).to(torch.float32).to(device)
        has_transform = f"{plan.key}.transform" in tensors
        self.transform = put("transform") if has_transform else torch.eye(3, dtype=torch.float64, device=host)
        self.y, self.x = (
            (torch.arange(side, device=host, dtype=torch.float64) + (0.5 - side / 2)) / plan.rate for side in plan.size
        )

    def __call__(self, w: Tensor, transform: Tensor | None) -> Tensor:
        """Channels last on every device; ``transform`` [N or 1, 3, 3] takes the place of the file's own."""
        count = w.shape[0]
        matrix = self.transform[None] if transform is None else transform.to(torch.float64)
        matrix = self._placed(double(self.affine(w))) @ matrix  # [N, 3, 3]
        frequencies = self.frequencies @ matrix[:, :2, :2]  # [N, C, 2]
        phases = self.phases + (self.frequencies @ matrix[:, :2, 2:])[..., 0]
        heights = 1 - (frequencies.norm(dim=2) - self.plan.bandwidth) / (self.plan.rate / 2 - self.plan.bandwidth)
        # sin(a + b) = sin a cos b + cos a sin b: sines along the sides only, which can afford double precision.
        turn = 2 * math.pi
        a = turn * (self.x[:, None] * frequencies[:, None, :, 0])  # [N, W, C]
        b = turn * (self.y[:, None] * frequencies[:, None, :, 1] + phases[:, None].frac())  # [N, H, C]
        heights = heights.clamp(0, 1)[:, None]

        def put(part: Tensor) -> Tensor:
            return part.to(torch.float32).to(w.device)

        sines, cosines = (put(heights * part)[:, :, None] for part in (b.sin(), b.cos()))  # [N, H, 1, C]
        x = cosines * put(a.sin())[:, None]
        x = torch.addcmul(x, sines, put(a.cos())[:, None])
        x = x.flatten(1, 2) @ self.weight.T
        return x.view(count, *self.plan.size, self.plan.channels).permute(0, 3, 1, 2)

    def _placed(self, affine: Tensor) -> Tensor:
        """The turn and the move that w asks for, [N, 3, 3]: what is asked at p is looked up at R (p - t)."""
        affine = affine / affine[:, :2].norm(dim=1, keepdim=True)
        cosine, sine, x, y = affine.unbind(dim=1)
        zero, one = torch.zeros_like(x), torch.ones_like(x)
        rows = (
            torch.stack([cosine, -sine, sine * y - cosine * x], dim=1),
            torch.stack([sine, cosine, -sine * x - cosine * y], dim=1),
            torch.stack([zero, zero, one], dim=1),
        )
        return torch.stack(rows, dim=1)
