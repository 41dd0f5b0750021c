# ruff: noqa: PT017 (the test is that text is read or refused)
from __future__ import annotations

import ast
import operator
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gandream.recipe.expression import FUNCTIONS, MAX_NODES, NAMES, ExpressionError, Node, names_in, parse

OPERATIONS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "**": operator.pow,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "negative": operator.neg,
    "positive": operator.pos,
    "not": operator.not_,
}
KNOWN = {"x": 0.75, "y": -2.0, "min": min, "max": max, "abs": abs}


def evaluate(node: Node):
    """The tree with Python's own meaning of everything in it."""
    if node.kind == "number":
        return node.value
    if node.kind == "name":
        return KNOWN[node.value]
    if node.value == "and":
        return evaluate(node.parts[0]) and evaluate(node.parts[1])
    if node.value == "or":
        return evaluate(node.parts[0]) or evaluate(node.parts[1])
    parts = [evaluate(part) for part in node.parts]
    return KNOWN[node.value](*parts) if node.kind == "call" else OPERATIONS[node.value](*parts)


def outcome(function, *arguments):
    try:
        return repr(function(*arguments))
    except (ArithmeticError, TypeError) as error:
        return type(error)


_ALLOWED = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.Name,
    ast.Constant,
    ast.Call,
    ast.Load,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
)


