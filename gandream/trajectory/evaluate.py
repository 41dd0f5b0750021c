"""Curves to numbers: constants, expressions and keyframes over the whole film, float64 [F]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gandream.base.clock import timestamp
from gandream.recipe.curve import AnyCurve, Constant, Expression, Keyframes
from gandream.recipe.expression import Node, names_in
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory.ease import eased
from gandream.trajectory.functions import FUNCTION, Film
from gandream.trajectory.timeline import Timeline

_OPERATION: dict[str, Callable[..., np.ndarray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.mod,
    "**": np.power,
    "negative": np.negative,
    "positive": np.positive,
    "not": lambda a: np.asarray(a == 0, np.float64),
    "and": lambda a, b: np.asarray((a != 0) & (b != 0), np.float64),
    "or": lambda a, b: np.asarray((a != 0) | (b != 0), np.float64),
    "<": lambda a, b: np.asarray(a < b, np.float64),
    "<=": lambda a, b: np.asarray(a <= b, np.float64),
    ">": lambda a, b: np.asarray(a > b, np.float64),
    ">=": lambda a, b: np.asarray(a >= b, np.float64),
    "==": lambda a, b: np.asarray(a == b, np.float64),
    "!=": lambda a, b: np.asarray(a != b, np.float64),
}

LARGEST = 1e9
"""The largest value of a curve: its square is still far from the end of float32."""


@dataclass(frozen=True)
class Curves:
    """Evaluates the curves of one recipe against its time line and signals (float32 [F], or [F, B] with bands)."""

    recipe: Recipe
    timeline: Timeline
    signals: Mapping[str, np.ndarray]
    _known: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)
    """The recipe's own curves, each worked out once."""

    def values(self, curve: AnyCurve, path: Path_) -> np.ndarray:
        """The curve at every frame, float64 [F]; a value that can't be used is a RecipeError with its first time."""
        frames = self.timeline.clock.frames
        with np.errstate(all="ignore"):
            if isinstance(curve, Constant):
                values = np.broadcast_to(np.float64(curve.value), (frames,))  # one number, however many frames
            elif isinstance(curve, Keyframes):
                values = self._keyframes(curve, path)
            else:
                self._know(curve)
                values = np.broadcast_to(self._node(curve.tree), (frames,)).astype(np.float64)
                if not np.isfinite(values).all():
                    raise self._not_finite(curve, path, int(np.argmin(np.isfinite(values))))
        usable = np.abs(values) <= LARGEST
        if not usable.all():
            problem = f"the value is beyond {LARGEST:.0e} {self._when(int(np.argmin(usable)))}"
            raise self.recipe.error(path, problem, "No picture needs that; is there a divisor near 0?")
        return values

    def _know(self, curve: AnyCurve) -> None:
        """Work out the recipe's own curves that a curve is made of, first those that others are made of."""
        waiting = list(_own_names(curve, self.recipe))
        while waiting:
            name = waiting[-1]
            missing = [other for other in _own_names(self.recipe.curves[name], self.recipe) if other not in self._known]
            if name not in self._known and not missing:
                self._known[name] = self.values(self.recipe.curves[name], ("curves", name))
            waiting = [*waiting, *missing] if missing else waiting[:-1]

    def _keyframes(self, curve: Keyframes, path: Path_) -> np.ndarray:
        times = np.array([self.timeline.moment_s(time) for time in curve.times])
        falls = np.flatnonzero(np.diff(times) <= 0)
        if falls.size:
            first, second = (f"{curve.times[at]} ({times[at]:.3f} s)" for at in (falls[0], falls[0] + 1))
            raise self.recipe.error(path, f"keyframes must rise in time, but {second} is not after {first}")
        place = np.interp(self.timeline.clock.times, times, np.arange(len(times)))
        left, share = eased(place, curve.ease)
        values = np.array([*curve.values, curve.values[-1]])
        return values[left] + (values[left + 1] - values[left]) * share

    @cached_property
    def _film(self) -> Film:
        return Film(self.timeline.clock, self.recipe.seed)

    def _node(self, node: Node) -> np.ndarray:
        if node.kind == "number":
            return np.asarray(float(node.value))
        if node.kind == "name":
            return self._name(str(node.value))
        if node.kind == "index":
            name = str(node.parts[0].value)
            band = self.recipe.signals[name].band_at(str(node.value))
            assert band is not None, "check_names() knows the bands"
            return self.signals[name][:, band].astype(np.float64)
        parts = [self._node(part) for part in node.parts]
        if node.kind == "call":
            return np.asarray(FUNCTION[str(node.value)](self._film, *parts))
        return _OPERATION[str(node.value)](*parts)

    def _name(self, name: str) -> np.ndarray:
        if name in self.recipe.cell:
            return np.asarray(float(self.recipe.cell[name]))
        if name in NAME:
            return np.asarray(NAME[name](self.timeline), np.float64)
        if name in self.signals:
            return self.signals[name].astype(np.float64)
        if name in self.recipe.curves:
            return self._known[name]
        return np.asarray(float(self.recipe.vars[name]))

    def _not_finite(self, curve: Expression, path: Path_, frame: int):
        """Say what went wrong first, where in the expression, and at which time."""
        culprit, reason = self._culprit(curve.tree, frame)
        hint = "Keep the divisor away from 0, for instance with max(x, 0.01)." if "zero" in reason else ""
        return self.recipe.error(
            path, f"{reason} {self._when(frame)} (column {culprit.column + 1} of the expression)", hint, culprit.column
        )

    def _when(self, frame: int) -> str:
        return f"at {timestamp(float(self.timeline.clock.times[frame]))} (frame {frame})"

    def _culprit(self, node: Node, frame: int) -> tuple[Node, str]:
        """Of a node that isn't finite at the frame, the first part that isn't though its own parts are."""
        for part in node.parts:
            if not np.isfinite(self._at(part, frame)):
                return self._culprit(part, frame)
        value = self._at(node, frame)
        if node.value in ("/", "%") and self._at(node.parts[1], frame) == 0:
            return node, "divides by zero"
        what = f"{node.value}()" if node.kind == "call" else f"'{node.value}'"
        return node, f"{what} gives {'no number' if np.isnan(value) else 'an infinite value'}"

    def _at(self, node: Node, frame: int) -> float:
        return float(np.broadcast_to(self._node(node), (self.timeline.clock.frames,))[frame])


