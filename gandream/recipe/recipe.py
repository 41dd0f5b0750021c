"""The whole recipe: every word of the language at its top, and the checks that need more than one word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)

from gandream.base.errors import RecipeError, did_you_mean, listed
from gandream.recipe.classes import Classes
from gandream.recipe.curve import AnyCurve, Constant, Expression, Keyframes
from gandream.recipe.effects import Effects
from gandream.recipe.expression import BEAT_NAMES, FUNCTIONS, NAMES, Node, names_in
from gandream.recipe.fields import AudioPath, Moment, Number, Reads, Whole, Word, Words, listed_as_one, wrong
from gandream.recipe.latent import MAX_SEED, ClassWord
from gandream.recipe.layering import Blends, Mixes, Noises, Truncation
from gandream.recipe.motion import Push, Walk
from gandream.recipe.overrides import dotted
from gandream.recipe.reader import Document, Key, Path_
from gandream.recipe.signals import BANDS, FLATS, PITCHES, Signal
from gandream.recipe.text import Text
from gandream.recipe.times import Time
from gandream.recipe.video import Video

LANGUAGE = 1


class Tempo(Word):
    """The beat grid, where it isn't to be heard from the music."""

    bpm: Annotated[
        Number | None, Field(ge=10, le=1000, description="beats per minute; without it the music is tracked")
    ] = None
    beats_per_bar: Annotated[Whole, Field(ge=1, le=64, description="beats in a bar")] = 4
    first_beat: Annotated[Moment | None, Field(description="where in the music the first bar begins")] = None


@dataclass(frozen=True)
class ModelRef:
    """A model as the recipe names it, and the folder that a relative file name starts from."""

    written: str
    folder: Path = Path()
    sha256: str | None = None
    class_: int | str | None = None

    def __str__(self) -> str:
        return self.written


def _named(value: Any) -> ModelRef:
    if not isinstance(value, str) or not value.strip():
        raise wrong("wanted the name of a model, such as cppn#7")
    return ModelRef(str(value), value.folder if isinstance(value, Text) else Path())


class ModelWords(Word):
    """A model with more to say about it than its name."""

    file: Annotated[
        Annotated[ModelRef, BeforeValidator(_named), WithJsonSchema({"type": "string"})],
        Field(description="the model's name or file"),
    ]
    sha256: Annotated[Words | None, Field(description="of the file, 64 hex digits; another file is refused")] = None
    class_: Annotated[
        ClassWord | None,
        Field(alias="class", description="for latents without a class of their own, where there are no `classes`"),
    ] = None


def _model(value: Any) -> ModelRef:
    if isinstance(value, ModelRef):
        return value
    if isinstance(value, dict):
        words = ModelWords.model_validate(value)
        if words.sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", words.sha256):
            raise wrong("a SHA-256 has 64 hex digits", key="sha256")
        return replace(words.file, sha256=words.sha256 and words.sha256.lower(), class_=words.class_)
    return _named(value)


def _model_written(model: ModelRef) -> Any:
    more = {"sha256": model.sha256, "class": model.class_}
    more = {key: value for key, value in more.items() if value is not None}
    return {"file": model.written, **more} if more else model.written


Model = Annotated[
    ModelRef,
    BeforeValidator(_model),
    Reads(ModelWords),
    PlainSerializer(_model_written),
    WithJsonSchema({"anyOf": [{"type": "string"}, ModelWords.model_json_schema()]}),
]


