"""What a word takes, in words, from its declaration: kind of value, range, and what holds where nothing is said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from gandream.recipe.bend import Bent, Channels
from gandream.recipe.curve import Constant, Expression, Keyframes, curve_written
from gandream.recipe.fields import Choice, FileRef, FrameRate, Number, Switch, TimeCheck, Whole, Word, Words
from gandream.recipe.fields import listed_as_one as as_list
from gandream.recipe.heard import Notes
from gandream.recipe.latent import ClassWord, Latent
from gandream.recipe.layers import Layers, LayerWord
from gandream.recipe.model import ModelRef
from gandream.recipe.music import Music
from gandream.recipe.ranges import Colour, Range
from gandream.recipe.regions import RegionOfLatent
from gandream.recipe.seeds import Seeds
from gandream.recipe.signals import Scale, Sections
from gandream.recipe.times import Time
from gandream.recipe.video import Size
from gandream.recipe.walk import Each

_CURVE = {Constant, Expression, Keyframes}


def _reader(alias: Any) -> Any:
    """What reads the values of a kind; two kinds that are read alike are the same kind."""
    return next(note for note in alias.__metadata__ if isinstance(note, BeforeValidator))


def _field_reader(kind: type[Word], name: str) -> Any:
    return next(note for note in kind.model_fields[name].metadata if isinstance(note, BeforeValidator))


_READ = {
    _reader(Number): "a number",
    _reader(Whole): "a whole number",
    _reader(Switch): "true or false",
    _reader(Words): "text",
    _reader(FrameRate): "frames per second",
    _reader(Size): "a size",
    _reader(Scale): "`piece`, `none` or a number",
    _reader(ClassWord): "a class: number or name",
    _reader(LayerWord): "one layer: number or name",
    _field_reader(Sections, "count"): "`auto` or a whole number",
    _field_reader(RegionOfLatent, "where"): "a part of the picture",
}
_TYPES: dict[Any, str] = {
    bool: "true or false", int: "a whole number", float: "a number", str: "text", Any: "any value",
    Latent: "a latent", Seeds: "many seeds", Time: "a time", Fraction: "a fraction", FileRef: "a file",
    ModelRef: "a model", Music: "a sound file", Layers: "layers", Bent: "layers", Channels: "channels",
    Colour: "a colour", Notes: "notes",
}  # fmt: skip
_WORDS = "words of its own"
_CHECKS = {
    "_length": "a length of time",
    "_duration": "a length of time, or 0",
    "_not_negative": "a moment",
    "_hold": "a length of time, or %",
}


def takes(field: FieldInfo) -> str:
    """What may be written for a word: `a curve`, `a length of time`, `one of: z, w`."""
    return _taken(field.annotation, tuple(field.metadata))


def choices(field: FieldInfo) -> dict[str, str]:
    """The words from which one is chosen, with their meanings; nothing where any value goes."""
    found = next(_notes(field, Choice), None)
    if found is None:
        return {}
    meanings = found.known if isinstance(found.known, Mapping) else dict.fromkeys(found.known, "")
    return {str(word): meaning if isinstance(meaning, str) else meaning.about for word, meaning in meanings.items()}


def range_of(field: FieldInfo) -> str:
    """Where a number may be: `0 to 1`, `above 0`; nothing where it may be anywhere."""
    if (span := next(_notes(field, Range), None)) is not None:
        return _between(span.low, span.high, -1e9, 1e9)
    bounds = [note for kind in (Ge, Gt, Le, Lt) for note in _notes(field, kind)]
    low = next((note.ge if isinstance(note, Ge) else note.gt for note in bounds if isinstance(note, Ge | Gt)), None)
    high = next((note.le if isinstance(note, Le) else note.lt for note in bounds if isinstance(note, Le | Lt)), None)
    above = "above " if any(isinstance(note, Gt) for note in bounds) else ""
    if low is None and high is None:
        return ""
    if high is None:
        return f"{above or 'from '}{_number(low)}"
    return f"{above}{_number(low)} to {_number(high)}" if low is not None else f"up to {_number(high)}"


def turns(field: FieldInfo) -> bool:
    """Whether it is an angle."""
    span = next(_notes(field, Range), None)
    return span is not None and span.period == 360


def default_of(field: FieldInfo) -> str:
    """What holds where the word isn't written; nothing where its description says so."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, Word) or value in ((), {}):
        return ""
    return "" if isinstance(value, tuple) and any(isinstance(one, Word) for one in value) else _written(value)


