"""The kinds of value that words take: numbers, choices, times, files. Each says what it wanted when it got another."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError, core_schema

from gandream.base.assets import bundled
from gandream.base.errors import did_you_mean, listed
from gandream.recipe.text import Text
from gandream.recipe.times import WRITTEN, Time, parse_time

AUDIO_SUFFIXES = (".ogg", ".wav", ".flac", ".mp3", ".m4a")


def wrong(
    problem: str,
    hint: str = "",
    *,
    key: str | int | tuple[str | int, ...] | None = None,
    column: int | None = None,
) -> PydanticCustomError:
    """A mistake in a value: what was wanted, what to do.

    ``key`` points inside a mapping, several of them deeper inside, and ``column`` inside a text.
    """
    context = {"problem": problem, "hint": hint, "key": key, "column": column}
    return PydanticCustomError("gandream", "{problem}", context)


class Word(BaseModel):
    """A group of words of the recipe: frozen, and a word that isn't known is an error that names the nearest."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True)

    @classmethod
    def words(cls) -> list[str]:
        """The keys that a person may write here."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            raise wrong(f"wanted words with values: {listed(cls.words())}")
        for key in value:
            if not isinstance(key, str):
                raise wrong("no such word here", f"Words here: {listed(cls.words())}.", key=key)
        return value


@dataclass(frozen=True)
class Reads:
    """A note on a field: what may be written there is of this kind, though what comes of it is another."""

    kind: Any


def words_at(kind: Any, path: Sequence[Any]) -> list[str]:
    """The keys that may be written at a path into a Word, or into lists and mappings of Words."""
    kinds = _bare(kind)
    for step in path:
        kinds = [inside for kind in kinds for inside in _inside(kind, step)]
    return list(dict.fromkeys(word for kind in kinds if _is_word(kind) for word in kind.words()))


def _inside(kind: Any, step: Any) -> list[Any]:
    if not _is_word(kind):
        if get_origin(kind) in (list, tuple) and not isinstance(step, int):
            return []
        inside = [part for part in get_args(kind) if part is not Ellipsis]
        return _bare(inside[-1]) if inside else []
    fields = {field.alias or name: field for name, field in kind.model_fields.items()}
    if step not in fields:
        return []
    read = [note.kind for note in fields[step].metadata if isinstance(note, Reads)]
    return [bare for one in read or [fields[step].annotation] for bare in _bare(one)]


def _is_word(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Word)


def _bare(kind: Any) -> list[Any]:
    """The alternatives of a kind, without their notes and without `None`."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [bare for part in get_args(kind) if part is not type(None) for bare in _bare(part)]
    return [kind]


COMMAS = "An expression with commas wants quotes inside {...}: {amount: 'mix(a, b, 0.5)'}"


def split_by_commas(key: Any) -> bool:
    """Whether a key looks like a piece of an expression whose commas parted it."""
    return isinstance(key, int | float) or bool(set("()") & set(str(key)))


