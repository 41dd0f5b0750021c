"""What a film says about itself: its title and its recipe, written and read back exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from gandream.base import ffmpeg

RECIPE_KEY = "comment"
"""The one key for long text that MP4, MOV and Matroska all keep, and that players show."""

_SPECIAL = re.compile(r"([=;#\\\n\r])")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def write_metadata(path: Path, values: Mapping[str, str]) -> None:
    """Write ffmpeg's metadata format; empty values are left out, NUL (no container keeps it) is an error."""
    lines = [";FFMETADATA1\n"]
    for key, value in values.items():
        if "\0" in value:
            raise ValueError(f"{key} holds a NUL character")
        if value:
            lines.append(key + "=" + _SPECIAL.sub(r"\\\1", value) + "\n")
    path.write_text("".join(lines), encoding="utf-8", newline="")


def read_metadata(path: Path) -> dict[str, str]:
    """Read what a film says about itself: keys in lower case."""
    text = ffmpeg.run(*ffmpeg.QUIET, *ffmpeg.media(path), "-f", "ffmetadata", "-").decode("utf-8", "replace")
    body = text.split("\n", 1)[1] if text.startswith(";FFMETADATA1") else text
    values = {}
    # An entry is a line, its own line breaks escaped; sections such as [STREAM] come after what is global.
    for entry in re.findall(r"(?:\\.|[^\\\n])+", body, re.DOTALL):
        if entry.startswith("["):
            break
        parts = re.match(r"((?:\\.|[^\\=])*)=(.*)", entry, re.DOTALL)
        if parts:
            key, value = (_ESCAPED.sub(r"\1", part) for part in parts.groups())
            values[key.lower()] = value
    return values


def recipe_of(path: Path) -> str | None:
    """The recipe that a film carries, or None."""
    return read_metadata(path).get(RECIPE_KEY)