def in_our_language(text: str) -> bool:
    """Whether Python reads the text, and as something that our grammar has too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        return False
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED) or (isinstance(node, ast.Compare) and len(node.ops) > 1):
            return False
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Name) and node.func.id in ("min", "max", "abs")
        ):
            return False
        if isinstance(node, ast.Call) and len(node.args) != {"abs": 1}.get(node.func.id, 2):
            return False
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    bare = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called]
    return all(node.id in ("x", "y") for node in bare)


# Texts that mostly are expressions: operands between operators, with prefixes and brackets.
_operand = st.sampled_from(["2.0", "0.5", "3.", ".25", "x", "y", "0.0"])
_operator = st.sampled_from([*"+-*/%<>", "**", "<=", ">=", "==", "!=", "and", "or"])
_prefix = st.sampled_from(["", "", "", "-", "+", "- -", "not"])


def _joined(inner):
    pair = st.tuples(inner, _operator, inner).map(" ".join)
    return (
        pair
        | st.tuples(pair, _operator, inner).map(" ".join)
        | st.tuples(_prefix, inner).map(" ".join)
        | inner.map("({})".format)
        | inner.map("abs({})".format)
        | st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda part: "{}({}, {})".format(*part))
    )


_expressions = st.recursive(_operand, _joined, max_leaves=12)
_tokens = st.lists(st.sampled_from([*"()+-*%<", "**", "==", "and", "or", "not", "x", "2.0", "abs("]), max_size=10).map(
    " ".join
)


@given(_expressions | _tokens)
@example("- 2.0 ** 2.0")
@example("2.0 ** - x ** 2.0")
@example("not x == y and not 0.0 or x")
@example("2.0 - 3. - .25")
@example("- y % 3.")
@settings(max_examples=400, deadline=None)
def test_means_what_python_means(text):
    try:
        tree = parse(text)
    except ExpressionError as error:
        assert not in_our_language(text), error
        return
    compiled = compile(text.strip(), "", "eval")  # a text that we read, Python must read
    assert outcome(evaluate, tree) == outcome(eval, compiled, {"__builtins__": {}}, dict(KNOWN))


@given(
    st.lists(st.sampled_from(["x", "kick", "bass_2"]), min_size=1, max_size=9),
    st.sampled_from([" + ", "*(0.5-", "  and not "]),
)
def test_columns_point_at_the_names(names, between):
    text = between.join(names) + ")" * between.count("(") * (len(names) - 1)
    found = list(names_in(parse(text)))
    assert [node.value for node in found] == names
    assert all(text.startswith(str(node.value), node.column) for node in found)


@given(st.text(max_size=40) | st.text(alphabet="0123456789.eE+-*/%()<>=!, abkx_#'\"\n", max_size=60))
def test_any_text_is_read_or_refused_with_a_column(text):
    try:
        assert isinstance(parse(text), Node)
    except ExpressionError as error:
        assert 0 <= error.column <= len(text)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 0, "something is missing here"),
        ("   ", 0, "something is missing here"),
        ("1 +", 3, "something is missing"),
        ("__import__('os')", 11, "can't read '''"),
        ("exec(x)", 0, "no function 'exec'"),
        ("__import__(x)", 0, "no function '__import__'"),
        ("lambda: 1", 6, "can't read ':'"),
        ("[x for x in y]", 0, r"can't read '\['"),
        ("f'{x}'", 1, "can't read '''"),
        ("1; 2", 1, "can't read ';'"),
        ("1\n2", 2, "did not expect '2'"),
        ("x if y else 1", 2, "did not expect 'if'"),
        ("1 + кick", 4, "can't read 'к'"),
        ("ｋ", 0, "can't read"),
        ("٣ + 1", 0, "can't read '٣'"),
        ("1 + \x07", 4, r"can't read the character U\+0007"),
        ("x" * 1001, 0, "at most 1000 characters; this one has 1001"),
        ("1+" * 200 + "1", 199, "at most 200 parts"),
        ("(" * 51 + "1" + ")" * 51, 50, "at most 50 deep"),
        ("-" * 51 + "1", 50, "at most 50 deep"),
        ("not " * 51 + "1", 200, "at most 50 deep"),
        ("2**" * 51 + "1", 151, "at most 50 deep"),
        ("sin(" * 51 + "1" + ")" * 51, 200, "at most 50 deep"),
        ("1e999", 0, "1e999 is too large"),
        ("2 * 1e999", 4, "too large"),
        ("(1 + 2", 6, r"wanted '\)'"),
        ("1 + 2)", 5, r"did not expect '\)'"),
        ("sin(1,, 2)", 6, "did not expect ','"),
        ("sin(", 4, "something is missing"),
        ("2kick", 1, "did not expect 'kick'"),
        ("0,5", 1, "did not expect ','"),
        ("1 < t < 2", 6, "can't be chained"),
        ("a ^ b", 2, r"can't read '\^'"),
        ("a = b", 2, "can't read '='"),
        ("kick.", 5, "after 'kick.'"),
        ("1 // 2", 3, "did not expect '/'"),
        ("1.2.3", 3, r"did not expect '\.'"),
        ("1 and", 5, "something is missing"),
        ("a b", 2, "did not expect 'b'"),
        ("sin()", 0, r"written sin\(x\); here it has no arguments"),
        ("2 * min(1)", 4, r"here it has 1 argument$"),
        ("clamp(1, 2, 3, 4)", 0, "4 arguments"),
        ("max(" + ",".join("1" * 17) + ")", 0, "17 arguments"),
        ("sni(t)", 0, "no function 'sni'"),
        ("chroma.C##", 9, "can't read '#'"),
    ],
)
def test_mistakes_are_told_at_their_column(text, column, words):
    with pytest.raises(ExpressionError, match=words) as caught:
        parse(text)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a ^ b", "**"),
        ("chroma[0]", "chroma.C"),
        ("a && b", "`and`"),
        ("a | b", "`or`"),
        ("a = b", "=="),
        ("!a", "`not`"),
        ("$a", "no $"),
        ("2 × 3", "Write *"),
        ("3 − 1", "plain -"),
        ("2 π", "pi"),
        ("0,5", "point"),
        ("2 kick", "operator"),
        ("(1))", "bracket too many"),
        ("1 < 2 < 3", "a < b and b < c"),
        ("smothstep(0, 1, t)", "smoothstep"),
        ("wobble(t)", "Functions: sin, cos"),
    ],
)
def test_hints(text, hint):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9",
        "-" * 50 + "1",
        "(" * 50 + "1" + ")" * 50,
        "1" * 300,
        "+".join("1" * (MAX_NODES // 2)),
        "x" * 1000,
        "\tt\n+\n1 ",
    ],
)
def test_what_looks_bad_but_is_fine(text):
    assert parse(text)


def test_indices_are_names_pitches_and_numbers():
    found = [
        (node.kind, node.value, node.parts[0].value) for node in names_in(parse("chroma.C# * mel.3 + chroma.Db*k.low"))
    ]
    assert found == [("index", "C#", "chroma"), ("index", "3", "mel"), ("index", "Db", "chroma"), ("index", "low", "k")]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_what_they_declare(name):
    least, most = FUNCTIONS[name].arity
    for number in range(most + 2):
        text = f"{name}({', '.join('1' * number)})"
        if least <= number <= most:
            assert parse(text).kind == "call"
        else:
            with pytest.raises(ExpressionError, match=f"written {name}"):
                parse(text)


def test_names_and_functions_are_told_apart():
    assert not set(NAMES) & set(FUNCTIONS)
    assert all({**NAMES, **{name: function.help for name, function in FUNCTIONS.items()}}.values())
