"""The whole recipe: every word of the language at its top, and the checks that need more than one word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr, model_validator

from gandream.base.errors import RecipeError
from gandream.recipe.curve import AnyCurve, Constant, Curve, Expression, Keyframes
from gandream.recipe.expression import BEAT_NAMES, names_in
from gandream.recipe.fields import Reads, Whole, Word, Words, listed_as_one, wrong
from gandream.recipe.grid import Grid
from gandream.recipe.latent import MAX_SEED
from gandream.recipe.model import Model
from gandream.recipe.music import Audio, MusicWords
from gandream.recipe.outputs import Outputs
from gandream.recipe.overrides import dotted
from gandream.recipe.reader import Document, Key, Path_
from gandream.recipe.scene import Looks, Scenes, Sectioned, Transition
from gandream.recipe.signals import BEATEN, SECTIONED, Sections, Signal
from gandream.recipe.tempo import Tempo
from gandream.recipe.times import Time
from gandream.recipe.use import Use
from gandream.recipe.video import Video

LANGUAGE = 1


class Opening(Word):
    """What holds for the whole film, as it is written first."""

    gandream: Annotated[Whole, Field(description="version of the language")] = LANGUAGE
    include: Annotated[
        tuple[Words, ...],
        BeforeValidator(listed_as_one),
        Field(max_length=32, description="recipe files that this one builds on: words merge, and this one wins"),
    ] = ()
    model: Annotated[Model, Field(description="the generator: a bundled name such as `cppn#7`, or a file")]
    seed: Annotated[Whole, Field(ge=0, le=MAX_SEED, description="feeds what has no seed of its own")] = 0
    use: Annotated[
        Use,
        Field(description="a preset by its name, or {preset: lucid_sonic, pulse_react: 0.6}; what else is said wins"),
    ] = None
    title: Annotated[Words | None, Field(max_length=200, description="the film's title, for players")] = None
    audio: Annotated[
        Audio | None,
        Reads(MusicWords),
        Field(description="the music: a file, `bundled:night_drive`, or {file: song.mp3, gain: -3}"),
    ] = None
    tempo: Annotated[Tempo, Field(description="the beat grid, where it isn't to be heard from the music")] = Tempo()
    signals: Annotated[
        dict[Words, Signal], Field(description="what the music does, each under a name of your choice")
    ] = Field(default_factory=dict)
    sections: Annotated[Sections, Field(description="how the music is parted into sections")] = Sections()
    vars: Annotated[
        dict[Words, Any],
        Field(description="your own names: numbers in expressions, anything as a whole `$name`"),
    ] = Field(default_factory=dict)
    curves: Annotated[
        dict[Words, Curve], Field(max_length=200, description="your own curves, which expressions know by their names")
    ] = Field(default_factory=dict)


class Recipe(Looks, Opening):
    """A recipe as checked: frozen; `where` gives the place of each word in its file."""

    scenes: Annotated[
        Scenes,
        Field(description="parts of the film, each with words of its own; or `sections`: one for each of the music's"),
    ] = None
    transition: Annotated[Transition, Field(description="how scenes come in: `cut`, `crossfade 1s`")] = Transition()
    grid: Annotated[Grid | None, Field(description="many of this recipe side by side, with other seeds or words")] = (
        None
    )
    outputs: Annotated[
        Outputs,
        Field(alias="video", description="the picture, its time and its file; or a list of several outputs"),
    ] = (Video(),)

    _document: Document = PrivateAttr(default_factory=lambda: Document({}, {}))
    _root: Path_ = PrivateAttr(default=())
    _own: frozenset[str] = PrivateAttr(default=frozenset())
    _cell: dict[str, int] = PrivateAttr(default_factory=dict)
    _output: int = PrivateAttr(default=0)
    _drafted: tuple[int, int] | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _first_model(cls, value: Any) -> Any:
        """Where each scene names its model, the film needs none."""
        if not isinstance(value, dict) or "model" in value:
            return value
        scenes = value.get("scenes")
        if not isinstance(scenes, list) or not scenes:
            return value
        named = all(isinstance(one, dict) and "model" in one for one in scenes)
        return {**value, "model": scenes[0]["model"]} if named else value

    @model_validator(mode="after")
    def _sensible(self) -> Recipe:
        if self.gandream != LANGUAGE:
            raise wrong(
                f"this gandream knows version {LANGUAGE} of the language",
                "Is there a newer gandream?",
                key="gandream",
            )
        if self.audio is None:
            heard = {one.source for one in self.signals.values() if one.of is None and not one.automated}
            if heard - (BEATEN if self.tempo.told else set()):
                hint = "Add `audio: bundled:night_drive` or a file of yours."
                hint += "" if heard - BEATEN else " For beats a tempo is enough: `tempo: {bpm: 120}`."
                raise wrong("signals need music to listen to", hint, key="signals")
        self._cut()
        return self

    def _cut(self) -> None:
        """Refuse what goes with scenes alone, and what doesn't go with them."""
        if self.scenes is None and self.transition != Transition():
            raise wrong("a transition leads from scene to scene, and there are no `scenes`", key="transition")
        if self.scenes is not None and self.grid is not None:
            raise wrong("a grid shows one scene, and here are `scenes`", "Keep one of the two.", key="grid")
        if isinstance(self.scenes, Sectioned) and self.audio is None:
            raise wrong(
                "sections are heard in music, and there is none",
                "Add `audio: bundled:night_drive` or a file.",
                key="scenes",
            )

    def in_scene(self, words: Looks, root: Path_, **more: Any) -> Recipe:
        """The recipe as it is in a scene, whose words stand at ``root``; ``more`` are values for words of it."""
        said = {name: getattr(words, name) for name in words.model_fields_set & set(Looks.model_fields)}
        said |= {name: one for name in ("model", "seed") if (one := getattr(words, name, None)) is not None}
        made = self.model_copy(update={**said, **more, "scenes": None})
        made._root, made._own = root, frozenset(type(self).model_fields[name].alias or name for name in said)
        return made

    def told_scenes(self) -> list[Recipe]:
        """The recipe as it is in each scene that is written; of scenes by sections, in those of each label."""
        if isinstance(self.scenes, Sectioned):
            return [self.in_scene(words, ("scenes", "labels", one)) for one, words in self.scenes.labels.items()]
        return [self.in_scene(words, ("scenes", index)) for index, words in enumerate(self.scenes or ())]

    @property
    def video(self) -> Video:
        """The picture, its time and its file; of several outputs, the first. All have the same time."""
        return self.outputs[0]

    def as_output(self, number: int) -> Recipe:
        """The recipe with one of its outputs alone."""
        made = self.model_copy(update={"outputs": (self.outputs[number],)})
        made._output = number
        return made

    @property
    def own_words(self) -> frozenset[str]:
        """The words that a scene says itself; of a recipe that is no scene, none."""
        return self._own

    @property
    def in_part(self) -> bool:
        """Whether it is a scene or a cell of a grid, or has some."""
        return bool(self._root or self._cell) or self.scenes is not None or self.grid is not None

    @property
    def cell(self) -> dict[str, int]:
        """What expressions know of the cell of a grid that this recipe is: `cell`, `column`, `row` ...; or nothing."""
        return self._cell

    @property
    def drafted(self) -> tuple[int, int] | None:
        """Width and height of the film that this recipe is the draft of; None of one that is no draft."""
        return self._drafted

    @property
    def document(self) -> Document:
        """What the recipe was read from."""
        return self._document

    def where(self, path: Path_, column: int | None = None) -> str:
        """The place of a path and what is written there: ``file:line:column  walk.every = 2 bars``."""
        if path[:1] == ("video",) and path[1:] and not isinstance(path[1], int):
            path = ("video", self._output, *path[1:])
        return place(self._document, self._placed(path), column)

    def named(self, path: Path_) -> str:
        """The key path of a word as it is written: ``push[1].by``, ``scenes[2].walk.every``."""
        return dotted(as_written(self._document.tree, self._placed(path))[0])

    def _placed(self, path: Path_) -> Path_:
        return (*self._root, *path) if path and path[0] in self._own else path

    def error(self, path: Path_, problem: str, hint: str = "", column: int | None = None) -> RecipeError:
        """A mistake at a path of this recipe."""
        return RecipeError(self.where(path, column), problem, hint)


