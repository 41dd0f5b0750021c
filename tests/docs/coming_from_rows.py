"""What docs/coming_from.md tells people to write: its rows, and the recipes in them."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PAGE = Path(__file__).parents[2] / "docs" / "coming_from.md"
SPAN = re.compile(r"`([^`]+)`")
ROWS = {"Motion": 63, "Music": 39}
"""What the tools can do, counted one by one."""


@dataclass(frozen=True)
class Line:
    """Words that a row tells to add to the recipe at the top of the page."""

    about: str
    words: dict[str, Any]


def base() -> dict[str, Any]:
    return yaml.safe_load(PAGE.read_text().split("```yaml\n")[1].split("```")[0])


def rows() -> Iterator[tuple[str, str, str]]:
    """Heading, left and right of each row of the page's tables."""
    heading = ""
    for text in PAGE.read_text().splitlines():
        heading = text.removeprefix("## ") if text.startswith("## ") else heading
        cells = [cell.strip() for cell in text.split("|")]
        if len(cells) == 4 and not cells[1].startswith(("---", "what you know")):
            yield heading, cells[1], cells[2]


def recipes(right: str) -> Iterator[dict[str, Any]]:
    """What a row says: spans with nothing between them belong together, those with text between are alternatives."""
    together: dict[str, Any] = {}
    end = 0
    for span in SPAN.finditer(right):
        if right[end : span.start()].strip() and together:
            yield together
            together = {}
        end = span.end()
        words = yaml.safe_load(span[1]) if re.match(r"[a-z]+: ", span[1]) else None
        together = {**together, **words} if isinstance(words, dict) else together
    if together:
        yield together


LINES = [Line(about, words) for _, about, right in rows() for words in recipes(right)]
SPANS = [span for _, _, right in rows() for span in SPAN.findall(right)]


def merged(line: Line, **more: Any) -> dict[str, Any]:
    made = copy.deepcopy(base())
    for word, value in {**line.words, **more}.items():
        both = isinstance(value, dict) and word in ("signals", "video")
        made[word] = {**made[word], **value} if both else value
    return made
