"""A whole batch: read, expanded, checked, rendered, reported."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gandream.base.errors import GandreamError, OutputError, RecipeError
from gandream.base.files import writable_folder
from gandream.rendering.device import pick
from gandream.run.batch.check import Checked, How, checked
from gandream.run.batch.crew import USUAL_JOBS, WORKER
from gandream.run.batch.enqueue import locked, queued
from gandream.run.batch.entries import Said, Wanted, expanded
from gandream.run.batch.file import Batch, batch_of, is_batch, read_batch
from gandream.run.batch.outcome import BatchResult, Row
from gandream.run.batch.report import write_reports
from gandream.run.batch.supervise import Seen, Supervisor, Watch
from gandream.run.batch.thumbnails import Thumbnails
from gandream.run.cluster.where import where
from gandream.run.hooks import run_hooks
from gandream.run.jobs.folder import ELSEWHERE, jobs_folder
from gandream.run.jobs.queue import Queue

Note = Callable[[str], None]
ELSEWHERE_WORDS = (("on", "local"), ("store", "auto"), ("workers", None))
"""Options that say where segments are rendered, with what they are where nobody says it."""


@dataclass(frozen=True)
class Flags:
    """What the command line says of a batch, which goes before its file; None where it says nothing."""

    said: Said = field(default_factory=Said)
    words: Mapping[str, Any] = field(default_factory=dict)
    """Words of the batch: jobs, retries, timeout, keep_going, draft, device, name, report."""
    force: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    """More options of every task."""


@dataclass(frozen=True)
class Plan:
    """A batch that is read, with all films that it wants, checked."""

    name: str
    batch: Batch
    films: tuple[Checked, ...]
    """In the order in which they are written."""
    digest: str
    """Of the batch file, as it was read."""

    @property
    def broken(self) -> list[Checked]:
        """Those that can't be rendered."""
        return [film for film in self.films if film.mistake]

    @property
    def good(self) -> list[Checked]:
        """The others."""
        return [film for film in self.films if not film.mistake]


def plan_batch(
    files: Sequence[Path], flags: Flags | None = None, seen: Callable[[int, int], None] = lambda done, total: None
) -> Plan:
    """Read a batch file, or recipes, and check all films; GandreamError where the batch itself is wrong."""
    flags = flags or Flags()
    batch, digest = _read(files, flags)
    name = _name(batch, files)
    if where(*(flags.options.get(word, usual) for word, usual in ELSEWHERE_WORDS)) is None:
        pick(batch.device)  # type: ignore[arg-type]
    how = How(
        *(batch.device, batch.draft, flags.force, batch.retries, batch.timeout),  # type: ignore[arg-type]
        options=tuple(flags.options.items()),
    )
    return Plan(name, batch, tuple(checked(expanded(batch, name, flags.said), how, seen)), digest)


def run_batch(
    files: Path | Sequence[Path],
    flags: Flags | None = None,
    *,
    folder: Path | None = None,
    watch: Watch = lambda seen: None,
    planned: Callable[[Plan], None] = lambda plan: None,
    checking: Callable[[int, int], None] = lambda done, total: None,
    note: Note = lambda words: None,
    stop: Callable[[], bool] = lambda: False,
    command: Sequence[str] = WORKER,
) -> BatchResult:
    """Render all films of a batch file, or of recipes; what is done isn't done again.

    ``planned`` is told what will be rendered before the first is, ``watch`` how it goes; ``stop`` is asked all the
    time, and true parks everything: nothing is lost, and the same call goes on. ``folder`` is the queue's, and
    ``command`` what a worker is, for this Python. RenderError where the batch runs already.
    """
    began, flags = time.time(), flags or Flags()
    files = [files] if isinstance(files, Path) else list(files)
    plan = plan_batch(files, flags, checking)
    planned(plan)
    place = writable_folder(folder or jobs_folder(), ELSEWHERE)
    lock, pictures = locked(place, plan.name), Thumbnails(place / "thumbnails")
    try:
        jobs, finished, asked = queued(place, plan.name, plan.films), False, False

        def seen(now: Seen) -> None:
            if now.ended is not None:
                pictures.begin(now.ended)
            watch(now)

        if plan.batch.keep_going or not plan.broken:
            ids = [job.id for job in jobs.values()]
            count = plan.batch.jobs or USUAL_JOBS
            supervisor = Supervisor(
                *(place, plan.name, ids),
                jobs=count,
                keep_going=plan.batch.keep_going,
                watch=seen,
                stop=stop,
                command=command,
            )
            finished, asked = supervisor.run(), supervisor.asked
        with Queue(place) as queue:
            rows = tuple(Row(film, queue.job(jobs[film.wanted.name].id), False) for film in plan.films)
        rows = tuple(replace(row, now=(row.job.finished or 0) >= began) for row in rows)
        changed = _changed(plan)
        for path in changed:
            note(f"{path} changed while the batch ran: what it says now is rendered when the batch is run again")
        result = BatchResult(plan.name, rows, time.time() - began, not finished, changed, report_file(plan))
        try:
            write_reports(result, pictures)
        except GandreamError as error:  # what was rendered is there all the same
            result = replace(result, report=None)
            note(f"there is no report: {_in_a_line(error)}")
        if not asked:
            run_hooks(plan.batch, _event(result), note)
        return result
    finally:
        pictures.close()
        lock.release()


