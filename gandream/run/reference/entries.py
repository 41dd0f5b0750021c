"""Every word of the language as an entry of the reference, in topics, from the declarations alone."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic.fields import FieldInfo

from gandream.recipe.bend import BENDS, Operation
from gandream.recipe.curve import EASES
from gandream.recipe.effects import EFFECTS
from gandream.recipe.examples import EXAMPLES, UNITS
from gandream.recipe.fields import Reads, Word
from gandream.recipe.grid import Grid
from gandream.recipe.latent import Latent
from gandream.recipe.layering import LayerPsi
from gandream.recipe.recipe import Recipe
from gandream.recipe.scene import Looks, Scene, Sectioned, Transition
from gandream.recipe.seeds import Seeds
from gandream.recipe.use import PRESETS
from gandream.recipe.walk import Walk
from gandream.run.reference.kinds import choices, default_of, range_of, takes, turns

ORDER = (
    *("model", "audio", "walk", "latent", "push", "classes", "blend", "mix", "smooth", "truncation", "noise"),
    *("regions", "bend", "camera", "layer", "effects", "signals", "tempo", "sections", "scenes", "transition", "grid"),
    *("curves", "vars", "use", "include", "video", "title", "seed", "gandream"),
)
"""The words of a recipe's top in the order in which they are explained; `latent` is what many of them take."""
TAKEN: dict[str, str] = {
    "audio": "a sound file, or words of its own",
    "classes": "words of its own, or a list of classes",
    "classes.from": "the name of a signal with bands",
    "classes.leak": "a length of time, or `never`",
    "classes.shuffle": "a seed, or words of its own",
    "blend.by": "the name of a signal with bands",
    "noise.by": "the name of a signal with bands",
    "bend.translate": "[x, y], or x alone: curves",
    "camera.pan": "[x, y], or x alone: curves",
    "camera.shake": "a curve, or words of its own",
    "effects": "a list of effects",
    "effects.fade": "`in`, `out`, `both`, or a curve",
    "effects.text": "a line, a list of lines, or {file:}",
    "grid.labels": "true, false, or a list of texts",
    "grid.seeds": "a list of seeds, or a range",
    "include": "a recipe file, or a list",
    "latent.between": "two latents",
    "latent.seeds": "how many, or a range such as 0-63",
    "mix.from": "a latent, a list of latents, or a walk",
    "model": "a model, or words of its own",
    "push.along": "`ones`, or a saved direction",
    "push.random": "a seed, or true",
    "regions.from": "a latent, a list of latents, or a walk",
    "regions.where": "a part of the picture, an image file, or a spot",
    "noise.where": "a part of the picture, an image file, or a spot",
    "scenes": "a list of scenes, or `sections`",
    "scenes.palette": "how many seeds, or latents for each label",
    "scenes.labels": "labels, each with words of a scene",
    "signals": "names, each with a kind or words",
    "signals.clip": "two percentiles, or the upper one",
    "signals.csv": "a table and its column",
    "signals.quantise": "a whole number, or words of its own",
    "smooth": "a length of time, or words of its own",
    "truncation": "a curve, a list of {layers, psi}, or words of its own",
    "truncation.psi": "a curve, or a list of {layers, psi}",
    "truncation.toward": "a latent, `class`, or {nearest:}",
    "transition": "`cut`, `crossfade 1s`, or words of its own",
    "use": "a preset's name, or words of its own",
    "use.lucid_sonic.class_shuffle_seconds": "seconds, or a list of moments",
    "use.lucid_sonic.contrast_audio": "true, or a sound file",
    "use.lucid_sonic.flash_audio": "true, or a sound file",
    "video.depth": "8, 10 or 16",
    "video.name": "a short name",
    "walk.through": "a latent, many seeds, or a list",
}
"""What words take whose declaration says less than it reads."""
_ALONE = (Latent, Seeds, Walk, Looks, Transition, LayerPsi, Grid)
"""What is explained once, and not wherever it may stand."""


