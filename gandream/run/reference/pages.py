"""The reference as Markdown: a page for each topic, with the curves drawn into it."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gandream.base.files import published, writable_folder
from gandream.recipe.curve import EASES
from gandream.recipe.functions import FUNCTIONS
from gandream.run.reference.entries import Entry, Topic
from gandream.run.reference.plots import ENVELOPES, ease_plot, envelope_plot, function_plot
from gandream.run.reference.topics import topics

Picture = Callable[[str], str]
"""Gives HTML that shows a thing, by its key path such as `effects.glow`; nothing where there is no picture of it."""


def pages(prose: Mapping[str, str] | None = None, picture: Picture = lambda name: "") -> dict[str, str]:
    """Markdown pages by file name. ``prose`` stands at the top of the topics that it names."""
    prose = prose or {}
    made = {f"{topic.name}.md": _page(topic, prose.get(topic.name, ""), picture) for topic in topics()}
    return {"index.md": _index(), **made}


def write_pages(folder: Path) -> list[Path]:
    """Write all pages to a folder, and say which they are."""
    writable_folder(folder)
    written = []
    for name, text in pages().items():
        with published(folder / name) as part:
            part.write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written


def _index() -> str:
    lines = [
        "# Reference",
        "",
        "Every word that a recipe may hold, made from the same declarations that check recipes. "
        "`gandream reference WORD` prints the same in a terminal.",
        "",
        "| topic | |",
        "|---|---|",
        *(f"| [`{topic.name}`]({topic.name}.md) | {_cell(topic.about)} |" for topic in topics()),
    ]
    return "\n".join(lines) + "\n"


def _page(topic: Topic, prose: str, picture: Picture) -> str:
    entries = list(topic.entries)
    lines = [f"# {topic.name}", "", f"{_sentence(topic.about)}", ""]
    if entries and entries[0].name == topic.name:
        first = entries.pop(0)
        lines += [*_facts(first), *_example(first), *_choices(first, picture)]
    lines += [prose.strip(), ""] if prose.strip() else []
    small = topic.name in ("eases", "colours")
    lines += _gallery(entries, topic.name) if small else [line for one in entries for line in _entry(one, picture)]
    return "\n".join(lines).rstrip() + "\n"


def _entry(entry: Entry, picture: Picture) -> Iterator[str]:
    depth = "###" if entry.name.count(".") > 1 else "##"
    yield f"{depth} {entry.name} {{ #{entry.name} }}"
    yield ""
    yield from _facts(entry)
    yield from [_sentence(entry.about), ""]
    yield from _choices(entry, picture)
    yield from _example(entry)
    drawn = _drawn(entry) or picture(entry.name)
    if drawn:
        yield from [drawn, ""]


def _facts(entry: Entry) -> Iterator[str]:
    default = "**required**" if entry.default == "required" else f"default `{entry.default}`" if entry.default else ""
    facts = [entry.takes, entry.unit, entry.range and f"{entry.range}", default]
    yield " · ".join(filter(None, facts))
    yield "{ .facts }"
    yield ""


def _choices(entry: Entry, picture: Picture) -> Iterator[str]:
    """The words to choose from, as a table; those with a picture of their own one after the other."""
    if not entry.choices:
        return
    yield from ["| word | |", "|---|---|"]
    for one in entry.choices:
        yield f"| `{one.name}` | {_cell(one.about)} |"
    yield ""
    for one in entry.choices:
        shown = picture(f"{entry.name}.{one.name}")
        if shown:
            yield from [f"`{one.name}`", "", shown, ""]


def _example(entry: Entry) -> Iterator[str]:
    if entry.example:
        yield from ["```yaml", entry.example, "```", ""]


def _drawn(entry: Entry) -> str:
    """A curve that shows what a word does."""
    word = entry.word
    if entry.name.startswith("signals.") and word in ENVELOPES and entry.name.count(".") == 1:
        return _figure(envelope_plot(word), "in grey as it was heard, in colour as it becomes")
    if entry.takes.startswith(f"{entry.name}(") and word in FUNCTIONS:
        return _figure(function_plot(word), FUNCTIONS[word].example)
    return ""


def _gallery(entries: list[Entry], topic: str) -> Iterator[str]:
    """Small pictures beside one another, of things that are told by their look."""
    example = next((one.example for one in entries if one.example), "")
    yield from ["```yaml", example, "```", "", '<div class="gallery">']
    for one in entries:
        patch = f'<svg viewBox="0 0 112 40"><rect width="112" height="40" rx="4" fill="{one.about}"/></svg>'
        shown = ease_plot(one.name) if topic == "eases" and one.name in EASES else patch
        yield _figure(shown, f"{one.name}: {one.about}", one.name)
    yield from ["</div>", ""]


def _figure(shown: str, caption: str, name: str = "") -> str:
    named = f' id="{html.escape(name)}"' if name else ""
    return f"<figure{named}>{shown}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _sentence(text: str) -> str:
    text = _safe(text[:1].upper() + text[1:])
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _cell(text: str) -> str:
    return _outside_code(text, {"<": "&lt;", "|": "\\|"})


def _safe(text: str) -> str:
    return _outside_code(text, {"<": "&lt;"})


def _outside_code(text: str, changes: Mapping[str, str]) -> str:
    """Text in which what would be taken for HTML or a cell's end is written so that it isn't."""
    parts = text.split("`")
    for at in range(0, len(parts), 2):
        for one, other in changes.items():
            parts[at] = parts[at].replace(one, other)
    return "`".join(parts)
