"""All topics of the reference: the words of a recipe, and what is written inside them."""

from __future__ import annotations

from functools import lru_cache

from gandream.base.errors import OutputError, did_you_mean
from gandream.recipe.curve import EASES
from gandream.recipe.expression import NAMES
from gandream.recipe.functions import GROUPS
from gandream.recipe.ranges import COLOURS
from gandream.run.reference.entries import Entry, Topic, words

TIMES: dict[str, tuple[str, str]] = {
    "seconds": ("a bare number is seconds too", "1.5s"),
    "milliseconds": ("thousandths of a second", "250ms"),
    "minutes": ("`0:42` is minutes and seconds, `1:02:03` hours too", "0:42"),
    "frames": ("frames of the film", "90 frames"),
    "beats": ("as a moment a place on the music's grid, as a length so many of them", "4 beats"),
    "bars": ("of `tempo.beats_per_bar` beats; as a moment from the first bar on", "2 bars"),
    "%": ("of the film; moments only, and of a step in `classes.hold`", "50%"),
    "section": ("where a section of the music begins, from 1; moments only", "section 3"),
}
"""How times are written: what each means, and one of them."""
LAYERS: dict[str, tuple[str, str]] = {
    "coarse": ("layers 0 to 3 in StyleGAN 1 and 2, elsewhere the first third: composition and pose", "coarse"),
    "middle": ("layers 4 to 7, or the second third: shapes", "middle"),
    "fine": ("layers from 8 on, or the last third: colour and light", "fine"),
    "all": ("every layer", "all"),
    "numbers": ("one layer, from 0; a range with both ends; from one on; a list of these", "[0-3, 8-]"),
}
_ALSO = {"eases": "ease", "colours": "colour"}
"""What a topic is called too."""
_LENGTHS = {"section": "scenes: [{}, {at: section 2, truncation: 0.4}]", "%": "truncation: {0s: 0.2, 50%: 1}"}


@lru_cache(maxsize=1)
def topics() -> tuple[Topic, ...]:
    """Every topic; those of a recipe's words first."""
    return (
        *words(),
        Topic("times", "points in time and lengths: a number with its unit, wherever a time is wanted", _times()),
        Topic("layers", "style layers, wherever `layers` is asked for", _layers()),
        Topic("colours", "a name, '#ff8000' in quotes, or [255, 128, 0]", _colours()),
        Topic("eases", "the pace from one value to the next, wherever `ease` is asked for", _eases()),
        Topic("names", "what expressions know beside signals, variables and curves", _names()),
        *(
            Topic(heading.lower(), f"functions of expressions: {heading.lower()}", _functions(heading))
            for heading in GROUPS
            if heading != "Eases"
        ),
    )


def _times() -> tuple[Entry, ...]:
    return tuple(
        Entry(name, about, "a time", example=_LENGTHS.get(name) or f"walk: {{through: [1, 2, 3], every: {written}}}")
        for name, (about, written) in TIMES.items()
    )


def _layers() -> tuple[Entry, ...]:
    return tuple(
        Entry(name, about, "layers", example=f"mix: {{from: 12, layers: {written}}}")
        for name, (about, written) in LAYERS.items()
    )


def _colours() -> tuple[Entry, ...]:
    return tuple(
        Entry(name, f"#{code}", "a colour", example=f"effects: [{{flash: 0.6*kick, colour: {name}}}]")
        for name, code in COLOURS.items()
    )


def _eases() -> tuple[Entry, ...]:
    """Eases, which are also functions of expressions, but for the first four."""
    return tuple(
        Entry(name, about, "an ease", example=f"walk: {{through: [1, 2, 3], ease: {name}}}")
        for name, about in EASES.items()
    )


def _names() -> tuple[Entry, ...]:
    examples = {
        "cell": "truncation: 0.5 + 0.1*cell\ngrid: {columns: 3, seeds: [1, 2, 3]}",
        "column": "truncation: 0.4 + 0.2*column\ngrid: {columns: 3, seeds: [1, 2, 3]}",
        "row": "truncation: 0.4 + 0.2*row\ngrid: {columns: 2, rows: 2, seeds: 1-4}",
        "cells": "truncation: cell/cells\ngrid: {columns: 3, seeds: [1, 2, 3]}",
        "columns": "truncation: column/columns\ngrid: {columns: 3, seeds: [1, 2, 3]}",
        "rows": "truncation: row/rows\ngrid: {columns: 2, rows: 2, seeds: 1-4}",
        "scene_t": "scenes: [{for: 4s}, {truncation: 0.2*scene_t}]",
        "scene_progress": "scenes: [{for: 4s}, {truncation: scene_progress}]",
        "frame": "truncation: 0.5 + 0.5*sin(frame/20)",
        "progress": "camera: {rotate: 360*progress}",
        "beat": "truncation: 0.7 + 0.3*cos(tau*beat/4)",
        "bar": "truncation: 0.7 + 0.3*cos(tau*bar/4)",
        "bpm": "truncation: bpm/120",
        "fps": "truncation: 0.5 + 0.5*sin(t*fps/30)",
        "duration": "truncation: t/duration",
    }
    return tuple(
        Entry(name, about, "a number", example=examples.get(name, f"truncation: 0.5 + 0.5*sin({name}*t)"))
        for name, about in NAMES.items()
    )


def _functions(heading: str) -> tuple[Entry, ...]:
    return tuple(
        Entry(name, one.help, f"{name}({one.arguments})", range=one.range, example=f"truncation: {one.example}")
        for name, one in GROUPS[heading].items()
    )


def found(word: str) -> list[tuple[Topic, list[Entry]]]:
    """The topics and entries that a word names, the nearest first: a topic's name gives all of it.

    Raises OutputError with the nearest word where nothing has the name.
    """
    word = word.strip().rstrip(":").removesuffix("()")
    whole = [(topic, list(topic.entries)) for topic in topics() if word in (topic.name, _ALSO.get(topic.name))]
    parts = [(topic, under) for topic in topics() if (under := _under(topic, word))]
    rest = [topic for topic in topics() if all(topic is not other for other, _ in whole)]
    same = [(topic, hits) for topic in rest if (hits := _called(topic, word))]
    if hits := whole + (parts or same):
        return hits
    known = {name for topic in topics() for one in _all(topic) for name in (topic.name, one.name, one.word)}
    hint = did_you_mean(word, sorted(known)) or "`gandream reference` lists all topics."
    raise OutputError(f"reference {word[:60]}", "there is no such word, function, signal, effect or codec", hint)


def _under(topic: Topic, path: str) -> list[Entry]:
    """An entry by its whole key path, and those inside it."""
    if not any(one.name == path and "." in path for one in topic.entries):
        return []
    return [one for one in topic.entries if one.name == path or one.name.startswith(f"{path}.")]


def _called(topic: Topic, word: str) -> list[Entry]:
    """Entries that have a name, each with those inside it."""
    named = [one for one in _all(topic) if one.word == word]
    inside = {one.name: one for top in named for one in topic.entries if one.name.startswith(f"{top.name}.")}
    return [*named, *(one for one in inside.values() if one not in named)]


def _all(topic: Topic) -> list[Entry]:
    """Entries of a topic and their choices."""
    return [part for one in topic.entries for part in (one, *one.choices)]
