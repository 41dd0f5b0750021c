"""Variants of a film side by side in one film, with one sound, each of them kept in the store as its own."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gandream.audio.playable import playable
from gandream.base.errors import OutputError
from gandream.base.files import disk_errors, published, temporary_folder, writable_folder
from gandream.base.hashing import content_key, file_fingerprint
from gandream.rendering import films
from gandream.rendering.device import DeviceWord, Kind
from gandream.rendering.store import ELSEWHERE, Store, store_folder
from gandream.run import compare_film, manifest
from gandream.run.compare_page import Layout, background, inside, layout
from gandream.run.compare_plan import Progress, Shown, heard, odd, planned, rendered
from gandream.run.device import Note, failed_before, on_device
from gandream.run.preview import Part
from gandream.run.variants import Variants
from gandream.video.format import VideoFormat
from gandream.video.join import REVISION as JOIN_REVISION
from gandream.video.join import join
from gandream.video.sound import Sound

LARGEST = (1920, 1080)
"""Width and height of the film, at most."""
CRF = 18


@dataclass(frozen=True)
class Compared:
    """A film of variants that was made."""

    path: Path
    layout: Layout
    frames: int
    rendered: int
    """Frames of the variants that were rendered now; the others were in the store."""
    seconds: float
    warnings: tuple[str, ...] = ()


def compare(
    table: Variants,
    out: str | Path | None = None,
    *,
    part: Part | None = None,
    full: bool = False,
    largest: tuple[int, int] = LARGEST,
    force: bool = False,
    device: DeviceWord = "auto",
    progress: Progress = lambda stage, done, total: None,
    note: Note = lambda words: None,
) -> Compared:
    """Make the film ``outputs/<recipe>_compare.mp4`` of a table of variants.

    Each is rendered as its own draft, or as its own film where it is to be ``full``, from the same segments: what was
    rendered already isn't again, and neither is the one that is chosen in the end. It is then decoded, brought to its
    place, and encoded a second time, which is seen least where it is drafts that one compares.
    """
    began, first = time.perf_counter(), table.variants[0].recipe
    target = _target(out, table)
    writable_folder(target.parent)
    if not force:
        manifest.refuse_foreign(target, first, rough=True)
    cache = writable_folder(store_folder(target.parent), ELSEWHERE)

    def make(kind: Kind) -> Compared:
        return _compare(table, target, cache, kind, part, full, largest, progress, began)

    return on_device(device, make, note, failed_before(cache, first))


def _compare(
    table: Variants,
    target: Path,
    cache: Path,
    kind: Kind,
    part: Part | None,
    full: bool,
    largest: tuple[int, int],
    progress: Progress,
    began: float,
) -> Compared:
    progress("listening", 0, 0)
    shown = planned(table, cache, kind, part, full)
    fps = shown[0].reel.fmt.fps
    frames = max(max(1, round(one.reel.frames / one.reel.fmt.fps * fps)) for one in shown)
    made = layout(table, (shown[0].reel.fmt.width, shown[0].reel.fmt.height), largest)
    fmt = VideoFormat(made.width, made.height, fps, crf=CRF)
    files = Path(table.variants[0].recipe.document.file or "recipe")
    films.note(cache, target, files, [segment.key for one in shown for segment in one.reel.segments])
    key = _key(shown, made, fmt, frames)
    made_now = 0
    if manifest.describes(target, key):
        progress("there already", frames, frames)
    else:
        store = Store(cache)
        made_now = rendered(shown, store, progress)
        _joined(shown, made, fmt, frames, store, target, progress)
        _write(target, shown, made, fmt, frames, key)
    warnings = dict.fromkeys((*(one for each in shown for one in each.prepared.warnings), *odd(shown, table)))
    return Compared(target, made, frames, made_now, time.perf_counter() - began, tuple(warnings))


def facts(compared: Compared) -> dict[str, Any]:
    """What is where, as plain values."""
    return {
        "file": str(compared.path),
        "width": compared.layout.width,
        "height": compared.layout.height,
        "frames": compared.frames,
        "rendered": compared.rendered,
        "cells": _cells(compared.layout),
        "warnings": list(compared.warnings),
    }


def _cells(made: Layout) -> list[dict[str, Any]]:
    return [
        {"x": place.x, "y": place.y, "w": place.w, "h": place.h, "label": variant.label,
         "recipe": variant.recipe.document.file, "set": list(variant.recipe.document.overrides)}
        for place, variant in zip(made.cells, made.table.variants, strict=True)
    ]  # fmt: skip


def _target(out: str | Path | None, table: Variants) -> Path:
    stems = dict.fromkeys(Path(one.recipe.document.file or "film").stem for one in table.variants)
    target = Path(out) if out is not None else Path("outputs") / f"{'_'.join(list(stems)[:3])}_compare.mp4"
    if target.suffix.lower() not in (".mp4", ".mov", ".mkv"):
        hint = f"For instance {target.with_suffix('.mp4')}."
        raise OutputError(str(target), "a comparison is an mp4, mov or mkv", hint)
    if target.is_dir():
        raise OutputError(str(target), "a folder is where the film should be", "Choose another name with -o.")
    return target


def _joined(
    shown: list[Shown], made: Layout, fmt: VideoFormat, frames: int, store: Store, target: Path, progress: Progress
) -> None:
    """Put the variants' films together, with the first one's sound."""
    import torch

    from gandream.video.colour import planes

    images = torch.from_numpy(background(made).astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    still = planes(images)[0].numpy()
    first = shown[0].prepared.recipe
    title, text = first.title or target.stem, manifest.recipe_text(first)
    with temporary_folder(inside=store.folder) as folder, disk_errors(target):
        parts = []
        for number, (one, place) in enumerate(zip(shown, made.cells, strict=True)):
            part, own, segments = folder / f"{number}.mp4", one.reel.fmt, one.reel.segments
            there = store.find_all(segment.key for segment in segments)
            if gone := [segment for segment in segments if segment.key not in there]:
                problem = f"{len(gone)} segments vanished while the film was made"
                raise OutputError(str(store.segments), problem, "Run the same command again.")
            join([there[segment.key] for segment in segments], [segment.frames for segment in segments], own, part)
            parts.append(compare_film.Film(part, inside(place, (own.width, own.height))))
        whole = compare_film.side_by_side(
            parts, still, frames, fmt, folder, lambda done: progress("comparing", done, frames)
        )
        if first.audio is None:
            join([whole], [frames], fmt, target, title=title, recipe_text=text)
            return
        with playable(first.audio.path) as path:
            join([whole], [frames], fmt, target, sound=Sound(path, *heard(shown[0])), title=title, recipe_text=text)


def _key(shown: list[Shown], made: Layout, fmt: VideoFormat, frames: int) -> str:
    """Of all that shapes the film."""
    music, first = shown[0].prepared.score.music, shown[0].prepared.recipe
    keys = [[segment.key for segment in one.reel.segments] for one in shown]
    places = [[place.x, place.y, place.w, place.h, variant.label] for place, variant in
              zip(made.cells, made.table.variants, strict=True)]  # fmt: skip
    sound = None if music is None else [music.fingerprint, *map(str, heard(shown[0]))]
    told = [first.title, manifest.recipe_text(first), list(made.table.down), list(made.table.across)]
    revisions = [compare_film.REVISION, JOIN_REVISION]
    return content_key("comparison", revisions, keys, places, fmt.key(), frames, sound, told)


def _write(target: Path, shown: list[Shown], made: Layout, fmt: VideoFormat, frames: int, key: str) -> None:
    """Publish the manifest."""
    first = shown[0].prepared.recipe
    content = {
        "film": target.name,
        "sha256": file_fingerprint(target),
        "key": key,
        "recipe": {
            "file": manifest.relative(first, target),
            "set": list(first.document.overrides),
            "resolved": first.model_dump(mode="json", by_alias=True),
            "text": manifest.recipe_text(first),
        },
        "comparison": _cells(made),
        "video": {"frames": frames, "seconds": float(frames / fmt.fps), **fmt.key()},
        "segments": [segment.key for one in shown for segment in one.reel.segments],
    }
    with published(manifest.path_of(target)) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
