"""Curves: numbers that may change over time. A constant, an expression, or keyframes, in any field that takes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from gandream.base.errors import did_you_mean, listed
from gandream.recipe.expression import ExpressionError, Node, parse
from gandream.recipe.fields import wrong
from gandream.recipe.times import Time, parse_time

EASES: dict[str, str] = {
    "linear": "evenly",
    "hold": "stays, then jumps",
    "smooth": "smoothstep: slow, fast, slow",
    "soft": "half as much",
    "in_sine": "starts slowly", "out_sine": "ends slowly", "in_out_sine": "slow, fast, slow",
    "in_quad": "starts slowly", "out_quad": "ends slowly", "in_out_quad": "slow, fast, slow",
    "in_cubic": "starts slowly", "out_cubic": "ends slowly", "in_out_cubic": "slow, fast, slow",
    "in_quart": "starts slowly", "out_quart": "ends slowly", "in_out_quart": "slow, fast, slow",
    "in_quint": "starts slowly", "out_quint": "ends slowly", "in_out_quint": "slow, fast, slow",
    "in_circ": "starts slowly, ends fast", "out_circ": "starts fast, ends slowly", "in_out_circ": "slow, fast, slow",
    "in_expo": "starts very slowly", "out_expo": "ends very slowly", "in_out_expo": "stands, darts, stands",
    "in_back": "draws back first", "out_back": "overshoots", "in_out_back": "draws back, overshoots",
    "in_bounce": "bounces at first", "out_bounce": "bounces at the end", "in_out_bounce": "bounces at both ends",
    "in_elastic": "swings at first", "out_elastic": "swings at the end", "in_out_elastic": "swings in the middle",
}  # fmt: skip


@dataclass(frozen=True)
class Constant:
    """The same value at every frame."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:.12g}"


@dataclass(frozen=True)
class Expression:
    """A formula of time, music and variables."""

    text: str
    tree: Node

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Keyframes:
    """Values at times, eased from one to the next; held before the first and after the last."""

    times: tuple[Time, ...]
    values: tuple[float, ...]
    ease: str = "linear"

    def __str__(self) -> str:
        pairs = [f"{time}: {value:.12g}" for time, value in zip(self.times, self.values, strict=True)]
        return "{" + ", ".join([*pairs, *([f"ease: {self.ease}"] if self.ease != "linear" else [])]) + "}"


AnyCurve = Constant | Expression | Keyframes
_WANTED = "wanted a number, an expression such as '0.5 + 0.3*kick', or keyframes such as {0s: 0, 2 bars: 1}"


def read_curve(value: Any) -> AnyCurve:
    """Read a curve from what was written in the recipe."""
    if isinstance(value, Constant | Expression | Keyframes):
        return value
    if isinstance(value, dict):
        return _keyframes(value)
    if isinstance(value, str):
        try:
            return Expression(str(value), parse(value))
        except ExpressionError as error:
            raise wrong(error.problem, error.hint, column=error.column) from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(_WANTED)
    return Constant(_finite(value, None))


def _finite(value: Any, key: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("a keyframe's value is a number", key=key)
    if not abs(value) < 1e300:
        raise wrong("the number must be finite", key=key)
    return float(value)


def _keyframes(written: dict[Any, Any]) -> Keyframes:
    ease = written.get("ease", "linear")
    if not isinstance(ease, str) or ease not in EASES:
        raise wrong(f"wanted an ease: {listed(EASES)}", did_you_mean(str(ease), EASES), key="ease")
    times, values = [], []
    for key, value in written.items():
        if key == "ease":
            continue
        try:
            time = parse_time(key, sections=True)
        except ValueError as error:
            raise wrong(f"a keyframe's key is a time; {error}", did_you_mean(str(key), ["ease"]), key=key) from None
        if time.amount < 0:
            raise wrong("a time can't be negative here", key=key)
        if times and times[-1].unit == time.unit and times[-1].amount >= time.amount:
            raise wrong(f"keyframes must rise in time; {times[-1]} comes before this", key=key)
        times.append(time)
        values.append(_finite(value, key))
    if not times:
        raise wrong(_WANTED)
    return Keyframes(tuple(times), tuple(values), str(ease))


def curve_written(curve: AnyCurve) -> Any:
    """What the recipe would say of a curve."""
    if isinstance(curve, Constant):
        return curve.value
    if isinstance(curve, Expression):
        return curve.text
    return {**{str(t): v for t, v in zip(curve.times, curve.values, strict=True)}, "ease": curve.ease}


Curve = Annotated[
    AnyCurve,
    BeforeValidator(read_curve),
    PlainSerializer(curve_written),
    WithJsonSchema({"type": ["number", "string", "object"], "description": _WANTED}),
]
