"""How each kind of value is written: a row for each function that reads one, by its module and name.

A row is given what the declaration says the function makes, and tells what may be written for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from gandream.base.assets import bundled
from gandream.recipe import layers, noise, video
from gandream.recipe.bend import BENDS
from gandream.recipe.codecs import DEPTHS, SUBSAMPLINGS
from gandream.recipe.effects import EFFECTS, FADES
from gandream.recipe.fields import AUDIO_SUFFIXES, Word
from gandream.recipe.latent import MAX_SEED, SAVED, Latent
from gandream.recipe.layering import Nearest
from gandream.recipe.model import ModelWords
from gandream.recipe.motion import DIRECTIONS
from gandream.recipe.music import MusicWords
from gandream.recipe.noise import Spot
from gandream.recipe.overlays import FONTS, LYRICS, MOST_LETTERS, PICTURES
from gandream.recipe.ranges import COLOURS
from gandream.recipe.scene import MOST_SCENES, Scene, Sectioned
from gandream.recipe.schema.parts import (
    FILE,
    NOT_BLANK,
    NULL,
    Schema,
    choice,
    curve,
    ending,
    listed,
    named,
    one_of,
    seeds_range,
    span,
    text,
    time,
    whole,
)
from gandream.recipe.seeds import MOST, Seeds
from gandream.recipe.use import PRESETS
from gandream.recipe.walk import Walk


class Groups(Protocol):
    """What writes groups of words, so that rows can name them."""

    def group(self, kind: type[Word]) -> Schema:
        """A group of words, written out."""
        ...

    def any_of(self, kind: type[Word]) -> Schema:
        """The same, or one of its short forms."""
        ...

    def entry(self, kind: type[Word], name: str) -> Schema:
        """A group that is known by a word, which must be there and may be empty where it has a default."""
        ...


Inner = Callable[[], Schema]
Row = Callable[[Groups, Inner], Schema]


def fixed(schema: Schema) -> Row:
    """A row that is the same whatever the declaration says."""
    return lambda groups, inner: schema


def as_declared(groups: Groups, inner: Inner) -> Schema:
    """A row whose function only tells mistakes better."""
    return inner()


def or_a_list(groups: Groups, inner: Inner) -> Schema:
    """A list, or one of what it holds."""
    found = inner()
    return one_of(found["items"], found)


def _entries(kinds: Mapping[str, type[Word]]) -> Row:
    def row(groups: Groups, inner: Inner) -> Schema:
        alone = [name for name, kind in kinds.items() if not any(f.is_required() for f in kind.model_fields.values())]
        names = [choice(alone)] if alone else []
        return one_of(*names, *(groups.entry(kind, name) for name, kind in kinds.items()))

    return row


_MUSIC = named(
    "sound",
    one_of(
        choice([f"bundled:{name}" for name in bundled("music", AUDIO_SUFFIXES)]),
        text(r"^(?!bundled:)[^\0]", minLength=1),
    ),
)
_LAYER = one_of(whole(0, 9999), choice(layers.GROUPS), span(4))
_BENT = one_of(whole(0, 99999), NOT_BLANK)
_CHANNEL = one_of(whole(0, 99999), span(5))
_SIDE = whole(video.MIN_SIDE, video.MAX_SIDE)
_COLOUR = named(
    "colour", one_of(choice(list(COLOURS)), text(r"^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"), listed(whole(0, 255), 3, 3))
)
_NOTE_NAME = r"(?:[A-Ga-g][#b]?-?[0-9]|[0-9]+)"
_NOTE = one_of(whole(0, 127), text(rf"^\s*{_NOTE_NAME}\s*(?:-\s*{_NOTE_NAME}\s*)?$"))
_OVERLAY_FILES = one_of(ending(PICTURES), ending(FONTS), ending(LYRICS))


def _labels(groups: Groups, inner: Inner) -> Schema:
    return {**inner(), "propertyNames": {"pattern": "^[A-L]$"}}


def _palette(groups: Groups, inner: Inner) -> Schema:
    stop = one_of(groups.any_of(Latent), groups.group(Seeds), seeds_range())
    each: Schema = {
        "type": "object",
        "propertyNames": {"pattern": "^[A-L]$"},
        "additionalProperties": one_of(stop, listed(stop, 1)),
    }
    return one_of(whole(1, MOST), groups.group(Seeds), each)


def _source(groups: Groups, inner: Inner) -> Schema:
    latent, walk = groups.any_of(Latent), {**groups.group(Walk), "minProperties": 1}
    return one_of(latent, listed(latent, 1, MOST), walk)


KINDS: dict[str, Row] = {
    "bend._channels": fixed(
        one_of(choice(["all"]), {"type": "number", "exclusiveMinimum": 0, "maximum": 1}, _CHANNEL, listed(_CHANNEL, 1))
    ),
    "bend._entry": _entries(BENDS),
    "bend._layers": fixed(one_of(_BENT, listed(_BENT, 1))),
    "bend.pair": lambda groups, inner: one_of(curve(), inner()),
    "camera._shake": lambda groups, inner: one_of(curve(0, 1), inner()),
    "classes._leak": fixed(one_of(choice(["never"]), time(zero=False, share=False))),
    "classes._shuffle": as_declared,
    "classes._weights": as_declared,
    "curve.read_curve": fixed(curve()),
    "effects.<lambda>": _entries(EFFECTS),
    "effects._fade": fixed(one_of(choice(FADES), curve())),
    "fields._audio": fixed(_MUSIC),
    "fields._number": fixed({"type": "number"}),
    "fields._rate": fixed(
        one_of(
            {"type": "number", "minimum": 1, "maximum": 240},
            text(r"^(?:\+?[0-9]{1,9}(?:\.[0-9]{0,9})?|[0-9]{1,9}/0*[1-9][0-9]{0,8})$"),
        )
    ),
    "fields._switch": fixed({"type": "boolean"}),
    "fields._whole": fixed({"type": "integer"}),
    "fields._words": fixed({"type": "string"}),
    "fields.listed_as_one": or_a_list,
    "grid._labels": fixed(one_of({"type": "boolean"}, listed({"type": ["string", "number"]}))),
    "grid._seeds": fixed(one_of(listed(whole(0, MAX_SEED)), seeds_range())),
    "heard._column": fixed(FILE),
    "heard._midi": fixed(FILE),
    "heard._notes": fixed(one_of(_NOTE, listed(_NOTE, 1))),
    "latent._class": fixed(one_of(whole(0), {"type": "string"})),
    "latent._saved": fixed(ending(SAVED)),
    "layering._psi": as_declared,
    "layering._source": _source,
    "layering._toward": lambda groups, inner: one_of(choice(["class"]), groups.any_of(Latent), groups.group(Nearest)),
    "layering._truncation": as_declared,
    "layers._shown": fixed(one_of(whole(0, 9999), NOT_BLANK)),
    "layers.read_layers": fixed(named("layers", one_of(_LAYER, listed(_LAYER, 1)))),
    "model._model": lambda groups, inner: one_of(NOT_BLANK, groups.group(ModelWords)),
    "model._named": fixed(NOT_BLANK),
    "motion._along": lambda groups, inner: one_of(
        choice(DIRECTIONS), ending(SAVED, "(?:#.*)?"), {**groups.group(Latent), "required": ["file"]}
    ),
    "motion._direction": fixed(one_of({"const": True}, whole(0, MAX_SEED))),
    "music._music": lambda groups, inner: one_of(_MUSIC, groups.group(MusicWords)),
    "noise._where": lambda groups, inner: one_of(choice(noise.PARTS_OF_THE_PICTURE), text(r"[./]"), groups.group(Spot)),
    "overlays.<lambda>": fixed(_OVERLAY_FILES),
    "overlays._text": lambda groups, inner: one_of(
        text(r"\S", maxLength=MOST_LETTERS), listed({"type": "string"}, 1), *inner()["anyOf"][1:]
    ),
    "presets.lucid_sonic._sound": fixed(one_of({"type": "boolean"}, NULL, _MUSIC)),
    "presets.parts.times_of": fixed(
        one_of(
            {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 1e6},
            listed({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e6}),
            NULL,
        )
    ),
    "ranges.read_colour": fixed(_COLOUR),
    "roams._clip": fixed(FILE),
    "roams._recording": fixed(ending(SAVED)),
    "scene._labelled": _labels,
    "scene._palette": _palette,
    "scene._scenes": lambda groups, inner: one_of(
        choice(["sections"]), listed(groups.group(Scene), 1, MOST_SCENES), groups.group(Sectioned), NULL
    ),
    "seeds._seeds": fixed(one_of(whole(1, MOST), seeds_range())),
    "seeds._stop": lambda groups, inner: one_of(groups.any_of(Latent), groups.group(Seeds), seeds_range()),
    "signals._count": fixed(one_of(choice(["auto"]), whole(1, 12), NULL)),
    "signals._scale": fixed(
        one_of(choice(["piece", "none"]), {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e9})
    ),
    "use._use": lambda groups, inner: one_of(
        choice(list(PRESETS)), *({**groups.group(kind), "required": ["preset"]} for kind in PRESETS.values()), NULL
    ),
    "video._depth": fixed(choice(list(DEPTHS))),
    "video._name": fixed(text(r"^[A-Za-z0-9_][A-Za-z0-9_+-]{0,39}$")),
    "video._size": fixed(one_of(_SIDE, text(r"^[0-9]{2,7}\s*[x×]\s*[0-9]{2,7}$"), listed(_SIDE, 2, 2))),
    "video._text": lambda groups, inner: one_of(inner(), choice([int(name) for name in SUBSAMPLINGS])),
}
