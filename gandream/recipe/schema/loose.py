"""Recipes that include others: their words are merged under, so what must be there may be there."""

from __future__ import annotations

from typing import Any

from gandream.recipe.bend import BENDS
from gandream.recipe.effects import EFFECTS
from gandream.recipe.schema.parts import Schema

_DEMANDS = ("required", "allOf", "minProperties", "if", "then")
_WHOLE = {kind.__name__ for kinds in (EFFECTS, BENDS) for kind in kinds.values()}
"""Entries of lists, which are hardly ever written alone."""
_LISTED = ("items", "minItems")


def with_includes(recipe: Schema, definitions: dict[str, Schema]) -> Schema:
    """The schema of a recipe, which demands less of mappings where it includes others; lists are replaced."""
    loose: dict[str, Schema] = {}
    properties = {name: _loosened(one, definitions, loose) for name, one in recipe["properties"].items()}
    asked = {"required": ["include"]}
    differ = {name: one for name, one in properties.items() if one != recipe["properties"][name]}
    heading = {key: value for key, value in recipe.items() if key not in ("properties", "allOf")}
    told = {
        name: {key: one[key] for key in ("description", "default") if key in one} if name in differ else one
        for name, one in recipe["properties"].items()
    }
    strict = {name: recipe["properties"][name] for name in differ}
    branch = {"if": asked, "then": {"properties": differ}, "else": {"properties": strict}}
    return {
        **heading,
        "properties": told,
        "allOf": [branch, *recipe["allOf"]],
        "$defs": dict(sorted({**definitions, **loose}.items())),
    }


def _loosened(schema: Any, definitions: dict[str, Schema], loose: dict[str, Schema]) -> Any:
    """A schema without what it demands of mappings; a definition that differs so has another beside it."""
    if isinstance(schema, list):
        return [_loosened(one, definitions, loose) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in _WHOLE:
            return schema
        return {**schema, "$ref": f"#/$defs/{_second(name, definitions, loose)}"}
    made: Schema = {}
    for key, value in schema.items():
        if key in _DEMANDS and "not" not in schema:
            continue
        if key in _LISTED or key in ("not", "enum", "default", "patternProperties"):
            made[key] = value
        elif key == "properties":
            made[key] = {word: _loosened(one, definitions, loose) for word, one in value.items()}
        else:
            made[key] = _loosened(value, definitions, loose)
    return made


def _second(name: str, definitions: dict[str, Schema], loose: dict[str, Schema]) -> str:
    """The name of a definition that demands less; its own where it demands nothing."""
    second = f"Partial{name}"
    if second in loose:
        return second
    loose[second] = {}
    made = _loosened(definitions[name], definitions, loose)
    if _named_back(made, second, name) == definitions[name]:
        del loose[second]
        return name
    loose[second] = made
    return second


def _named_back(schema: Any, second: str, name: str) -> Any:
    """A definition that holds itself, with its first name."""
    if isinstance(schema, list):
        return [_named_back(one, second, name) for one in schema]
    if isinstance(schema, dict):
        return {
            key: value.replace(second, name) if key == "$ref" else _named_back(value, second, name)
            for key, value in schema.items()
        }
    return schema
