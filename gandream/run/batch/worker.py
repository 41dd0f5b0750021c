"""A process that renders films of a batch, one after the other: ``python -m gandream.run.batch.worker FOLDER BATCH``.

It takes jobs from the queue until there are none. It parks its film, so that nothing is lost, when its standard input
ends (as it does when the process that started it is no more), and on SIGTERM.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gandream.base import ffmpeg
from gandream.base.errors import GandreamError
from gandream.base.files import remove_parts
from gandream.run.batch.check import BROKEN, key_of, load_task
from gandream.run.batch.models import Models
from gandream.run.batch.wire import Event, speaker
from gandream.run.cluster.where import where
from gandream.run.film import Film, render
from gandream.run.flaws import as_json
from gandream.run.jobs.queue import Queue
from gandream.run.jobs.records import EDITED, Job
from gandream.run.jobs.worker import Worker
from gandream.run.prepare import draft_of

if TYPE_CHECKING:
    from gandream.run.cluster.cluster import Cluster

TELL_S = 0.2
"""How often progress is told."""
ASK_S = 1.0
"""How often it is asked whether a film was cancelled."""
CLOSE_S = 0.3
"""How long parking waits for a film that is just ending."""
MOST_WORDS = 4000
"""Letters of an error that are kept."""


class CancelledError(Exception):
    """The film that is being rendered is no longer wanted."""


class Workplace:
    """One worker: its queue, its models, and the film that it renders."""

    def __init__(self, folder: Path, batch: str):
        self.folder, self.batch = folder, batch
        self.models, self.tell = Models(), speaker()
        self.closing = threading.RLock()
        """Held while a job changes its state, so that it isn't parked in the middle of that."""
        self.job: Job | None = None
        self.until_left = contextlib.ExitStack()
        self._parking = threading.Lock()
        self._connected = False

    def work(self) -> None:
        """Render films until there are none."""
        with Queue(self.folder) as queue, Worker(self.folder) as worker, self.until_left:
            self.tell(Event("ready", words=str(os.getpid())))
            group = ""
            while True:
                with self.closing:
                    self.job = job = queue.take(worker, self.batch, group)
                if job is None:
                    self.tell(Event("idle"))
                    return
                self.tell(Event("taken", job.id, job.task.name))
                group = job.task.group
                self._end(queue, job, *self._rendered(queue, job))

    def park(self) -> None:
        """Put the film back and end this process at once: 0. Who asks for it again meanwhile is heard already."""
        if not self._parking.acquire(blocking=False):
            return
        with contextlib.suppress(Exception):  # whatever fails here, the queue finds that this process has ended
            held = self.closing.acquire(timeout=CLOSE_S)
            ffmpeg.end_all()
            if self.job is not None and held:
                with Queue(self.folder) as queue:
                    queue.parked(self.job)
                self.tell(Event("ended", self.job.id, self.job.task.name, "parked"))
        remove_parts()
        os._exit(0)

    def _rendered(self, queue: Queue, job: Job) -> tuple[str, dict[str, Any], str, bool]:
        """How rendering a film ended: state, figures, error, and whether it is worth another try."""
        with _log(job) as log:
            say = _Speaker(self, queue, job, log)
            try:
                film = self._film(job, say)
            except CancelledError:
                say.line("cancelled")
                return "cancelled", {}, "", False
            except GandreamError as error:
                say.line(str(error))
                return "failed", {}, str(error)[:MOST_WORDS], error.exit_code != 2
            except MemoryError:
                self.models.forget()
                say.line(traceback.format_exc())
                return "failed", {}, "there is too little memory", True
            except Exception as error:
                say.line(traceback.format_exc())
                return "failed", {}, f"{type(error).__name__}: {error}"[:MOST_WORDS], True
            say.line(f"{film.path}: {film.frames} frames, {film.rendered} rendered, {film.seconds:.1f} s")
            return "done", {**_figures(film, say.notes), **({EDITED: True} if say.edited else {})}, "", False

    def _film(self, job: Job, say: _Speaker) -> Film:
        options = job.task.options
        recipe = load_task(job.task)
        if job.task.group != BROKEN and key_of(recipe, options) != job.task.key.partition("+")[0]:
            say.edited = True
            say.note(f"{job.task.recipe}, or a file of it, changed while the batch ran: this is what it says now")
        with self._elsewhere(options) as on:
            return render(
                draft_of(recipe) if options.get("draft") else recipe,
                job.task.out,
                device=options.get("device", "auto"),
                force=bool(options.get("force")),
                progress=say.progress,
                note=say.note,
                models=self.models.load,
                on=on,
            )

    def _elsewhere(self, options: Mapping[str, Any]) -> contextlib.AbstractContextManager[Cluster | None]:
        """The cluster that renders, where there is one; it stays connected from film to film."""
        place = where(options.get("on", "local"), options.get("store", "auto"), options.get("workers"))
        if place is None:
            return contextlib.nullcontext()
        from gandream.run.cluster.cluster import Cluster
        from gandream.run.cluster.session import connected

        if not self._connected:
            self._connected = True
            self.until_left.enter_context(connected(place))
        return Cluster(place)

    def _end(self, queue: Queue, job: Job, state: str, figures: dict[str, Any], error: str, again: bool) -> None:
        with self.closing:
            if state == "done":
                queue.done(job, figures)
            elif state == "failed":
                state = queue.failed(job, error, again=again).state
            self.job = None
        self.tell(Event("ended", job.id, job.task.name, state))


