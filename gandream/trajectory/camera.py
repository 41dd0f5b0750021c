"""The camera laid out in time, and the maps of the plane that it asks for.

Places are in half heights of the shown picture from its middle, x to the right, y downward. The picture is sheared,
turned and made larger about its middle, and then moved: what was at q is seen at p = S Z R H q + m.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gandream.base.seeds import named_seed
from gandream.models.spec import Spec
from gandream.recipe.camera import Camera
from gandream.recipe.ranges import ranges
from gandream.recipe.reader import Path_
from gandream.trajectory.bends import held
from gandream.trajectory.laying import Ground
from gandream.trajectory.paths.noise import perlin
from gandream.trajectory.pushes import accumulated
from gandream.trajectory.walks import after_last, closing
from gandream.trajectory.window import ByFrame

CELLS = 0.5
"""Of noise that a shake of speed 1 passes in a second: a cell has about two changes of direction."""
CALM = 0.5
"""Noise of variance 1 is within twice its deviation, so that an amount is about how far it goes."""

VERSION = 1
"""Raised when the camera makes other pictures of the same words."""


@dataclass(frozen=True, eq=False)
class Moved:
    """Where the camera is at every frame: all float64 [F]."""

    zoom: ByFrame
    turn: ByFrame
    """Radians, clockwise."""
    right: ByFrame
    """In widths of the shown picture."""
    up: ByFrame
    """In heights."""
    shear: ByFrame
    jolt: ByFrame
    """[F, 3]: of a hand, to the right and upward in heights, and clockwise in radians."""
    octaves: ByFrame
    """Doublings that an infinite zoom has passed."""
    endless: bool
    """Whether the zoom is infinite."""
    inside: bool
    """Whether the model moves its own picture."""
    anchored: bool
    """Whether all pictures are placed as the mean one is."""

    def busy(self, start: int, stop: int) -> bool:
        """Whether anything is moved in frames [start, stop)."""
        still = (self.zoom == 1) & (self.turn == 0) & (self.right == 0) & (self.up == 0) & (self.shear == 0)
        return self.endless or not still[start:stop].all() or bool(self.jolt[start:stop].any())

    def key(self, start: int, stop: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key; nothing where nothing is done."""
        if not self.busy(start, stop):
            return ["anchored"] if self.anchored else []
        curves = (self.zoom, self.turn, self.right, self.up, self.shear, self.jolt, self._octave)
        moved = [curve[start:stop] for curve in curves]
        return [VERSION, *moved, self.endless, self.inside, self.anchored]

    @property
    def _octave(self) -> np.ndarray:
        """How far an infinite zoom is from one size of the picture to twice that, [F] from 0 to 1."""
        return self.octaves - np.floor(self.octaves)

    def shares(self, start: int, stop: int) -> np.ndarray:
        """How far an infinite zoom is from the larger picture to the smaller one, [n] from 0 to 1."""
        return self._octave[start:stop]

    def maps(self, start: int, stop: int, aspect: float, smaller: bool = False) -> np.ndarray:
        """For frames [start, stop): at p is seen what was at the map of (p, 1), float64 [n, 3, 3].

        ``aspect`` is width / height of the shown picture. An infinite zoom shows two sizes of it at once: the larger
        one, from 1 to 2, and the ``smaller``, half of that.
        """
        part = slice(start, stop)
        scale = self.zoom[part] * 2 ** (self._octave[part] - smaller)
        turn = self.turn[part] + self.jolt[part, 2]
        x = 2 * (self.right[part] * aspect + self.jolt[part, 0])
        y = -2 * (self.up[part] + self.jolt[part, 1])
        cos, sin, shear = np.cos(turn) / scale, np.sin(turn) / scale, self.shear[part]
        a, b, c, d = cos - shear * sin, sin + shear * cos, -sin, cos  # H⁻¹ R⁻¹ Z⁻¹, where H⁻¹ adds shear y to x
        maps = np.zeros((stop - start, 3, 3))
        for row, column, values in ((0, 0, a), (0, 1, b), (1, 0, c), (1, 1, d), (2, 2, 1.0)):
            maps[:, row, column] = values
        maps[:, 0, 2], maps[:, 1, 2] = -(a * x + b * y), -(c * x + d * y)
        return maps


def lay_camera(camera: Camera | None, path: Path_, ground: Ground) -> Moved | None:
    """Lay out the word `camera`; None where it does nothing."""
    if camera is None:
        return None
    bounds, line, curves = ranges(Camera), ground.curves.timeline, ground.curves

    def values(word: str) -> np.ndarray:
        return held(curves.values(getattr(camera, word), (*path, word)), bounds[word])

    right, up = (curves.values(curve, (*path, "pan", at)) for at, curve in enumerate(camera.pan))
    speed = values("zoom_speed")
    octaves = accumulated(speed, line.clock)
    endless = bool(speed.any())
    moved = Moved(
        zoom=values("zoom"),
        turn=np.radians(values("rotate")),
        right=right,
        up=up,
        shear=values("shear"),
        jolt=_jolt(camera, path, ground),
        octaves=closing(octaves, 1, ground.recipe) if endless else octaves,
        endless=endless,
        inside=ground.spec.transform and camera.by == "model",
        anchored=camera.anchor == "mean" and ground.spec.drifts,
    )
    return moved if moved.anchored or moved.busy(0, line.clock.frames) else None


def _jolt(camera: Camera, path: Path_, ground: Ground) -> np.ndarray:
    """Gradient noise in three directions at once, along a line; round a circle where the film closes: [F, 3]."""
    line, shake, here = ground.curves.timeline, camera.shake, (*path, "shake")
    if shake is None:
        return np.zeros((line.clock.frames, 3))
    amounts = held(ground.curves.values(shake.amount, (*here, "amount")), ranges(type(shake))["amount"])
    phases = CELLS * accumulated(ground.curves.values(shake.speed, (*here, "speed")), line.clock)
    seed = named_seed(ground.recipe.seed, "camera.shake.seed") if shake.seed is None else shake.seed
    random = np.random.RandomState(seed)
    seeds = random.randint(0, 2**32, 3, dtype=np.uint64) << np.uint64(32) | np.uint64(seed)
    x, y = random.uniform(256, size=(2, 3))
    if ground.closes and phases.any():
        length = max(1.0, abs(after_last(phases)))
        turns, radius = 2 * np.pi * phases[:, None] / length, length / (2 * np.pi)
        x, y = x + radius * np.cos(turns), y + radius * np.sin(turns)
    else:
        x, y = x + 0.8 * phases[:, None], y + 0.6 * phases[:, None]
    return CALM * amounts[:, None] * perlin(seeds, x, y)


def camera_warnings(camera: Camera | None, spec: Spec) -> list[str]:
    """What is done instead of what a model can't."""
    warnings = []
    if camera is None:
        return warnings
    words = [
        word for word in ("zoom", "rotate", "pan", "shear", "shake", "zoom_speed") if word in camera.model_fields_set
    ]
    if words and not spec.transform and camera.by == "model":
        told = f"{spec.name} can't be turned inside ({spec.family}): the picture is turned and moved"
        warnings.append(f"camera: {told}, and beyond its edges it is mirrored")
    if camera.anchor == "mean" and not spec.drifts:
        warnings.append(f"camera.anchor: {spec.name} doesn't place its pictures by w, so this changes nothing")
    return warnings
