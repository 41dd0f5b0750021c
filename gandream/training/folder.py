"""A folder of somebody's pictures as an endless stream to learn from.

Pictures are numbered without end, and batches are pure functions of (seed, number): each epoch is a seeded permutation
of the training pictures. A fixed share is held out and never trained on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gandream.base.errors import GandreamError, listed
from gandream.base.hashing import content_key
from gandream.base.seeds import named_seed
from gandream.training.folder_cache import Prepared, Progress, prepare
from gandream.training.folder_files import check_folder, find_pictures
from gandream.training.folder_labels import find_labels, numbered

HELD_OUT = 0.05
"""Share of the pictures that training never sees."""
_LEAST_HELD_OUT = 20
"""Pictures from which on at least one is held out."""
_FEW = 100
_KINDS = "Pictures are png, jpg, webp, gif, bmp, tiff, avif and the like, in the folder or in folders inside it."


@dataclass(frozen=True, eq=False)
class Folder:
    """The pictures of a folder, and which of them are trained on.

    ``classes`` is empty where the folder has none; ``count`` is the number of pictures that are trained on.
    """

    name: str
    seed: int
    flip: bool
    resolution: int
    classes: tuple[str, ...]
    skipped: tuple[tuple[Path, str], ...]
    """What couldn't be read, and why."""
    enlarged: int
    """Pictures that were smaller than the resolution."""
    fingerprint: str
    """Of names, sizes, labels and pixels: the same wherever the folder lies, whatever the times of its files."""
    provenance: dict[str, Any]
    """What a trained model's file says of its data."""
    training: np.ndarray = field(repr=False)
    """Rows of the array: int64 [count]."""
    held_out: np.ndarray = field(repr=False)
    """Rows that training never sees, in a fixed order; empty for fewer than 20 pictures."""
    _pictures: np.ndarray = field(repr=False)
    _labels: np.ndarray | None = field(repr=False)
    _kept: object = field(default=None, repr=False)

    @property
    def count(self) -> int:
        """Different pictures to train on."""
        return len(self.training)

    def rows(self, first: int, count: int, *, held_out: bool = False) -> np.ndarray:
        """Which pictures the numbers from ``first`` on stand for: rows of the array, int64 [count].

        Held-out ones follow each other in a fixed order, round and round; where none are held out, it is the training
        pictures in theirs.
        """
        numbers = np.arange(first, first + count)
        if held_out:
            still = self.held_out if len(self.held_out) else self.training
            return still[numbers % len(still)]
        epochs, places = np.divmod(numbers, self.count)
        rows = np.empty(count, np.int64)
        for epoch in np.unique(epochs).tolist():
            now = epochs == epoch
            rows[now] = self.training[_order(self.seed, epoch, self.count)[places[now]]]
        return rows

    def batch(self, first: int, count: int, resolution: int, *, held_out: bool = False) -> tuple[Tensor, Tensor | None]:
        """Pictures uint8 [N, 3, R, R] from number ``first`` on, and labels int64 [N]; None without classes.

        ``resolution`` is the folder's own, or that divided by a whole number: then each pixel is the mean of a square.
        """
        if resolution < 1 or self.resolution % resolution:
            raise ValueError(f"pictures of {self.resolution} pixels have no whole reduction to {resolution}")
        rows = self.rows(first, count, held_out=held_out)
        pictures = _reduced(np.asarray(self._pictures[rows]), resolution)
        if self.flip:
            stream = "held out" if held_out else "training"
            turned = [named_seed(self.seed, f"flip {stream} {number}") & 1 for number in range(first, first + count)]
            mirrored = np.array(turned, bool)
            pictures[mirrored] = pictures[mirrored][..., ::-1]
        labels = None if self._labels is None else torch.from_numpy(self._labels[rows])
        return torch.from_numpy(pictures), labels


