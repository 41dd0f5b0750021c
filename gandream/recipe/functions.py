"""The functions of expressions: what each takes and gives, in words, declared once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """A function of expressions: its arguments (those in brackets may be left out) and what it gives."""

    arguments: str
    help: str
    range: str = "any number"
    """The values that it can have."""
    example: str = ""

    @property
    def arity(self) -> tuple[int, int]:
        """Fewest and most arguments."""
        names = self.arguments.replace("[", " [").split(",")
        most = 16 if "..." in self.arguments else len(names)
        return sum("[" not in name and "..." not in name for name in names), most


_EASES = {
    "sine": "a quarter of a sine",
    "quad": "x²",
    "cubic": "x³",
    "quart": "x⁴",
    "quint": "x⁵",
    "circ": "a quarter of a circle",
    "expo": "a power of two",
    "back": "draws back first, beyond the ends by a tenth",
    "elastic": "swings like a spring, beyond the ends",
    "bounce": "bounces like a ball",
}
_WAYS = {"in": "slow at first", "out": "slow at the end", "in_out": "slow at both ends"}
_BEYOND = ("back", "elastic")

GROUPS: dict[str, dict[str, Function]] = {
    "Waves": {
        "sin": Function("x", "sine of an angle in radians", "-1 to 1", "sin(tau*beat/8)"),
        "cos": Function("x", "cosine of an angle in radians", "-1 to 1", "cos(tau*progress)"),
        "tri": Function("x", "triangle wave of period 1 that starts at 0 and rises", "-1 to 1", "tri(bar/4)"),
        "saw": Function("x", "sawtooth of period 1, from -1 up to 1", "-1 to 1", "saw(beat)"),
        "square": Function("x", "1 in the first half of each whole x, then -1", "-1 or 1", "square(beat/2)"),
        "pulse": Function(
            "x, [width]", "1 in the first share `width` (0.5) of each whole x, then 0", "0 or 1", "pulse(beat, 0.2)"
        ),
        "euclid": Function(
            "x, hits, steps",
            "1 during the steps that are hit, x counting them: `hits` laid as evenly as may be on `steps`",
            "0 or 1",
            "euclid(2*beat, 3, 8)",
        ),
    },
    "Shapes": {
        "clamp": Function("x, [low], [high]", "held between low (0) and high (1)", "low to high", "clamp(2*kick)"),
        "mix": Function("a, b, amount", "from a (amount 0) straight to b (amount 1)", example="mix(0.4, 1, level)"),
        "step": Function("edge, x", "0 below the edge, from there on 1", "0 or 1", "step(0.5, kick)"),
        "smoothstep": Function(
            "low, high, x", "0 below low, 1 above high, smooth between", "0 to 1", "smoothstep(8, 12, t)"
        ),
        "remap": Function(
            "x, a, b, c, d", "straight, so that a becomes c and b becomes d", example="remap(level, 0.2, 0.8, 1, 3)"
        ),
        "wrap": Function(
            "x, [low], [high]", "comes in at low (0) where it goes out at high (1)", "low to high", "wrap(beat, 0, 4)"
        ),
        "quantise": Function("x, size", "the nearest multiple of a size", example="quantise(level, 0.25)"),
        "db": Function("x", "decibels as a factor: 0 is 1, -6 about a half, 20 is 10", "above 0", "db(-6)"),
        "where": Function(
            "condition, a, b", "a where the condition isn't 0, else b", example="where(t > 10 and kick > 0.5, 1, 0)"
        ),
    },
    "Arithmetic": {
        "abs": Function("x", "without its sign", "0 up", "abs(sin(t))"),
        "sign": Function("x", "-1, 0 or 1", "-1 to 1", "sign(sin(t))"),
        "floor": Function("x", "the whole number below", "whole numbers", "floor(beat)"),
        "ceil": Function("x", "the whole number above", "whole numbers", "ceil(beat)"),
        "round": Function("x", "the nearest whole number, up at a half", "whole numbers", "round(4*level)"),
        "fract": Function("x", "what is after the point: x - floor(x)", "0 to 1", "fract(beat)"),
        "mod": Function("x, y", "what is left of x after whole y, with y's sign: x % y", "0 to y", "mod(beat, 4)"),
        "pow": Function("x, y", "x to the power y: x**y", example="pow(kick, 3)"),
        "sqrt": Function("x", "square root; x from 0 up", "0 up", "sqrt(level)"),
        "exp": Function("x", "e to the power x", "above 0", "exp(-4*fract(beat))"),
        "log": Function("x", "natural logarithm; x above 0", example="log(1 + level)"),
        "min": Function("a, b, ...", "the smallest", example="min(kick, level)"),
        "max": Function("a, b, ...", "the largest", example="max(kick, 0.2)"),
    },
    "Time": {
        "lag": Function(
            "x, seconds", "one-pole low-pass with this time constant; begins at x", example="lag(kick, 0.3)"
        ),
        "delay": Function(
            "x, seconds", "x as it was this long ago; before the film its first value", example="delay(kick, 0.25)"
        ),
        "envelope": Function(
            "x, attack, release",
            "follows x with one time constant, in seconds, up and another down; begins at x",
            example="envelope(kick, 0.02, 0.6)",
        ),
        "hold": Function(
            "x, every", "x as it was when the last whole `every` seconds began", example="hold(level, 0.5)"
        ),
        "sample": Function(
            "x, clock", "x as it was when the clock last passed a whole number", example="sample(level, bar)"
        ),
        "integral": Function(
            "x", "x added up over time, per second, from 0 on: a phase from a speed", example="integral(0.2 + level)"
        ),
        "unit": Function(
            "x", "x brought to 0..1: its lowest of the whole film is 0, its highest 1", "0 to 1", "unit(level)"
        ),
        "slope": Function("x", "how fast x changes, per second", example="max(slope(level), 0)"),
    },
    "Chance": {
        "noise": Function(
            "x, [seed]", "smooth noise, about one wave per unit of x, 0 at whole x", "-1 to 1", "noise(t/3, 7)"
        ),
        "random": Function(
            "x, [seed]", "by chance, another number for each whole x", "0 to 1", "random(beat, 7)"
        ),
    },
    "Eases": {
        f"{way}_{name}": Function(
            "x",
            f"{about}, {slow}; x from 0 to 1",
            "0 to 1 and a little beyond" if name in _BEYOND else "0 to 1",
            f"{way}_{name}(progress)",
        )
        for name, about in _EASES.items()
        for way, slow in _WAYS.items()
    },
}  # fmt: skip
"""Headings, with the functions under each."""

FUNCTIONS: dict[str, Function] = {name: one for group in GROUPS.values() for name, one in group.items()}
