"""A part of the film's frames: what is laid out in time, cut to those that a scene shows: many scenes are small then.

Fields that hold a row for each frame are declared as ``ByFrame``; :func:`cut` looks for them in a dataclass and in all
that it holds. What counts in steps of its own is declared ``OnSteps`` and stays whole.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, TypeVar

import numpy as np

T = TypeVar("T")
ByFrame = Annotated[np.ndarray, "a row for each frame: [F] or [F, ...]"]
OnSteps = Annotated[T, "on steps of its own, whatever the frames are"]


def cut(part: T, start: int, stop: int) -> T:
    """A part of frames [start, stop) alone, which count from 0 in it. Beyond its ends, what repeats begins again."""
    return _Cutter(start, stop).cut(part)


def rows(values: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Rows [start, stop), which are not those of ``values``, so that these can be let go."""
    if values.strides[0] == 0:  # a constant is one number, however often
        return np.broadcast_to(values[:1].copy(), (stop - start, *values.shape[1:]))
    if start >= 0 and stop <= len(values):
        return values[start:stop].copy()
    return np.take(values, np.arange(start, stop), axis=0, mode="wrap")


class _Cutter:
    """What is shared stays shared, and what has no frames stays what it is."""

    def __init__(self, start: int, stop: int):
        self.start, self.stop = start, stop
        self._made: dict[int, tuple[Any, Any]] = {}  # with what it was made from, so that its id stays its own

    def cut(self, part: Any, by_frame: bool = False) -> Any:
        """A field's value, or what is inside it."""
        if by_frame and isinstance(part, np.ndarray):
            return self._once(part, lambda: rows(part, self.start, self.stop))
        if isinstance(part, tuple):
            made = tuple(self.cut(item, by_frame) for item in part)
            return part if all(new is old for new, old in zip(made, part, strict=True)) else made
        if by_frame and isinstance(part, dict):
            return {key: self.cut(item, by_frame) for key, item in part.items()}
        if is_dataclass(part) and not isinstance(part, type):
            return self._once(part, lambda: self._dataclass(part))
        return part

    def _once(self, part: Any, make: Any) -> Any:
        if id(part) not in self._made:
            self._made[id(part)] = part, make()
        return self._made[id(part)][1]

    def _dataclass(self, part: Any) -> Any:
        changed = {}
        for name, by_frame in _looked_into(type(part)):
            old = getattr(part, name)
            if (new := self.cut(old, by_frame)) is not old:
                changed[name] = new
        return replace(part, **changed) if changed else part


@lru_cache
def _looked_into(kind: type) -> tuple[tuple[str, bool], ...]:
    """Fields that may hold something by frames, and whether they are themselves."""
    named = [(field.name, str(field.type)) for field in fields(kind) if field.init]
    return tuple((name, "ByFrame" in written) for name, written in named if not written.startswith("OnSteps"))
