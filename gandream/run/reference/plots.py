"""Pictures of curves as SVG text: eases, functions, envelopes, and the way of a walk.

They name no colour but ``currentColor`` and the variable ``--gandream-line``, so that they are seen by day and night.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np

from gandream.audio.envelope import shaped, span
from gandream.base.clock import Clock
from gandream.base.tempo import BeatGrid
from gandream.recipe.curve import read_curve
from gandream.recipe.functions import FUNCTIONS
from gandream.recipe.load import recipe_from
from gandream.recipe.signals import Signal
from gandream.trajectory.ease import EASE
from gandream.trajectory.evaluate import Curves
from gandream.trajectory.timeline import Timeline

LINE = 'style="stroke:var(--gandream-line, #7c6cf0)"'
WIDE, HIGH, EDGE = 320, 96, 6
_SECONDS, _FPS, _RATE = 12, 30, 100


def ease_plot(name: str) -> str:
    """An ease from 0 to 1, and lines where it begins and ends."""
    values = EASE[name](np.linspace(0, 1, 101))
    low, high = min(-0.12, float(values.min())), max(1.12, float(values.max()))
    return _svg([values], f"the ease {name}", low, high, size=(112, 112), at=(0.0, 1.0))


def function_plot(name: str) -> str:
    """A function's example over twelve seconds at 120 beats per minute, with what it follows behind it."""
    example = FUNCTIONS[name].example
    if name.startswith(("in_", "out_")):
        return ease_plot(name)
    curves = _film()
    behind = [curves.signals[one].astype(float) for one in ("kick", "level") if one in example]
    values = curves.values(read_curve(example), ("truncation",))
    return _svg([*behind, values], example, at=(0.0,))


ENVELOPES: dict[str, dict[str, object]] = {
    "smooth": {"smooth": 0.08},
    "causal": {"smooth": 0.08, "causal": 0},
    "clip": {"clip": [20, 90]},
    "peaks": {"peaks": 60},
    "gate": {"gate": 0.3},
    "compress": {"compress": {"threshold": 0.3, "ratio": 4}},
    "expand": {"expand": {"threshold": 0.4, "ratio": 4}},
    "power": {"power": 3},
    "attack": {"attack": 0.1, "release": 0.1},
    "release": {"release": 0.4},
    "hold": {"hold": 0.3},
    "quantise": {"quantise": 4},
    "delay": {"delay": 0.25},
    "range": {"range": [1, 0]},
}
"""Words of an envelope, and what is drawn of each."""


def envelope_plot(word: str) -> str:
    """What a word of an envelope makes of a signal; the signal as it was stands behind."""
    signal = Signal.model_validate({"from": "rms", **ENVELOPES[word]})
    raw = _pulses()[None]
    made = span(shaped(raw, signal, lambda time: float(time.amount), _RATE), signal, lambda time: 0.0, _RATE)
    title = f"{word}: the signal before, and as it becomes"
    return _svg([raw[0], made[0]], title, low=0, high=max(1.0, float(made.max())))


def path_plot(points: np.ndarray, stops: np.ndarray | None = None) -> str:
    """The way of latents [F, D] in the plane in which they lie most: their first two principal components."""
    centred = points - points.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    flat = centred @ axes.T
    most = float(np.abs(flat).max()) or 1.0
    side = 168
    places = side / 2 + (side / 2 - 10) * flat / most * np.array([1, -1])
    parts = np.array_split(np.arange(len(places)), min(24, max(1, len(places) - 1)))
    lines = []
    for number, part in enumerate(parts):
        piece = places[part[0] : part[-1] + 2]
        shade = 0.25 + 0.75 * (number + 1) / len(parts)
        lines.append(_polyline(piece, f'{LINE} stroke-width="2" stroke-opacity="{shade:.2f}"'))
    marks = np.empty((0, points.shape[1])) if stops is None else stops
    for stop in side / 2 + (side / 2 - 10) * ((marks - points.mean(0)) @ axes.T) / most * np.array([1, -1]):
        lines.append(f'<circle cx="{stop[0]:.1f}" cy="{stop[1]:.1f}" r="3.5" fill="currentColor"/>')
    return _whole(side, side, "the way through latent space, in its two main directions", lines)