def place(document: Document, path: Path_, column: int | None = None) -> str:
    """Where a path of the document stands, its key path, and its value if that is short."""
    path, value = as_written(document.tree, path)
    text = "" if value is None or isinstance(value, dict | list) else " ".join(str(value)[:200].split())
    text = str(value).lower() if isinstance(value, bool) else text
    shown = f" = {text[:60]}{'…' if len(text) > 60 else ''}" if text else ""
    return f"{document.mark(path).at(column)}  {dotted(path)}{shown}".rstrip()


def as_written(value: Any, path: Path_) -> tuple[Path_, Any]:
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


def values_in(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Everything in a recipe that holds no words, with its key path."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from values_in(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, tuple | dict):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from values_in(item, (*path, key))
    else:
        yield path, value


def curves_in(word: BaseModel, path: Path_ = ()) -> Iterator[tuple[Path_, AnyCurve]]:
    """Every curve of a recipe with its key path."""
    for at, value in values_in(word, path):
        if isinstance(value, Constant | Expression | Keyframes):
            yield at, value


def times_in(word: BaseModel) -> Iterator[Time]:
    """Every time of a recipe, keyframes' too."""
    for _, value in values_in(word):
        if isinstance(value, Keyframes):
            yield from value.times
        elif isinstance(value, Time):
            yield value


def needs_beats(recipe: Recipe) -> bool:
    """Whether anything in the recipe is told in beats or bars."""
    if any(time.unit in ("beats", "bars") for time in times_in(recipe)):
        return True
    if any(signal.source in BEATEN and signal.of is None for signal in recipe.signals.values()):
        return True
    return any(
        node.value in BEAT_NAMES
        for _, curve in curves_in(recipe)
        if isinstance(curve, Expression)
        for node in names_in(curve.tree)
    )


def needs_sections(recipe: Recipe) -> bool:
    """Whether anything in the recipe is told by the sections of its music."""
    if isinstance(recipe.scenes, Sectioned) or any(time.unit == "section" for time in times_in(recipe)):
        return True
    return any(signal.source in SECTIONED and signal.of is None for signal in recipe.signals.values())


SAY_TEMPO = "Say the tempo, for instance `tempo: {bpm: 120}`."


def no_beats(recipe: Recipe) -> RecipeError:
    """The mistake of telling time in beats where there is nothing to hear and no tempo."""
    return recipe.error(("tempo",), "the recipe tells time in beats or bars, but has no music and no tempo", SAY_TEMPO)


def check_beats(recipe: Recipe) -> None:
    """RecipeError where beats are needed and can't come from anywhere; whether music has some is heard later."""
    if recipe.audio is None and not recipe.tempo.told and needs_beats(recipe):
        raise no_beats(recipe)
