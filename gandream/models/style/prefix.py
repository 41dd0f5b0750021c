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
    """What else it depends on, for one picture."""


class Prefix(Generic[State]):
    """What the first steps gave for the latents that they were last asked for."""

    def __init__(self) -> None:
        self._w: Tensor | None = None
        self._start: object = None
        self._others: list[Sequence[Tensor | None]] = []
        self._states: list[State] = []

    def __call__(
        self,
        steps: Sequence[Step[State]],
        w: Tensor,
        start: object,
        begin: Callable[[], State],
    ) -> tuple[int, State | None]:
        """Take the steps that are the same for all pictures of w [N, L, D]: how many, and the state of one picture.

        ``begin`` makes the first state, and depends on the object ``start`` alone. On GPUs there are no such steps: to
        look at numbers there is to wait for them.
        """
        if w.device.type != "cpu" or not len(w) or not steps:
            return 0, None
        rows = [step.rows for step in steps]
        count = _covered(rows, _leading((w == w[:1]).all(dim=0)))
        again = 0  # what is as in the last call: only that is worth keeping
        if self._w is not None and start is self._start:
            most = min(_covered(rows, _leading(self._w == w[0])), count, len(self._others))
            while again < most and _same(steps[again].others, self._others[again]):
                again += 1
        states = self._states[:again]
        state = states[-1] if states else begin() if count else None
        for number in range(len(states), count):
            assert state is not None
            state = steps[number].take(state, w[:1])
            if number < again:
                states.append(state)
        self._w, self._start, self._states = w[0].clone(), start, states
        self._others = [step.others for step in steps]
        return count, state


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
