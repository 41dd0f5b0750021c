"""The word ``audio``: the music, and how loud it is in the film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from gandream.recipe.fields import AudioPath, FileRef, Number, Reads, Word

MOST_DB = 40
"""What is louder is clipped long before."""


@dataclass(frozen=True)
class Music(FileRef):
    """A sound file, and how much louder it is in the film, in dB; what is heard in it for signals stays the same."""

    gain_db: float = 0.0


class MusicWords(Word):
    """Music with more to say about it than its file."""

    file: Annotated[AudioPath, Field(description="the music: a file, or `bundled:night_drive`")]
    gain: Annotated[
        Number,
        Field(ge=-MOST_DB, le=MOST_DB, description="how much louder it is in the film, in dB; signals don't hear it"),
    ] = 0.0


def _music(value: Any) -> Music:
    if isinstance(value, Music):
        return value
    words = MusicWords.model_validate(value if isinstance(value, dict) else {"file": value})
    return Music(words.file.written, words.file.path, words.gain)


def _written(music: Music) -> Any:
    return {"file": music.written, "gain": music.gain_db} if music.gain_db else music.written


Audio = Annotated[
    Music,
    BeforeValidator(_music),
    Reads(MusicWords),
    PlainSerializer(_written),
    WithJsonSchema({"anyOf": [{"type": "string"}, MusicWords.model_json_schema()]}),
]
