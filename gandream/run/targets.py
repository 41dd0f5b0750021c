"""Where outputs go: the names of films, animations and folders of pictures."""

from __future__ import annotations

from pathlib import Path

from gandream.base.errors import OutputError
from gandream.recipe.recipe import Recipe
from gandream.recipe.video import Video
from gandream.video.pictures import SUFFIX as PICTURES

Frames = tuple[int | None, int | None] | None
"""The range that is asked for: first and stop, or all."""


def targets(recipe: Recipe, out: str | Path | None, frames: Frames) -> list[Path]:
    """The file or folder of each output. The first has the name of the recipe, or that of ``out``; each of the others
    is told apart by its ``name``, or by its kind, its size or its number.
    """
    first = target(recipe, out, frames)
    suffix = suffix_of(recipe.video)
    folder, stem = first.parent, first.name.removesuffix(first.suffix) if suffix else first.name
    if out is None and recipe.video.name is not None:
        first = folder / f"{stem}_{recipe.video.name}{suffix}"
    found = [first]
    for number, video in enumerate(recipe.outputs[1:], 2):
        kind = suffix_of(video)
        size = f"_{video.size[0]}x{video.size[1]}" if video.size else ""
        ends = [f"_{video.name}"] if video.name is not None else ["", size, f"{size}_{number}"]
        named = [folder / f"{stem}{end}{kind}" for end in [*ends, f"_{number}", f"_output{number}"]]
        found.append(next(path for path in named if path not in found))
    for path, video in zip(found, recipe.outputs, strict=True):
        if suffix_of(video) and path.is_dir():  # it couldn't be replaced once everything is rendered
            raise OutputError(str(path), "a folder is where the film should be", "Choose another name with -o.")
    return found


def suffix_of(video: Video) -> str:
    """How the name of an output ends; nothing for a folder of pictures."""
    return "" if video.file in PICTURES else f".{video.file}"


def target(recipe: Recipe, out: str | Path | None, frames: Frames) -> Path:
    """Where the first output goes."""
    kind, suffix = recipe.video.file, suffix_of(recipe.video)
    if out is None:
        # Pictures are numbered in the whole film, so those of a part stand among the others.
        part = "" if frames is None or not suffix else f".{frames[0] or 0}-{'' if frames[1] is None else frames[1]}"
        part += ".draft" if recipe.drafted else ""
        return Path("outputs") / f"{Path(recipe.document.file or 'film').stem}{part}{suffix}"
    path = Path(out)
    if not suffix:
        if path.is_file() or path.suffix[1:].lower() in (
            "png",
            "jpg",
            "jpeg",
            "webp",
            "exr",
            "mp4",
            "mov",
            "mkv",
            "gif",
        ):
            hint = f"For instance {path.with_suffix('')}."
            raise OutputError(str(path), f"file: {kind} makes a folder of pictures; wanted the name of one", hint)
        return path
    if path.is_dir() or str(out).endswith(("/", "\\")):
        hint = f"For instance {path / ('film' + suffix)}."
        raise OutputError(str(path), "this is a folder; wanted the name of a film", hint)
    if path.suffix.lower() != suffix:
        problem = f"the film will be {kind}, so its name should end in {suffix}"
        raise OutputError(str(path), problem, f"For instance {path.with_suffix(suffix)}.")
    return path
