"""What is done when a batch has come to its end: a command is run, or an address on the web is told.

A hook is told of an event, plain data whose ``event`` is ``success`` or ``failure``. What fails in it is a note, and
breaks nothing: the films are there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from gandream.recipe.fields import Whole, Word, wrong
from gandream.run.lengths import Seconds
from gandream.run.webhook import FIRST_PAUSE_S, LONGEST_PAUSE_S, MOST_RETRIES, post

Note = Callable[[str], None]
COMMAND_S, WEBHOOK_S, RETRIES = 60.0, 10.0, 3
"""How long each may take by default, and how often an address that doesn't answer is tried again."""
PREFIX = "GANDREAM_EVENT"
"""The event's name in a command's environment; its other plain values follow as ``GANDREAM_EVENT_<NAME>``."""
_WANTED = "For instance [notify-send, done], or {webhook: 'https://example.org/films'}; several in a list."
_SAID = 300


def _command(value: Any) -> Any:
    if isinstance(value, str):
        raise wrong(
            "wanted a command as a list of words: no shell reads it",
            f"For instance [{value.split()[0]}, ...]." if value.split() else "",
        )
    if not isinstance(value, list | tuple) or not value:
        raise wrong("wanted a command as a list of words", "For instance [notify-send, the films are done].")
    for index, word in enumerate(value):
        if not isinstance(word, str):
            raise wrong("wanted text", "Put it in quotes.", key=index)
        if "\0" in word or (index == 0 and not word.strip()):
            raise wrong("this can't be part of a command", key=index)
    return tuple(value)


def _address(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong("wanted an address on the web, such as https://example.org/films")
    parts = _split(value)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or not value.isprintable():
        raise wrong("wanted an address that begins with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise wrong(
            "a name and a password don't belong into an address", "Say them with headers: {Authorization: ...}."
        )
    if " " in value or not value.isascii():
        raise wrong("an address has no spaces and only plain letters", "Write others as %20 and such.")
    return value


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  a number that is none is found when it is asked for
        return parts
    except ValueError:
        return None


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise wrong("wanted names with values", "For instance {Authorization: Bearer 1234}.")
    for name, text in value.items():
        if not isinstance(name, str) or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise wrong("wanted the name of a header, such as Authorization", key=name)
        if not isinstance(text, str) or not text.isprintable() or not text.isascii():
            raise wrong("wanted one line of plain text", key=name)
    return value


_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}


class Hook(Word):
    """One thing that is done: a command, or a message to an address on the web."""

    command: Annotated[
        tuple[str, ...] | None,
        BeforeValidator(_command),
        WithJsonSchema(_TEXTS),
        Field(description="a program and its words, as a list; it reads the event as JSON on standard input"),
    ] = None
    webhook: Annotated[
        str | None, BeforeValidator(_address), Field(description="an address that the event is posted to, as JSON")
    ] = None
    timeout: Annotated[Seconds | None, Field(description="how long it may take [60s; 10s for an address]")] = None
    retries: Annotated[
        Whole | None, Field(ge=0, le=MOST_RETRIES, description="how often an address is tried again [3]")
    ] = None
    headers: Annotated[
        dict[str, str] | None, BeforeValidator(_headers), Field(description="more headers of the message")
    ] = None

    @model_validator(mode="after")
    def _one(self) -> Hook:
        if (self.command is None) == (self.webhook is None):
            raise wrong("wanted either a command or a webhook", _WANTED)
        if self.command is not None:
            for word in ("retries", "headers"):
                if getattr(self, word) is not None:
                    raise wrong("only a webhook has this", "A command is run once.", key=word)
        return self

    @property
    def name(self) -> str:
        """What notes call it; never a whole address, which may hold what opens it."""
        if self.command is not None:
            return self.command[0]
        parts = urlsplit(self.webhook or "")
        return f"{parts.scheme}://{parts.netloc}"


def _hooks(value: Any) -> Any:
    """One hook or several; a list of words is a command."""
    if isinstance(value, dict | Hook):
        return (value,)
    if isinstance(value, str):
        return _command(value)
    if not isinstance(value, list | tuple):
        raise wrong("wanted a command as a list of words, or a webhook", _WANTED)
    if value and not any(isinstance(one, dict | list | tuple | Hook) for one in value):
        return ({"command": _command(value)},)
    for index, one in enumerate(value):
        if not isinstance(one, dict | list | tuple | Hook):
            raise wrong("wanted a command as a list of words, or a webhook", _WANTED, key=index)
    return tuple(one if isinstance(one, dict | Hook) else {"command": _inside(one, at)} for at, one in enumerate(value))


