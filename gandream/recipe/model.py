"""The word ``model``: which generator makes the pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from gandream.recipe.fields import Choice, Reads, Word, Words, helps, wrong
from gandream.recipe.latent import ClassWord
from gandream.recipe.text import Text

PRECISIONS: dict[str, str] = {
    "auto": "what is fastest here and looks the same",
    "exact": "float32, as the model was trained",
}


@dataclass(frozen=True)
class ModelRef:
    """A model as the recipe names it, and the folder that a relative file name starts from."""

    written: str
    folder: Path = Path()
    sha256: str | None = None
    class_: int | str | None = None
    precision: str = "auto"

    def __str__(self) -> str:
        return self.written


def _named(value: Any) -> ModelRef:
    if not isinstance(value, str) or not value.strip():
        raise wrong("wanted the name of a model, such as cppn#7")
    return ModelRef(str(value), value.folder if isinstance(value, Text) else Path())


class ModelWords(Word):
    """A model with more to say about it than its name."""

    file: Annotated[
        Annotated[ModelRef, BeforeValidator(_named), WithJsonSchema({"type": "string"})],
        Field(description="the model's name, its file, or the address that an added model came from"),
    ]
    sha256: Annotated[Words | None, Field(description="of the file, 64 hex digits; another file is refused")] = None
    precision: Annotated[
        str,
        Choice(PRECISIONS, "precision"),
        Field(description=helps(PRECISIONS)),
    ] = "auto"
    class_: Annotated[
        ClassWord | None,
        Field(alias="class", description="for latents without a class of their own, where there are no `classes`"),
    ] = None


def _model(value: Any) -> ModelRef:
    if isinstance(value, ModelRef):
        return value
    if isinstance(value, dict):
        words = ModelWords.model_validate(value)
        if words.sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", words.sha256):
            raise wrong("a SHA-256 has 64 hex digits", key="sha256")
        sha256 = words.sha256 and words.sha256.lower()
        return replace(words.file, sha256=sha256, class_=words.class_, precision=words.precision)
    return _named(value)


def _model_written(model: ModelRef) -> Any:
    precision = None if model.precision == "auto" else model.precision
    more = {"sha256": model.sha256, "precision": precision, "class": model.class_}
    more = {key: value for key, value in more.items() if value is not None}
    return {"file": model.written, **more} if more else model.written


Model = Annotated[
    ModelRef,
    BeforeValidator(_model),
    Reads(ModelWords),
    PlainSerializer(_model_written),
    WithJsonSchema({"anyOf": [{"type": "string"}, ModelWords.model_json_schema()]}),
]
