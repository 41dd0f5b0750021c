"""The recipe that a film, an animation, a picture, a folder of pictures or a manifest carries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gandream.base.errors import RecipeError, RenderError
from gandream.run import manifest
from gandream.video.boxes import NotWholeError
from gandream.video.metadata import recipe_of
from gandream.video.stamp import read_stamp

RECIPES = (".yaml", ".yml")
MANIFEST = ".manifest.json"
WRITERS = "Films, animations and PNGs that gandream made carry their recipe, until another program writes them anew."


@dataclass(frozen=True)
class Carried:
    """A recipe that was found."""

    source: Path
    """The file that it was read from: the film itself, or its manifest."""
    text: str
    """As it was written, or what ``include`` and ``--set`` made of it."""
    file: Path | None
    """The recipe's own file, where the manifest says it; it needn't be there any more."""
    told: dict[str, Any]
    """What the manifest says; nothing without one."""
    moment: str = ""
    """Of a still, where in the film it is."""

    @property
    def folder(self) -> Path:
        """Where the names of files in it start from: the recipe's folder, or where this was found."""
        return (self.file or self.source).absolute().parent


def carried(path: Path) -> Carried:
    """Find the recipe that belongs to a file; RecipeError where none is."""
    if path.suffix.lower() in RECIPES:
        raise RecipeError(str(path), "this is a recipe already", "Wanted a film, a PNG or a manifest.")
    if path.name.endswith(".json"):
        return _of_manifest(path)
    beside = manifest.path_of(path)
    if not path.exists():
        if beside.is_file():
            return _of_manifest(beside)
        raise RecipeError(str(path), "no such file", "Wanted a film, an animation, a PNG or a manifest.")
    told = _told(beside) if beside.is_file() else {}
    text, moment = _read(path)
    if not text:
        if told:
            return _of_manifest(beside)
        raise RecipeError(str(path), "it carries no recipe, and no manifest is beside it", WRITERS)
    if not _is_recipe(text):
        shown = text if len(text) <= 60 else text[:59] + "…"
        raise RecipeError(str(path), f"it carries a comment, but no recipe: {shown!r}", WRITERS)
    return Carried(path, text, _file(told, beside), told, moment)


def _read(path: Path) -> tuple[str, str]:
    """The text that a file carries, and of a still its moment."""
    try:
        text = recipe_of(path) or ""
        moment = read_stamp(path).moment if path.is_file() and path.suffix.lower() == ".png" else ""
    except (RenderError, NotWholeError, OSError) as error:
        problem = getattr(error, "problem", None) or getattr(error, "strerror", None) or str(error)
        raise RecipeError(str(path), f"this file can't be read: {problem}", WRITERS) from None
    return text, moment


def _of_manifest(path: Path) -> Carried:
    told = _told(path)
    recipe = told.get("recipe")
    text = recipe.get("text") if isinstance(recipe, dict) else None
    if not isinstance(text, str) or not _is_recipe(text):
        raise RecipeError(str(path), "this is no manifest of a film, or holds no recipe", WRITERS)
    return Carried(path, text, _file(told, path), told)


def _told(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        words = getattr(error, "strerror", None) or "it isn't JSON"
        raise RecipeError(
            str(path), f"this manifest can't be read: {words}", "Name the film itself: it carries its recipe."
        ) from None
    return told if isinstance(told, dict) else {}


def _file(told: dict[str, Any], beside: Path) -> Path | None:
    recipe = told.get("recipe")
    name = recipe.get("file") if isinstance(recipe, dict) else None
    return beside.absolute().parent / name if isinstance(name, str) else None


def _is_recipe(text: str) -> bool:
    """Whether a text is words with values; what is wrong with them is said when it is used."""
    try:
        return isinstance(yaml.load(text, yaml.BaseLoader), dict)
    except (yaml.YAMLError, RecursionError):
        return False
