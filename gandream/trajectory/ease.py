"""Eases: how a value goes from 0 to 1. Table word -> function of x in [0, 1] (after Penner 2002, chapter 7).

All begin at exactly 0 and end at exactly 1, so that keyframes and waypoints are met to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Shape = Callable[[np.ndarray], np.ndarray]


def _out(shape: Shape) -> Shape:
    return lambda x: 1 - shape(1 - x)


def _in_out(shape: Shape) -> Shape:
    return lambda x: np.where(x < 0.5, shape(2 * np.minimum(x, 0.5)) / 2, 1 - shape(2 * np.minimum(1 - x, 0.5)) / 2)


def _in_expo(x: np.ndarray) -> np.ndarray:
    return (np.exp2(10 * x) - 1) / 1023


def _in_back(x: np.ndarray) -> np.ndarray:
    return x * x * (x + 1.70158 * (x - 1))  # draws back by a tenth


def _out_elastic(x: np.ndarray) -> np.ndarray:
    swing = np.exp2(-10 * x) * np.sin((x - 0.075) * 2 * np.pi / 0.3) + 1
    return np.where(x <= 0, 0.0, np.where(x >= 1, 1.0, swing))


def _out_bounce(x: np.ndarray) -> np.ndarray:
    parabola = 7.5625
    return np.select(
        [x < 1 / 2.75, x < 2 / 2.75, x < 2.5 / 2.75],
        [
            parabola * x**2,
            parabola * (x - 1.5 / 2.75) ** 2 + 0.75,
            parabola * (x - 2.25 / 2.75) ** 2 + 0.9375,
        ],
        parabola * (x - 2.625 / 2.75) ** 2 + 0.984375,
    )


_INS: dict[str, Shape] = {
    "sine": lambda x: 1 - np.sin((1 - x) * np.pi / 2),  # 1 - cos(x pi / 2), which misses 1 by a bit
    "quad": lambda x: x**2,
    "cubic": lambda x: x**3,
    "quart": lambda x: x**4,
    "quint": lambda x: x**5,
    "circ": lambda x: 1 - np.sqrt(1 - np.minimum(x * x, 1)),
    "expo": _in_expo,
    "back": _in_back,
    "elastic": _out(_out_elastic),
    "bounce": _out(_out_bounce),
}

EASE: dict[str, Shape] = {
    "linear": lambda x: x,
    "hold": lambda x: np.floor(x),
    "smooth": lambda x: x * x * (3 - 2 * x),
    "soft": lambda x: (x + x * x * (3 - 2 * x)) / 2,
    **{f"in_{name}": shape for name, shape in _INS.items()},
    **{f"out_{name}": _out(shape) for name, shape in _INS.items()},
    **{f"in_out_{name}": _in_out(shape) for name, shape in _INS.items()},
    "out_bounce": _out_bounce,  # to the last bit
    "out_elastic": _out_elastic,
}


_ROUNDING = 1e-9
"""Steps by which sums of floats may miss a whole number. Without it, jumps come a frame late here and there."""


def eased(places: np.ndarray, ease: str) -> tuple[np.ndarray, np.ndarray]:
    """The steps that lie behind each place [F], int64, and how far the next one has got, after its ease."""
    nearest = np.round(places)
    places = np.where(np.abs(places - nearest) < _ROUNDING, nearest, places)
    left = np.floor(places)
    return left.astype(np.int64), EASE[ease](places - left)