def _inside(value: Sequence[Any], at: int) -> Any:
    for index, word in enumerate(value):
        if not isinstance(word, str):
            raise wrong("wanted text", "Put it in quotes.", key=(at, index))
    if not value:
        raise wrong("wanted a command as a list of words", _WANTED, key=at)
    return value


_EITHER: dict[str, Any] = {"anyOf": [{"type": "array"}, {"type": "object"}]}
Told = Annotated[tuple[Hook, ...], BeforeValidator(_hooks), WithJsonSchema(_EITHER)]


class Hooks(Word):
    """What is done at the end."""

    on_success: Annotated[
        Told, Field(description="done when all films are there: a command as a list, or a webhook")
    ] = ()
    on_failure: Annotated[Told, Field(description="done when a film failed: a command as a list, or a webhook")] = ()


def run_hooks(
    hooks: Hooks,
    event: Mapping[str, Any],
    note: Note,
    pause: Callable[[float], None] = time.sleep,
    folder: Path | None = None,
) -> None:
    """Do what there is to do for an event, one after the other; ``event["event"]`` is ``success`` or ``failure``.

    What can't be done is a note. ``pause`` waits between tries; commands are run in ``folder``, or where this one is.
    """
    named = {"success": hooks.on_success, "failure": hooks.on_failure}[event["event"]]
    if not named:
        return
    text = json.dumps(dict(event), default=str)  # plain letters alone: a file's name may be no text
    for hook in named:
        where = f"on_{event['event']}: {hook.name}"
        try:
            problem = _run(hook, event, text, folder) if hook.command is not None else _post(hook, text, pause)
        except OSError as error:  # no room for what a command reads and says
            problem = f"can't be run: {error.strerror or error}"
        if problem:
            note(f"{where}: {problem}")


def _post(hook: Hook, text: str, pause: Callable[[float], None]) -> str:
    """Tell an address, several times if need be; gives what went wrong, if it did."""
    tries = 1 + (RETRIES if hook.retries is None else hook.retries)
    problem, wait = "", FIRST_PAUSE_S
    for left in range(tries - 1, -1, -1):
        answer = post(hook.webhook or "", text.encode(), dict(hook.headers or {}), hook.timeout or WEBHOOK_S)
        if not answer.problem:
            return ""
        problem = answer.problem
        if not answer.again:
            return problem
        if left:
            pause(wait)
            wait = min(2 * wait, LONGEST_PAUSE_S)
    return f"{problem} ({tries} {'try' if tries == 1 else 'tries'})"


def _run(hook: Hook, event: Mapping[str, Any], text: str, folder: Path | None) -> str:
    """Run a command; gives what went wrong, if it did.

    Files instead of pipes: a child of the command that lives on keeps a pipe open, and this would wait for it.
    """
    limit = hook.timeout or COMMAND_S
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as said:
        told.write(text.encode())
        told.seek(0)
        try:
            process = subprocess.Popen(
                list(hook.command or ()),
                cwd=folder,
                stdin=told,
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment(event)},
                start_new_session=sys.platform != "win32",
            )
        except (OSError, ValueError) as error:
            return f"can't be run: {getattr(error, 'strerror', None) or error}"
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            _end(process)
            return f"took longer than {limit:g} s and was ended"
        except BaseException:
            _end(process)
            raise
        return "" if status == 0 else f"ended with status {status}{_last(said)}"


def environment(event: Mapping[str, Any]) -> dict[str, str]:
    """The plain values of an event as environment variables."""
    found = {PREFIX: str(event["event"])}
    for name, value in event.items():
        if name != "event" and isinstance(value, str | int | float) and name.replace("_", "").isalnum():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            found[f"{PREFIX}_{name.upper()}"] = text.replace("\0", "")
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and what it started."""
    if sys.platform == "win32":
        process.kill()
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except OSError:
            process.kill()
    process.wait()


def _last(said: IO[bytes]) -> str:
    """The last line of what a command said."""
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - 4096))
    lines = [line.strip() for line in said.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return f": {lines[-1][:_SAID]}" if lines else ""
