"""The progress bar: frames, frames per second and time left; silent where nobody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gandream.run.film import Progress


@contextmanager
def shown() -> Iterator[Progress]:
    """Give a Progress that draws a bar on a terminal's standard error, or does nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:>12}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as bars:
        task = bars.add_task("starting", total=None, rate="")
        first: tuple[float, int] | None = None

        def advance(stage: str, done: int, total: int) -> None:
            nonlocal first
            rate = ""
            if stage == "rendering":
                first = first or (time.perf_counter(), done)
                seconds = time.perf_counter() - first[0]
                rate = f"{(done - first[1]) / seconds:.1f} frames/s" if done > first[1] and seconds > 0 else ""
            bars.update(task, description=stage, completed=done, total=total or None, rate=rate)

        yield advance


@contextmanager
def counted(what: str = "pictures:") -> Iterator[Callable[[int, int], None]]:
    """A line on a terminal that counts; silent where nobody watches."""
    terminal = sys.stderr.isatty()

    def progress(done: int, total: int) -> None:
        if terminal:
            print(f"\r\x1b[K{what} {done} of {total}", end="", file=sys.stderr, flush=True)

    try:
        yield progress
    finally:
        if terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
