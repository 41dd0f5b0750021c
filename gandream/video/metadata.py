"""What a film says about itself: its title and its recipe, written and read back exactly."""

from __future__ import annotations

import re
from pathlib import Path

from gandream.base import ffmpeg
from gandream.video.stamp import recipe_in

RECIPE_KEY = "comment"
"""The one key for long text that MP4, MOV and Matroska all keep, and that players show."""
STAMPED = (".gif", ".apng", ".png", ".webp")
"""Files whose texts are read without ffmpeg."""

_SPECIAL = re.compile(r"([=;#\\\n\r])")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def write_metadata(path: Path, key: str, value: str) -> None:
    """Write one long entry of ffmpeg's metadata format; it holds no NUL, which no container keeps.

    One only, and no line break after it: ffmpeg's reader takes a line break behind any backslash for a part of the
    value, also where the backslash is itself escaped.
    """
    if "\0" in value:
        raise ValueError(f"{key} holds a NUL character")
    entry = key + "=" + _SPECIAL.sub(r"\\\1", value) if value else ""
    path.write_text(f";FFMETADATA1\n{entry}", encoding="utf-8", newline="")


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
    """The recipe that a film, an animation, a picture or a folder of pictures carries, or None."""
    if path.is_dir() or path.suffix.lower() in STAMPED:
        return recipe_in(path)
    return read_metadata(path).get(RECIPE_KEY)