@dataclass(frozen=True)
class Entry:
    """One word, choice or function: what it is, what it takes, and an example that completes a recipe."""

    name: str
    """Its key path, such as `push.by`; of what is no word of a recipe, the word alone."""
    about: str
    takes: str = ""
    unit: str = ""
    range: str = ""
    default: str = ""
    example: str = ""
    choices: tuple[Entry, ...] = field(default=())

    @property
    def word(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Topic:
    """Entries that are explained together; the first is the topic itself, where it is a word."""

    name: str
    about: str
    entries: tuple[Entry, ...]


def words() -> list[Topic]:
    """The words of a recipe, a topic for each word at its top."""
    fields = {_name(name, one): one for name, one in Recipe.model_fields.items()}
    assert fields.keys() | {"latent"} == set(ORDER)
    return [_topic(name, fields) for name in ORDER]


def _topic(name: str, fields: Mapping[str, FieldInfo]) -> Topic:
    if name == "latent":
        about = "a place in latent space: a seed such as 7, a saved one, one in between, or `mean`"
        many = _entry("latent.seeds", Seeds.model_fields["seeds"])
        several = (one for one in _fields(Seeds, "latent.seeds") if one.name != "latent.seeds.seeds")
        return Topic(name, about, (*_fields(Latent, name), many, *several))
    about = fields[name].description or ""
    return Topic(name, about, (_entry(name, fields[name]), *_inside(name, fields[name])))


def _inside(name: str, field: FieldInfo) -> Iterator[Entry]:
    """The words that may stand inside a word."""
    if name == "bend":
        yield from _fields(Operation, name)
        for word, kind in BENDS.items():
            yield from _headed(f"{name}.{word}", kind, set(Operation.words()))
    elif name == "effects":
        for word, kind in EFFECTS.items():
            yield from _headed(f"{name}.{word}", kind, set())
    elif name == "use":
        for word, preset in PRESETS.items():
            path = f"{name}.{word}"
            yield Entry(path, _doc(preset), "words of its own", example=EXAMPLES.get(path, ""))
            yield from (one for one in _fields(preset, path) if one.word != "preset")
    elif name == "scenes":
        own = {word: one for word, one in Scene.model_fields.items() if word not in Looks.model_fields}
        yield from (_entry(f"{name}.{_name(word, one)}", one) for word, one in own.items())
        yield from (_entry(f"{name}.{_name(word, one)}", one) for word, one in Sectioned.model_fields.items())
    else:
        top = {"walk": Walk, "transition": Transition, "grid": Grid}.get(name)
        for kind in [top] if top is not None else _kinds(field):
            yield from _fields(kind, name)


def _headed(path: str, kind: type[Word], without: set[str]) -> Iterator[Entry]:
    """A group named by its main word, and its other words."""
    fields = {_name(name, one): one for name, one in kind.model_fields.items()}
    main = path.rpartition(".")[2]
    entry = _entry(path, fields[main])
    yield Entry(**{**vars(entry), "about": f"{_doc(kind).rstrip('.')}: {entry.about}"})
    yield from (one for kind in _kinds(fields[main]) for one in _fields(kind, path))
    yield from (_entry(f"{path}.{word}", one) for word, one in fields.items() if word != main and word not in without)


def _fields(kind: type[Word], path: str) -> Iterator[Entry]:
    for name, one in kind.model_fields.items():
        word = f"{path}.{_name(name, one)}"
        yield _entry(word, one)
        for inner in _kinds(one):
            yield from _fields(inner, word)


def _entry(path: str, field: FieldInfo) -> Entry:
    known = choices(field)
    eased = set(known) == set(EASES)
    example = EXAMPLES.get(path, "")
    kind = "an ease" if eased else TAKEN.get(path) or takes(field)
    unit = UNITS.get(path, "degrees" if turns(field) else "")
    chosen = (
        ()
        if eased
        else tuple(_choice(path, word, about or field.description or "", example) for word, about in known.items())
    )
    shown = re.sub(r"<([^<>]*)>", r"\1", example)
    about = field.description or ""
    about = _without(about, known) if chosen else about
    return Entry(path, about, kind, unit, range_of(field), default_of(field), shown, chosen)


def _without(about: str, known: Mapping[str, str]) -> str:
    """A description without the meanings of the words to choose from, which are told one by one."""
    told = [f"`{word}`: {meaning}" for word, meaning in known.items() if meaning]
    inside = [part for part in told if part in about]
    if not inside:
        return about
    first, last = about.index(inside[0]), about.index(inside[-1]) + len(inside[-1])
    before, after = about[:first].rstrip(" :,"), about[last:].lstrip(" ;,")
    return "; ".join(filter(None, [before, after])) or "one of these"


def _choice(path: str, word: str, about: str, example: str) -> Entry:
    own = EXAMPLES.get(f"{path}={word}") or re.sub(r"<[^<>]*>", word, example)
    return Entry(word, about, f"a choice of `{path}`", example=own)


def _name(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _kinds(field: FieldInfo) -> list[type[Word]]:
    """The groups of words that may be written in a field, but for those that are explained elsewhere."""
    read = [note.kind for note in field.metadata if isinstance(note, Reads)]
    found = [kind for one in [*read, field.annotation] for kind in _groups(one)]
    return [kind for kind in dict.fromkeys(found) if not issubclass(kind, _ALONE)]


def _groups(kind: Any) -> Iterable[type[Word]]:
    if isinstance(kind, type) and issubclass(kind, Word):
        return [kind]
    return [group for part in get_args(kind) for group in _groups(part)]


def _doc(kind: type[Any]) -> str:
    """The first sentence of a group's own description."""
    text = " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())
    return text.partition(": `")[0].rstrip(".") + "."
