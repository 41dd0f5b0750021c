"""``<film>.manifest.json``: what a film is made of, and how it went."""

from __future__ import annotations

import functools
import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from gandream.base import ffmpeg
from gandream.base.errors import OutputError
from gandream.base.files import published
from gandream.base.hashing import file_fingerprint
from gandream.recipe.recipe import Recipe
from gandream.rendering.reel import Reel
from gandream.run.flaws import Flaw, as_json, from_json
from gandream.run.prepare import Prepared
from gandream.video.pictures import owner_of

PACKAGES = (
    "gandream",
    "torch",
    "numpy",
    "scipy",
    "librosa",
    "soundfile",
    "imageio-ffmpeg",
    "pillow",
    "pydantic",
    "pyyaml",
)


def path_of(film: Path) -> Path:
    """Where the manifest of a film is."""
    return film.with_name(film.name + ".manifest.json")


def recipe_text(recipe: Recipe) -> str:
    """The recipe that the film carries: its file as written, or what ``include`` and ``--set`` made of it."""
    document = recipe.document
    if not document.overrides and not document.merged:
        return document.text
    return yaml.safe_dump(_plain(document.tree), sort_keys=False, allow_unicode=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def refuse_foreign(film: Path, recipe: Recipe, *, rough: bool = False) -> None:
    """OutputError where a film of another recipe's file is, or, for a ``rough`` one, where a whole film is."""
    rough = rough or recipe.drafted is not None
    if rough and is_of(film, recipe) and _read(film).get("draft") is False and film.is_file():
        hint = "Choose another name with -o, or overwrite it with --force."
        raise OutputError(str(film), "the film itself is here, and this would put a draft in its place", hint)
    if not film.exists() or (film.is_dir() and owner_of(film) is None) or is_of(film, recipe):
        return
    there = _owner(film)
    whose = f"was made from {there}" if there else "was not made by gandream, or has lost its manifest"
    raise OutputError(
        str(film),
        f"{'a folder' if film.is_dir() else 'a film'} is here already, and it {whose}",
        "Choose another name with -o, or overwrite it with --force.",
    )


def is_of(film: Path, recipe: Recipe) -> bool:
    """Whether a film, or a folder of pictures, was made from this recipe's file."""
    return _owner(film) == relative(recipe, film)


def _owner(film: Path) -> str | None:
    """The recipe's file, as seen from the film, that it was made from; None where nobody knows."""
    if film.is_dir():
        there = owner_of(film)
        return None if there == "?" else there
    there = _read(film).get("recipe")
    return there.get("file") if isinstance(there, dict) else None


def describes(film: Path, key: str) -> bool:
    """Whether the film is there, whole, and made with this key."""
    there = _read(film)
    return there.get("key") == key and film.is_file() and there.get("sha256") == file_fingerprint(film)


def key_of(film: Path) -> str | None:
    """The key that a film was made with, as its manifest says."""
    return _read(film).get("key")


def flaws_of(film: Path) -> tuple[Flaw, ...] | None:
    """What the quality gates have found in a film, as its manifest says; None if nobody asked, or could tell."""
    found = _read(film).get("quality")
    return None if found is None else from_json(found)


def add_flaws(film: Path, flaws: Sequence[Flaw]) -> None:
    """Say in the manifest that is there what they have found since."""
    _publish(film, {**_read(film), "quality": as_json(flaws)})


def write(
    film: Path,
    prepared: Prepared,
    plan: Reel,
    frames: range,
    key: str,
    digest: str,
    figures: dict[str, Any],
    flaws: Sequence[Flaw] | None = (),
) -> None:
    """Publish the manifest of a finished film of these frames, with what the quality gates have found."""
    recipe, trajectory, music = prepared.recipe, prepared.score.trajectory, prepared.score.music
    grid = trajectory.timeline.grid
    content = {
        "film": film.name,
        "draft": recipe.drafted is not None,
        "sha256": digest,
        "key": key,
        "recipe": {
            "file": relative(recipe, film),
            "set": list(recipe.document.overrides),
            "resolved": recipe.model_dump(mode="json", by_alias=True),
            "text": recipe_text(recipe),
        },
        "model": {
            "source": recipe.model.written,
            "family": prepared.spec.family,
            "fingerprint": prepared.spec.fingerprint,
        },
        "scenes": [
            {"first_frame": cut.start, "stop": cut.stop, "model": cut.recipe.model.written} for cut in prepared.cuts
        ],
        "audio": music
        and {"source": str(recipe.audio), "sha256": music.fingerprint, "seconds": float(music.duration_s)},
        "tempo": grid
        and {
            "bpm": round(grid.bpm, 3),
            "beats_per_bar": grid.beats_per_bar,
            "first_beat_s": round(grid.beats_s[0], 4),
        },
        "video": {
            "frames": len(frames),
            "first_frame": frames.start,
            "frames_in_whole": trajectory.frames,
            "seconds": float(len(frames) / plan.fmt.fps),
            **plan.fmt.key(),
        },
        "device": plan.device,
        "batch": plan.batch,
        "threads": plan.threads or None,
        "segments": [segment.key for segment in plan.segments],
        "warnings": list(prepared.warnings),
        "quality": None if flaws is None else as_json(flaws),
        "figures": {**figures, "frames_per_second": _rate(figures), "peak_memory_mb": peak_memory_mb()},
        "versions": _versions(),
    }
    _publish(film, content)


def _publish(film: Path, content: dict[str, Any]) -> None:
    with published(path_of(film)) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _rate(figures: dict[str, Any]) -> float | None:
    seconds = figures["render_seconds"]
    return round(figures["frames_rendered"] / seconds, 2) if seconds else None


def peak_memory_mb() -> int | None:
    """Most memory that this process has held, in MB; None where the system does not tell."""
    try:
        # Not ru_maxrss there: a process takes over that of the one that started it.
        status = Path("/proc/self/status").read_text("ascii", "replace")
        return round(int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024)
    except (OSError, StopIteration, ValueError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))


@functools.cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "ffmpeg": ffmpeg.build()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def relative(recipe: Recipe, film: Path) -> str:
    """The recipe's file as seen from the film, so that a project that moves as a whole stays itself."""
    file = Path(recipe.document.file or "recipe").absolute()
    try:
        return Path(os.path.relpath(file, film.absolute().parent)).as_posix()
    except ValueError:  # another drive
        return file.as_posix()


def _read(film: Path) -> dict[str, Any]:
    try:
        content = json.loads(path_of(film).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
