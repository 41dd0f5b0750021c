"""A film's trajectory as a file: what the walk gives at every frame, for other tools and for ``walk: {file: ...}``."""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path

import numpy as np

from gandream.base.errors import OutputError
from gandream.base.files import published, writable_folder
from gandream.recipe.recipe import Recipe
from gandream.rendering.device import DeviceWord, Kind
from gandream.rendering.store import ELSEWHERE, store_folder
from gandream.run.device import Note, failed_before, on_device
from gandream.run.prepare import Prepared, load_model, prepare

BLOCK = 256
"""Frames at a time, so that memory does not grow with the film."""
SPACES = ("z", "w")


def write_trajectory(
    recipe: Recipe,
    out: str | Path | None = None,
    *,
    space: str | None = None,
    device: DeviceWord = "auto",
    note: Note = lambda words: None,
) -> tuple[Path, Prepared]:
    """Write z [F, D] or w [F, L, D'], float32, with ``fps`` and the ``classes`` [F, C] of conditional models.

    z is the walk with its pushes in z. w is all that synthesis is fed, mixes and truncation too; it wants the model.
    Without a ``space`` it is z where the walk is in z, else w.
    """
    target = Path(out) if out is not None else Path("outputs") / f"{Path(recipe.document.file or 'film').stem}.npz"
    if target.suffix.lower() != ".npz":
        raise OutputError(
            str(target),
            "a trajectory is an .npz, so its name should end in .npz",
            f"For instance {target.with_suffix('.npz')}.",
        )
    writable_folder(target.parent)
    cache = writable_folder(store_folder(target.parent), ELSEWHERE)
    make = partial(_written, recipe, target, cache, space)
    return on_device(device, make, note, failed_before(cache, recipe))


def _written(recipe: Recipe, target: Path, cache: Path, space: str | None, kind: Kind) -> tuple[Path, Prepared]:
    prepared = prepare(recipe, cache, device=kind)
    trajectory, spec = prepared.score.trajectory, prepared.spec
    if prepared.cuts:
        problem = "a film of scenes has a trajectory in each of them, and a file holds one"
        raise OutputError(str(recipe.document.file or "recipe"), problem, "Write one scene's words as a recipe.")
    track = trajectory.track
    if space == "z" and track.in_w:
        raise OutputError("--space z", "this walk is in w, so there is no z", "Leave the option out.")
    in_w = track.in_w if space is None else space == "w"
    blocks = [(start, min(start + BLOCK, trajectory.frames)) for start in range(0, trajectory.frames, BLOCK)]
    if in_w:
        from gandream.trajectory.feed import Feed

        generator = load_model(recipe, kind)
        feed, size = Feed(trajectory, generator), tuple(generator.w_avg.shape)
        arrays = (feed.inputs(start, stop).w.float().cpu().numpy() for start, stop in blocks)
    else:
        size = (spec.latent_size,)
        arrays = (trajectory.latents(start, stop) for start, stop in blocks)
    with published(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        with archive.open("w.npy" if in_w else "z.npy", "w", force_zip64=True) as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (trajectory.frames, *size)}
            np.lib.format.write_array_header_2_0(file, header)
            for array in arrays:
                file.write(np.ascontiguousarray(array, "<f4").tobytes())
        _add(archive, "fps", np.float64(trajectory.timeline.clock.fps))
        classes = None if in_w else track.classes(0, trajectory.frames, len(spec.classes))
        if classes is not None:
            _add(archive, "classes", classes.astype(np.float32))
    return target, prepared


def _add(archive: zipfile.ZipFile, name: str, array: np.ndarray | np.generic) -> None:
    with archive.open(f"{name}.npy", "w") as file:
        np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)
