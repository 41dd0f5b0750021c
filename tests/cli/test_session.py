"""An artist's day at a terminal, from an empty folder: what a person sees of each command, and what is left of it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are other things there", allow_module_level=True)

import pexpect

ROWS, COLUMNS = 40, 100
LONGEST_S = 120
QUIET = "model: cppn#7\nvideo: {size: 64, fps: 12, duration: 2, preset: ultrafast}\ntempo: {bpm: 120}\n"
CODE = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


def screen(written: str) -> list[str]:
    """The lines that stand on a terminal after all that was written to it; only what our output uses is understood."""
    lines, row, column = [""], 0, 0
    for match in CODE.finditer(written):
        number, code, control, text = match.groups()
        if control == "\r":
            column = 0
        elif control == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif text:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + text + line[column + len(text) :]
            column += len(text)
        elif code == "A":
            row = max(row - int(number or 1), 0)
        elif code == "K":
            lines[row] = "" if number == "2" else lines[row][:column]
        else:
            assert code == "m" or number == "?25", f"the test doesn't know {match[0]!r}"
    return [line.rstrip() for line in lines]


def test_the_screen_is_a_terminal():
    assert screen("ab\r\x1b[Kc\r\n\x1b[1mbar\x1b[0m") == ["c", "bar"]
    assert screen("one\r\ntwo\r\x1b[2K\x1b[1A\x1b[2Kthree\r\n") == ["three", ""]


@dataclass(frozen=True)
class Seen:
    """What a command left on the screen, all that it wrote, and how it ended."""

    status: int | None
    lines: list[str]
    raw: str


class Person:
    """Somebody at a terminal in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def starts(self, *words: str) -> pexpect.spawn:
        """Type a command, and look on."""
        environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        return pexpect.spawn(
            sys.executable,
            ["-m", "gandream", *words],
            cwd=str(self.folder),
            env={**environment, "TERM": "xterm-256color", "OMP_NUM_THREADS": "1"},
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
            timeout=LONGEST_S,
        )

    def types(self, *words: str) -> Seen:
        """Type a command, and wait for its end."""
        child = self.starts(*words)
        child.expect(pexpect.EOF)
        return self.ended(child, child.before or "")

    def ended(self, child: pexpect.spawn, written: str) -> Seen:
        """What is to be seen at the end."""
        child.close()
        assert "Traceback" not in written
        return Seen(child.exitstatus, screen(written)[:-1], written)


@pytest.fixture
def person(here: Path) -> Person:
    """Somebody in an empty folder."""
    return Person(here)


def check_bar(seen: Seen) -> None:
    """A coloured bar was there while it worked; at the end it is gone and the cursor is back."""
    assert re.search(r"rendering.*━", seen.raw)
    assert "\x1b[38;5;" in seen.raw or re.search(r"\x1b\[3\dm", seen.raw)
    assert not [line for line in seen.lines if "━" in line]
    assert seen.raw.rindex("\x1b[?25h") > seen.raw.rindex("\x1b[?25l")


def test_render_at_a_terminal(person: Person):
    (person.folder / "film.yaml").write_text(QUIET)
    seen = person.types("render", "film.yaml")
    assert seen.status == 0
    check_bar(seen)
    summary, path = seen.lines
    assert re.fullmatch(r"24 frames, 24 of them rendered now, in \d+\.\d s", summary)
    assert path == "outputs/film.mp4"
    seen = person.types("render", "film.yaml", "-q")
    assert (seen.status, seen.lines, "\x1b" in seen.raw) == (0, ["outputs/film.mp4"], False)
    seen = person.types("render", "flim.yaml")
    assert seen.status == 2
    assert seen.raw.startswith("\x1b[1;31mflim.yaml\x1b[0m\r\n")


@pytest.mark.slow
def test_watch_ends_with_ctrl_c(person: Person):
    film = person.folder / "film.yaml"
    film.write_text(QUIET)
    child = person.starts("watch", "film.yaml")
    child.expect("outputs/film.draft.mp4")
    child.sendintr()
    written = child.before + child.after
    child.expect(pexpect.EOF)
    seen = person.ended(child, written + child.before)
    assert seen.status == 130
    assert "watching film.yaml; Ctrl-C ends it" in seen.lines[0]
    assert seen.lines[-1].startswith("Stopped.")
    check_bar(seen)


@pytest.mark.slow
def test_a_day(person: Person, clicks: Path):
    """new, validate, plan, preview, edit, watch, render, recipe."""
    shutil.copy(clicks, person.folder / "song.wav")
    seen = person.types("new", "film", "--song", "song.wav", "--model", "cppn#7")
    assert (seen.status, seen.lines[0], seen.lines[2]) == (0, "film.yaml", "Next:")
    assert "  gandream preview film.yaml" in seen.lines
    film = person.folder / "film.yaml"
    text = film.read_text()
    film.write_text(text.replace("768x432", "64x48").replace("# duration: 20s", "  duration: 2s"))
    assert film.read_text() != text

    seen = person.types("validate", "film.yaml")
    assert (seen.status, seen.lines) == (0, ["film.yaml: good"])

    seen = person.types("plan", "film.yaml")
    assert seen.status == 0
    plan = "\n".join(seen.lines)
    assert re.search(r"frames +60 \(0:02", plan)
    assert re.search(r"segments +\d+, of which 0 are there", plan)

    seen = person.types("preview", "film.yaml", "--at", "0s", "--for", "1s")
    assert (seen.status, seen.lines[-1]) == (0, "outputs/film.preview.mp4")
    check_bar(seen)

    child = person.starts("watch", "film.yaml")
    child.expect("outputs/film.draft.mp4")
    written = child.before + child.after
    film.write_text(film.read_text().replace("{random: 11, by: 0.4*kick}", "{random: 11, by: 0.9*kick}"))
    child.expect("push")
    written += child.before + child.after
    child.expect("outputs/film.draft.mp4")
    written += child.before + child.after
    child.sendintr()
    child.expect(pexpect.EOF)
    seen = person.ended(child, written + child.before)
    assert seen.status == 130
    check_bar(seen)
    notes = [line for line in seen.lines if line.startswith("note:")]
    assert len(notes) == len(set(notes))

    seen = person.types("render", "film.yaml")
    assert (seen.status, seen.lines[-1]) == (0, "outputs/film.mp4")
    check_bar(seen)
    notes = [line for line in seen.lines if line.startswith("note:")]
    assert len(notes) == len(set(notes))
    assert "60 frames, 60 of them rendered now" in seen.lines[-2]
    assert "60 frames, 0 of them rendered now" in person.types("render", "film.yaml").lines[-2]

    seen = person.types("recipe", "outputs/film.mp4", "-o", "again.yaml")
    assert (seen.status, seen.lines[-1]) == (0, "again.yaml")
    assert (person.folder / "again.yaml").read_bytes() == film.read_bytes()
    assert person.types("diff", "outputs/film.mp4", "film.yaml").lines == ["nothing differs"]
