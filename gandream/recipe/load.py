"""From a recipe file to a checked Recipe; every mistake with its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gandream.base.errors import RecipeError
from gandream.recipe.overrides import put_variables, set_values
from gandream.recipe.reader import Document, read_document
from gandream.recipe.recipe import Recipe, check_names, place

MOST_MISTAKES = 8


def load_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe; ``overrides`` are ``key=value`` as in ``--set``. Raises RecipeError with every mistake found."""
    document = put_variables(set_values(read_document(Path(path)), overrides))
    try:
        recipe = Recipe.model_validate(document.tree)
    except ValidationError as error:
        raise _together([_mistake(document, mistake) for mistake in error.errors()]) from None
    recipe._document = document
    if mistakes := check_names(recipe):
        raise _together(mistakes)
    return recipe


def _together(mistakes: list[RecipeError]) -> RecipeError:
    first = mistakes[0]
    first.others = tuple(mistakes[1:MOST_MISTAKES])
    if more := len(mistakes) - MOST_MISTAKES:
        first.others += (RecipeError(f"and {more} more", "mend these first"),) if more > 0 else ()
    return first


# What pydantic found, in the recipe's words.
_WORDS = {
    "missing": "is missing",
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be greater than {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be less than {lt:g}",
    "finite_number": "must be finite",
    "too_short": "wanted at least {min_length}, this has {actual_length}",
    "too_long": "wanted at most {max_length}, this has more",
    "string_too_long": "must be at most {max_length} characters",
    "tuple_type": "wanted a list",
    "dict_type": "wanted names with values",
    "int_type": "wanted a whole number",
}


def _mistake(document: Document, error: Any) -> RecipeError:
    path, context = tuple(error["loc"]), error.get("ctx") or {}
    if error["type"] == "gandream":
        if context["key"] is not None:
            path = (*path, context["key"])
        column = context["column"] or None
        problem = context["problem"] + (f" (column {column + 1} of the expression)" if column else "")
        return RecipeError(place(document, path, column), problem, context["hint"])
    words = _WORDS.get(error["type"])
    problem = words.format(**context) if words else error["msg"].removeprefix("Value error, ")
    hint = "A first line could be `model: cppn#7`." if path == ("model",) else ""
    return RecipeError(place(document, path), problem, hint)