class Recipe(Word):
    """A recipe as checked: frozen; `where` gives the place of each word in its file."""

    gandream: Annotated[Whole, Field(description="version of the language")] = LANGUAGE
    include: Annotated[
        tuple[Words, ...],
        BeforeValidator(listed_as_one),
        Field(max_length=32, description="recipe files that this one builds on: words merge, and this one wins"),
    ] = ()
    model: Annotated[Model, Field(description="the generator: a bundled name such as `cppn#7`, or a file")]
    seed: Annotated[Whole, Field(ge=0, le=MAX_SEED, description="feeds what has no seed of its own")] = 0
    title: Annotated[Words | None, Field(max_length=200, description="the film's title, for players")] = None
    audio: Annotated[AudioPath | None, Field(description="the music: a file, or `bundled:night_drive`")] = None
    tempo: Annotated[Tempo, Field(description="the beat grid, where it isn't to be heard from the music")] = Tempo()
    signals: Annotated[
        dict[Words, Signal], Field(description="what the music does, each under a name of your choice")
    ] = Field(default_factory=dict)
    vars: Annotated[
        dict[Words, Any],
        Field(description="your own names: numbers in expressions, anything as a whole `$name`"),
    ] = Field(default_factory=dict)
    walk: Annotated[Walk, Field(description="the base path through latent space")] = Walk()
    classes: Annotated[
        Classes | None,
        Field(description="class morphs of conditional models, for latents without a class of their own"),
    ] = None
    push: Annotated[
        tuple[Push, ...],
        BeforeValidator(listed_as_one),
        Field(description="moves the latent off the walk; one or a list"),
    ] = ()
    mix: Annotated[Mixes, Field(description="style mixing: some layers from elsewhere; one or a list, in order")] = ()
    blend: Annotated[Blends, Field(description="latents weighted by the bands of a signal; one or a list")] = ()
    truncation: Annotated[
        Truncation,
        Field(description="truncation psi: 1 as trained, toward 0 calmer, beyond 1 wilder; or a list of {layers, psi}"),
    ] = Constant(1.0)
    noise: Annotated[
        Noises, Field(description="the noise maps of style-based generators; one, or a list by layers")
    ] = ()
    effects: Annotated[Effects, Field(description="what is done to the finished pictures, in this order")] = ()
    video: Annotated[Video, Field(description="the picture, its time and its file")] = Video()

    _document: Document = PrivateAttr(default_factory=lambda: Document({}, {}))

    @model_validator(mode="after")
    def _sensible(self) -> Recipe:
        if self.gandream != LANGUAGE:
            raise wrong(
                f"this gandream knows version {LANGUAGE} of the language",
                "Is there a newer gandream?",
                key="gandream",
            )
        if self.signals and self.audio is None and any(signal.of is None for signal in self.signals.values()):
            raise wrong(
                "signals need music to listen to",
                "Add `audio: bundled:night_drive` or a file of yours.",
                key="signals",
            )
        return self

    @property
    def document(self) -> Document:
        """What the recipe was read from."""
        return self._document

    def where(self, path: Path_, column: int | None = None) -> str:
        """The place of a path and what is written there: ``file:line:column  walk.every = 2 bars``."""
        return place(self._document, path, column)

    def error(self, path: Path_, problem: str, hint: str = "", column: int | None = None) -> RecipeError:
        """A mistake at a path of this recipe."""
        return RecipeError(self.where(path, column), problem, hint)


def place(document: Document, path: Path_, column: int | None = None) -> str:
    """Where a path of the document stands, its key path, and its value if that is short."""
    path, value = _as_written(document.tree, path)
    text = "" if value is None or isinstance(value, dict | list) else " ".join(str(value)[:200].split())
    text = str(value).lower() if isinstance(value, bool) else text
    shown = f" = {text[:60]}{'…' if len(text) > 60 else ''}" if text else ""
    return f"{document.mark(path).at(column)}  {dotted(path)}{shown}".rstrip()


def _as_written(value: Any, path: Path_) -> tuple[Path_, Any]:
    """A path without the steps that short forms leave out (``push: {...}`` for a list of one), and the value there."""
    written: list[Key] = []
    for step in path:
        if _holds(value, step):
            value = value[step]
        elif isinstance(value, dict) and not isinstance(step, int):
            value = None
        else:
            continue
        written.append(step)
    return tuple(written), value


def _holds(value: Any, step: Any) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, dict) and step in value


def curves_in(word: BaseModel, path: Path_ = ()) -> Iterator[tuple[Path_, AnyCurve]]:
    """Every curve of a recipe with its key path."""
    for name, field in type(word).model_fields.items():
        yield from _curves((*path, field.alias or name), getattr(word, name))


def _curves(path: Path_, value: Any) -> Iterator[tuple[Path_, AnyCurve]]:
    if isinstance(value, Constant | Expression | Keyframes):
        yield path, value
    elif isinstance(value, BaseModel):
        yield from curves_in(value, path)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _curves((*path, index), item)


def times_in(word: BaseModel) -> Iterator[Time]:
    """Every time of a recipe, keyframes' too."""
    for value in (getattr(word, name) for name in type(word).model_fields):
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,):
            if isinstance(item, Time):
                yield item
            elif isinstance(item, Keyframes):
                yield from item.times
            elif isinstance(item, BaseModel):
                yield from times_in(item)


def needs_beats(recipe: Recipe) -> bool:
    """Whether anything in the recipe is told in beats or bars."""
    if any(time.unit in ("beats", "bars") for time in times_in(recipe)):
        return True
    if any(signal.source == "beat" for signal in recipe.signals.values()):
        return True
    return any(
        node.value in BEAT_NAMES
        for _, curve in curves_in(recipe)
        if isinstance(curve, Expression)
        for node in names_in(curve.tree)
    )


