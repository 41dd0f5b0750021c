"""Walks through the declarations and writes what it finds as JSON Schema (draft 2020-12)."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from inspect import cleandoc
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import annotated_types
from pydantic import BeforeValidator, TypeAdapter
from pydantic.fields import FieldInfo

from gandream.recipe.curve import EASES
from gandream.recipe.fields import Choice, TimeCheck, Word
from gandream.recipe.ranges import Range
from gandream.recipe.recipe import LANGUAGE, Recipe
from gandream.recipe.schema.groups import RELATIONS, SHORT
from gandream.recipe.schema.kinds import KINDS
from gandream.recipe.schema.loose import with_includes
from gandream.recipe.schema.parts import (
    EASE,
    NAMED,
    NULL,
    OWN_NAME,
    VARIABLE,
    Schema,
    choice,
    curve,
    listed,
    one_of,
    time_kind,
)
from gandream.recipe.walk import Each

SCHEMA_NAME = "gandream.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE: Schema = {"$ref": "#/$defs/variable"}
_NAMED = ("signals", "vars", "curves")
"""Words under which stand names of one's own."""
_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): NULL,
    Any: {},
}
_BOUNDS: dict[type, tuple[str, str, tuple[str, ...]]] = {
    annotated_types.Ge: ("ge", "minimum", ("number", "integer")),
    annotated_types.Gt: ("gt", "exclusiveMinimum", ("number", "integer")),
    annotated_types.Le: ("le", "maximum", ("number", "integer")),
    annotated_types.Lt: ("lt", "exclusiveMaximum", ("number", "integer")),
    annotated_types.MultipleOf: ("multiple_of", "multipleOf", ("number", "integer")),
}
_LENGTHS: dict[type, tuple[str, tuple[tuple[str, str], ...]]] = {
    annotated_types.MinLen: ("min_length", (("array", "minItems"), ("string", "minLength"))),
    annotated_types.MaxLen: (
        "max_length",
        (("array", "maxItems"), ("string", "maxLength"), ("object", "maxProperties")),
    ),
}


@cache
def _schema() -> Schema:
    writer = Writer()
    recipe = writer.words(Recipe)
    tops = recipe["properties"]
    tops["gandream"] = {**tops["gandream"], "const": LANGUAGE}
    for word in _NAMED:
        tops[word]["anyOf"][0]["propertyNames"] = OWN_NAME
    heading = {
        "$schema": _DIALECT,
        "title": "gandream recipe",
        "description": f"A film by gandream, version {LANGUAGE} of the recipe language.",
    }
    return with_includes({**heading, **recipe}, {**writer.definitions, "variable": VARIABLE})


def recipe_schema() -> Schema:
    """The schema of recipes; it is made once, and not to be changed."""
    return _schema()


