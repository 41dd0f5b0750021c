"""Reading YAML without surprises: the 1.2 core schema, no tags, no duplicate keys, limits checked while reading.

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

from gandream.base.assets import BUNDLED, recipes
from gandream.base.errors import RecipeError, did_you_mean, listed
from gandream.recipe.text import Text

MAX_BYTES, MAX_DEPTH, MAX_ALIASES, MAX_VALUES = 256_000, 50, 1000, 20_000

Key = str | int | float
Path_ = tuple[Key, ...]


@dataclass(frozen=True)
class Mark:
    """A place in a source: name of the file (or option), lines and columns from 1 (0: none) of a key and its value."""

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
    merged: bool = False
    """Whether the tree holds more than the text: what it includes."""

    def mark(self, path: Path_) -> Mark:
        """The place of a path, or of the nearest part above it that was written."""
        for end in range(len(path), -1, -1):
            if found := self.marks.get(tuple(path[:end])):
                return found
        return Mark(self.file)


@dataclass(frozen=True)
class _Source:
    """A text and its name; the place of things in a ``--set`` (``lines`` false) is its name alone."""

    text: str
    name: str
    lines: bool = True

    def place(self, line: int, column: int) -> str:
        return f"{self.name}:{line + 1}:{column + 1}" if self.lines else self.name

    def at(self, mark: Any) -> str:
        return self.place(mark.line, mark.column)

    def at_index(self, index: int) -> str:
        return self.place(self.text.count("\n", 0, index), index - self.text.rfind("\n", 0, index) - 1)


class _Yaml(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML's reader up to nodes, with the core schema of YAML 1.2 instead of its own 1.1, and with limits."""

    def __init__(self, source: _Source):
        self.source, self.levels, self.aliases, self.values = source, 0, 0, 0
        Reader.__init__(self, source.text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)

    def get_event(self) -> Any:
        """The next event; they are read lazily, and the first that passes a limit ends the reading."""
        event = super().get_event()
        self.levels += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        self.aliases += isinstance(event, yaml.AliasEvent)
        self.values += isinstance(event, yaml.NodeEvent)
        for number, limit, things in (
            (self.levels, MAX_DEPTH, "levels deep"),
            (self.aliases, MAX_ALIASES, "aliases"),
            (self.values, MAX_VALUES, "values"),
        ):
            if number > limit:
                hint = "No recipe needs that; is the file damaged?"
                raise RecipeError(self.source.at(event.start_mark), f"more than {limit} {things}", hint)
        return event


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
_PATTERNS = {name: re.compile(f"(?:{pattern})$") for name, pattern, _ in _CORE}
_KINDS = {"null": "null", "bool": "true or false", "int": "a whole number", "float": "a number"}
for _name, _, _first in _CORE:
    _Yaml.add_implicit_resolver(_TAG + _name, _PATTERNS[_name], _first)


