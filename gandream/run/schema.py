"""The JSON Schema of recipes, and of batch files, as a file."""

from __future__ import annotations

import json
from pathlib import Path

from gandream.base.errors import OutputError
from gandream.base.files import disk_errors, published
from gandream.recipe.schema import recipe_schema
from gandream.run.batch.schema import batch_schema


def schema_text(batch: bool = False) -> str:
    """The schema as it is shipped: a line for each word and each definition, so that changes are seen."""
    schema = dict(batch_schema() if batch else recipe_schema())
    parts = {key: schema.pop(key) for key in ("properties", "$defs")}
    lines = [f" {_line(key)}: {_line(value)}," for key, value in schema.items()]
    for key, held in parts.items():
        inside = ",\n".join(f"  {_line(name)}: {_line(value)}" for name, value in held.items())
        lines.append(f" {_line(key)}: {{\n{inside}\n }}{',' if key == 'properties' else ''}")
    return "{\n" + "\n".join(lines) + "\n}\n"


def write_schema(path: Path, batch: bool = False) -> None:
    """Write the schema to a file, whole or not at all; OutputError where anything but a schema is."""
    if path.is_file() and not _is_schema(path):
        raise OutputError(str(path), "a file is here already, and it is no schema of recipes", "Choose another name.")
    with published(path) as part:
        part.write_text(schema_text(batch), encoding="utf-8", newline="\n")


def _is_schema(path: Path) -> bool:
    """Whether a file is a schema of this kind, of whatever gandream."""
    with disk_errors(path), open(path, "rb") as file:
        return b'"$schema"' in file.read(400)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