SAY_TEMPO = "Say the tempo, for instance `tempo: {bpm: 120}`."


def no_beats(recipe: Recipe) -> RecipeError:
    """The mistake of telling time in beats where there is nothing to hear and no tempo."""
    return recipe.error(("tempo",), "the recipe tells time in beats or bars, but has no music and no tempo", SAY_TEMPO)


def check_beats(recipe: Recipe) -> None:
    """RecipeError where beats are needed and can't come from anywhere; whether music has some is heard later."""
    if recipe.audio is None and recipe.tempo.bpm is None and needs_beats(recipe):
        raise no_beats(recipe)


def check_names(recipe: Recipe) -> list[RecipeError]:
    """Mistakes in the names of signals and variables, and in those that expressions use."""
    return [
        *_declared(recipe),
        *_blends(recipe),
        *(
            error
            for path, curve in curves_in(recipe)
            if isinstance(curve, Expression)
            for error in _used(recipe, path, curve)
        ),
    ]


def _declared(recipe: Recipe) -> Iterator[RecipeError]:
    for group, names in (("signals", recipe.signals), ("vars", recipe.vars)):
        for name in names:
            path: tuple[Key, ...] = (group, name)
            if not re.fullmatch(r"[A-Za-z_]\w{0,39}", name, re.ASCII):
                yield recipe.error(path, "a name is up to 40 letters, digits and _, not beginning with a digit")
            elif name in NAMES or name in FUNCTIONS or name in ("and", "or", "not"):
                what = "a function" if name in FUNCTIONS else "a word of its own"
                yield recipe.error(path, f"'{name}' is {what} in expressions", f"Call it {name}_ or something else.")
            elif group == "vars" and name in recipe.signals:
                yield recipe.error(path, "a signal has this name too", "Rename one of the two.")
            elif group == "vars" and _is_number(value := recipe.vars[name]) and not abs(value) < 1e300:
                yield recipe.error(path, "must be finite")


def _blends(recipe: Recipe) -> Iterator[RecipeError]:
    for index, blend in enumerate(recipe.blend):
        signal, path = recipe.signals.get(blend.by), ("blend", index, "by")
        banded = [name for name, one in recipe.signals.items() if one.source in BANDS]
        if signal is None:
            hint = did_you_mean(blend.by, banded) or "Declare one, for instance `signals: {notes: chroma}`."
            yield recipe.error(path, f"there is no signal called '{blend.by[:60]}'", hint)
        elif signal.source not in BANDS:
            hint = f"There is: {listed(banded)}." if banded else "A chroma has: `signals: {notes: chroma}`."
            yield recipe.error(path, f"'{blend.by}' is a single curve; a blend wants a signal with bands", hint)
        elif len(blend.latents) != BANDS[signal.source]:
            problem = f"'{blend.by}' has {BANDS[signal.source]} bands, and here are {len(blend.latents)} latents"
            yield recipe.error(("blend", index, "latents"), problem, "Give one latent for each band, in order.")


def _used(recipe: Recipe, path: Path_, curve: Expression) -> Iterator[RecipeError]:
    for node in names_in(curve.tree):
        name = str(node.parts[0].value if node.kind == "index" else node.value)
        problem, hint = _name_problem(recipe, node, name)
        if problem:
            yield recipe.error(path, f"{problem} (column {node.column + 1} of the expression)", hint, node.column)


def _name_problem(recipe: Recipe, node: Node, name: str) -> tuple[str, str]:
    signal = recipe.signals.get(name)
    if signal is not None and signal.source == "chroma":
        if node.kind == "name":
            return f"'{name}' has twelve bands", f"Choose one: {name}.C, {name}.C# ... {name}.B."
        pitch = FLATS.get(str(node.value), str(node.value))
        return ("", "") if pitch in PITCHES else (f"'{name}' has no '.{node.value}'", f"Its bands: {listed(PITCHES)}.")
    if name in recipe.vars and not _is_number(recipe.vars[name]):
        return (
            f"the variable '{name}' is no number, so it can't be used in an expression",
            f"Use it as a whole: ${name}",
        )
    if name in FUNCTIONS:
        return f"'{name}' is a function", f"Write {name}({FUNCTIONS[name].arguments})."
    known = [*recipe.signals, *recipe.vars, *NAMES]
    if name not in known:
        return f"there is nothing called '{name[:60]}'", did_you_mean(name, known) or f"There is: {listed(known)}."
    if node.kind == "index":
        return f"'{name}' is a single curve and has no '.{node.value}'", f"Write {name}."
    return "", ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
