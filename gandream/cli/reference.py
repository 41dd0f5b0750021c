"""``gandream reference``."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gandream.cli.options import AsJson, echo_json
from gandream.cli.voice import coloured

if TYPE_CHECKING:
    from gandream.run.reference.entries import Entry, Topic

WIDEST = 100


def command(
    word: Annotated[
        str | None,
        typer.Argument(
            metavar="WORD", help="A word, such as push or push.by; without it all topics.", show_default=False
        ),
    ] = None,
    pages: Annotated[
        Path | None,
        typer.Option("--pages", metavar="FOLDER", help="Write all of it as Markdown pages.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a word of recipes takes: kind, unit, range, default, and an example.

    Words, signals, functions, eases, effects, codecs, kinds of files and units of time are all here.

    Examples:
      gandream reference push
      gandream reference kaleidoscope
    """
    from gandream.run.reference.topics import found, topics

    hits = [(topic, list(topic.entries)) for topic in topics()] if word is None else found(word)
    if pages is not None:
        from gandream.run.reference.pages import write_pages

        written = write_pages(pages)
        echo_json({"pages": [str(page) for page in written]}) if as_json else typer.echo(str(pages))
    elif as_json:
        echo_json({"topics": [_plain(topic, entries) for topic, entries in hits]})
    elif word is None:
        typer.echo("\n".join(_listed(topic for topic, _ in hits)))
    else:
        typer.echo("\n".join(_told(hits, word)))


def _plain(topic: Topic, entries: list[Entry]) -> dict[str, Any]:
    return {"name": topic.name, "about": topic.about, "entries": [dataclasses.asdict(one) for one in entries]}


def _listed(all_topics: Iterable[Topic]) -> Iterator[str]:
    """One line for each topic, as long as it needs to be."""
    yield "What a recipe may say; `gandream reference WORD` tells the rest."
    yield ""
    for topic in all_topics:
        yield from _wrapped(topic.about, 16, f"  {topic.name:<14}")


def _told(hits: list[tuple[Topic, list[Entry]]], word: str) -> Iterator[str]:
    """What was asked for; where it is a topic, what has its name elsewhere is only named."""
    others = [one for topic, entries in hits[1:] for one in entries] if hits[0][0].name == word else []
    hits = hits[:1] if others else hits
    for number, (topic, entries) in enumerate(hits):
        yield from [""] if number else []
        if topic.name == word and (not entries or entries[0].name != word):
            yield from [_bold(word), *_wrapped(topic.about, 2), ""]
        for place, entry in enumerate(entries):
            yield from [""] if place else []
            yield from _one(entry, entry.name == word or entry.word == word or len(entries) == 1)
    if others:
        yield ""
        yield from _wrapped(", ".join(_elsewhere(one) for one in others), 6, "Also: ")


def _elsewhere(entry: Entry) -> str:
    return (
        entry.takes if "(" in entry.takes else f"{entry.name} ({entry.takes})" if "." not in entry.name else entry.name
    )


def _one(entry: Entry, with_choices: bool) -> Iterator[str]:
    facts = [entry.takes, entry.unit, entry.range, f"default {entry.default}" if entry.default else ""]
    facts[3] = "required" if entry.default == "required" else facts[3]
    yield f"{_bold(entry.name)}   {_dim('; '.join(filter(None, facts)))}"
    known = ", ".join(one.name for one in entry.choices)
    yield from _wrapped(entry.about if with_choices or not known else f"{entry.about}: {known}", 4)
    if entry.choices and with_choices:
        longest = min(22, max(len(one.name) for one in entry.choices) + 2)
        for one in entry.choices:
            yield from _wrapped(one.about, 4 + longest, f"    {one.name:<{longest}}")
    yield from (f"      {line}" for line in entry.example.splitlines())


def _wrapped(text: str, indent: int, first: str = "") -> list[str]:
    width = min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)
    start = first or " " * indent
    if not text:
        return [start.rstrip()] if first else []
    return textwrap.wrap(
        text.replace("`", ""),
        max(width, 40),
        initial_indent=start,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if coloured(sys.stdout) else text


def _dim(text: str) -> str:
    return f"\x1b[2m{text}\x1b[0m" if coloured(sys.stdout) else text
