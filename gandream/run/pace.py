"""Walks at an even pace: measured once for a model and a walk, then read from the store.

What is measured is part of what a film is planned to be: the places of its walk are in the keys of its segments. They
must not depend on who happened to measure first. So it is measured on the device and in the precision that the film is
rendered with, both of which are in its own name in the store, and what the last bits of a machine's floats make of it
is rounded away: whoever plans the same film for the same kind of device finds the same places.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gandream.base.clock import timestamp
from gandream.base.files import published
from gandream.base.hashing import content_key
from gandream.models.precision import chosen
from gandream.models.spec import Generator
from gandream.recipe.recipe import Recipe
from gandream.rendering.device import DeviceWord, Kind, torch_version
from gandream.run.device import on_device
from gandream.trajectory.compose import Score
from gandream.trajectory.pace import Route, retimed, route_key
from gandream.trajectory.scenes import Cut
from gandream.trajectory.trajectory import Trajectory

FINEST = 256
"""Parts of the way from one measured picture to the next, to which an even pace is rounded: fewer than a walk at its
slowest stays apart, and far more than can be seen."""


def paced(recipe: Recipe, score: Score, cache: Path, device: DeviceWord = "auto") -> Score:
    """A score whose walk goes at the pace that the recipe wants on a device.

    Torch is loaded only to measure a walk that is new.
    """
    trajectory, told = _paced(recipe, score.trajectory, cache, device)
    return replace(score, trajectory=trajectory, warnings=(*score.warnings, f"walk.pace: {told}")) if told else score


def paced_scenes(cuts: Sequence[Cut], cache: Path, device: DeviceWord = "auto") -> tuple[tuple[Cut, ...], list[str]]:
    """As :func:`paced`, of scenes, each over the part of its walk that it shows; and what is told of them."""
    made, every = [], []
    for cut in cuts:
        trajectory, told = _paced(cut.recipe, cut.trajectory, cache, device)
        made.append(replace(cut, trajectory=trajectory))
        begins = timestamp(cut.start / float(trajectory.timeline.clock.fps))
        every += [f"walk.pace, in the scene at {begins}: {told}"] if told else []
    return tuple(made), every


def _paced(recipe: Recipe, trajectory: Trajectory, cache: Path, device: DeviceWord) -> tuple[Trajectory, str]:
    """The trajectory at the pace that the recipe wants, and how even it is then; "" where nothing is wanted."""
    if recipe.walk.pace == "as written" or len(trajectory.track.places) < 2:
        return trajectory, ""
    if any(at.moves for at in trajectory.track.stops):
        problem = "an even pace can't be measured while `classes` move on their own"
        raise recipe.error(("walk", "pace"), problem, "Give the latents classes of their own, or leave `pace` out.")
    route = Route.of(trajectory, recipe.walk.pace == "perceptual throughout")
    measured = on_device(device, lambda kind: _found(recipe, trajectory, route, cache, kind), lambda words: None)
    before, after = (100 * float(measured[name]) for name in ("before", "after"))
    told = f"the picture's change per frame varies by {after:.0f} %, which was {before:.0f} % as written"
    return retimed(trajectory, route, np.array(measured["even"])), told


def _found(recipe: Recipe, trajectory: Trajectory, route: Route, cache: Path, kind: Kind) -> dict[str, Any]:
    """What was measured with a device of this class, or is now."""
    precision = chosen(recipe.model.precision, kind, reducible=trajectory.spec.reducible)
    measured_with = [kind, precision, torch_version(), FINEST]
    found = cache / f"{content_key('measured pace', route_key(trajectory, route), measured_with)}.json"
    measured = _read(found, len(route.phases))
    if measured is None:
        measured = _measured(recipe, trajectory, route, kind)
        cache.mkdir(parents=True, exist_ok=True)
        with published(found) as part:
            part.write_text(json.dumps(measured), encoding="utf-8")
    return measured


def _measured(recipe: Recipe, trajectory: Trajectory, route: Route, device: Kind) -> dict[str, Any]:
    from gandream.rendering.pace import changes_along
    from gandream.run.prepare import load_model

    generator: Generator = load_model(recipe, device)
    changes = changes_along(trajectory, route.phases, generator, device)
    even = rounded(route, route.table(changes))
    again = changes_along(trajectory, np.interp(route.phases, even, route.phases), generator, device)
    return {"even": even.tolist(), "before": route.variation(changes), "after": route.variation(again)}


def rounded(route: Route, even: np.ndarray) -> np.ndarray:
    """Even phases [n + 1] to whole parts of the way between measured ones; where spans meet they stay as they are."""
    low, step = route.phases[0], (route.phases[1] - route.phases[0]) / FINEST
    made = low + np.round((even - low) / step) * step
    made[:: route.per], made[-1] = even[:: route.per], even[-1]
    return made


def _read(path: Path, count: int) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        even = np.array(found["even"], np.float64)
        good = even.shape == (count,) and np.isfinite(even).all() and (np.diff(even) >= 0).all()
        return found if good and {"before", "after"} <= set(found) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
