"""Changes to a recipe's text: values are put in place, and comments, quotes and layout around them stay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import yaml

Path_ = tuple[str | int, ...]
_PLAIN = re.compile(r"[A-Za-z0-9_./~][A-Za-z0-9_./~#:@+-]*[A-Za-z0-9_./~#@+-]|[A-Za-z]+(?: [A-Za-z0-9]+)*")
_NO_TEXT = re.compile(r"[-+.0-9_exo:]*|true|false|null|~|.*:", re.IGNORECASE)


def as_yaml(text: str) -> str:
    """Text as it is written in YAML, between braces too: with quotes where they are wanted."""
    if _PLAIN.fullmatch(text) and not _NO_TEXT.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=False)


class Rewriting:
    """A text that was read as YAML without mistakes, and changes to be made to it."""

    def __init__(self, text: str) -> None:
        self._text = text
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        self._nodes: dict[Path_, yaml.Node] = dict(_walked(root, ())) if root is not None else {}
        self._changes: dict[tuple[int, int], str] = {}

    def texts(self) -> Iterator[tuple[Path_, yaml.ScalarNode]]:
        """All single values with their key paths."""
        yield from ((path, node) for path, node in self._nodes.items() if isinstance(node, yaml.ScalarNode))

    def replace(self, path: Path_, written: str) -> None:
        """Put something in the place of a value."""
        node = self._nodes[path]
        self._changes[node.start_mark.index, node.end_mark.index] = written

    def put(self, word: str, written: str, inside: Path_) -> None:
        """Set a word of the recipe: in its place, ``inside`` it where it has words of its own, or as a new line."""
        for path in (inside, (word,)):
            if path in self._nodes and (path == inside or not isinstance(self._nodes[path], yaml.CollectionNode)):
                self.replace(path, written)
                return
        if (word,) in self._nodes:  # a list or a mapping without the word that names the thing
            self.replace((word,), written + "\n")
        else:
            self.after("model", f"{word}: {written}")

    def after(self, word: str, *lines: str) -> None:
        """Add lines below a word of the recipe; at the end where there is no such word."""
        node = self._nodes.get((word,))
        end = len(self._text) if node is None else self._text.find("\n", max(node.end_mark.index - 1, 0))
        end = len(self._text) if end < 0 else end
        self._changes[end, end] = self._changes.get((end, end), "") + "".join(f"\n{line}" for line in lines)

    def text(self) -> str:
        """The text with all changes."""
        made = self._text
        for (start, end), written in sorted(self._changes.items(), reverse=True):
            made = made[:start] + written + made[end:]
        return made


def _walked(node: yaml.Node, path: Path_) -> Iterator[tuple[Path_, yaml.Node]]:
    yield path, node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walked(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walked(value, (*path, index))
