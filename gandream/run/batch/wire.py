"""What a worker tells the process that started it: lines of JSON on its standard output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["ready", "taken", "progress", "ended", "idle", "broken"]
STOP = "stop\n"
"""What a worker is told on its standard input when it is to park its film; the end of that says the same."""


@dataclass(frozen=True)
class Event:
    """Something that happened in a worker."""

    kind: Kind
    job: int = 0
    name: str = ""
    words: str = ""
    """The stage of the render, the state in which the film ended, or why the worker ends."""
    done: int = 0
    total: int = 0


def speaker() -> Callable[[Event], None]:
    """What writes events; whatever else this process prints goes to standard error from now on."""
    own = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr

    def tell(event: Event) -> None:
        data = (json.dumps(asdict(event), ensure_ascii=True) + "\n").encode()
        try:
            os.write(own, data)  # one call, so that lines of several threads stay whole
        except OSError:  # nobody listens any more
            return

    return tell


def event_of(line: bytes) -> Event | None:
    """The event of a line; None where it is none."""
    try:
        found: dict[str, Any] = json.loads(line)
        return Event(**found)
    except (ValueError, TypeError, UnicodeDecodeError):
        return None
