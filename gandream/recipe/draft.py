"""Drafts: the same film in half its size, with a third of its frames, quickly encoded; its times stay what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

from gandream.recipe.expression import Node
from gandream.recipe.recipe import Recipe
from gandream.recipe.times import Time
from gandream.recipe.video import MIN_SIDE, Video

EVERY = 3
"""One frame of this many is shown."""
SMALLER = 2
CRF = 23
"""Small and quickly written; flaws of the draft's pictures are seen in it, those of the encoder hardly."""


def drafted(recipe: Recipe, size: tuple[int, int]) -> Recipe:
    """A recipe's draft, whose film would have this width and height.

    Times in frames become seconds, and `frame` and `fps` in expressions stay those of the film.
    """
    rate = recipe.video.fps
    width, height = (max(MIN_SIDE, (side // SMALLER + 1) // 2 * 2) for side in size)
    changed = {name: _thinned(getattr(recipe, name), rate) for name in Recipe.model_fields}
    times = {name: _thinned(getattr(recipe.video, name), rate) for name in ("start", "duration")}
    video = Video(size=(width, height), fit=recipe.video.fit, crf=CRF, preset="ultrafast", loop=recipe.video.loop)
    changed["outputs"] = (video.model_copy(update={**times, "fps": rate / EVERY}),)
    made = recipe.model_copy(update=changed)
    made._drafted = size
    return made


def in_draft(frames: tuple[int, int]) -> tuple[int, int]:
    """A range of the film's frames in those of its draft."""
    start, stop = frames
    return start // EVERY, -(-stop // EVERY)


def _thinned(value: Any, rate: Fraction) -> Any:
    """A part of a recipe with frames told in seconds; what doesn't change is given back as it is."""
    if isinstance(value, Time):
        return Time(value.amount / rate) if value.unit == "frames" else value
    if isinstance(value, Node):
        return _thinned_node(value)
    if isinstance(value, BaseModel):
        new = _changes({name: getattr(value, name) for name in type(value).model_fields}, rate)
        return value.model_copy(update=new) if new else value
    if isinstance(value, tuple):
        made = tuple(_thinned(one, rate) for one in value)
        return made if any(new is not old for new, old in zip(made, value, strict=True)) else value
    if isinstance(value, dict):
        return {**value, **_changes(value, rate)}
    if is_dataclass(value) and not isinstance(value, type):
        new = _changes({field.name: getattr(value, field.name) for field in fields(value) if field.init}, rate)
        return replace(value, **new) if new else value
    return value


def _changes(values: Mapping[str, Any], rate: Fraction) -> dict[str, Any]:
    made = {name: (_thinned(value, rate), value) for name, value in values.items()}
    return {name: new for name, (new, old) in made.items() if new is not old}


def _thinned_node(node: Node) -> Node:
    if node.kind == "name" and node.value in ("frame", "fps"):
        return Node("operation", "*", (node, Node("number", float(EVERY), (), node.column)), node.column)
    parts = tuple(_thinned_node(part) for part in node.parts)
    return node if all(new is old for new, old in zip(parts, node.parts, strict=True)) else replace(node, parts=parts)