def read_document(file: Path, name: str | None = None) -> Document:
    """Read a recipe file; RecipeError for a file that isn't there, isn't text, or isn't YAML within the limits."""
    file = _shipped(file)
    name = name or str(file)
    try:
        with open(file, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise RecipeError(name, "this is a folder; wanted a recipe file", _recipes_in(file)) from None
    except FileNotFoundError:
        raise RecipeError(name, "no such file", _recipes_in(file.parent, file.name)) from None
    except (OSError, ValueError) as error:
        raise RecipeError(
            name, f"can't read this file: {getattr(error, 'strerror', None) or error}", "May you read it?"
        ) from None
    if len(data) > MAX_BYTES:
        raise RecipeError(name, f"a recipe has at most {MAX_BYTES // 1000} kB", "Is this a recipe?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        where = _Source(before, name).at_index(len(before))
        raise RecipeError(where, "from here on this isn't UTF-8 text", "Is this a recipe? Save it as UTF-8.") from None
    return document_of(text, name, file.absolute().parent)


def document_of(text: str, name: str, folder: Path) -> Document:
    """The document of a recipe's text; relative file names in it start from ``folder``."""
    tree, marks = read_text(text, name, folder)
    if tree is None:
        raise RecipeError(name, "the recipe is empty", "A first line could be `model: cppn#7`.")
    if not isinstance(tree, dict):
        what = "a list" if isinstance(tree, list) else "a single value"
        raise RecipeError(marks[()].at(), f"this is {what}; a recipe is words with values, such as `model: cppn#7`")
    return Document(tree, marks, text, name)


def _shipped(file: Path) -> Path:
    """The file of a recipe that ships, where one is named as `bundled:music_viz`; any other stays as it is."""
    word, known = str(file), recipes()
    if not word.startswith(BUNDLED) or file.exists():
        return file
    name = word.removeprefix(BUNDLED).removesuffix(".yaml")
    if name not in known:
        hint = did_you_mean(name, known) or f"There is: {listed(known, 40)}."
        raise RecipeError(word, "no such recipe ships with gandream", hint)
    return known[name]


def _recipes_in(folder: Path, wanted: str = "") -> str:
    if (stem := Path(wanted).stem) in recipes():
        return f"This one ships with gandream: {BUNDLED}{stem}"
    try:
        found = sorted(file.name for file in folder.iterdir() if file.suffix in (".yaml", ".yml"))
    except OSError:
        return ""
    found = [name for name in found if not name.startswith(".")]
    near, place = did_you_mean(wanted, found), "here" if folder == Path() else f"in {folder}"
    return near or (f"Recipes {place}: {listed(found, 12)}." if found else "")


def read_text(text: str, name: str, folder: Path, *, lines: bool = True) -> tuple[Any, dict[Path_, Mark]]:
    """Read YAML text to plain data and marks; relative file names in it will start from ``folder``."""
    source = _Source(text, name, lines)
    try:
        node = _Yaml(source).get_single_node()
    except ReaderError as error:
        problem = f"YAML doesn't allow the invisible character U+{ord(text[error.position]):04X} that stands here"
        raise RecipeError(source.at_index(error.position), problem, "Remove it; is the file damaged?") from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, source) from None
    if node is None:
        return None, {}
    builder = _Builder(source, folder)
    return builder.build(node, (), None), builder.marks


def _syntax_error(error: yaml.MarkedYAMLError, source: _Source) -> RecipeError:
    mark, context = error.problem_mark or error.context_mark, error.context or ""
    where = source.at(mark) if mark else source.name
    if mark and source.text[mark.index : mark.index + 1] == "\t":
        return RecipeError(where, "YAML is indented with spaces; here is a tab", "Replace the tab with spaces.")
    if "expected a single document" in context:
        return RecipeError(where, "a second document begins here (---); a recipe is one", "Make two files of it.")
    if "duplicate anchor" in context:
        return RecipeError(where, context.partition(";")[0], "Give each anchor (&) a name of its own.")
    if context and source.lines and error.context_mark and mark and error.context_mark.line != mark.line:
        context += f" that begins on line {error.context_mark.line + 1}"
    return RecipeError(where, f"not valid YAML: {error.problem}{context and f' ({context})'}", _advice(error))


def _advice(error: yaml.MarkedYAMLError) -> str:
    problem, context = error.problem or "", error.context or ""
    if "quoted scalar" in context:
        return "A quote is opened and never closed."
    if "mapping values" in problem:
        return "If this is text with ':' or '#' in it, put it in quotes."
    if "could not find expected ':'" in problem or "expected <block end>" in problem:
        return "Is a ':' missing, a quote left open, or a line indented otherwise than its neighbours?"
    if "flow" in context:
        return "Is a bracket left open, or a comma missing?"
    return "A value that begins with a sign such as % @ ` * & ! wants quotes." if "scanning" in context else ""


class _Builder:
    """Turns nodes into plain data; what aliases repeat is counted as often as it is repeated."""

    def __init__(self, source: _Source, folder: Path):
        self.source, self.folder, self.values = source, folder, 0
        self.marks: dict[Path_, Mark] = {}
        self.open: set[int] = set()

    def build(self, node: yaml.Node, path: Path_, key: yaml.Node | None) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            problem = f"aliases (*) repeat things into more than {MAX_VALUES} values"
            raise RecipeError(self.source.at((key or node).start_mark), problem, "No recipe needs that.")
        self.marks[path] = self.mark(node, key)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if id(node) in self.open:
            raise RecipeError(self.source.at(node.start_mark), "an alias (*) that holds itself", "Write the words out.")
        self.open.add(id(node))
        built = self.mapping(node, path) if isinstance(node, yaml.MappingNode) else self.sequence(node, path)
        self.open.discard(id(node))
        return built

    def mark(self, node: yaml.Node, key: yaml.Node | None) -> Mark:
        start, place, plain = (key or node).start_mark, node.start_mark, False
        line, column = place.line, place.column
        if isinstance(node, yaml.ScalarNode) and node.style in (None, "'", '"'):
            end = node.end_mark.index - (node.style is not None)
            begin = end - len(node.value)
            plain = self.source.text[begin:end] == node.value and "\n" not in node.value
            if plain:  # an anchor or a tag may stand before the text
                line, column = node.end_mark.line, node.end_mark.column - (node.end_mark.index - begin)
        return Mark(self.source.name, start.line + 1, start.column + 1, line + 1, column + 1, plain)

    def refuse_tag(self, node: yaml.Node, known: tuple[str, ...]) -> None:
        if node.tag not in {_TAG + tag for tag in known}:
            problem = f"the tag {node.tag.replace(_TAG, '!!')[:60]} has no meaning in a recipe"
            raise RecipeError(self.source.at(node.start_mark), problem, "Remove it: a recipe is data.")

    def sequence(self, node: yaml.Node, path: Path_) -> list[Any]:
        self.refuse_tag(node, ("seq",))
        return [self.build(item, (*path, index), None) for index, item in enumerate(node.value)]

    def mapping(self, node: yaml.MappingNode, path: Path_) -> dict[Key, Any]:
        self.refuse_tag(node, ("map",))
        built: dict[Key, Any] = {}
        lines: dict[Key, int] = {}
        for key_node, value_node in node.value:
            where = self.source.at(key_node.start_mark)
            key = self.scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str | int | float) or isinstance(key, bool) or key == "" or key != key:
                raise RecipeError(where, "a key must be a word or a number", "Put it in quotes.")
            key = str(key) if isinstance(key, str) else key
            if key in built:
                on = f" on line {lines[key]}" if self.source.lines else ""
                raise RecipeError(where, f"'{str(key)[:40]}' was already given{on}", "Keep one of the two.")
            lines[key] = key_node.start_mark.line + 1
            built[key] = self.build(value_node, (*path, key), key_node)
        return built

    def scalar(self, node: yaml.ScalarNode) -> Any:
        self.refuse_tag(node, ("null", "bool", "int", "float", "str"))
        kind, text = node.tag.removeprefix(_TAG), node.value
        if kind == "str":
            return Text(self.characters(node), self.folder)
        if not _PATTERNS[kind].match(text):
            raise RecipeError(
                self.source.at(node.start_mark), f"'{text[:40]}' isn't {_KINDS[kind]}", "Leave the tag (!!) out."
            )
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "float":
            return float(re.sub(r"\.(inf|nan)", r"\1", text.lower()))
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text.removeprefix("0o").removeprefix("0x"), base) if len(text) < 400 else float("inf")

    def characters(self, node: yaml.ScalarNode) -> str:
        """The text; a pair of escapes, as JSON writes 😀, becomes one character."""
        try:
            return node.value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise RecipeError(
                self.source.at(node.start_mark), "half a character: \\ud800 to \\udfff come in pairs"
            ) from None
