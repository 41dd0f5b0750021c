"""Help as it stands on a terminal of 80 columns, word for word: one file for each command in ``help/``.

After a change that is meant: ``python tests/cli/test_help.py --write``, and read what came of it.
"""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from gandream.cli.help import page
from gandream.cli.main import DAY, PROGRAM, app

KEPT = Path(__file__).parent / "help"
COLUMNS = 80


@functools.cache
def pages(columns: int = COLUMNS) -> dict[str, str]:
    """The help of all commands, by their names."""
    root: Any = typer.main.get_command(app)
    found: dict[str, str] = {}
    waiting = [(PROGRAM, root, None)]
    while waiting:
        name, command, above = waiting.pop(0)
        context = command.context_class(
            command, info_name=name.split()[-1], parent=above, help_option_names=["-h", "--help"]
        )
        found[name] = page(command, context, columns, colours=False)
        waiting += [(f"{name} {below}", one, context) for below, one in getattr(command, "commands", {}).items()]
    return found


def file_of(name: str) -> Path:
    return KEPT / f"{name.replace(' ', '_')}.txt"


def write() -> None:
    """Keep the help as it is now."""
    KEPT.mkdir(exist_ok=True)
    for old in KEPT.glob("*.txt"):
        old.unlink()
    for name, text in pages().items():
        file_of(name).write_text(text, encoding="utf-8", newline="\n")


@pytest.mark.parametrize("name", pages())
def test_help_is_as_it_was_read(name: str):
    assert file_of(name).is_file(), "python tests/cli/test_help.py --write"
    assert pages()[name] == file_of(name).read_text(encoding="utf-8"), (
        "if that is meant: tests/cli/test_help.py --write"
    )


def test_there_is_no_other_help():
    assert {file.name for file in KEPT.iterdir()} == {file_of(name).name for name in pages()}


def test_the_pages_are_what_people_see(gandream, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    for words in ([], ["render"], ["cache", "prune"], ["models"]):
        for option in ("-h", "--help"):
            said = gandream(*words, option)
            assert (said.status, said.err) == (0, "")
            assert said.out.rstrip("\n") == pages()[" ".join([PROGRAM, *words])].rstrip("\n")


@pytest.mark.parametrize("columns", [60, COLUMNS, 100])
def test_nothing_is_cut_off_or_too_wide(columns: int):
    """Examples alone, which are to be copied, and single words may be wider."""
    for name, text in pages(columns).items():
        assert "…" not in text, name
        for line in text.splitlines():
            example = line.startswith(("  gandream", "  eval", "  $"))
            assert len(line) <= columns or example or " " not in line.strip(), (name, line)


def test_help_follows_the_terminal(gandream, monkeypatch: pytest.MonkeyPatch):
    widths = []
    for columns in ("60", "90", "300"):
        monkeypatch.setenv("COLUMNS", columns)
        widths.append(max(len(line) for line in gandream("doctor", "--help").out.splitlines()))
    assert widths[0] <= 60 < widths[1] <= 90 < widths[2] <= 100


def test_commands_stand_in_the_order_of_the_day():
    text = pages()[PROGRAM]
    headings = [line for line in text.splitlines() if line in DAY]
    assert headings == list(DAY)
    named = re.findall(r"(?m)^  ([a-z]+) {2,}\S", text.partition("\nEverywhere\n")[0])
    assert named == [name for commands in DAY.values() for name in commands]


def test_every_status_is_told():
    for status in ("status 0", "1 when", "2 when", "130", "143"):
        assert status in pages()[PROGRAM]


def test_every_command_has_an_example_and_says_what_each_option_does():
    for name, text in pages().items():
        if " COMMAND ..." not in text and name.split()[1] not in ("doctor", "cache", "models"):
            assert re.search(r"(?m)^Examples?:\n  ", text), name
        for line in text.splitlines():
            assert not re.fullmatch(r"  (-\w, |    )--[\w-]+( \S+)?", line) or len(line) > 28, (name, line)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        print(__doc__)
