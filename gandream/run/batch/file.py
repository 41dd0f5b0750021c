"""The words of a batch file: which recipes, what is changed in them, where films go, and how the work is done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError, WithJsonSchema

from gandream.base.errors import RecipeError, did_you_mean
from gandream.recipe.fields import Choice, Switch, Whole, Word, Words, listed_as_one, wrong
from gandream.recipe.load import mistakes_of
from gandream.recipe.reader import Document, Path_, read_document
from gandream.recipe.recipe import Recipe, place
from gandream.rendering.device import DeviceWord
from gandream.run.hooks import Hooks
from gandream.run.lengths import Seconds

MOST_JOBS, MOST_RETRIES = 256, 100
OF_RECIPES = ("model", "scenes", "include", "use", "walk")
"""Words by which a recipe is known."""
HERE = "gandream batch"
"""The place of what no file says."""
DEVICES: tuple[str, ...] = get_args(DeviceWord)


def _assignments(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong("wanted words of the recipe with values", "For instance {video.crf: 20, seed: 3}.")
    for key in value:
        if not isinstance(key, str):
            raise wrong("wanted a word of the recipe, such as video.size", key=key)
    return value


def _named(value: Any) -> tuple[str, ...]:
    names = listed_as_one(value)
    for name in names:
        if not isinstance(name, str) or not name.strip() or "\0" in name:
            raise wrong("wanted the name of a recipe's file, such as film.yaml, or several as looks/*.yaml")
    return tuple(names)


def _entries(value: Any) -> list[Any]:
    entries = listed_as_one(value)
    if not entries:
        raise wrong("there is no recipe here", "For instance [film.yaml, looks/*.yaml].")
    return [one if isinstance(one, dict | Word) else {"recipe": one} for one in entries]


_OBJECT: dict[str, Any] = {"type": "object"}
_TEXTS: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Values = Annotated[dict[str, Any], BeforeValidator(_assignments), WithJsonSchema(_OBJECT)]
Files = Annotated[tuple[str, ...], BeforeValidator(_named), WithJsonSchema(_TEXTS)]


class Entry(Word):
    """Recipes of a batch with words of their own, which go before those of the batch."""

    recipe: Annotated[Files, Field(description="the recipe's file; or several, as looks/*.yaml")]
    name: Annotated[Words | None, Field(description="what {recipe} is in names of films, instead of the file's")] = None
    set_: Annotated[Values, Field(alias="set", default={}, description="words of the recipe with other values")]
    vary: Annotated[Values, Field(default={}, description="words with all values that they are to have")]
    out: Annotated[Words | None, Field(description="the films' names, with {fields}")] = None


class Batch(Hooks):
    """Many renders."""

    recipes: Annotated[
        tuple[Entry, ...],
        BeforeValidator(_entries),
        Field(description="recipes by their files, as looks/*.yaml too; or with words of their own"),
    ]
    name: Annotated[Words | None, Field(description="the batch's name; else that of its file")] = None
    set_: Annotated[Values, Field(alias="set", default={}, description="words of all recipes with other values")]
    vary: Annotated[
        Values,
        Field(
            default={},
            description="words with all values that they are to have: 1-20, songs/*.flac, [a, b]; every combination",
        ),
    ]
    out: Annotated[Words | None, Field(description='the films\' names, such as "films/{recipe}-{seed}.mp4"')] = None
    report: Annotated[Words | None, Field(description="the report's name; else <batch>.report beside the films")] = None
    jobs: Annotated[Whole | None, Field(ge=1, le=MOST_JOBS, description="how many films are rendered at a time")] = None
    retries: Annotated[Whole, Field(ge=0, le=MOST_RETRIES, description="how often what failed is tried again")] = 1
    timeout: Annotated[Seconds | None, Field(description="a film that takes longer has failed: 90s, 20 min, 2h")] = None
    keep_going: Annotated[Switch, Field(description="whether the others are rendered when one has failed")] = True
    draft: Annotated[Switch, Field(description="half the size, a third of the frames")] = False
    device: Annotated[str, Choice(DEVICES, "device"), Field(description="what renders")] = "auto"

    _document: Document = PrivateAttr(default_factory=lambda: Document({}, {}))
    _folder: Path = PrivateAttr(default_factory=Path)

    @property
    def document(self) -> Document:
        """What was read; its ``file`` is empty where no file says it."""
        return self._document

    @property
    def folder(self) -> Path:
        """Where files that are named in it start from."""
        return self._folder

    def error(self, path: Path_, problem: str, hint: str = "") -> RecipeError:
        """A mistake at a key path of the file."""
        return RecipeError(self.where(path), problem, hint)

    def where(self, path: Path_) -> str:
        """A key path's place, with its value if that is short."""
        return place(self._document, path) if self._document.file else HERE


def read_batch(file: Path) -> Batch:
    """Read and check a batch file; RecipeError tells all mistakes with their places."""
    document = read_document(file)
    return _checked(document, file.absolute().parent)


def batch_of(words: Mapping[str, Any], folder: Path) -> Batch:
    """A batch that no file says; names in it start from a folder."""
    return _checked(Document(dict(words), {}), folder)


def _checked(document: Document, folder: Path) -> Batch:
    try:
        batch = Batch.model_validate(document.tree)
    except ValidationError as error:
        raise mistakes_of(document, error, Batch) from None
    batch._document, batch._folder = document, folder
    return batch


def is_batch(file: Path) -> bool:
    """Whether a file is a batch rather than a recipe; RecipeError where it can't be read as either."""
    tree = read_document(file).tree
    words = [str(word) for word in tree]
    if "recipes" in words:
        return True
    if any(word in words for word in OF_RECIPES):
        return False
    own, theirs = (sum(_near(word, kind.words()) for word in words) for kind in (Batch, Recipe))
    return own > theirs


def _near(word: str, known: list[str]) -> bool:
    return word in known or bool(did_you_mean(word, known))
