"""How far a batch is: a bar where somebody watches, and a line for each film."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandream.base.errors import printable
from gandream.cli.voice import aside, watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from gandream.run.batch.supervise import Seen


def near(path: Path) -> str:
    """A file as seen from here, if it is below."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


@contextmanager
def shown_batch() -> Iterator[tuple[Callable[[int, int], None], Callable[[Seen], None]]]:
    """What is told how many are checked, and how far the batch is."""
    if not watched():
        yield (lambda done, total: None), _line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns: tuple[Any, ...] = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[at]}", markup=False),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, expand=True) as bars:
        task = bars.add_task("checking", total=None, at="")

        def checking(done: int, total: int) -> None:
            bars.update(task, description="checking", completed=done, total=total)

        def watch(seen: Seen) -> None:
            at = ", ".join(_at(one.name, one.stage, one.done, one.total) for one in seen.now)
            done = seen.done + seen.failed + sum(one.done / one.total for one in seen.now if one.total)
            bars.update(task, description="films", completed=done, total=seen.total, at=printable(at)[:60])
            if seen.ended is not None:
                console.print(_ended(seen), markup=False, highlight=False, soft_wrap=True)

        yield checking, watch


def _at(name: str, stage: str, done: int, total: int) -> str:
    return f"{name} {100 * done // total} %" if stage == "rendering" and total else f"{name} {stage}"


def _line(seen: Seen) -> None:
    """A line for each film that has ended, where nobody watches a bar."""
    if seen.ended is not None:
        aside(_ended(seen))


def _ended(seen: Seen) -> str:
    job = seen.ended
    assert job is not None, "asked where one has ended"
    number = f"[{seen.done + seen.failed}/{seen.total}]"
    if job.state == "done":
        took = float(job.figures.get("seconds", 0.0))
        return printable(f"{number} {job.task.name}: {near(Path(job.task.out))} in {took:.1f} s")
    why = ": ".join(line.strip() for line in job.error.splitlines()[:2] if line.strip())
    return printable(f"{number} {job.task.name}: {job.state}: {why}"[:300])