def _read(files: Sequence[Path], flags: Flags) -> tuple[Batch, str]:
    own = [file for file in files if is_batch_file(file) or (len(files) == 1 and _gone(file))]
    if own and len(files) > 1:
        other = next(file for file in files if file != own[0])
        raise OutputError(str(own[0]), f"this is a batch file, and {other} stands beside it", "Give it alone.")
    if not files:
        raise OutputError("batch", "wanted a batch file, or recipes", "For instance: gandream batch looks/*.yaml")
    if own:
        batch = read_batch(own[0])
        digest = hashlib.sha256(batch.document.text.encode("utf-8", "surrogatepass")).hexdigest()
    else:
        batch, digest = batch_of({"recipes": [str(file) for file in files]}, Path.cwd()), ""
    if flags.words:
        checked_words = batch_of({"recipes": ["-"], **flags.words}, Path.cwd())
        batch = batch.model_copy(update={word: getattr(checked_words, word) for word in flags.words})
    return batch, digest


def is_batch_file(file: Path) -> bool:
    """Whether it is one; what can't be read is a recipe, which will be told as broken."""
    try:
        return is_batch(file)
    except RecipeError:
        # Of a file that is meant as a batch, the mistake is told when it is read.
        return _meant(file) and file.is_file()


def _gone(file: Path) -> bool:
    """Whether a batch file is meant that isn't there."""
    return _meant(file) and not file.exists()


def _meant(file: Path) -> bool:
    """Whether it is called as if it were one."""
    return bool(re.search(r"batch", file.stem, re.IGNORECASE))


def _name(batch: Batch, files: Sequence[Path]) -> str:
    """The batch's name: what it says, or what its file is called, or the recipes."""
    if batch.name:
        return _named(batch.name)
    first = _named(re.sub(r"[._-]?batch$", "", files[0].stem) or files[0].stem)
    return first if len(files) == 1 else f"{first}+{len(files) - 1}"


def _named(text: str) -> str:
    """As a part of names of files, which may have 255 bytes."""
    return re.sub(r"[^\w.+=,-]+", "_", text).strip("._")[:50] or "batch"


def _changed(plan: Plan) -> tuple[Path, ...]:
    """The batch's file, if it is another by now."""
    file = plan.batch.document.file
    if not file:
        return ()
    try:
        text = Path(file).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return (Path(file),)
    now = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return (Path(file),) if now != plan.digest else ()


def _in_a_line(error: GandreamError) -> str:
    return ": ".join(line.strip() for line in str(error).splitlines() if line.strip())


def _event(result: BatchResult) -> dict[str, Any]:
    """What hooks are told."""
    return {
        "event": "success" if result.good else "failure",
        "batch": result.name,
        "films": len(result.rows),
        "done": len(result.in_state("done")),
        "failed": len(result.failed),
        "seconds": round(result.seconds, 3),
        "report": None if result.report is None else str(result.report.absolute()),
        "failures": [{"name": row.film.wanted.name, "error": row.job.error} for row in result.failed],
    }


def report_file(plan: Plan) -> Path:
    """The page of a batch: where it says, or beside the films that it makes."""
    if plan.batch.report:
        named = Path(plan.batch.report)
        named = named.with_suffix("") if named.suffix in (".html", ".json") else named
        folder = Path.cwd() if not plan.batch.document.file else plan.batch.folder
        return folder / f"{named}.html"
    folders = sorted({str(output.parent) for film in plan.films for output in film.outputs})
    try:
        beside = Path(os.path.commonpath(folders)) if folders else Path("outputs")
    except ValueError:  # on several drives
        beside = Path("outputs")
    if beside == Path(beside.anchor):
        beside = Path("outputs")
    return beside / f"{plan.name}.report.html"


__all__ = ["BatchResult", "Flags", "Plan", "Row", "Seen", "Wanted", "plan_batch", "run_batch"]