@lru_cache(maxsize=1)
def _film() -> Curves:
    """A film whose music is a drum on every beat and a loudness that comes and goes."""
    recipe = recipe_from(
        {"model": "cppn#7", "audio": "bundled:night_drive", "signals": {"kick": "onset", "level": "rms"}}
    )
    clock = Clock(Fraction(_FPS), _SECONDS * _FPS)
    line = Timeline(clock, grid=BeatGrid.steady(120))
    kick = np.exp(-(clock.times % 0.5) / 0.12) * (0.6 + 0.4 * np.cos(np.pi * np.floor(clock.times * 2) / 2) ** 2)
    level = 0.5 - 0.42 * np.cos(2 * np.pi * clock.times / _SECONDS) + 0.05 * np.sin(9 * clock.times)
    return Curves(recipe, line, {"kick": kick.astype(np.float32), "level": level.astype(np.float32)})


def _pulses() -> np.ndarray:
    """Strokes of different strength over a quiet ground, float64 [4 s at the rate of features]."""
    time = np.arange(4 * _RATE) / _RATE
    made = 0.10 + 0.04 * np.sin(2 * np.pi * 5.3 * time) + 0.03 * np.sin(2 * np.pi * 11.7 * time)
    for at, strength in ((0.2, 0.8), (0.75, 0.4), (1.2, 1.0), (1.45, 0.55), (2.2, 0.9), (2.75, 0.35), (3.2, 0.7)):
        made = np.maximum(made, strength * np.where(time < at, 0, np.exp(-(time - at) / 0.09)))
    return np.clip(made, 0, 1)


def _svg(
    curves: Sequence[np.ndarray],
    title: str,
    low: float | None = None,
    high: float | None = None,
    size: tuple[int, int] = (WIDE, HIGH),
    at: Sequence[float] = (),
) -> str:
    """Curves over one another, the last one in front; ``at`` are values with a line across."""
    low = min(float(one.min()) for one in curves) if low is None else low
    high = max(float(one.max()) for one in curves) if high is None else high
    if high - low < 1e-9:
        low, high = low - 1, high + 1
    wide, tall = size

    def up(values: np.ndarray | float) -> np.ndarray:
        return np.asarray(tall - EDGE - (tall - 2 * EDGE) * (np.asarray(values) - low) / (high - low))

    across = 'stroke="currentColor" stroke-opacity="0.25" stroke-width="1"'
    lines = [
        f'<line x1="{EDGE}" x2="{wide - EDGE}" y1="{up(value):.1f}" y2="{up(value):.1f}" {across}/>'
        for value in at
        if low <= value <= high
    ]
    for number, curve in enumerate(curves):
        x = np.linspace(EDGE, wide - EDGE, len(curve))
        front = number == len(curves) - 1
        look = f'{LINE} stroke-width="2"' if front else 'stroke="currentColor" stroke-opacity="0.35"'
        lines.append(_polyline(np.stack([x, up(np.asarray(curve, float))], axis=1), look))
    return _whole(wide, tall, title, lines)


def _polyline(points: np.ndarray, look: str) -> str:
    """A line through points [P, 2]; of a level stretch only the ends are written."""
    height = np.round(points[:, 1], 1)
    inner = np.flatnonzero((height[1:-1] != height[:-2]) | (height[1:-1] != height[2:])) + 1
    text = " ".join(f"{points[at, 0]:.1f},{height[at]:.1f}" for at in (0, *inner, len(points) - 1))
    return f'<polyline points="{text}" fill="none" stroke-linejoin="round" {look}/>'


def _whole(wide: int, tall: int, title: str, lines: Sequence[str]) -> str:
    said = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}"'
    return f'{head} role="img" aria-label="{said}">{"".join(lines)}</svg>'
