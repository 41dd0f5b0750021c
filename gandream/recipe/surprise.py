"""``surprise``: a recipe drawn by chance, of walks and mappings that go well together. The same seed gives the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import yaml

MODEL_SEEDS = 24
"""Of the bundled pattern network."""
SIGNALS: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "level": lambda r: {"from": "rms", "smooth": _one(r, 0.3, 1.0)},
    "kick": lambda r: {"from": "onset", "high": 120, "attack": 0.02, "release": _one(r, 0.15, 0.4)},
    "hats": lambda r: {"from": "onset", "low": 5000, "attack": 0.01, "release": _one(r, 0.08, 0.2)},
    "hit": lambda r: {"from": "onset", "detector": r.choice(["superflux", "hfc"]), "release": _one(r, 0.1, 0.3)},
    "bass": lambda r: {"from": "band", "high": 150, "smooth": 0.08, "power": 0.5},
    "bright": lambda r: {"from": "centroid", "smooth": _one(r, 0.2, 0.6)},
    "beats": lambda r: {"from": "beat", "release": _one(r, 0.15, 0.35)},
}
"""What may drive things, by name; the first is always there."""
KNOB = "intensity"
"""The variable that all that the music does is multiplied by."""
STRIKING, SLOW = ("kick", "hats", "hit", "beats", "bass"), ("level", "bright")


def surprise(seed: int, model: str | None = None, audio: str | None = None) -> str:
    """A whole recipe as YAML, drawn by a seed; with a model and music of one's own if they are given."""
    draw = random.Random(seed)
    strikes = draw.sample(STRIKING, 2)
    names = list(dict.fromkeys(["level", draw.choice(SLOW), *strikes]))
    notes = draw.random() < 0.4
    drawn = f"cppn#{draw.randrange(1, MODEL_SEEDS)}"
    said: dict[str, Any] = {
        "title": f"Surprise {seed}",
        "model": model or drawn,
        "audio": audio or "bundled:night_drive",
        "seed": draw.randrange(1000),
        "vars": {KNOB: 1},
        "signals": {name: SIGNALS[name](draw) for name in names} | ({"notes": "chroma"} if notes else {}),
        "walk": _walk(draw, names[1]),
        "push": _pushes(draw, strikes),
    }
    if notes:
        latents = draw.sample(range(100), 12)
        amount = _one(draw, 0.3, 0.8)
        said["blend"] = {"by": "notes", "latents": latents, "layers": draw.choice(["middle", "fine"]), "amount": amount}
    elif draw.random() < 0.6:
        source = {"through": draw.sample(range(100), 3), "every": f"{draw.choice([2, 4])} beats", "path": "step"}
        said["mix"] = {"from": source, "layers": "fine", "amount": _one(draw, 0.4, 1.0)}
    low = _one(draw, 0.55, 0.8)
    said["truncation"] = f"{low} + {round(1.05 - low, 2)}*{KNOB}*{names[1]}"
    said["effects"] = _effects(draw, strikes)
    said["video"] = {"size": 512, "fps": 30, "duration": 20}
    head = f"# Drawn by chance: gandream surprise --seed {seed}\n# {KNOB}: how much the music does, 0 nothing\n"
    return head + yaml.safe_dump(said, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)


def _walk(draw: random.Random, slow: str) -> dict[str, Any]:
    kind = draw.choice(["through", "through", "wander", "circle", "simplex", "bounce"])
    words: dict[str, Any] = {
        "through": draw.sample(range(100), draw.randrange(4, 8)),
        "wander": {"sigma": f"{_one(draw, 0.8, 2.0)}s"},
        "circle": {"every": f"{draw.choice([8, 16])} beats"},
        "simplex": {"every": f"{draw.randrange(8, 16)}s", "diameter": _one(draw, 1.0, 2.5)},
        "bounce": {"speed": _one(draw, 0.2, 0.6), "randomness": _one(draw, 0.3, 0.9)},
    }
    said = {kind: words[kind]}
    if kind == "through":
        said |= {"every": f"{draw.choice([4, 8])} beats", "ease": draw.choice(["linear", "in_out_sine", "smooth"])}
    return said | {"speed": f"0.5 + {_one(draw, 0.5, 1.2)}*{KNOB}*{slow}"}


def _pushes(draw: random.Random, strikes: list[str]) -> list[dict[str, Any]]:
    first = {"random": draw.randrange(100), "by": f"{_one(draw, 0.25, 0.5)}*{KNOB}*{strikes[0]}"}
    second = draw.choice(
        [
            {"random": draw.randrange(100), "by": f"{_one(draw, 0.3, 0.6)}*{KNOB}*{strikes[1]}", "layers": "fine"},
            {"along": "ones", "by": f"{_one(draw, 0.2, 0.4)}*{KNOB}*{strikes[1]}", "inertia": "80ms"},
            {"bounce": {"box": 2, "margin": 0.3}, "by": f"{_one(draw, 2, 5)}*{KNOB}*{strikes[1]}", "inertia": "80ms"},
        ]
    )
    return [first, second]


def _effects(draw: random.Random, strikes: list[str]) -> list[Any]:
    hit = draw.choice(strikes)
    choices: list[Any] = [
        {"glow": _one(draw, 0.2, 0.5)},
        {"contrast": f"1 + {_one(draw, 0.1, 0.3)}*{KNOB}*{hit}"},
        {"zoom": f"1 + {_one(draw, 0.04, 0.12)}*{KNOB}*{hit}"},
        {"kaleidoscope": draw.choice([3, 4, 6, 8]), "angle": f"{draw.choice([-4, -2, 2, 4])}*t"},
        {"trails": _one(draw, 0.5, 0.8)},
        {"hue": f"{draw.choice([-3, 3, 6])}*t"},
        {"aberration": f"{_one(draw, 0.004, 0.01)}*{KNOB}*{hit}"},
        {"mirror": draw.choice(["horizontal", "both"])},
        {"flash": f"{_one(draw, 0.05, 0.15)}*{KNOB}*{hit}"},
    ]
    return [*draw.sample(choices, draw.randrange(1, 4)), "vignette"]


def _one(draw: random.Random, low: float, high: float) -> float:
    """A number between two, short enough to be read."""
    return float(f"{draw.uniform(low, high):.2g}")
