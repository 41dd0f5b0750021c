"""A video as a person brings it, read as many small pictures: RATE_HZ of them a second, SIDE x SIDE cells each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from gandream.audio.cache import Shelf
from gandream.base import ffmpeg
from gandream.base.hashing import file_fingerprint
from gandream.recipe.latent import Latent
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.recipe.roams import Footage

SIDE = 12
"""Cells across and down: where things are counts, and not what they look like close by."""
CELLS = 3 * SIDE * SIDE
"""Of a picture: its luma, and its two colour differences."""
RATE_HZ = 30
MOST = 3600 * RATE_HZ
"""Pictures of one video: an hour."""
CONTAINERS = (
    "apng,asf,av1,avi,dv,flv,gif,h264,hevc,ivf,m4v,matroska,mov,mpeg,mpegts,mpegvideo,mxf,nut,ogg,rm,webp_pipe,"
    "yuv4mpegpipe"
)
"""Names of the demuxers of files that hold video. No playlists: those open other files."""
_NAME = f"pictures {SIDE} {RATE_HZ}"
_FILTERS = f"fps={RATE_HZ},scale={SIDE}:{SIDE}:flags=area,format=yuv444p"


class _UnseenError(Exception):
    """What is wrong with a video, and what to do."""


@dataclass(frozen=True)
class _Clip:
    """A video by its content; where its small pictures are kept doesn't tell it from itself."""

    path: Path
    fingerprint: str
    cache: Path | None = field(default=None, compare=False)


def watch(recipe: Recipe, cache: Path | None) -> None:
    """Read every video that leads a walk of the recipe; what is read is kept in the folder ``cache`` by content."""
    for words, path in _led(recipe):
        watched(words, recipe, path, cache)


def _led(value: Any, path: Path_ = ()) -> Iterator[tuple[Footage, Path_]]:
    if isinstance(value, Footage):
        yield value, path
    elif isinstance(value, BaseModel) and not isinstance(value, Latent):  # there may be thousands of these
        for name, one in type(value).model_fields.items():
            yield from _led(getattr(value, name), (*path, one.alias or name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _led(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _led(item, (*path, key))


def watched(words: Footage, recipe: Recipe, path: Path_, cache: Path | None = None) -> np.ndarray:
    """The small pictures of a video: uint8 [S, CELLS], plane by plane. RecipeError where there are none."""
    try:
        return _watched(_Clip(words.file.path, file_fingerprint(words.file.path), cache))
    except OSError as error:
        raise recipe.error(path, f"can't read this: {error.strerror}") from None
    except _UnseenError as error:
        raise recipe.error(path, *error.args) from None


def seconds_of(cells: np.ndarray) -> Fraction:
    """How long the video lasts."""
    return Fraction(len(cells), RATE_HZ)


@lru_cache(8)
def _watched(clip: _Clip) -> np.ndarray:
    """Read once in a process: a film of many scenes or cells asks as many times."""
    shelf = Shelf(clip.cache, clip.fingerprint)
    entry = shelf.get(_NAME) or shelf.put(_NAME, {"cells": _seen(clip.path)})
    return entry["cells"]


def _seen(path: Path) -> np.ndarray:
    opened = ("-format_whitelist", CONTAINERS, "-an", "-sn", "-dn", *ffmpeg.media(path))
    output = ("-map", "0:v:0", "-vf", _FILTERS, *ffmpeg.BITEXACT, "-f", "rawvideo", "pipe:1")
    with ffmpeg.reading([*ffmpeg.QUIET, *opened, *output]) as running:
        data = running.out.read((MOST + 1) * CELLS)
    cells = np.frombuffer(data, np.uint8)
    cells = cells[: len(cells) // CELLS * CELLS].reshape(-1, CELLS)
    if len(cells) > MOST:
        raise _UnseenError("this video is longer than an hour", "Cut a part out of it.")
    if len(cells) < 2:
        heard = running.said
        words = ffmpeg.last_words(heard) if heard else ""
        still = "it is a single picture" if len(cells) else "there are no pictures in it"
        problem = f"this is no video that can be read: {still}"
        known = "mp4, mov, mkv, webm, avi and gif can be read."
        ours = b"whitelist" in heard or b"matches no streams" in heard  # what we asked for, and not what is wrong
        raise _UnseenError(problem, f"ffmpeg: {words}. {known}" if words and not ours else known)
    return cells
