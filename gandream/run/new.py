"""A new recipe to go on with: a commented one, or one of those that ship, with a song and a model of one's own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gandream.base.assets import BUNDLED, bundled, recipes
from gandream.base.errors import AudioError, GandreamError, OutputError, RecipeError, did_you_mean, listed
from gandream.base.files import disk_errors, published
from gandream.recipe.fields import AUDIO_SUFFIXES
from gandream.recipe.load import recipe_of_text
from gandream.recipe.reader import Document, read_document
from gandream.recipe.recipe import Recipe
from gandream.recipe.schema import SCHEMA_NAME
from gandream.run.rewriting import Rewriting, as_yaml
from gandream.run.schema import write_schema

SCHEMA_LINE = "# yaml-language-server: $schema="
_SUFFIXES = (".yaml", ".yml")
_SOUNDS = (*AUDIO_SUFFIXES, ".aac", ".opus", ".aif", ".aiff", ".mp4", ".mov", ".mkv", ".webm")
_ADDRESS = re.compile(r"[a-z]+:")
_CLASSES = 4


@dataclass(frozen=True)
class Begun:
    """A recipe that was written."""

    recipe: Path
    schema: Path | None
    """The schema beside it, if it was written."""
    notes: tuple[str, ...]
    next: tuple[str, ...]
    """Commands to go on with."""


@dataclass(frozen=True)
class Shipped:
    """A recipe that ships, and what it shows."""

    name: str
    about: str
    path: Path


def shipped_recipes() -> tuple[Shipped, ...]:
    """The recipes that ship, by name, each with its first line."""
    return tuple(Shipped(name, _about(path), path) for name, path in recipes().items())


def _about(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(line.removeprefix("#").strip() for line in lines if not line.startswith(SCHEMA_LINE))


def new_recipe(
    name: str | Path = "film",
    *,
    source: str | None = None,
    song: str | None = None,
    model: str | None = None,
    force: bool = False,
    schema: bool = True,
) -> Begun:
    """Write ``NAME.yaml`` and, where there is none, the schema beside it; comments and layout stay as they were.

    Args:
        name: the recipe's file, with or without `.yaml`.
        source: a shipped recipe's name, or a recipe's file; without it the commented starter.
        song: a sound file, from the working directory, or `bundled:NAME`.
        model: a name, a file from the working directory, or an address; it must be here.
        force: write over a recipe that is there.
        schema: whether the schema is wanted beside it.
    """
    target = _target(Path(name), force)
    path = _source(source)
    document = read_document(path)
    text = document.text.replace("\r\n", "\n").replace("\r", "\n")
    edits, notes = Rewriting(text), []
    _files_stay(edits, document, path.absolute().parent, target.absolute().parent)
    if "title" in document.tree and (source is None or song is not None):  # another film than the one that was named
        edits.put("title", as_yaml(_title(target)), ("title",))
    if song is not None:
        edits.put("audio", as_yaml(_song(song, target.parent)), ("audio", "file"))
        notes += _of_the_song(document, path.stem, source is not None)
    if model is not None:
        written, classes = _model(model, target.parent)
        edits.put("model", as_yaml(written), ("model", "file"))
        notes += _of_the_model(edits, document, written, classes)
    text = _headed(edits.text(), path, target, schema)
    with disk_errors(target, "Choose another name."):
        target.parent.mkdir(parents=True, exist_ok=True)  # what it names is looked for from there
    recipe = recipe_of_text(text, target)
    notes += _misfits(recipe) if model is not None else ()
    beside = target.parent / SCHEMA_NAME
    with published(target) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    fresh = schema and not beside.exists()
    if fresh:
        write_schema(beside)
    word = as_argument(target)
    commands = tuple(f"gandream {command} {word}" for command in ("preview", "watch", "render"))
    return Begun(target, beside if fresh else None, tuple(notes), commands)


def as_argument(path: Path) -> str:
    """A file as it is written in a command."""
    text = str(path)
    return text if re.fullmatch(r"[\w./\\:+-]+", text) else f'"{text}"'


def _title(target: Path) -> str:
    """``night_drive.yaml`` is the film Night drive."""
    words = re.sub(r"[\s_-]+", " ", target.stem).strip()
    return words[:1].upper() + words[1:]


def _target(path: Path, force: bool) -> Path:
    if path.suffix.lower() in _SOUNDS:
        hint = f"For a film of this song: gandream new --song {as_argument(path)}"
        raise OutputError(str(path), "a recipe's name ends in .yaml, or has no ending", hint)
    target = path if path.suffix.lower() in _SUFFIXES or not path.name else path.with_name(f"{path.name}.yaml")
    if target.is_dir():
        raise OutputError(str(path), "this is a folder; wanted the name of a recipe", f"For instance {path / 'film'}.")
    if target.exists() and not force:
        hint = "Choose another name, or write over it with --force."
        raise OutputError(str(target), "there is a file of this name already", hint)
    return target


def _source(word: str | None) -> Path:
    if word is None:
        return bundled("starter", (".yaml",))["film"]
    known = recipes()
    name = word.removeprefix(BUNDLED)
    name = Path(name).stem if word not in known and name not in known and not Path(word).is_file() else name
    if name in known and not Path(word).is_file():
        return known[name]
    if Path(word).is_file():
        return Path(word)
    hint = did_you_mean(name, known) or f"There is: {listed(known, 40)}."
    raise RecipeError(f"--from {word}", "no recipe of this name ships with gandream, and there is no such file", hint)


def _song(word: str, folder: Path) -> str:
    where = f"--song {word}"
    if word.startswith(BUNDLED):
        pieces = bundled("music", AUDIO_SUFFIXES)
        if word.removeprefix(BUNDLED) in pieces:
            return word
        hint = did_you_mean(word.removeprefix(BUNDLED), pieces)
        raise AudioError(where, f"no such bundled piece; there is: {listed(pieces)}", hint)
    path = Path(word).expanduser()
    if path.is_dir():
        raise AudioError(where, "this is a folder; wanted a sound file", _sounds_in(path))
    if not path.is_file():
        raise AudioError(where, "no such file", _sounds_in(path.parent, path.name))
    return relative(path, folder)


def _sounds_in(folder: Path, wanted: str = "") -> str:
    try:
        found = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in _SOUNDS)
    except OSError:
        return f"The folder {folder} isn't there either."
    return did_you_mean(wanted, found) or (f"Sound files in {folder}: {listed(found, 12)}." if found else "")


def relative(path: Path, folder: Path) -> str:
    """A file as a recipe in ``folder`` names it: from there, with slashes; from the root if it is on another disk."""
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:
        return path.absolute().as_posix()


def _of_the_song(document: Document, name: str, shipped: bool) -> Iterator[str]:
    """What a recipe says that was made for another piece."""
    video, tempo = document.tree.get("video"), document.tree.get("tempo")
    written = video if isinstance(video, dict) else {}
    said = [f"`{word}: {written[word]}`" for word in ("start", "duration") if word in written]
    if said and shipped:
        meant = "were meant" if len(said) > 1 else "was meant"
        yield f"video: {' and '.join(said)} {meant} for {name}; without, the film is as long as the song"
    if isinstance(tempo, dict) and tempo.keys() & {"bpm", "beats"}:
        yield "tempo: it is told, for another piece; without `tempo` the song's own is heard"


def _model(word: str, folder: Path) -> tuple[str, tuple[str, ...]]:
    """A model as a recipe in a folder names it, and its classes. An error where it isn't here, with what to do."""
    from gandream.models.registry import describe

    path = Path(word).expanduser()
    file = path.is_file() and not (_ADDRESS.match(word) and "://" in word)
    try:
        spec = describe(str(path.absolute()) if file else word)
    except GandreamError as error:
        raise type(error)(f"--model {word}", error.problem, error.hint) from None
    return (relative(path, folder) if file else word), spec.classes


