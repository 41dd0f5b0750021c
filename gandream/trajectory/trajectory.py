"""The trajectory: what the generator is fed at every frame, kept small and expanded for a range on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gandream.base.hashing import content_key
from gandream.models.spec import Spec
from gandream.trajectory.bends import Bending
from gandream.trajectory.camera import Moved
from gandream.trajectory.layering import Blended, Mixed
from gandream.trajectory.noise import Noised
from gandream.trajectory.places import Place
from gandream.trajectory.pushes import Shove
from gandream.trajectory.regions import Regional
from gandream.trajectory.roam import Roam
from gandream.trajectory.smoothing import Smoothing
from gandream.trajectory.swings import Swing
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.truncation import Centre
from gandream.trajectory.walks import Track
from gandream.trajectory.window import ByFrame, cut

if TYPE_CHECKING:
    from gandream.models.spec import Generator, Inputs


VERSION = 2
"""Raised when the same walks, pushes and mixes lead elsewhere: keys hold what they are made of, not where they are."""


@dataclass(frozen=True)
class Trajectory:
    """A compiled recipe. Made without torch; only :meth:`inputs` needs the generator.

    Order: walk with its classes, pushes in z, mapping at psi 1, blends, mixes, truncation, pushes in w, synthesis
    with its bends, camera.
    """

    spec: Spec
    timeline: Timeline
    track: Track | Roam
    psi: ByFrame
    """Truncation of each frame, float64 [F], or of each layer, [F, L]."""
    centre: Centre | None = None
    """What it goes toward, if that isn't the model's own centre of w."""
    shoves: tuple[Shove | Swing, ...] = ()
    blends: tuple[Blended, ...] = ()
    mixes: tuple[Mixed, ...] = ()
    smoothing: Smoothing | None = None
    """Over time, of w after the mixes."""
    noises: tuple[Noised, ...] = ()
    regions: tuple[Regional, ...] = ()
    bends: tuple[Bending, ...] = ()
    camera: Moved | None = None
    signals: dict[str, np.ndarray] | None = None
    """What drove it, float32 [F] or [F, 12], for those who want to look."""
    first: int = 0
    """Of a scene, the film's frame that all this begins with; it is asked for the film's frames all the same."""

    @property
    def frames(self) -> int:
        """F, of the whole film."""
        return self.timeline.clock.frames

    @property
    def there(self) -> tuple[int, int]:
        """The film's frames [start, stop) that it knows: all of them, or those of a scene."""
        return self.first, self.first + len(self.psi)

    def own(self, start: int, stop: int) -> tuple[int, int]:
        """The film's frames [start, stop) as they are counted in what it holds."""
        low, high = self.there
        assert low <= start <= stop <= high, f"frames {start}:{stop} of a scene that has {low}:{high}"
        return start - low, stop - low

    def scene(self, start: int, stop: int, around: bool = False, beyond: int = 0) -> Trajectory:
        """What frames [start, stop) of the film need, and no more.

        Smoothing sees no frame before the film's first or after its last (or those ``beyond``), unless it goes
        ``around``, from the one to the other.
        """
        smoothing = self.smoothing and replace(self.smoothing, closed=False)
        low, high = (start - smoothing.reach, stop + smoothing.reach) if smoothing else (start, stop)
        if not around:
            low, high = max(0, low), min(self.frames + beyond, high)
        part = cut(replace(self, signals=None, smoothing=smoothing), low, high)
        return replace(part, signals=self.signals, first=low)

    @property
    def pushed_in_w(self) -> tuple[Shove, ...]:
        """The pushes that are made after the mapping network."""
        return tuple(shove for shove in self.shoves if isinstance(shove, Shove) and shove.in_w)

    def places(self) -> Iterator[Place]:
        """All latents that are named."""
        yield from self.track.stops
        for shove in self.shoves:
            if isinstance(shove, Shove):
                yield shove.target
        for named in (*self.blends, *(mix.track for mix in self.mixes), *(one.mixed.track for one in self.regions)):
            yield from named.stops
        yield from self.centre.stops if self.centre else ()

    def latents(self, start: int, stop: int) -> np.ndarray:
        """z of frames [start, stop) after the pushes in z, float32 [n, D]; of a walk in z."""
        start, stop = self.own(start, stop)
        places = self.track.at(start, stop)
        for shove in self.shoves:
            if isinstance(shove, Swing) or not shove.in_w:
                places = shove.moved(places, start, stop)
        return places.astype(np.float32)

    def key(self, start: int, stop: int) -> str:
        """Content key of everything that shapes the pictures of frames [start, stop), before any mapping.

        What does nothing in the range isn't in it, so that what comes late in the film leaves earlier keys alone.
        """
        classes, (walk, *layered), around = len(self.spec.classes), self._made_key(start, stop), []
        if self.smoothing is not None:
            made = [self._made_key(*one) for one in self.smoothing.ranges(start, stop, self.there)]
            needed = self.smoothing.needed(start, stop, self.there)[1]
            around = [["smooth", self.smoothing.kernel, needed, made]]
        start, stop = self.own(start, stop)
        layered = [
            *layered,
            [shove.key(start, stop) for shove in self.pushed_in_w if shove.amounts[start:stop].any()],
        ]
        psi = self.psi[start:stop].astype(np.float32)
        if self.centre is not None and (psi != 1).any():
            layered.append([self.centre.key(start, stop)])
        noises = [noise.key(start, stop) for noise in self.noises] if self.spec.noise else []
        bends = [bend.key(start, stop) for bend in self.bends if bend.active[start:stop].any()]
        camera = self.camera.key(start, stop) if self.camera else []
        more = [["bent", bends, camera]] if bends or camera else []
        more += [one.key(start, stop, classes) for one in self.regions if one.there(start, stop)]
        return content_key(VERSION, self.spec.fingerprint, walk, psi, layered, noises, *more, *around)

    def _made_key(self, start: int, stop: int) -> list[Any]:
        """What shapes the walk, the blends and the mixes of the film's frames [start, stop)."""
        classes, (start, stop) = len(self.spec.classes), self.own(start, stop)
        pushes = [shove for shove in self.shoves if isinstance(shove, Swing) or not shove.in_w]
        busy = [shove for shove in pushes if isinstance(shove, Swing) or shove.amounts[start:stop].any()]
        return [
            [self.track.key(start, stop, classes), [shove.key(start, stop) for shove in busy]],
            [blend.key(start, stop) for blend in self.blends if blend.amounts[start:stop].any()],
            [mix.key(start, stop, classes) for mix in self.mixes if mix.amounts[start:stop].any()],
        ]

    def inputs(self, generator: Generator, start: int, stop: int) -> Inputs:
        """What synthesis is fed for frames [start, stop)."""
        from gandream.trajectory.feed import Feed

        return Feed(self, generator).inputs(start, stop)
