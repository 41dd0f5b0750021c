"""The expression language of curves: declared names and functions, and a parser that can't be made to run anything.

Grammar, loosest first: ``or``; ``and``; ``not``; comparisons (1 or 0); ``+ -``; ``* / %``; unary ``-``; ``**``
(right to left); numbers, names, ``chroma.C``, calls, brackets. Limits: 1000 characters, 200 nodes, 50 deep.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gandream.base.errors import did_you_mean, listed
from gandream.recipe.functions import FUNCTIONS, Function

__all__ = ["FUNCTIONS", "NAMES", "ExpressionError", "Function", "Node", "names_in", "parse"]

MAX_CHARACTERS, MAX_NODES, MAX_DEPTH = 1000, 200, 50

NAMES: dict[str, str] = {
    "t": "seconds since the film began",
    "frame": "number of the frame, from 0",
    "progress": "0 at the first frame, rising to 1 at the film's end",
    "beat": "beats since the first beat, continuous",
    "bar": "bars since the first bar, continuous",
    "bpm": "tempo in beats per minute",
    "fps": "frames per second",
    "duration": "seconds that the film lasts",
    "scene_t": "seconds since the scene began; in a film without scenes the same as t",
    "scene_progress": "0 where the scene begins, rising to 1 at its end",
    "cell": "number of the cell in a grid, from 0, row by row; 0 without a grid",
    "column": "its column, from 0",
    "row": "its row, from 0",
    "cells": "how many cells the grid has; 1 without a grid",
    "columns": "how many columns it has",
    "rows": "how many rows it has",
    "pi": "3.14159…",
    "tau": "2 pi",
}
BEAT_NAMES = frozenset({"beat", "bar", "bpm"})


@dataclass(frozen=True)
class Node:
    """A piece of an expression: what kind it is, its operator, name or number, and where it stands (column from 0)."""

    kind: str
    value: str | float
    parts: tuple[Node, ...]
    column: int


class ExpressionError(ValueError):
    """A mistake in an expression, with the column (from 0) at which it stands."""

    def __init__(self, problem: str, column: int, hint: str = ""):
        super().__init__(problem)
        self.problem, self.column, self.hint = problem, column, hint


@dataclass(frozen=True)
class Token:
    """A number, name or sign of an expression, and its column (from 0)."""

    kind: str
    text: str
    column: int


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|(?<![\w#])\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|[-+*/%<>(),.]))",
    re.ASCII,
)
_END = "the end"
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


def parse(text: str) -> Node:
    """Read an expression into a tree; ExpressionError says what is wrong and at which column."""
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"an expression has at most {MAX_CHARACTERS} characters; this one has {len(text)}", 0)
    parser = _Parser(_tokens(text))
    tree = parser.disjunction()
    parser.expect(_END)
    return tree


def names_in(tree: Node) -> Iterator[Node]:
    """Every use of a name in the tree, with or without an index."""
    if tree.kind in ("name", "index"):
        yield tree
        return
    for part in tree.parts:
        yield from names_in(part)


def _tokens(text: str) -> list[Token]:
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            column = position + len(text[position:]) - len(text[position:].lstrip())
            raise ExpressionError(f"can't read {_shown(text[column])} here", column, _instead(text[column]))
        kind = match.lastgroup or ""
        tokens.append(Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
        if kind == "name" and text[position : position + 1] == "#":  # pitch names: chroma.C#
            tokens[-1] = Token(kind, tokens[-1].text + "#", tokens[-1].column)
            position += 1
    return [*tokens, Token(_END, _END, end)]


def _shown(character: str) -> str:
    return f"'{character}'" if character.isprintable() else f"the character U+{ord(character):04X}"


def _instead(character: str) -> str:
    return {
        "^": "Powers are written **.",
        "[": "One band of a signal is written chroma.C.",
        "&": "Write `and`.",
        "|": "Write `or`.",
        "=": "To compare, write ==.",
        "!": "Write `not`.",
        "$": "A variable has no $ in an expression: write its name alone.",
        "×": "Write *.",
        "·": "Write *.",
        "÷": "Write /.",
        "−": "This is a typographer's minus; write a plain -.",
        "–": "This is a dash; write a plain -.",
        "π": "Write pi.",
    }.get(character, "")


class _Parser:
    def __init__(self, tokens: list[Token]):
        self.tokens, self.position, self.nodes, self.depth = tokens, 0, 0, 0

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def take(self, *texts: str) -> Token | None:
        token = self.next
        if token.text not in texts or token.kind == "number":
            return None
        self.position += 1
        return token

    def expect(self, text: str) -> None:
        if self.take(text) is not None:
            return
        got = self.next
        if got.kind == _END:
            raise ExpressionError(f"wanted '{text}' here, but the expression ends", got.column)
        hint = f"Wanted '{text}'."
        if got.text == ",":
            hint = "A comma only parts the arguments of a function; decimals have a point: 0.5"
        elif got.kind != "sign" or got.text == "(":
            hint = "Is an operator such as * or + missing before it?"
        elif text == _END:
            hint = "Is there a bracket too many?" if got.text == ")" else ""
        raise ExpressionError(f"did not expect '{got.text}' here", got.column, hint)

    def node(self, kind: str, value: str | float, column: int, *parts: Node) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ExpressionError(f"an expression has at most {MAX_NODES} parts", column)
        return Node(kind, value, parts, column)

    def deeper(self, column: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"an expression nests at most {MAX_DEPTH} deep", column)

    def chain(self, part, *operators: str) -> Node:
        left = part()
        while token := self.take(*operators):
            left = self.node("operation", token.text, token.column, left, part())
        return left

    def disjunction(self) -> Node:
        return self.chain(self.conjunction, "or")

    def conjunction(self) -> Node:
        return self.chain(self.negation, "and")

    def negation(self) -> Node:
        if token := self.take("not"):
            return self.prefixed("not", token, self.negation)
        return self.comparison()

    def comparison(self) -> Node:
        left = self.total()
        if token := self.take(*_COMPARISONS):
            left = self.node("operation", token.text, token.column, left, self.total())
            if self.next.text in _COMPARISONS:
                raise ExpressionError("comparisons can't be chained", self.next.column, "Write `a < b and b < c`.")
        return left

    def total(self) -> Node:
        return self.chain(self.product, "+", "-")

    def product(self) -> Node:
        return self.chain(self.signed, "*", "/", "%")

    def signed(self) -> Node:
        if token := self.take("-", "+"):
            return self.prefixed("negative" if token.text == "-" else "positive", token, self.signed)
        return self.power()

    def prefixed(self, kind: str, token: Token, operand) -> Node:
        self.deeper(token.column)
        tree = self.node("operation", kind, token.column, operand())
        self.depth -= 1
        return tree

    def power(self) -> Node:
        base = self.atom()
        if token := self.take("**"):
            self.deeper(token.column)
            base = self.node("operation", "**", token.column, base, self.signed())
            self.depth -= 1
        return base

    def atom(self) -> Node:
        token = self.next
        self.position += token.kind != _END
        if token.kind == "number":
            return self.number(token)
        if token.kind == "name" and token.text not in ("and", "or", "not"):
            if self.next.text == "(":
                return self.call(token)
            return self.index(token) if self.take(".") else self.node("name", token.text, token.column)
        if token.text == "(" and token.kind == "sign":
            self.deeper(token.column)
            tree = self.disjunction()
            self.expect(")")
            self.depth -= 1
            return tree
        wanted = "something is missing here: a number, a name or a bracket"
        raise ExpressionError(wanted if token.kind == _END else f"did not expect '{token.text}' here", token.column)

    def number(self, token: Token) -> Node:
        value = float(token.text)
        if value == float("inf"):
            raise ExpressionError(f"the number {token.text[:20]} is too large", token.column)
        return self.node("number", value, token.column)

    def index(self, name: Token) -> Node:
        part = self.next
        if part.kind not in ("name", "number"):
            raise ExpressionError(f"after '{name.text}.' comes the name of one of its bands", part.column)
        self.position += 1
        return self.node("index", part.text, name.column, Node("name", name.text, (), name.column))

    def call(self, name: Token) -> Node:
        function = FUNCTIONS.get(name.text)
        if function is None:
            hint = did_you_mean(name.text, FUNCTIONS) or f"Functions: {listed(FUNCTIONS, 40)}."
            raise ExpressionError(f"there is no function '{name.text[:60]}'", name.column, hint)
        self.deeper(name.column)
        arguments = []
        self.expect("(")
        if self.next.text != ")":
            arguments.append(self.disjunction())
            while self.take(","):
                arguments.append(self.disjunction())
        self.expect(")")
        self.depth -= 1
        least, most = function.arity
        if not least <= len(arguments) <= most:
            problem = f"{name.text} is written {name.text}({function.arguments}); here it has {len(arguments) or 'no'}"
            raise ExpressionError(f"{problem} argument{'s' * (len(arguments) != 1)}", name.column)
        return self.node("call", name.text, name.column, *arguments)
