"""The first layers of a synthesis, computed once while their styles stay: mixing and fine reactions leave them alone.

Where all pictures of a batch have the same styles in the first layers, these are computed for one picture, whatever the
batch. So what they give depends on the styles alone, and can be kept from batch to batch without changing a bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

State = TypeVar("State")


@dataclass(frozen=True)
class Step(Generic[State]):
    """One step: a new state of the last one and of w [1, L, D]."""

    take: Callable[[State, Tensor], State]
    rows: int
    """How many rows of w it looks at, with the steps before it."""
    others: Sequence[Tensor | None] = ()
    """What else it depends on, for one picture; nobody writes into it afterwards."""


@dataclass(frozen=True)
class _Kept(Generic[State]):
    """What is known of the last call, replaced as a whole: threads may share a model."""

    w: Tensor
    """Of its first picture, [L, D]."""
    start: object
    others: Sequence[Sequence[Tensor | None]]
    """Of the steps that were taken."""
    done: int
    state: State | None
    """After so many steps, for one picture."""


class Prefix(Generic[State]):
    """What the first steps gave for the latents that they were last asked for: one state, whatever was asked before."""

    def __init__(self) -> None:
        self._kept: _Kept[State] | None = None

    def __call__(
        self,
        steps: Sequence[Step[State]],
        w: Tensor,
        begin: Callable[[], State],
        start: object = None,
    ) -> tuple[int, State | None]:
        """Take the steps that are the same for all pictures of w [N, L, D]: how many, and the state of one picture.

        Nobody may write into that state. ``begin`` makes the first one, and depends on the object ``start`` alone,
        which is kept. On GPUs there are no such steps: to look at numbers there is to wait for them.
        """
        if w.device.type != "cpu" or not len(w) or not steps:
            return 0, None
        rows, kept = [step.rows for step in steps], self._kept
        count = _covered(rows, _leading((w == w[:1]).all(dim=0)))
        again = 0  # what is as in the last call: only that is worth keeping
        if kept is not None and start is kept.start:
            most = min(_covered(rows, _leading(kept.w == w[0])), count, len(kept.others))
            while again < most and _same(steps[again].others, kept.others[again]):
                again += 1
        done, state = (kept.done, kept.state) if kept is not None and kept.done <= again else (0, None)
        if state is None and count:
            state = begin()
        lasting = state if again else None
        for number in range(done, count):
            assert state is not None
            state = steps[number].take(state, w[:1])
            if number < again:
                lasting = state
        self._kept = _Kept(w[0].clone(), start, [step.others for step in steps[:count]], again, lasting)
        return count, state


def alike(noise: Tensor | None) -> bool:
    """Whether all pictures have the same noise, [N or 1, 1, H, W]; on GPUs nobody looks."""
    if noise is None or len(noise) == 1:
        return True
    return noise.device.type == "cpu" and bool((noise == noise[:1]).all())


def _same(some: Sequence[Tensor | None], others: Sequence[Tensor | None]) -> bool:
    return all(
        a is b or (a is not None and b is not None and torch.equal(a, b)) for a, b in zip(some, others, strict=True)
    )


def _leading(alike: Tensor) -> int:
    """How many of the first rows [L, D] are alike throughout."""
    return int(alike.all(dim=1).to(torch.int64).cumprod(dim=0).sum())


def _covered(rows: Sequence[int], leading: int) -> int:
    """How many steps look at no more than these rows."""
    return next((step for step, row in enumerate(rows) if row > leading), len(rows))