class _Speaker:
    """Tells what happens to a film, to its log and to who started this."""

    def __init__(self, place: Workplace, queue: Queue, job: Job, log: IO[str]):
        self.place, self.queue, self.job, self.log = place, queue, job, log
        self.notes: list[str] = []
        self.edited = False
        """Whether the recipe is another one than the one that was asked for."""
        self._told = self._asked = 0.0
        self._stage = ""

    def line(self, words: str) -> None:
        """A line of the log; a disk that is full stops nothing here."""
        with contextlib.suppress(OSError):
            self.log.write(f"{time.strftime('%H:%M:%S')}  {words.rstrip()}\n")
            self.log.flush()

    def note(self, words: str) -> None:
        """What a person should know."""
        if words not in self.notes:
            self.notes.append(words)
            self.line(f"note: {words}")

    def progress(self, stage: str, done: int, total: int) -> None:
        """How far it is; CancelledError where nobody wants it any more."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._told = stage, 0.0
            self.line(stage)
        if now - self._told >= TELL_S or done == total:
            self._told = now
            self.place.tell(Event("progress", self.job.id, self.job.task.name, stage, done, total))
        if now - self._asked >= ASK_S:
            self._asked = now
            if self.queue.asked_to_stop(self.job):
                raise CancelledError


def _figures(film: Film, notes: list[str]) -> dict[str, Any]:
    films = (film, *film.others)
    flaws = [one for each in films for one in as_json(each.flaws)]
    sizes = [path.stat().st_size if (path := each.path).is_file() else 0 for each in films]
    return {
        "films": [str(each.path) for each in films],
        "bytes": sizes,
        "frames": sum(each.frames for each in films),
        "film_seconds": _length_s(film),
        "rendered": sum(each.rendered for each in films),
        "seconds": round(film.seconds, 3),
        "warnings": list(dict.fromkeys([*notes, *film.warnings])),
        "quality": flaws,
    }


def _length_s(film: Film) -> float:
    """Of the film, as its manifest says."""
    try:
        return float(json.loads(film.manifest.read_text("utf-8"))["video"]["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


@contextlib.contextmanager
def _log(job: Job) -> Iterator[IO[str]]:
    """The job's log, to which this attempt is added; a crash of the process is written there too.

    Where it can't be written, as on a full disk, the film is rendered without.
    """
    path = Path(job.log)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = open(path, "a", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
    except OSError:
        log = open(os.devnull, "a", encoding="utf-8")  # noqa: SIM115
    try:
        with contextlib.suppress(OSError):
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {job.task.name}: attempt {job.attempts}\n")
            log.flush()
        faulthandler.enable(log)
        yield log
    finally:
        faulthandler.disable()
        with contextlib.suppress(OSError):  # what couldn't be written is tried again in closing
            log.close()


def _listen(place: Workplace) -> None:
    """Park as soon as standard input says so, or ends."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdin.readline()
    place.park()


def main(words: list[str]) -> None:
    """Work in a thread of its own, while this one hears signals and another one hears standard input."""
    place = Workplace(Path(words[0]), words[1])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: place.park())
    threading.Thread(target=_listen, args=(place,), daemon=True).start()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            place.work()
        except BaseException as error:
            failed.append(error)
            if isinstance(error, GandreamError):
                place.tell(Event("broken", words=str(error)[:MOST_WORDS]))
            with contextlib.suppress(OSError):  # where the disk is full
                traceback.print_exc()

    thread = threading.Thread(target=work, name="gandream-work", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)  # with a limit, since on Windows a wait without one hears nothing
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(1 if failed else 0)  # not by the interpreter's own way, which waits for threads of torch


if __name__ == "__main__":
    main(sys.argv[1:])
