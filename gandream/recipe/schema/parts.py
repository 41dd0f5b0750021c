"""Small pieces of JSON Schema: how numbers, times, curves, ranges and files look in text.

Patterns are ECMA-262, as JSON Schema wants them, and read alike by Python. What they leave open (brackets in an
expression, names that nothing has) is told when the recipe is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gandream.recipe.curve import EASES
from gandream.recipe.expression import MAX_CHARACTERS, NAMES
from gandream.recipe.fields import TimeCheck
from gandream.recipe.functions import FUNCTIONS
from gandream.recipe.times import UNITS, WRITTEN, Time

Schema = dict[str, Any]

NAMED = "$named"
"""Marks a piece that becomes a definition."""
NULL: Schema = {"type": "null"}
NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,39}$"
VARIABLE: Schema = {
    "description": "a variable of `vars`, as a whole value",
    "type": "string",
    "pattern": r"^\$[A-Za-z_][A-Za-z0-9_]*$",
}
OWN_NAME: Schema = {
    "description": "a name of your own, for expressions",
    "pattern": NAME_PATTERN,
    "not": {"enum": sorted({*NAMES, *FUNCTIONS, "and", "or", "not"})},
}
_FRACTION = r"[0-9]{1,12}/(?=[0-9]*[1-9])[0-9]{1,12}"
_NUMBER = rf"(?:{_FRACTION}|(?:[0-9]{{1,15}}(?:\.[0-9]{{0,30}})?|\.[0-9]{{1,30}})(?:[eE][+-]?[0-9]{{1,3}})?)"
_CLOCK = r"(?:[0-9]{1,3}:(?=[0-5][0-9]:))?[0-9]{1,4}:[0-5][0-9](?:\.[0-9]{1,9})?"
_EXPRESSION = r"^\s*[A-Za-z0-9_.(+-](?:[A-Za-z0-9_\s.,()+*/%<>#-]|[<>=!]=)*$"


def named(name: str, schema: Schema) -> Schema:
    """A piece that becomes a definition of this name wherever it stands; there, a variable may stand for it."""
    return {NAMED: name, **schema}


def one_of(*alternatives: Schema) -> Schema:
    """Any of some schemas; those that hold alternatives themselves are laid flat."""
    flat = [part for one in alternatives for part in (one["anyOf"] if set(one) == {"anyOf"} else [one])]
    unlike = [part for index, part in enumerate(flat) if part not in flat[:index]]
    return unlike[0] if len(unlike) == 1 else {"anyOf": unlike}


def text(pattern: str = "", **more: Any) -> Schema:
    """Text of this look."""
    return {"type": "string", **({"pattern": pattern} if pattern else {}), **more}


def whole(least: int = 0, most: int | None = None) -> Schema:
    """A whole number."""
    return {"type": "integer", "minimum": least, **({} if most is None else {"maximum": most})}


def listed(items: Schema, least: int = 0, most: int | None = None) -> Schema:
    """A list of things that look alike."""
    made: Schema = {"type": "array", "items": items}
    return {**made, **({"minItems": least} if least else {}), **({} if most is None else {"maxItems": most})}


def choice(words: Iterable[Any]) -> Schema:
    """Some words, and what each of them means where that is told."""
    names = list(words)
    told = list(words.values()) if isinstance(words, Mapping) else []
    means = {"enumDescriptions": told} if told and all(isinstance(one, str) for one in told) else {}
    return {"enum": names, **means}


def ending(suffixes: Iterable[str], after: str = "") -> Schema:
    """The name of a file that ends so, in any case; ``after`` may follow."""
    ends = "|".join(_any_case(one.removeprefix(".")) for one in suffixes)
    return text(rf"\.(?:{ends}){after}$")


FILE = text(minLength=1)
NOT_BLANK = text(r"\S")


def time_kind(check: TimeCheck) -> Schema:
    """How a time of this kind is written; what it may be is asked of the check itself."""
    zero, share = not check.problem(Time.seconds(0)), not check.problem(Time(Time.seconds(50).amount, "%"))
    return time(zero=zero, share=share, sections=check.sections)


def time(*, zero: bool, share: bool, sections: bool = False) -> Schema:
    """A time from 0 or above it, perhaps a percentage, or where a section begins."""
    number: Schema = {"type": "number", ("minimum" if zero else "exclusiveMinimum"): 0}
    units = "|".join(sorted((_any_case(unit) for unit in UNITS if unit not in ("", "%")), key=len, reverse=True))
    some = "" if zero else "(?=.*[1-9])"
    forms = [rf"\s*\+?{_NUMBER}\s*(?:{units}{'|%' if share else ''})?\s*", rf"\s*{_CLOCK}\s*"]
    forms += [r"\s*section\s+[0-9]{0,3}[1-9][0-9]{0,3}\s*"] if sections else []
    written = text(f"^{some}(?:{'|'.join(forms)})$")
    more = ", section 3" if sections else ""
    name = "moment" if sections else "time" if share else "duration" if zero else "length"
    return named(name, {"description": f"a time: {WRITTEN}{more}", "anyOf": [number, written]})


def _any_case(word: str) -> str:
    return "".join(f"[{letter.lower()}{letter.upper()}]" if letter.isalpha() else letter for letter in word)


EASE = named("ease", choice(EASES))
EXPRESSION = {**text(_EXPRESSION, maxLength=MAX_CHARACTERS), "description": "an expression, 0.5 + 0.3*kick"}


def curve(low: float = -1e300, high: float = 1e300) -> Schema:
    """A number, an expression, or keyframes; numbers that are written lie from ``low`` to ``high``."""
    number: Schema = {"type": "number"}
    number |= {"minimum": low, "maximum": high} if low > -1e9 else {}
    when = time(zero=True, share=True, sections=True)["anyOf"][1]["pattern"]
    frames: Schema = {
        "description": "keyframes: {0s: 0, 2 bars: 1, 50%: 0.2, ease: in_out_cubic}",
        "type": "object",
        "properties": {"ease": EASE},
        "patternProperties": {when: one_of(number, VARIABLE)},
        "additionalProperties": False,
        "minProperties": 1,
        "not": {"required": ["ease"], "maxProperties": 1},
    }
    name = "curve" if low <= -1e9 else f"curve_{low:g}_to_{high:g}"
    return named(name, {"anyOf": [number, EXPRESSION, frames]})


def seeds_range() -> Schema:
    """A range of seeds, `0-63`."""
    return {**text(r"^\s*[0-9]{1,12}\s*-\s*[0-9]{1,12}\s*$"), "description": "a range of seeds, 0-63"}


def span(digits: int) -> Schema:
    """Some of numbered things: `4-7`, `8-`."""
    return text(rf"^\s*[0-9]{{1,{digits}}}\s*-\s*([0-9]{{1,{digits}}})?\s*$")


def given(word: str, usual: Any = None) -> Schema:
    """Holds where a word is said, and not as null or as it is anyway."""
    return {"required": [word], "properties": {word: {"not": {"enum": [None] if usual is None else [None, usual]}}}}


def both(one: str, other: str) -> Schema:
    """Refuses two words at once."""
    return {"not": {"allOf": [given(one), given(other)]}}


def wants(word: str, *others: str, usual: Any = None) -> Schema:
    """Where a word is said, one of others is, too."""
    return {"if": given(word, usual), "then": {"anyOf": [given(other) for other in others]}}