def _of_the_model(edits: Rewriting, document: Document, model: str, classes: tuple[str, ...]) -> Iterator[str]:
    """Add what a model with classes wants, and tell what stays of another model."""
    tree = document.tree
    if classes and "classes" not in tree and "use" not in tree:
        count = min(_CLASSES, len(classes))
        every = "4 bars" if tree.get("audio") is not None or tree.get("tempo") is not None else "4s"
        numbers = ", ".join(str(round(index * (len(classes) - 1) / max(count - 1, 1))) for index in range(count))
        shown = listed((f"{number} {name}" if name != str(number) else name for number, name in enumerate(classes)), 6)
        edits.after("model", f"# This model has {len(classes)} classes, by number or name: {shown}.",
                    f"classes: {{through: [{numbers}], every: {every}, hold: 50%}}")  # fmt: skip
    if not classes and "classes" in tree:
        yield f"classes: {model} has none, so take `classes` out"
    scenes = tree.get("scenes")
    if isinstance(scenes, list) and any(isinstance(one, dict) and "model" in one for one in scenes):
        yield "scenes: some have a model of their own, which stays"


def _misfits(recipe: Recipe) -> Iterator[str]:
    """What a recipe wants that its model lacks."""
    from gandream.run.prepare import describe_model
    from gandream.trajectory.misfits import misfits

    for mistake in misfits(recipe, describe_model(recipe)):
        yield f"{mistake.where}: {mistake.problem}"


def _files_stay(edits: Rewriting, document: Document, old: Path, new: Path) -> None:
    """Name files that a recipe names from its own folder from the new one, so that they are found."""
    if old.resolve() == new.resolve():
        return
    for path, node in edits.texts():
        name, sign, rest = node.value.partition("#")
        found = old / name
        if name and not name.startswith(("~", BUNDLED)) and not Path(name).is_absolute() and found.is_file():
            edits.replace(path, as_yaml(relative(found, new) + sign + rest))


def _headed(text: str, source: Path, target: Path, schema: bool) -> str:
    """The text with the line that tells editors of the schema, and with its own name in its comments."""
    lines = [line for line in text.splitlines() if not line.startswith(SCHEMA_LINE)]
    names = re.compile(rf"(?<![\w/.-])(?:recipes/)?{re.escape(source.name)}(?![\w.])")
    film = re.compile(rf"(?<=outputs/){re.escape(source.stem)}(?=\.)")
    lines = [
        film.sub(lambda _: target.stem, names.sub(lambda _: as_argument(Path(target.name)), line))
        if "#" in line
        else line
        for line in lines
    ]
    head = [f"{SCHEMA_LINE}./{SCHEMA_NAME}"] if schema else []
    return "\n".join([*head, *lines]) + "\n"
