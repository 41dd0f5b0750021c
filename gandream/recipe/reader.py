"""Reading YAML without surprises: the 1.2 core schema, no tags, no duplicate keys, limits checked before anything is built.

The result is plain data plus the place of every key and value, so that each later error can say file:line:column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from gandream.base.errors import RecipeError
from gandream.recipe.text import Text

MAX_BYTES, MAX_DEPTH, MAX_ALIASES, MAX_VALUES = 256_000, 50, 1000, 100_000

Key = str | int | float
Path_ = tuple[Key, ...]


@dataclass(frozen=True)
class Mark:
    """A place in a source: name of the file (or option), line and column from 1 (0: no lines), of a key and its value."""

    file: str
    line: int = 0
    column: int = 0
    value_line: int = 0
    value_column: int = 0
    plain: bool = False
    """Whether the value's characters stand in the source as they are, so that columns inside it can be told."""

    def at(self, column: int | None = None) -> str:
        """Write the place: of the key, or of a column (from 0) inside the value."""
        if not self.line:
            return self.file
        if column is None:
            return f"{self.file}:{self.line}:{self.column}"
        return f"{self.file}:{self.value_line}:{self.value_column + (column if self.plain else 0)}"


@dataclass
class Document:
    """Plain data and the places of its parts by path."""

    tree: dict[str, Any]
    marks: dict[Path_, Mark]
    text: str = ""
    file: str = ""
    overrides: tuple[str, ...] = field(default=())

    def mark(self, path: Path_) -> Mark:
        """The place of a path, or of the nearest part above it that was written."""
        for end in range(len(path), -1, -1):
            if found := self.marks.get(tuple(path[:end])):
                return found
        return Mark(self.file)


class _Yaml(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML's reader up to nodes, with the core schema of YAML 1.2 instead of its own 1.1."""

    def __init__(self, text: str):
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)


_TAG = "tag:yaml.org,2002:"
_CORE = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
)
for _name, _pattern, _first in _CORE:
    _Yaml.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})$"), _first)


