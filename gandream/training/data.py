"""Where pictures to learn from come from: a folder, or the endless stream ``procedural:dreams``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from gandream.base.errors import TrainingError, did_you_mean
from gandream.base.hashing import content_key
from gandream.training.dreams.stream import CLASSES, pictures

PROCEDURAL = "procedural:"
DREAMS = "procedural:dreams"
VERSION = 1
"""Goes up whenever the stream's pictures change."""
HELD_OUT = 1 << 40
"""Number of the first picture that is never trained on: the stream is endless, no training gets this far."""


class Data(Protocol):
    """Pictures, numbered from 0 without end; each batch is a pure function of its numbers."""

    @property
    def name(self) -> str:
        """How a person asks for it."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Empty: unconditional."""
        ...

    @property
    def count(self) -> int | None:
        """Different pictures to train on; None: endless."""
        ...

    @property
    def fingerprint(self) -> str:
        """Of all that decides its pictures."""
        ...

    @property
    def provenance(self) -> dict[str, Any]:
        """What a trained model's file says of its data."""
        ...

    def batch(self, first: int, count: int, resolution: int, *, held_out: bool = False) -> tuple[Tensor, Tensor | None]:
        """Pictures uint8 [N, 3, R, R] from number ``first`` on, and labels int64 [N] or None."""
        ...


@dataclass(frozen=True)
class Dreams:
    """The stream of abstract art, at any resolution; held-out pictures lie far down the same stream."""

    seed: int = 0
    device: str = "cpu"
    """Where they are painted: on a GPU they need not be copied there."""

    @property
    def name(self) -> str:
        """How it is asked for."""
        return DREAMS

    @property
    def classes(self) -> tuple[str, ...]:
        """One for each painter."""
        return tuple(CLASSES)

    @property
    def count(self) -> None:
        """Endless."""
        return

    @property
    def fingerprint(self) -> str:
        """Of the stream."""
        return content_key(DREAMS, VERSION, self.seed)

    @property
    def provenance(self) -> dict[str, Any]:
        """Free of rights: nobody's pictures went in."""
        return {"data": DREAMS, "version": VERSION, "seed": self.seed, "licence": "CC0-1.0"}

    def batch(self, first: int, count: int, resolution: int, *, held_out: bool = False) -> tuple[Tensor, Tensor | None]:
        """Pictures and their classes."""
        numbers = torch.arange(first, first + count) + (HELD_OUT if held_out else 0)
        return pictures(self.seed, numbers, resolution, self.device)


def open_data(
    source: str,
    resolution: int,
    *,
    seed: int = 0,
    cache: Path | None = None,
    device: str = "cpu",
    flip: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Data:
    """The data that a person named: a folder, or ``procedural:dreams``; ``progress`` is told of pictures read."""
    if source.startswith(PROCEDURAL) or source == "dreams":
        if source not in (DREAMS, "dreams"):
            raise TrainingError(
                source, "there is no such stream of pictures", did_you_mean(source, [DREAMS]) or f"There is {DREAMS}."
            )
        return Dreams(seed, device)
    from gandream.training.folder import open_folder

    return open_folder(Path(source), resolution, seed=seed, cache=cache, flip=flip, progress=progress)
