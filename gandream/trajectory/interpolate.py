"""What lies between latents. Table word -> function(knots, share, spans).

``knots`` is [4, F, ..., D]: the latent before, the two between which a frame lies, and the one after; ``share`` [F] how
far it is from the second to the third; ``spans`` [3, F] how long the three steps take. Each gives [F, ..., D].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def snapped(places: np.ndarray) -> np.ndarray:
    """Places to a 2**-32nd of a step: a lap later they are the same to the last bit, whatever was rounded before."""
    return np.round(places * 2.0**32) / 2.0**32


def _wide(share: np.ndarray, like: np.ndarray) -> np.ndarray:
    return share.reshape(-1, *[1] * (like.ndim - 1))


def lerp(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Interpolate straight: [F, ..., D], [F, ..., D], [F] -> [F, ..., D]."""
    return a + (b - a) * _wide(share, a)


def slerp(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Interpolate on the sphere, norms linearly: as :func:`lerp` (Shoemake 1985; lerp where there is no arc)."""
    norm_a, norm_b = (np.linalg.norm(v, axis=-1, keepdims=True) for v in (a, b))
    norm_a, norm_b = np.maximum(norm_a, 1e-12), np.maximum(norm_b, 1e-12)
    angle = np.arccos(np.clip((a / norm_a * (b / norm_b)).sum(-1, keepdims=True), -1, 1))
    sine, wide = np.sin(angle), _wide(share, a)
    arc = (sine > 1e-4) & (np.minimum(norm_a, norm_b) > 1e-12)  # not the same direction, not opposite ones, not zero
    norms = norm_a * (1 - wide) + norm_b * wide
    safe = np.where(arc, sine, 1.0)
    on_arc = a * (np.sin((1 - wide) * angle) / safe * (norms / norm_a))
    on_arc += b * (np.sin(wide * angle) / safe * (norms / norm_b))
    return np.where(arc, on_arc, lerp(a, b, share))


def step(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Stay, then jump: as :func:`lerp`."""
    return np.where(_wide(share, a) < 1, a, b)


def spline(knots: np.ndarray, share: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """A cubic through all latents whose speed at each is (after - before) / time between them (Catmull & Rom 1974)."""
    before, a, b, after = knots
    x, (d0, d1, d2) = _wide(share, a), (_wide(span, a) for span in spans)
    out, into = (b - before) * (d1 / (d0 + d1)), (after - a) * (d1 / (d1 + d2))
    return a + x * (out + x * (3 * (b - a) - 2 * out - into + x * (2 * (a - b) + out + into)))


Between = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _of_two(function: Between) -> Between:
    return lambda knots, share, spans: function(knots[1], knots[2], share)


PATH: dict[str, Between] = {
    "slerp": _of_two(slerp),
    "lerp": _of_two(lerp),
    "spline": spline,
    "step": _of_two(step),
}
