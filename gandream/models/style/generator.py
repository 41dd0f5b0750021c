"""A style-based ``Generator`` up to its synthesis: seeds to latents, latents to w, truncation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandream.models.arguments import centre_of, class_weights, computed, z_of
from gandream.models.spec import Inputs, Spec
from gandream.models.style.mapping import MappingNetwork
from gandream.models.style.reader import MappingPlan


class StyleBased:
    """What StyleGANs share; a family's own class adds ``synthesise``."""

    def __init__(
        self,
        spec: Spec,
        plan: MappingPlan,
        tensors: dict[str, np.ndarray],
        attributes: dict[str, dict[str, Any]],
        device: torch.device,
        dtype: torch.dtype | None = None,
    ):
        self.dtype = computed(spec, dtype)
        self.spec, self.device = spec, device
        with torch.no_grad():
            self.mapping = MappingNetwork(plan, tensors, device)
        self.tensors, self.configuration = tensors, {"attributes": attributes}
        """As in the file: what ``save_native`` writes."""
        average = self.mapping.average
        self.class_centres = average if average.ndim == 2 else None
        centre = average if self.class_centres is None else average.mean(dim=0)
        self.w_avg = centre.expand(len(spec.layers), -1).contiguous()

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """z of each seed, float32 [N, D]."""
        return torch.as_tensor(self.spec.latents(seeds), dtype=torch.float32).to(self.device)

    @torch.no_grad()
    def map(
        self, z: Tensor, classes: Tensor | None = None, psi: float | Tensor = 1.0, *, cutoff: int | None = None
    ) -> Inputs:
        """Map z [N, D] to w [N, L, D'], truncated by psi, a number or [N] (Karras et al. 2019, appendix B).

        ``classes`` are numbers [N] or weights [N, C] of the classes' embeddings, and of their centres where they have
        their own. ``cutoff`` is how many of the first layers are truncated; None is all of them.
        """
        z = z_of(self.spec, z, self.device)
        weights = class_weights(self.spec, classes, z)
        w = self.mapping(z, weights)
        w = w[:, None, :].expand(-1, self.w_avg.shape[0], -1)
        psi = torch.as_tensor(psi, dtype=torch.float32, device=self.device).expand(z.shape[0])
        rows = psi[:, None].expand(w.shape[:2])
        if cutoff is not None:
            rows = torch.where(torch.arange(w.shape[1], device=self.device) < cutoff, rows, torch.ones_like(rows))
        centre = centre_of(self.w_avg, self.class_centres, weights)
        return Inputs(torch.lerp(centre.expand_as(w), w, rows[:, :, None]), psi)
