"""What the JSON Schema of recipes says of one."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from gandream.recipe.schema import recipe_schema


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(recipe_schema())


def as_json(value: Any) -> Any:
    """YAML's data as JSON has it: keys are text."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value


def refused(tree: Any) -> str:
    """What the schema finds wrong first, or nothing."""
    found = next(validator().iter_errors(as_json(tree)), None)
    return "" if found is None else f"{found.json_path}: {found.message}"[:400]
