"""From a recipe file to a checked Recipe; every mistake with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gandream.base.errors import RecipeError, did_you_mean, listed
from gandream.recipe.fields import COMMAS, Word, split_by_commas, words_at
from gandream.recipe.include import with_includes
from gandream.recipe.names import check_names
from gandream.recipe.overrides import put_variables, set_values
from gandream.recipe.reader import Document, document_of, read_document
from gandream.recipe.recipe import Recipe, as_written, place
from gandream.recipe.use import with_preset

MOST_MISTAKES = 8


def load_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe; ``overrides`` are ``key=value`` as in ``--set``. RecipeError tells all mistakes."""
    document = read_document(Path(path))
    if "recipes" in document.tree and "model" not in document.tree:
        raise RecipeError(
            str(path), "this is a batch of recipes, not a recipe", "Its films are made by gandream batch."
        )
    return _checked(set_values(with_includes(document), overrides))


def recipe_of_text(text: str, file: Path) -> Recipe:
    """Check a recipe whose text was kept elsewhere, as if it stood in ``file``."""
    return _checked(with_includes(document_of(text, str(file), file.absolute().parent)))


def recipe_from(words: Mapping[str, Any], name: str = "recipe") -> Recipe:
    """Check a recipe that is plain data already, as a program makes it; ``name`` stands for the file in errors."""
    return _checked(Document(dict(words), {}, file=name, merged=True))


def _checked(document: Document) -> Recipe:
    put_variables(document)
    try:
        expanded = with_preset(document)
    except ValidationError as error:
        raise _together(_mistakes(document, error)) from None
    return checked(expanded)


def checked(document: Document, cell: Mapping[str, int] | None = None) -> Recipe:
    """The recipe of a document whose variables are put in; ``cell`` says where it stands if it is a grid's."""
    try:
        recipe = Recipe.model_validate(document.tree)
    except ValidationError as error:
        raise _together(_mistakes(document, error)) from None
    recipe._document = document
    recipe._cell = dict(cell or {})
    if mistakes := check_names(recipe):
        raise _together(mistakes)
    return recipe


def _together(mistakes: list[RecipeError]) -> RecipeError:
    first, others = mistakes[0], mistakes[1:MOST_MISTAKES]
    if len(mistakes) > MOST_MISTAKES:
        others.append(RecipeError(f"and {len(mistakes) - MOST_MISTAKES} more", "mend these first"))
    first.others = tuple(others)
    return first


def mistakes_of(document: Document, error: ValidationError, kind: type[Word]) -> RecipeError:
    """All mistakes that were found in a document whose words are those of a ``kind``, as one error."""
    return _together(_mistakes(document, error, kind))


def _mistakes(document: Document, error: ValidationError, kind: type[Any] = Recipe) -> list[RecipeError]:
    """What pydantic found, in the order in which it is written in the file."""
    found = error.errors(include_url=False, include_input=False)
    marks = [document.mark(as_written(document.tree, mistake["loc"])[0]) for mistake in found]
    order = sorted(range(len(found)), key=lambda index: (marks[index].line, marks[index].column))
    return [_mistake(document, found[index], kind) for index in order]


# What pydantic found, in the recipe's words.
_WORDS = {
    "missing": "is missing",
    "greater_than_equal": "must be at least {ge:.10g}",
    "greater_than": "must be greater than {gt:.10g}",
    "less_than_equal": "must be at most {le:.10g}",
    "less_than": "must be less than {lt:.10g}",
    "finite_number": "must be finite",
    "too_short": "is too short: at least {min_length}",
    "too_long": "is too long: at most {max_length}",
    "tuple_type": "wanted a list",
    "dict_type": "wanted names with values",
    "int_type": "wanted a whole number",
}


def _mistake(document: Document, error: Any, of: type[Any]) -> RecipeError:
    path, context, kind = tuple(error["loc"]), error.get("ctx") or {}, error["type"]
    problem, hint, column = "", "", None
    if path[-1:] == ("[key]",):
        path, problem = path[:-1], "a name is up to 40 letters, digits and _, not beginning with a digit"
    elif kind == "gandream":
        key = context["key"]
        path = path if key is None else (*path, *key) if isinstance(key, tuple) else (*path, key)
        problem, hint, column = context["problem"], context["hint"], context["column"]
        problem += f" (column {column + 1} of the expression)" if column is not None else ""
    elif kind == "extra_forbidden":
        problem, words = "no such word here", words_at(of, path[:-1])
        near = "Merging (<<) is no part of YAML 1.2; write the words out." if path[-1] == "<<" else ""
        near = COMMAS if split_by_commas(path[-1]) else near
        hint = near or did_you_mean(str(path[-1]), words) or f"Words here: {listed(words, 40)}."
    elif kind == "missing" and isinstance(path[-1], int):
        path, problem = path[:-1], "wanted a list of two"
    else:
        words = _WORDS.get(kind)
        problem = words.format(**context) if words else error["msg"].removeprefix("Value error, ")
        hint = "A first line could be `model: cppn#7`." if path == ("model",) and of is Recipe else ""
    return RecipeError(place(document, path, column), problem, hint)