def read_document(file: Path, name: str | None = None) -> Document:
    """Read a recipe file; RecipeError for a file that isn't there, isn't text, or isn't YAML within the limits."""
    name = name or str(file)
    try:
        with open(file, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise RecipeError(name, "this is a folder; wanted a recipe file", _recipes_in(file)) from None
    except FileNotFoundError:
        raise RecipeError(name, "no such file", _recipes_in(file.parent)) from None
    except (OSError, ValueError) as error:
        raise RecipeError(name, f"can't read this file: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise RecipeError(name, f"a recipe has at most {MAX_BYTES // 1000} kB", "Is this a recipe?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(name, f"not UTF-8 text (byte {error.start})", "Is this a recipe? Save it as UTF-8.") from None
    tree, marks = read_text(text, name, file.absolute().parent)
    if tree is None:
        raise RecipeError(name, "the recipe is empty", "A first line could be `model: cppn#7`.")
    if not isinstance(tree, dict):
        raise RecipeError(name, "a recipe is words with values, such as `model: cppn#7`")
    return Document(tree, marks, text, name)


def _recipes_in(folder: Path) -> str:
    try:
        found = sorted(file.name for file in folder.iterdir() if file.suffix in (".yaml", ".yml"))[:12]
    except OSError:
        return ""
    return f"Recipes in {folder}: {', '.join(found)}." if found else ""


def read_text(text: str, name: str, folder: Path) -> tuple[Any, dict[Path_, Mark]]:
    """Read YAML text to plain data and marks; relative file names in it will start from ``folder``."""
    try:
        _check_limits(text, name)
        node = _Yaml(text).get_single_node()
    except ReaderError as error:
        raise RecipeError(name, f"a character that YAML doesn't allow at {error.position}: {error.reason}") from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, name, text) from None
    if node is None:
        return None, {}
    builder = _Builder(name, folder)
    return builder.build(node, (), None), builder.marks


def _check_limits(text: str, name: str) -> None:
    """Go through the events, which are read lazily and without recursion, and stop at the first limit passed."""
    depth = aliases = 0
    for event in _events(text):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > MAX_DEPTH or aliases > MAX_ALIASES:
            problem = f"more than {MAX_DEPTH} levels deep" if depth > MAX_DEPTH else f"more than {MAX_ALIASES} aliases"
            raise RecipeError(_place(name, event.start_mark), problem, "No recipe needs that; is the file damaged?")


def _events(text: str):
    loader = _Yaml(text)
    while loader.check_event():
        yield loader.get_event()


def _place(name: str, mark: Any) -> str:
    return f"{name}:{mark.line + 1}:{mark.column + 1}"


def _syntax_error(error: yaml.MarkedYAMLError, name: str, text: str) -> RecipeError:
    mark = error.problem_mark or error.context_mark
    where = _place(name, mark) if mark else name
    if mark and text[mark.index : mark.index + 1] == "\t":
        return RecipeError(where, "YAML is indented with spaces; here is a tab", "Replace the tab with spaces.")
    context = f" ({error.context})" if error.context else ""
    hint = (
        "If this is text with ':' or '#' in it, put it in quotes." if "mapping values" in (error.problem or "") else ""
    )
    if "expected a single document" in (error.context or ""):
        return RecipeError(where, "a second document begins here (---); a recipe is one", "")
    return RecipeError(where, f"not valid YAML: {error.problem}{context}", hint)


class _Builder:
    """Turns nodes into plain data; what aliases repeat is counted as often as it is repeated."""

    def __init__(self, name: str, folder: Path):
        self.name, self.folder, self.marks, self.values = name, folder, {}, 0
        self.open: set[int] = set()

    def build(self, node: yaml.Node, path: Path_, key: yaml.Node | None) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            raise RecipeError(
                self.name,
                f"aliases repeat things into more than {MAX_VALUES} values",
                "No recipe needs that.",
            )
        start, place = (key or node).start_mark, node.start_mark
        one_line = node.start_mark.line == node.end_mark.line
        quoted = isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
        plain = isinstance(node, yaml.ScalarNode) and one_line and node.style in (None, "'", '"')
        column = place.column + 1 + quoted
        self.marks[path] = Mark(self.name, start.line + 1, start.column + 1, place.line + 1, column, plain)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if id(node) in self.open:
            raise RecipeError(_place(self.name, place), "an alias (*) that holds itself")
        self.open.add(id(node))
        built = self.mapping(node, path) if isinstance(node, yaml.MappingNode) else self.sequence(node, path)
        self.open.discard(id(node))
        return built

    def refuse_tag(self, node: yaml.Node, known: tuple[str, ...]) -> None:
        if node.tag not in {_TAG + tag for tag in known}:
            tag = node.tag.replace(_TAG, "!!")
            raise RecipeError(
                _place(self.name, node.start_mark),
                f"the tag {tag} has no meaning in a recipe",
                "Remove it: a recipe is data.",
            )

    def sequence(self, node: yaml.Node, path: Path_) -> list[Any]:
        self.refuse_tag(node, ("seq",))
        return [self.build(item, (*path, index), None) for index, item in enumerate(node.value)]

    def mapping(self, node: yaml.MappingNode, path: Path_) -> dict[Key, Any]:
        self.refuse_tag(node, ("map",))
        built: dict[Key, Any] = {}
        lines: dict[Key, int] = {}
        for key_node, value_node in node.value:
            where = _place(self.name, key_node.start_mark)
            key = self.scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str | int | float) or isinstance(key, bool):
                raise RecipeError(where, "a key must be a word or a number")
            key = str(key) if isinstance(key, str) else key
            if key in built:
                raise RecipeError(where, f"'{key}' was already given on line {lines[key]}", "Keep one of the two.")
            lines[key] = key_node.start_mark.line + 1
            built[key] = self.build(value_node, (*path, key), key_node)
        return built

    def scalar(self, node: yaml.ScalarNode) -> Any:
        self.refuse_tag(node, ("null", "bool", "int", "float", "str"))
        kind, text = node.tag.removeprefix(_TAG), node.value
        if kind == "str":
            return Text(text, self.folder)
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        try:
            if kind == "float":
                return float(re.sub(r"\.(inf|nan)", r"\1", text.lower()))
            base = {"0o": 8, "0x": 16}.get(text[:2], 10)
            return int(text.removeprefix("0o").removeprefix("0x"), base) if len(text) < 400 else float("inf")
        except ValueError:
            raise RecipeError(_place(self.name, node.start_mark), f"'{text[:40]}' is no {kind}") from None
