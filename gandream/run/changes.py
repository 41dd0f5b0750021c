"""What an edit changes: which words of the recipe, and which frames, told in bars where the music has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from gandream.recipe.overrides import dotted
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.run.differences import Inputs, differing
from gandream.run.prepare import Prepared
from gandream.trajectory.timeline import Timeline

MOST_WORDS = 3
"""How many words a sentence names."""
NEAR_S = 1.0
"""A stretch in which nothing changes is passed over if it is shorter than this, or than a bar."""
ANYWHERE = ("use", "seed", "tempo", "sections", "audio", "model", "vars", "video")
"""Words that may shape all others."""


@dataclass(frozen=True)
class Change:
    """Frames [start, stop) of the edited film that look otherwise, and the words that did it; no frames: no picture."""

    start_frame: int
    stop_frame: int
    words: tuple[str, ...]
    """Their key paths: ``push[1].by``."""
    said: str
    """In a sentence: ``bars 9 to 12 (0:16 to 0:24): push[1].by``."""


def paths(before: Recipe, after: Recipe) -> tuple[Path_, ...]:
    """As :func:`words`, the paths themselves."""
    return tuple(dict.fromkeys(_paths(before, after)))


def words(before: Recipe, after: Recipe) -> tuple[str, ...]:
    """The key paths of the words that differ, as they are in the second recipe: ``walk.through[2]``, ``video.crf``."""
    return tuple(dict.fromkeys(dotted(path) for path in _paths(before, after)))


def changes(before: Prepared, after: Prepared) -> tuple[Change, ...]:
    """What of the film looks otherwise after an edit, and why; the earliest first, without torch."""
    edit = _Edit(before, after)
    old, new = edit.lines
    if old.clock.fps != new.clock.fps:
        return (edit.change(0, new.clock.frames, edit.paths),)
    common = min(old.clock.frames, new.clock.frames)
    found: dict[tuple[int, int], list[Path_]] = {}
    for start, stop, paths in _picture_changes(edit, common):
        found.setdefault((start, stop), []).extend(paths)
    timed = [path for path in edit.paths if path[:1] == ("video",)] or edit.paths
    said = [edit.change(start, stop, paths) for start, stop, paths in _together(found)]
    if new.clock.frames > common:
        where = f"{place(common, new.clock.frames, new)}, new"
        said.append(edit.change(common, new.clock.frames, timed, where))
    if old.clock.frames > common:
        said.append(edit.change(common, common, timed, f"what came after {_time(common, new)} is gone"))
    told = {word for one in said for word in one.words}
    left = [path for path in edit.paths if dotted(path) not in told]
    return (*said, edit.change(0, 0, left)) if left else tuple(said)


def _together(found: dict[tuple[int, int], list[Path_]]) -> list[tuple[int, int, list[Path_]]]:
    """The stretches in order; those that the same words shape, by way of several others, are one where they meet."""
    made: list[tuple[int, int, list[Path_]]] = []
    for (start, stop), paths in sorted(found.items()):
        meets = [at for at, (_, end, named) in enumerate(made) if end >= start and set(named) == set(paths)]
        if meets:
            first, end, named = made[meets[-1]]
            made[meets[-1]] = first, max(end, stop), named
        else:
            made.append((start, stop, paths))
    return made


def _picture_changes(edit: _Edit, frames: int) -> Iterator[tuple[int, int, list[Path_]]]:
    """Stretches of frames [start, stop) whose pictures differ, each by what shapes them, with the words to blame."""
    old, new = Inputs(edit.before), Inputs(edit.after)
    gap = round(float(edit.lines[1].clock.fps) * edit.gap_s)
    for head in Inputs.heads:
        for start, stop in differing(old, new, head, frames, gap):
            yield start, stop, edit.blamed(head)


@dataclass(frozen=True)
class _Edit:
    """Two recipes, before and after."""

    before: Prepared
    after: Prepared
    _texts: dict[str, str] = field(default_factory=dict)

    @cached_property
    def lines(self) -> tuple[Timeline, Timeline]:
        """Their time lines."""
        return self.before.score.trajectory.timeline, self.after.score.trajectory.timeline

    @cached_property
    def gap_s(self) -> float:
        """What is passed over."""
        grid = self.lines[1].grid
        return max(NEAR_S, grid.interval_s * grid.beats_per_bar if grid else 0.0)

    @cached_property
    def paths(self) -> list[Path_]:
        """The words that differ; `model` and `audio` too where only what is in their files does."""
        paths = list(_paths(self.before.recipe, self.after.recipe))
        music = [one.score.music and one.score.music.fingerprint for one in (self.before, self.after)]
        if music[0] != music[1] and not any(path[0] == "audio" for path in paths):
            paths.append(("audio",))
        if self.before.spec.fingerprint != self.after.spec.fingerprint and not any("model" in path for path in paths):
            paths.append(("model",))
        return paths

    def blamed(self, head: str) -> list[Path_]:
        """Which of the words have shaped ``head``: its own, what its expressions name, or what may shape everything."""
        named = [path for path in self.paths if self._names(head, path)]
        shared = [path for path in self.paths if path[:1] and path[0] in ANYWHERE]
        return named or shared or self.paths

    def _names(self, head: str, path: Path_) -> bool:
        first, heads = path[0] if path else "", HEADS.get(head, (head,))
        if first in heads or (first in ("scenes", "grid") and (head in path or len(path) < 3)):
            return True
        if first not in ("signals", "curves", "vars") or len(path) < 2:
            return False
        return any(str(path[1]) in self._heard_in(one) for one in heads)

    def _heard_in(self, head: str, seen: frozenset[str] = frozenset()) -> set[str]:
        """Every name in the text of a word, and in that of the recipe's own curves that it names."""
        found: set[str] = set()
        for recipe in (self.before.recipe, self.after.recipe):
            names = set(re.findall(r"[A-Za-z_]\w*", self._text(recipe, head)))
            found |= names
            for name in (names & set(recipe.curves)) - seen:
                found |= self._heard_in(name, seen | {name})
        return found

    def _text(self, recipe: Recipe, head: str) -> str:
        if head in recipe.curves:
            return str(recipe.curves[head])
        key = f"{id(recipe)} {head}"
        if key not in self._texts:
            written = recipe.model_dump(mode="json", by_alias=True, include={head, "scenes", "grid"})
            self._texts[key] = json.dumps(written)
        return self._texts[key]

    def change(self, start: int, stop: int, paths: Sequence[Path_], where: str = "") -> Change:
        """A change in words."""
        named = tuple(dict.fromkeys(dotted(path) for path in paths))
        line = self.lines[1]
        where = where or (place(start, stop, line) if stop > start else self._unseen(paths))
        more = len(named) - MOST_WORDS
        shown = ", ".join(named[:MOST_WORDS]) + (f" and {more} more" if more > 0 else "")
        return Change(start, stop, named, f"{where}: {shown}" if shown else where)

    def _unseen(self, paths: Sequence[Path_]) -> str:
        return "the sound" if all(path[0] == "audio" for path in paths) else "no picture"