def open_folder(
    path: Path,
    resolution: int,
    *,
    seed: int,
    cache: Path | None = None,
    flip: bool = False,
    progress: Progress | None = None,
) -> Folder:
    """Find, decode and label the pictures of a folder.

    Args:
        path: the folder; folders in it are searched too.
        resolution: side of the squares that the pictures become.
        seed: of the order, of what is held out, and of flips.
        cache: folder that keeps the decoded pictures, so that the next start takes a second; None: nothing is kept.
        flip: mirror half of the pictures, drawn anew each time that a picture comes round.
        progress: told (done, in all) while pictures are decoded.

    Raises:
        GandreamError: there is no such folder, no picture in it that can be read, or labels don't fit the pictures.
    """
    check_folder(path)
    sources, unread = find_pictures(path)
    if not sources:
        foreign = listed(sorted({name.rpartition(".")[2].lower() for name, _ in unread}))
        hint = (
            f"There are files of kinds that can't be read here: {foreign}; save them as jpg or png."
            if unread
            else _KINDS
        )
        raise GandreamError(str(path), "there are no pictures in this folder", hint)
    labels = find_labels(path, [source.name for source in sources])
    kept: object = None
    if cache is None:
        kept = tempfile.TemporaryDirectory(prefix="gandream-", ignore_cleanup_errors=True)
        cache = Path(kept.name)
    pictures, prepared = prepare(path.resolve(), sources, resolution, cache, progress)
    skipped = sorted([*unread, *prepared.skipped])
    if not prepared.kept:
        some = listed((f"{name} ({reason})" for name, reason in skipped), 3)
        raise GandreamError(str(path), f"none of {len(skipped)} pictures can be read: {some}", _KINDS)

    classes, numbers = _classes([labels[sources[at].name] for at in prepared.kept] if labels else [])
    files = [(sources[at].name, sources[at].size) for at in prepared.kept]
    name = path.resolve().name
    held_out, training = _parted(seed, len(files))
    fingerprint = content_key(files, classes, numbers.tolist() if classes else None, prepared.digest, flip)
    return Folder(
        name=name,
        seed=seed,
        flip=flip,
        resolution=resolution,
        classes=classes,
        skipped=tuple((path / file, reason) for file, reason in skipped),
        enlarged=prepared.enlarged,
        fingerprint=fingerprint,
        provenance={
            "data": name,
            "fingerprint": fingerprint,
            "pictures": len(files),
            "held_out": len(held_out),
            "resolution": resolution,
            "flip": flip,
            "seed": seed,
            "classes": dict(zip(classes, np.bincount(numbers).tolist(), strict=True)) if classes else {},
            "skipped": len(skipped),
            "enlarged": prepared.enlarged,
            "notes": _notes(prepared, len(held_out), 1 if labels and not classes else 0),
        },
        training=training,
        held_out=held_out,
        _pictures=pictures,
        _labels=numbers if classes else None,
        _kept=kept,
    )


def _classes(labels: Sequence[str | int]) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the classes and the number of each picture's, int64 [count]; a single class is none."""
    classes, number = numbered(labels)
    if len(classes) < 2:
        return (), np.zeros(0, np.int64)
    return classes, np.array([number[label] for label in labels], np.int64)


def _parted(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are held out, in a seeded order, and rows to train on, upwards."""
    share = max(1, round(HELD_OUT * count)) if count >= _LEAST_HELD_OUT else 0
    order = np.random.RandomState(named_seed(seed, "held out")).permutation(count)
    return order[:share], np.sort(order[share:])


def _notes(prepared: Prepared, held_out: int, single: int) -> list[str]:
    """What a person should know of these pictures."""
    count, notes = len(prepared.kept), []
    if count < _FEW:
        notes.append(f"only {count} pictures: a model of so few repeats them")
    if prepared.enlarged:
        notes.append(f"{prepared.enlarged} pictures are smaller than {prepared.resolution} pixels and were enlarged")
    if single:
        notes.append("all pictures are of one class, which counts as none")
    return notes


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    """Permutation of an epoch, int64 [count]; the last ones are remembered, as batches come one by one."""
    return np.random.RandomState(named_seed(seed, f"epoch {epoch}")).permutation(count)


def _reduced(pictures: np.ndarray, resolution: int) -> np.ndarray:
    """Mean of squares, rounded half up: uint8 [N, 3, S, S] -> [N, 3, R, R]."""
    times = pictures.shape[-1] // resolution
    if times == 1:
        return pictures
    means = F.avg_pool2d(torch.from_numpy(pictures).float(), times)
    return means.add_(0.5).floor_().to(torch.uint8).numpy()