def is_number(value: Any) -> bool:
    """Whether it is a number; in Python, true and false are some too."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> float:
    if not is_number(value):
        raise wrong("wanted a number")
    try:
        return float(value)
    except OverflowError:
        raise wrong("this number is too large") from None


def _whole(value: Any) -> int:
    finite = is_number(value) and (isinstance(value, int) or math.isfinite(value))
    if not finite or value != int(value):
        raise wrong("wanted a whole number")
    return int(value)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(str(value).lower())
        raise wrong("wanted true or false", f"In YAML 1.2 '{value}' is just a word: write {meant}." if meant else "")
    return value


def _words(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong("wanted text", f"Put it in quotes: '{value}'." if is_number(value) and abs(value) < 1e9 else "")
    return str(value)


def helps(words: Mapping[str, str]) -> str:
    """What some words mean, in a line."""
    return "; ".join(f"`{word}`: {meaning}" for word, meaning in words.items())


def listed_as_one(value: Any) -> Any:
    """A single thing where a list may stand is a list of one."""
    return value if isinstance(value, list | tuple) else [value]


Number = Annotated[float, BeforeValidator(_number)]
Whole = Annotated[int, BeforeValidator(_whole)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Words = Annotated[str, BeforeValidator(_words)]


@dataclass(frozen=True, eq=False)
class Choice:
    """Makes a field take one of some words; ``what`` names the kind of thing."""

    known: Iterable[str]
    what: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"enum": list(self.known)}

    def check(self, value: Any) -> str:
        """Give the word, or say which there are."""
        names = tuple(self.known)
        if not isinstance(value, str) or value not in names:
            near = did_you_mean(str(value), names) if isinstance(value, str) else ""
            raise wrong(f"wanted {'an' if self.what[0] in 'aeiou' else 'a'} {self.what}: {listed(names)}", near)
        return str(value)


@dataclass(frozen=True, eq=False)
class TimeCheck:
    """Makes a field take a time; ``problem`` gives words for a time that won't do, or nothing."""

    problem: Callable[[Time], str]
    sections: bool = False
    """Whether it may be where a section of the music begins."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": ["number", "string"], "description": WRITTEN}

    def read(self, value: Any) -> Time:
        """Give the time, or say how times are written."""
        try:
            time = parse_time(value, sections=self.sections)
        except ValueError as error:
            raise wrong(str(error)) from None
        if problem := self.problem(time):
            raise wrong(problem)
        return time


def _not_negative(time: Time) -> str:
    return "a time can't be negative here" if time.amount < 0 else ""


def _length(time: Time) -> str:
    if time.unit == "%":
        return "a length can't be a percentage: use seconds, frames, beats or bars"
    return "must be longer than 0" if time.amount <= 0 else ""


def _duration(time: Time) -> str:
    return (
        "a length can't be a percentage: use seconds, frames, beats or bars"
        if time.unit == "%"
        else _not_negative(time)
    )


Moment = Annotated[Time, TimeCheck(_not_negative, sections=True)]
"""A point in the film, from 0; perhaps where a section begins."""
Length = Annotated[Time, TimeCheck(_length)]
"""How long something is, above 0."""
Duration = Annotated[Time, TimeCheck(_duration)]
"""How long something is; 0 is nothing."""


@dataclass(frozen=True)
class FileRef:
    """A file as the recipe names it, and where that is."""

    written: str
    path: Path

    def __str__(self) -> str:
        return self.written


def existing_file(value: Any, what: str) -> FileRef:
    """The file that a text names, from the folder which names in it start from; ``what`` says what was wanted."""
    if isinstance(value, FileRef):
        return value
    if not isinstance(value, str) or not value:
        raise wrong(f"wanted the name of {what}")
    if "\0" in value:
        raise wrong("a file name can't hold a NUL character")
    folder = value.folder if isinstance(value, Text) else Path()
    try:
        path = folder / Path(value).expanduser()
        if path.is_file():
            return FileRef(str(value), path)
        found = "this is a folder" if path.is_dir() else "this is no plain file" if path.exists() else ""
    except OSError as error:
        raise wrong(f"can't look at this file: {error.strerror}") from None
    except RuntimeError:
        raise wrong(f"there is no user {value.split('/')[0]} whose folder this could be in") from None
    if found:
        raise wrong(f"{found}; wanted {what}")
    raise wrong(f"no such file: {path}", _nearest_file(path))


def _audio(value: Any) -> FileRef:
    if isinstance(value, str) and value.startswith("bundled:"):
        pieces, name = bundled("music", AUDIO_SUFFIXES), value.removeprefix("bundled:")
        if name not in pieces:
            raise wrong(f"no such bundled piece; there is: {listed(pieces)}", did_you_mean(name, pieces))
        return FileRef(str(value), pieces[name])
    return existing_file(value, "a sound file")


def _nearest_file(path: Path) -> str:
    try:
        return did_you_mean(path.name, [file.name for file in path.parent.iterdir()])
    except OSError:
        return f"The folder {path.parent} isn't there either."


AudioPath = Annotated[FileRef, BeforeValidator(_audio), PlainSerializer(str), WithJsonSchema({"type": "string"})]


_NTSC = {
    Fraction(text): Fraction(rate, 1001)
    for text, rate in (
        ("23.976", 24000),
        ("23.98", 24000),
        ("29.97", 30000),
        ("59.94", 60000),
        ("119.88", 120000),
    )
}


_RATE = re.compile(r"[+-]?\d{1,9}(\.\d{0,9})?|\d{1,9}/\d{1,9}", re.ASCII)


def _rate(value: Any) -> Fraction:
    if isinstance(value, Fraction):
        return value
    text = str(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    try:
        rate = Fraction(text if _RATE.fullmatch(text) else "")
    except (ValueError, ZeroDivisionError):
        raise wrong("wanted frames per second: 30, 23.976 or a fraction such as 24000/1001") from None
    rate = _NTSC.get(rate, rate)
    if not 1 <= rate <= 240:
        raise wrong("must be from 1 to 240 frames per second")
    if rate.denominator > 100000 or rate.numerator > 10_000_000:
        raise wrong("wanted a simpler fraction, such as 24000/1001")
    return rate


FrameRate = Annotated[
    Fraction, BeforeValidator(_rate), PlainSerializer(str), WithJsonSchema({"type": ["number", "string"]})
]