def _own_names(curve: AnyCurve, recipe: Recipe) -> list[str]:
    """The recipe's own curves that a curve names."""
    names = [str(node.value) for node in names_in(curve.tree)] if isinstance(curve, Expression) else []
    return [name for name in names if name in recipe.curves]


def _grid(timeline: Timeline):
    assert timeline.grid is not None, "compose() makes the grid when the recipe has beats"
    return timeline.grid


def _share(times: np.ndarray, begin: float, end: float) -> np.ndarray:
    return np.clip((times - begin) / (end - begin), 0, 1)


NAME: dict[str, Callable[[Timeline], np.ndarray | float]] = {
    "t": lambda line: line.clock.times,
    "frame": lambda line: np.arange(line.clock.frames, dtype=np.float64),
    "progress": lambda line: line.clock.times / float(line.clock.duration),
    "beat": lambda line: _grid(line).beat_at(line.music_times),
    "bar": lambda line: _grid(line).bar_at(line.music_times),
    "bpm": lambda line: _grid(line).bpm,
    "fps": lambda line: float(line.clock.fps),
    "duration": lambda line: float(line.clock.duration),
    "scene_t": lambda line: line.clock.times - (line.scene_s or (0.0, 0.0))[0],
    "scene_progress": lambda line: _share(line.clock.times, *(line.scene_s or (0.0, float(line.clock.duration)))),
    **{name: lambda _: 0.0 for name in ("cell", "column", "row")},
    **{name: lambda _: 1.0 for name in ("cells", "columns", "rows")},
    "pi": lambda _: np.pi,
    "tau": lambda _: 2 * np.pi,
}
