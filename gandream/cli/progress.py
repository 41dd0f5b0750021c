"""What is going on: a bar where somebody watches, and with -v a line for each stage with its time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from gandream.cli.voice import coloured, detail, speak, voice, watched
from gandream.run.film import Progress


@contextmanager
def shown() -> Iterator[Progress]:
    """Give a Progress that draws a bar on a terminal's standard error, or does nothing elsewhere."""
    with _bar() if watched() else _nothing() as (advance, say), _stages(say) as stage:

        def progress(name: str, done: int, total: int) -> None:
            stage(name, done, total)
            advance(name, done, total)

        yield progress


@contextmanager
def _nothing() -> Iterator[tuple[Progress, Callable[[str], None]]]:
    yield (lambda stage, done, total: None), detail


@contextmanager
def _bar() -> Iterator[tuple[Progress, Callable[[str], None]]]:
    """What draws a bar, and what says a line above it."""
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
    console = Console(stderr=True, no_color=not coloured(sys.stderr))
    with Progress(*columns, console=console, transient=True, expand=True) as bars:
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

        yield advance, lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _stages(say: Callable[[str], None]) -> Iterator[Progress]:
    """Say with -v what each stage did and how long it took, as soon as the next one begins."""
    if not voice().verbose:
        yield lambda stage, done, total: None
        return
    began = voice().began
    now: tuple[str, float, int, int] | None = None if began is None else ("starting", began, 0, 0)
    speak(replace(voice(), began=None))
    at = 0

    def finish() -> None:
        if now is not None:
            stage, began, first, total = now
            seconds = time.perf_counter() - began
            words = f"{stage}: {seconds:.2f} s"
            if stage == "rendering" and seconds > 0:
                words += f", {at - first} frames, {(at - first) / seconds:.1f} frames/s"
            elif stage == "loading" and first:
                words += f", {first} of {total} frames are there already"
            say(words)

    def stage(name: str, done: int, total: int) -> None:
        nonlocal now, at
        if now is None or now[0] != name:
            before = at if name == "rendering" and now is not None and now[0] == "loading" else done
            finish()
            now = (name, time.perf_counter(), before, total)
        at = done

    yield stage
    finish()


@contextmanager
def counted(what: str = "pictures:") -> Iterator[Callable[[int, int], None]]:
    """A line on a terminal that counts; silent where nobody watches."""
    seen = watched()

    def progress(done: int, total: int) -> None:
        if seen:
            print(f"\r\x1b[K{what} {done} of {total}", end="", file=sys.stderr, flush=True)

    try:
        yield progress
    finally:
        if seen:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