class Writer:
    """Writes kinds of values; groups of words become definitions, each once."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def of(self, kind: Any) -> Schema:
        """What may be written for a kind."""
        origin, parts = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self.noted(parts[0], parts[1:])
        if origin in (Union, UnionType):
            return one_of(*(self.of(part) for part in parts))
        if origin is tuple and parts[-1] is Ellipsis:
            return listed(_value(self.of(parts[0])))
        if origin is tuple:
            first, *others = (self.of(part) for part in parts)
            assert all(other == first for other in others), "editors know lists of one kind alone"
            return listed(_value(first), len(parts), len(parts))
        if origin is dict:
            return {"type": "object", "additionalProperties": _value(self.of(parts[1]))}
        if isinstance(kind, type) and issubclass(kind, Word):
            return self.any_of(kind)
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        raise TypeError(f"nobody says how {kind} is written: give what reads it a row in gandream.recipe.schema.kinds")

    def noted(self, kind: Any, notes: Any) -> Schema:
        """What may be written for a kind with notes, which are read from the innermost on."""
        inner = lambda: self.of(kind)  # noqa: E731 - what reads a kind may know it better than its type
        for note in notes:
            inner = self._with(inner, note)
        return self.shared(inner())

    def shared(self, schema: Any) -> Any:
        """A schema whose pieces with names have become definitions."""
        if isinstance(schema, list):
            return [self.shared(one) for one in schema]
        if not isinstance(schema, dict):
            return schema
        name = schema.get(NAMED)
        made = {key: self.shared(value) for key, value in schema.items() if key != NAMED}
        if name is None:
            return made
        self.definitions.setdefault(name, {**made, "anyOf": [*_alternatives(made), _VARIABLE]})
        return {"$ref": f"#/$defs/{name}"}

    def _with(self, inner: Any, note: Any) -> Any:
        if isinstance(note, FieldInfo):
            for one in note.metadata:
                inner = self._with(inner, one)
            return inner
        if isinstance(note, BeforeValidator):
            name = f"{note.func.__module__}.{getattr(note.func, '__qualname__', '')}"
            row = KINDS[name.removeprefix("gandream.recipe.")]
            return lambda: row(self, inner)
        if isinstance(note, Choice):
            return lambda: EASE if note.known is EASES else choice(note.known)
        if isinstance(note, TimeCheck):
            return lambda: time_kind(note)
        if isinstance(note, Each):
            one = self.of(note.kind)
            return lambda: one_of(one, listed(_value(one), 1, 10000), NULL)
        if isinstance(note, Range):
            return lambda: _in_range(inner(), note)
        if type(note) in _BOUNDS or type(note) in _LENGTHS:
            return lambda: _bounded(inner(), note)
        return inner

    def words(self, kind: type[Word]) -> Schema:
        """A group of words as an object."""
        properties: dict[str, Schema] = {}
        for name, field in kind.model_fields.items():
            wrote = _value(self.noted(field.annotation, field.metadata))
            about = {"description": field.description} if field.description else {}
            wrote = {key: value for key, value in wrote.items() if key != "description" or not about}
            properties[field.alias or name] = {**wrote, **about, **_default(field.default)}
        required = [field.alias or name for name, field in kind.model_fields.items() if field.is_required()]
        made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        relations = RELATIONS[kind.__name__]() if kind.__name__ in RELATIONS else []
        stated = {"Signal", "Recipe"}  # what these want, their relations say
        made |= {"required": required} if required and kind.__name__ not in stated else {}
        made |= {"allOf": relations} if relations else {}
        return _SPECIAL.get(kind.__name__, lambda schema: schema)(made)

    def group(self, kind: type[Word]) -> Schema:
        """A group of words, by its definition."""
        name = kind.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # groups may hold themselves
            about = cleandoc(kind.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
            self.definitions[name] = {"description": about, **self.words(kind)}
        return {"$ref": f"#/$defs/{name}"}

    def any_of(self, kind: type[Word]) -> Schema:
        """A group of words or a short form of it."""
        written = self.group(kind)
        if kind.__name__ not in SHORT:
            return written
        name = f"Any{kind.__name__}"
        if name not in self.definitions:
            self.definitions[name] = {}
            words = self.definitions[kind.__name__].get("properties") or self.words(kind)["properties"]
            bare = {word: {k: v for k, v in one.items() if k != "default"} for word, one in words.items()}
            self.definitions[name] = one_of(*SHORT[kind.__name__](bare), written)
        return {"$ref": f"#/$defs/{name}"}

    def entry(self, kind: type[Word], name: str) -> Schema:
        """A group whose first word says which it is."""
        found = self.group(kind)
        written = self.definitions[kind.__name__]
        required = written.setdefault("required", [])
        if name not in required:
            required.append(name)
            main = written["properties"][name]
            if not kind.model_fields[name].is_required():
                about = {key: main[key] for key in ("description", "default") if key in main}
                written["properties"][name] = {"anyOf": [*_alternatives(main), NULL], **about}
        return found


def _signal(schema: Schema) -> Schema:
    """A number alone is the upper end of `clip`, and the steps of `quantise`."""
    words = schema["properties"]
    words["clip"] = {**words["clip"], **one_of({"type": "number", "minimum": 0, "maximum": 100}, words["clip"])}
    words["clip"]["anyOf"] = [words["clip"]["anyOf"][0], *_alternatives(words["clip"]["anyOf"][1])]
    words["quantise"]["anyOf"].insert(0, {"type": "integer", "minimum": 1, "maximum": 1000})
    return schema


def _walk(schema: Schema) -> Schema:
    """Kinds of walk that are null are not meant."""
    through = schema["properties"]["through"]
    through["anyOf"] = [*_alternatives(through), NULL]
    return schema


_SPECIAL = {"Signal": _signal, "Walk": _walk}


def _alternatives(schema: Schema) -> list[Schema]:
    if "anyOf" in schema:
        return list(schema["anyOf"])
    return [{key: value for key, value in schema.items() if key not in ("description", "default")}]


def _value(schema: Schema) -> Schema:
    """Where a value stands, a variable may."""
    if not schema or (schema.get("type") == "string" and not set(schema) & {"pattern", "enum"}):
        return schema
    alternatives = _alternatives(schema)
    if any(_holds_variable(one) for one in alternatives):
        return schema
    more = {"description": schema["description"]} if "anyOf" in schema and "description" in schema else {}
    return {**more, "anyOf": [*alternatives, _VARIABLE]}


def _holds_variable(schema: Schema) -> bool:
    """Whether a variable may stand here already: it is any text, or a named piece (groups' names are capital)."""
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    return (schema.get("type") == "string" and "pattern" not in schema) or name[:1].islower()


def _in_range(schema: Schema, note: Range) -> Schema:
    """Curves within a range; words that stand for some stay."""
    others = [one for one in _alternatives(schema) if "enum" in one]
    return one_of(*others, curve(note.low, note.high))


def _bounded(schema: Schema, note: Any) -> Schema:
    if "anyOf" in schema:
        return {**schema, "anyOf": [_bounded(one, note) for one in schema["anyOf"]]}
    if found := _BOUNDS.get(type(note)):
        attribute, keyword, types = found
        return {**schema, keyword: getattr(note, attribute)} if schema.get("type") in types else schema
    attribute, keywords = _LENGTHS[type(note)]
    return {**schema, **{key: getattr(note, attribute) for kind, key in keywords if schema.get("type") == kind}}


def _default(value: Any) -> Schema:
    """A default as a person would write it, where it says something."""
    if isinstance(value, bool | int | float | str) and value != "":
        return {"default": value}
    if isinstance(value, Fraction):
        return {"default": float(value) if value.denominator > 1 else int(value)}
    written = getattr(value, "written", None)
    if callable(written) and (found := written()):
        return {"default": found[0] if isinstance(found, list) and len(found) == 1 else found}
    if isinstance(written, str):
        return {"default": written}
    for attribute in ("text", "value"):
        if isinstance(found := getattr(value, attribute, None), str | int | float):
            return {"default": found}
    if value.__class__.__module__.endswith("times"):
        return {"default": str(value)}
    if isinstance(value, tuple) and value and all(_default(one) for one in value):
        return {"default": [_default(one)["default"] for one in value]}
    if isinstance(value, Word):
        dumped = TypeAdapter(type(value)).dump_python(value, mode="json", by_alias=True)
        return {"default": dumped} if isinstance(dumped, int | str) else {}
    return {}