def _written(value: Any) -> str:
    if isinstance(value, Constant | Expression | Keyframes):
        return str(curve_written(value)) if not isinstance(value, Constant) else str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Layers):
        return ", ".join(value.written())
    if isinstance(value, Channels):
        return str(value.written())
    if isinstance(value, tuple):
        return "[" + ", ".join(_written(one) for one in value) + "]"
    return str(value)


def _number(value: Any) -> str:
    return f"{value:.12g}" if abs(value) < 1e12 else f"{value:g}"


def _between(low: float, high: float, lowest: float, highest: float) -> str:
    if low <= lowest and high >= highest:
        return ""
    return f"{low:g} to {high:g}"


def _taken(kind: Any, notes: tuple[Any, ...]) -> str:
    kind, notes = _peeled(kind, notes)
    if each := next((note for note in notes if isinstance(note, Each)), None):
        return f"{_taken(each.kind, ())}, or a list with one for each step"
    for note in notes:
        if isinstance(note, Choice):
            return "a word"
        if isinstance(note, TimeCheck):
            return _CHECKS.get(note.problem.__name__, "a time")
        if isinstance(note, BeforeValidator) and note in _READ:
            return _READ[note]
    if set(get_args(kind)) == _CURVE:
        return "a curve"
    if get_origin(kind) in (Union, UnionType):
        each = [_taken(part, ()) for part in get_args(kind) if part is not type(None)]
        return " or ".join(dict.fromkeys(each))
    if get_origin(kind) is tuple:
        return _several(get_args(kind), notes)
    if get_origin(kind) is dict:
        return f"names, each with {_taken(get_args(kind)[1], ())}"
    if isinstance(kind, type) and issubclass(kind, Word) and kind not in _TYPES:
        return _WORDS
    return _TYPES.get(kind, _WORDS)


def _several(parts: tuple[Any, ...], notes: tuple[Any, ...]) -> str:
    one = _taken(parts[0], ())
    many = one if one == _WORDS else f"{re.sub('^(a|an) ', '', one)}s"
    if parts[-1] is not Ellipsis:
        return f"two {many}"
    alone = any(isinstance(note, BeforeValidator) and note.func is as_list for note in notes)
    return f"{one}, or a list" if alone else f"a list of {many}"


def _peeled(kind: Any, notes: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """A kind without the notes on it and without `None`, and all of the notes."""
    while True:
        if each := next((note for note in notes if isinstance(note, Each)), None):
            notes = (*notes, *_flat(get_args(each.kind)[1:]))
            return kind, notes
        if get_origin(kind) is Annotated:
            kind, *more = get_args(kind)
            notes = (*notes, *_flat(more))
        elif get_origin(kind) in (Union, UnionType) and len(left := _without_none(kind)) == 1:
            kind = left[0]
        else:
            return kind, notes


def _without_none(kind: Any) -> list[Any]:
    return [part for part in get_args(kind) if part is not type(None)]


def _flat(notes: Iterable[Any]) -> list[Any]:
    """Notes, with those inside a field's."""
    return [one for note in notes for one in (note.metadata if isinstance(note, FieldInfo) else [note])]


def _notes(field: FieldInfo, kind: type[Any]) -> Iterator[Any]:
    """The notes of a kind on a field, or on what is inside it."""
    return (note for note in _peeled(field.annotation, tuple(_flat(field.metadata)))[1] if isinstance(note, kind))