HEADS = {"walk": ("walk", "classes"), "scenes": ("scenes", "transition"), "video": ("video", "layer")}
"""The words that shape each part of a picture, where it isn't just the one of its name."""


def place(start: int, stop: int, line: Timeline) -> str:
    """Where frames [start, stop) are: ``bars 9 to 12 (0:16 to 0:24)``, counted from 1, or only times."""
    if (start, stop) == (0, line.clock.frames):
        return "the whole film"
    times = f"{_time(start, line)} to {_time(stop, line)}"
    if line.grid is None:
        return times
    fps, begin = float(line.clock.fps), float(line.start_s)
    # To a tenth of a frame: what ends where a bar begins isn't in it.
    first = int(float(line.grid.bar_at(begin + (start + 0.9) / fps)) // 1) + 1
    last = int(float(line.grid.bar_at(begin + (stop - 0.9) / fps)) // 1) + 1
    if first < 1:
        return times
    return f"{f'bar {first}' if last <= first else f'bars {first} to {last}'} ({times})"


def _time(frame: int, line: Timeline) -> str:
    """A frame's time: ``1:05``, or ``1:05.4`` where it isn't a whole second."""
    tenths = round(frame / float(line.clock.fps) * 10)
    rest = f".{tenths % 10}" if tenths % 10 else ""
    return f"{tenths // 600}:{tenths // 10 % 60:02d}{rest}"


def _paths(before: Recipe, after: Recipe) -> Iterator[Path_]:
    plain = [one.model_dump(mode="json", by_alias=True) for one in (before, after)]
    for path in _differing((before, after), (plain[0], plain[1]), ()):
        yield ("video", *path[2:]) if path[:2] == ("video", 0) and len(after.outputs) == 1 else path


def _differing(values: tuple[Any, Any], plain: tuple[Any, Any], path: Path_) -> Iterator[Path_]:
    """The paths below one at which two values are written otherwise; ``plain`` is how they are written."""
    if plain[0] == plain[1]:
        return
    if all(isinstance(one, tuple) and len(one) == 1 for one in values) and not isinstance(plain[0], list):
        plain = ([plain[0]], [plain[1]])  # a list of one that is written without its brackets
    step = _steps(values, plain)
    if step is None:
        yield path
        return
    for key, value, written in step:
        yield from _differing(value, written, (*path, key))


Step = tuple[Any, tuple[Any, Any], tuple[Any, Any]]


def _steps(values: tuple[Any, Any], plain: tuple[Any, Any]) -> list[Step] | None:
    """What is inside of two values, by its key; None where they are one thing each."""
    old, new = values
    if isinstance(old, BaseModel) and type(old) is type(new) and all(isinstance(one, dict) for one in plain):
        names = {field.alias or name: name for name, field in type(old).model_fields.items()}
        named = [(key, name) for key, name in names.items() if any(key in one for one in plain)]
        return [(key, (getattr(old, name), getattr(new, name)), _both(plain, key)) for key, name in named]
    if all(isinstance(one, dict) for one in (*values, *plain)):
        keys = dict.fromkeys((*values[0], *values[1]))
        return [(key, _both(values, key), _both(plain, key)) for key in keys]
    lists = all(isinstance(one, tuple | list) for one in (*values, *plain))
    if not lists or any(len(one) != len(written) for one, written in zip(values, plain, strict=True)):
        return None
    return _items(values, plain)


def _both(pair: tuple[Any, Any], key: Any) -> tuple[Any, Any]:
    return pair[0].get(key), pair[1].get(key)


def _items(values: tuple[Any, Any], plain: tuple[Any, Any]) -> list[Step] | None:
    """As :func:`_steps`, of lists: what was put in, by its numbers; where something was taken out, the list itself."""
    old, new = plain
    if len(new) < len(old):
        return None
    head = 0
    while head < len(old) and old[head] == new[head]:
        head += 1
    if len(new) == len(old):
        numbers = [(at, at) for at in range(len(new))]
        return [(at, (values[0][at], values[1][at]), (old[at], new[at])) for at, _ in numbers]
    tail = 0
    while tail < len(old) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    if head + tail < len(old):
        return None
    return [(at, (None, values[1][at]), (None, new[at])) for at in range(head, len(new) - tail)]
