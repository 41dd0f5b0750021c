"""The pictures of a folder, decoded once: an array on disk that is mapped into memory, and what happened on the way."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from gandream.base.errors import GandreamError, RenderError
from gandream.base.files import published
from gandream.base.hashing import content_key
from gandream.training.folder_files import Source
from gandream.training.pictures import UnreadableError, read_picture

VERSION = 1
"""Goes up whenever a picture is decoded differently, so that old arrays aren't found."""
_THREADS = 8
"""At most: a large picture takes up to 700 MB while it is decoded."""
_AHEAD = 4
"""Pictures decoded for each thread before the first of them is written."""

Progress = Callable[[int, int], None]
"""(pictures done, pictures in all)."""


@dataclass(frozen=True)
class Prepared:
    """What decoding a folder gave, beside the pictures."""

    kept: list[int]
    """Which of the sources each picture of the array is."""
    skipped: list[tuple[str, str]]
    """Names and reasons."""
    enlarged: int
    digest: str
    """Of all pixels."""
    folder: str
    resolution: int


def prepare(
    folder: Path, sources: Sequence[Source], resolution: int, cache: Path, progress: Progress | None = None
) -> tuple[np.ndarray, Prepared]:
    """Pictures uint8 [count, 3, R, R], mapped from a file in ``cache`` that is written where it isn't there.

    Raises:
        GandreamError: the cache can't be written.
    """
    stamps = [(source.name, source.size, source.changed) for source in sources]
    key = content_key("pictures", VERSION, resolution, str(folder), stamps)
    array, notes = cache / f"{key}.npy", cache / f"{key}.json"
    found = _stored(array, notes)
    if found is None:
        try:
            cache.mkdir(parents=True, exist_ok=True)
            _room(cache, len(sources) * 3 * resolution**2)
            with published(array) as part, part.open("wb") as file:
                prepared = _decode(file, folder, sources, resolution, progress)
            with published(notes) as part:
                part.write_text(json.dumps(asdict(prepared)), "ascii")
        except (OSError, GandreamError) as error:
            problem = f"the prepared pictures can't be kept here: {_why(error)}"
            raise GandreamError(str(cache), problem, "Make room, or choose another folder for the cache.") from error
        _forget(cache, prepared, key)
        found = _stored(array, notes)
        if found is None:
            raise GandreamError(str(array), "what was just written here can't be read back", "Is the disk all right?")
    return found


def _stored(array: Path, notes: Path) -> tuple[np.ndarray, Prepared] | None:
    """What was prepared before; None where it isn't there whole. The notes are written last."""
    try:
        read: dict[str, Any] = json.loads(notes.read_text("ascii"))
        read["skipped"] = [(name, reason) for name, reason in read["skipped"]]
        prepared = Prepared(**read)
        side = prepared.resolution
        if not prepared.kept:  # an empty array can't be mapped
            return np.empty((0, 3, side, side), np.uint8), prepared
        pictures = np.load(array, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError, TypeError, KeyError):
        return None
    whole = pictures.shape == (len(prepared.kept), 3, side, side) and pictures.dtype == np.uint8
    return (pictures, prepared) if whole else None


def _decode(
    file: IO[bytes], folder: Path, sources: Sequence[Source], resolution: int, progress: Progress | None
) -> Prepared:
    """Write the array of all pictures that can be read, in the order of the sources."""
    _header(file, len(sources), resolution)
    start = file.tell()
    digest = hashlib.blake2b(digest_size=16)
    kept, skipped, enlarged = [], [], 0
    for number, result in enumerate(_each(folder, sources, resolution)):
        if isinstance(result, str):
            skipped.append((sources[number].name, result))
        else:
            pixels, grown = result
            kept.append(number)
            enlarged += grown
            digest.update(pixels.data)
            file.write(pixels.data)
        if progress:
            progress(number + 1, len(sources))
    file.seek(0)
    _header(file, len(kept), resolution)
    if file.tell() != start:
        raise ValueError("the header of the array changed its length")
    return Prepared(kept, skipped, enlarged, digest.hexdigest(), str(folder), resolution)


def _header(file: IO[bytes], count: int, side: int) -> None:
    """Header of a .npy; numpy leaves room in it for any number of rows."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, 3, side, side)}
    np.lib.format.write_array_header_1_0(file, header)


def _each(folder: Path, sources: Sequence[Source], resolution: int) -> Iterator[tuple[np.ndarray, bool] | str]:
    """Result of each source in turn, decoded in threads: pillow lets go of the interpreter while it works."""
    threads = min(_THREADS, os.cpu_count() or 1)
    ahead: deque[Future[tuple[np.ndarray, bool] | str]] = deque()
    with ThreadPoolExecutor(threads) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pillow, about metadata and about sizes that are dealt with
        try:
            for source in sources:
                ahead.append(pool.submit(_one, folder / source.name, resolution))
                if len(ahead) >= _AHEAD * threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _one(path: Path, resolution: int) -> tuple[np.ndarray, bool] | str:
    """The picture, or why there is none."""
    try:
        return read_picture(path, resolution)
    except UnreadableError as error:
        return str(error)


def _why(error: OSError | GandreamError) -> str:
    if isinstance(error, RenderError):
        return "the disk is full"
    return error.problem if isinstance(error, GandreamError) else error.strerror or str(error)


def _room(cache: Path, size: int) -> None:
    """Look for room before hours are spent on decoding."""
    free = shutil.disk_usage(cache).free
    if free < size:
        raise GandreamError(
            str(cache), f"{size / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free", "Make room there."
        )


def _forget(cache: Path, prepared: Prepared, key: str) -> None:
    """Remove what was prepared of the same folder before it changed."""
    for notes in cache.glob("*.json"):
        with suppress(OSError, ValueError, TypeError):
            other = json.loads(notes.read_text("ascii"))
            same = (other["folder"], other["resolution"]) == (prepared.folder, prepared.resolution)
            if same and notes.stem != key:
                notes.unlink()
                notes.with_suffix(".npy").unlink()
