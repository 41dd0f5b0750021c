"""Ctrl-C and SIGTERM: work is done beside the main thread, which alone hears signals and so never waits for torch."""

from __future__ import annotations

import contextlib
import contextvars
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

GRACE_S = 0.4
"""How long work that was stopped may take to tidy up by itself."""
GOES_ON = "Stopped. What is finished is kept: the same command goes on from there."


class Stopped(BaseException):
    """Ctrl-C or SIGTERM. Not KeyboardInterrupt, which typer swallows without a word."""


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """While in it, the first signal raises :class:`Stopped` and the second ends the process at once.

    However the block ends after a signal, the process ends with the status that the signal asks for.
    """
    asked: list[int] = []

    def stop(number: int, frame: Any) -> None:
        if asked:
            end(number)
        asked.append(number)
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and shells ask for what runs in the background
            signal.signal(number, stop)
    try:
        yield
    except BaseException:
        if asked:  # whatever came of it on the way out
            end(asked[0])
        raise


def end(number: int) -> None:
    """End the process: 130 after Ctrl-C, 143 after SIGTERM.

    Not by the interpreter's own way out, which waits for threads that may be deep in torch, or aborts under them.
    """
    _end_children()
    if files := sys.modules.get("gandream.base.files"):
        files.remove_parts()
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.write(2, f"{_clean()}{GOES_ON}\n".encode())  # not print, in whose middle the signal may have come
    os._exit(128 + number)


def _clean() -> str:
    """What takes the terminal's ^C away and gives back the cursor, which a bar may have hidden."""
    if not os.isatty(2):
        return ""
    return "\n" if os.environ.get("TERM") == "dumb" else "\r\x1b[K\x1b[?25h"


def beside(work: Callable[[], T]) -> T:
    """Do the work in a thread of its own while this one, the main one, waits and hears signals."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name="gandream-work", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.1)  # with a limit, since on Windows a wait without one hears nothing
    except Stopped:
        _stop(thread)
        raise
    if errors:
        raise errors[0]
    return results[0]


def _stop(thread: threading.Thread) -> None:
    """Have the thread raise Stopped too, and wait a moment until it has tidied up."""
    import ctypes

    threading.excepthook = lambda _: None  # it may be raised when the work is done already
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stopped))
    until = time.monotonic() + GRACE_S
    while thread.is_alive() and time.monotonic() < until:
        _end_children()  # what the thread waits for, be it an encoder with a full pipe or the joining
        thread.join(0.02)


def _end_children() -> None:
    if ffmpeg := sys.modules.get("gandream.base.ffmpeg"):  # else nothing of it runs
        ffmpeg.end_all()
