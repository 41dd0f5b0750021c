"""How much is said on standard error, and where there are colours: one value for a run of the program.

It lives in a context variable that ``main`` sets anew for each run and the options -q, -v and --debug change, so that
nothing of it is left for the next run in the same process, and threads that copy the context see it too.
"""

from __future__ import annotations

import os
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TextIO

from gandream.base.errors import printable


@dataclass(frozen=True)
class Voice:
    """What was asked for, and the notes that were told already."""

    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    as_json: bool = False
    told: set[str] = field(default_factory=set)
    began: float | None = field(default_factory=time.perf_counter)
    """When the program began, by ``time.perf_counter``; None as soon as a stage of its work has."""


_VOICE: ContextVar[Voice] = ContextVar("voice")


def voice() -> Voice:
    """The voice of this run."""
    return _VOICE.get(None) or Voice()


def speak(now: Voice) -> None:
    """From here on, speak like this."""
    _VOICE.set(now)


def note(words: str) -> None:
    """Say what a person should know, once in a run; nothing with -q."""
    now = voice()
    if words not in now.told and not now.quiet:
        now.told.add(words)
        say(f"note: {printable(words)}")  # of files, and of what is in them


def aside(words: str) -> None:
    """Say on standard error what a person may like to know; nothing with -q."""
    if not voice().quiet:
        say(words)


def detail(words: str) -> None:
    """Say it on standard error where -v asks for more."""
    if voice().verbose:
        say(words)


def say(words: str) -> None:
    """A line on standard error, whatever the options."""
    print(words, file=sys.stderr, flush=True)


def coloured(stream: TextIO) -> bool:
    """Whether colours go there: NO_COLOR and FORCE_COLOR, in this order, else a terminal that isn't dumb."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def watched() -> bool:
    """Whether somebody sees progress: standard error is a terminal whose cursor moves, and -q doesn't forbid it."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not voice().quiet
