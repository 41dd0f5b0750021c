"""The JSON Schema of batch files, from their declarations."""

from __future__ import annotations

from typing import Any

from gandream.run.batch.file import Batch

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_BOUNDS = {"ge": "minimum", "le": "maximum"}


def batch_schema() -> dict[str, Any]:
    """What may be written in a batch file. What is set and varied there are words of recipes, of any value."""
    made = _plain(Batch.model_json_schema(by_alias=True))
    words = made["properties"]
    entry = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Entry"}]}
    several = [{"type": "string"}, {"type": "array", "minItems": 1, "items": entry}, {"$ref": "#/$defs/Entry"}]
    words["recipes"] = {"anyOf": several, "description": words["recipes"]["description"]}
    first = ["recipes", *(word for word in words if word not in ("recipes", "on_success", "on_failure"))]
    made["properties"] = {word: words[word] for word in (*first, "on_success", "on_failure")}
    return {"$schema": _DIALECT, **made, "title": "gandream batch", "description": "Many films by gandream."}


def _plain(schema: Any, names: bool = False) -> Any:
    """Without titles, which say nothing here, and with bounds as JSON Schema says them; ``names``: keys are words."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: value for key, value in schema.items() if names or (key != "title" and (key, value) != ("default", None))
    }
    inner = {key: _plain(value, key in ("properties", "$defs")) for key, value in kept.items()}
    return inner if names else {_BOUNDS.get(key, key): value for key, value in inner.items()}
