"""What became of the films of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gandream.run.batch.check import Checked
from gandream.run.jobs.records import Job


@dataclass(frozen=True)
class Row:
    """What became of a film."""

    film: Checked
    job: Job
    now: bool
    """Whether something was done for it in this run."""

    @property
    def state(self) -> str:
        """done, failed, quarantined, cancelled or waiting."""
        return self.job.state

    @property
    def out(self) -> Path:
        """The film, the first where there are several."""
        return Path(self.job.task.out)

    @property
    def seconds(self) -> float:
        """How long it took to render."""
        return float(self.job.figures.get("seconds", 0.0))


@dataclass(frozen=True)
class BatchResult:
    """What came of a batch."""

    name: str
    rows: tuple[Row, ...]
    seconds: float
    stopped: bool = False
    """Whether it ended before everything was tried."""
    changed: tuple[Path, ...] = ()
    """The batch's file, if it was edited while it ran."""
    report: Path | None = None
    """The page; the same for programs is beside it, with .json. None where they couldn't be written."""

    def in_state(self, *states: str) -> list[Row]:
        """The films in one of these states."""
        return [row for row in self.rows if row.state in states]

    @property
    def failed(self) -> list[Row]:
        """The films that failed, crashed their workers, or were wrong."""
        return self.in_state("failed", "quarantined")

    @property
    def good(self) -> bool:
        """Whether every film is there."""
        return all(row.state == "done" for row in self.rows)
