"""The trajectory: what the generator is fed at every frame, kept small and expanded for a range on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gandream.base.hashing import content_key
from gandream.models.spec import Spec
from gandream.trajectory.pushes import Shove
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.walks import Track

if TYPE_CHECKING:
    from gandream.models.spec import Generator, Inputs


@dataclass(frozen=True)
class Trajectory:
    """A compiled recipe. Made without torch; only :meth:`inputs` needs the generator.

    Order: walk, pushes in z, mapping at psi 1, truncation, pushes in w, synthesis.
    """

    spec: Spec
    timeline: Timeline
    track: Track
    psi: np.ndarray
    """Truncation of each frame, float64 [F]."""
    shoves: tuple[Shove, ...] = ()
    signals: dict[str, np.ndarray] | None = None
    """What drove it, float32 [F] or [F, 12], for those who want to look."""

    @property
    def frames(self) -> int:
        """F, of the whole film."""
        return self.timeline.clock.frames

    def latents(self, start: int, stop: int) -> np.ndarray:
        """z of frames [start, stop) after the pushes in z, float32 [n, D]."""
        places = self.track.at(start, stop)
        for shove in self.shoves:
            if not shove.in_w:
                places = shove.move(places, shove.latent, shove.amounts[start:stop, None])
        return places.astype(np.float32)

    def key(self, start: int, stop: int) -> str:
        """Content key of everything that shapes the pictures of frames [start, stop), before any mapping."""
        in_w = [
            [shove.toward, shove.latent, shove.amounts[start:stop].astype(np.float32), shove.box, shove.layers]
            for shove in self._shoves_in_w(start, stop)
        ]
        psi = self.psi[start:stop].astype(np.float32)
        return content_key(self.spec.fingerprint, self.latents(start, stop), psi, in_w)

    def inputs(self, generator: Generator, start: int, stop: int) -> Inputs:
        """What synthesis is fed for frames [start, stop)."""
        import torch

        from gandream.models.spec import Inputs

        def on_device(array: np.ndarray) -> torch.Tensor:
            return torch.as_tensor(np.ascontiguousarray(array, np.float32), device=generator.device)

        w = generator.map(on_device(self.latents(start, stop))).w
        psi = on_device(self.psi[start:stop])
        w = generator.w_avg + psi[:, None, None] * (w - generator.w_avg)
        for shove in self._shoves_in_w(start, stop):
            target = generator.map(on_device(shove.latent[None])).w[0]
            target = target if shove.toward else target - generator.w_avg
            amounts = on_device(shove.amounts[start:stop])[:, None, None]
            moved = shove.move(w, target, amounts)
            chosen = None if shove.layers is None else torch.as_tensor(shove.layers, device=w.device)[:, None]
            w = moved if chosen is None else torch.where(chosen, moved, w)
        return Inputs(w, psi)

    def _shoves_in_w(self, start: int, stop: int) -> list[Shove]:
        """The pushes in w that move something: one that comes later in the film leaves the keys before it alone."""
        return [shove for shove in self.shoves if shove.in_w and shove.amounts[start:stop].any()]
