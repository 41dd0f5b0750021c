"""Who renders what: units of work on their way to workers, again where one was lost or is slow. Plain bookkeeping.

It knows neither Ray nor a clock, so that it is simulated as it is (``tests/benchmarks/cluster.py``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Policy:
    """When to lose patience."""

    slow: float = 3.0
    """A unit that takes so many times the median is given to another worker too."""
    least_s: float = 5.0
    """And no sooner than this."""
    known: int = 3
    """Units that must have been finished before there is a median."""
    deaths: int = 3
    """So many workers may die of one unit."""
    ahead: int = 2
    """Units that a worker has at once: one that it renders, others that wait or are ending."""


@dataclass(frozen=True)
class Unit:
    """Work that is given to one worker."""

    number: int
    models: tuple[int, ...] = ()
    """What it needs: workers keep to the models that they hold."""


@dataclass
class _Held:
    """What a worker has: its units by the time from which they count as begun, and its models."""

    units: dict[int, float] = field(default_factory=dict)
    models: tuple[int, ...] = ()


class Desk:
    """Gives units to workers, in the order of the film as far as their models allow."""

    def __init__(self, units: Sequence[Unit], policy: Policy | None = None):
        self.policy = policy or Policy()
        self._units = {unit.number: unit for unit in units}
        self._waiting: dict[tuple[int, ...], deque[int]] = {}
        for unit in units:
            self._waiting.setdefault(unit.models, deque()).append(unit.number)
        self._workers: dict[Hashable, _Held] = {}
        self._with: dict[int, set[Hashable]] = {}
        self._taken: deque[float] = deque(maxlen=256)
        self._deaths: dict[int, int] = {}
        self._suspects: set[int] = set()
        self._left = len(units)
        self._queued = len(units)

    @property
    def left(self) -> int:
        """Units that aren't done."""
        return self._left

    @property
    def waiting(self) -> int:
        """Units that nobody has."""
        return self._queued

    def deaths(self, number: int) -> int:
        """How many workers were lost while they had this unit and no other."""
        return self._deaths.get(number, 0)

    def hire(self, worker: Hashable) -> None:
        """There is one more worker."""
        self._workers[worker] = _Held()

    @property
    def workers(self) -> int:
        """How many there are."""
        return len(self._workers)

    def next(self, worker: Hashable, now: float) -> Unit | None:
        """What a worker is to begin with next; None where it has enough, or nothing waits."""
        held = self._workers[worker]
        if not self._queued or len(held.units) >= self.policy.ahead:
            return None
        if held.units and self._queued <= len(self._workers):
            return None  # towards the end, whoever is free first takes it
        models = held.models if self._waiting.get(held.models) else self._most_wanted()
        if held.units and ({self._waiting[models][0], *held.units} & self._suspects):
            return None
        number = self._waiting[models].popleft()
        self._queued -= 1
        self._give(held, worker, number, now)
        held.models = models
        return self._units[number]

    def idle(self, worker: Hashable) -> bool:
        """Whether a worker has nothing to do."""
        return not self._workers[worker].units

    def again(self, worker: Hashable, now: float) -> Unit | None:
        """What an idle worker is to render too, as another takes too long for it."""
        held = self._workers[worker]
        if held.units or self._queued or len(self._taken) < self.policy.known:
            return None
        limit = max(self.policy.least_s, self.policy.slow * median(self._taken))
        late = [
            (began, number)
            for other in self._workers.values()
            for number, began in other.units.items()
            if now - began > limit and len(self._with.get(number, ())) == 1
        ]
        if not late:
            return None
        number = min(late)[1]
        self._give(held, worker, number, now)
        held.models = self._units[number].models
        return self._units[number]

    def done(self, worker: Hashable, number: int, now: float) -> bool:
        """A worker has finished a unit; whether it is the first who did."""
        held = self._workers.get(worker)
        if held is not None and number in held.units:
            self._taken.append(now - held.units.pop(number))
            for other in held.units:
                held.units[other] = now  # which it begins only now
        if self._with.pop(number, None) is None:
            return False
        self._left -= 1
        return True

    def back(self, worker: Hashable, number: int) -> None:
        """A unit that a worker has can't be done by it: it waits again, first of all, unless another has it too."""
        self._workers[worker].units.pop(number, None)
        self._return(worker, number)

    def later(self, worker: Hashable, number: int) -> None:
        """As :meth:`back`, last of all: it can't be done yet."""
        self.back(worker, number)
        models = self._units[number].models
        if number not in self._with:
            self._waiting[models].rotate(-1)

    def reopen(self, number: int) -> None:
        """A unit that was done has to be done once more."""
        self._left += 1
        self._queued += 1
        self._waiting[self._units[number].models].appendleft(number)

    def lost(self, worker: Hashable) -> int | None:
        """A worker is no more, and what it had waits again; gives the unit that it died of, where that is certain.

        Of several any may be what it died of: from then on each of them is given to a worker that has nothing else.
        """
        held = self._workers.pop(worker, None)
        if held is None:
            return None
        for number in reversed(held.units):
            self._return(worker, number)
        self._suspects.update(held.units)
        if len(held.units) != 1:
            return None
        (at,) = held.units
        self._deaths[at] = self._deaths.get(at, 0) + 1
        return at

    def _give(self, held: _Held, worker: Hashable, number: int, now: float) -> None:
        held.units[number] = now
        self._with.setdefault(number, set()).add(worker)

    def _return(self, worker: Hashable, number: int) -> None:
        others = self._with.get(number)
        if others is None:
            return  # it is done
        others.discard(worker)
        if not others:
            del self._with[number]
            self._waiting[self._units[number].models].appendleft(number)
            self._queued += 1

    def _most_wanted(self) -> tuple[int, ...]:
        """The models of which most units wait for each worker that holds them."""
        if len(self._waiting) == 1:
            return next(iter(self._waiting))
        holders = dict.fromkeys(self._waiting, 1)
        for held in self._workers.values():
            if held.models in holders and held.units:
                holders[held.models] += 1
        waiting = {models: len(units) / holders[models] for models, units in self._waiting.items() if units}
        return max(waiting, key=lambda models: waiting[models])
