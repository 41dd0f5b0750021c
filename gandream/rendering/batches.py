"""How many pictures are made at a time where memory is short: chosen once for a machine, and remembered.

The batch is in the key of every segment, as a picture's rounding may depend on those beside it. So it has to be the
same in all segments of a film, when a render goes on, and when it is done again: it follows from what never changes on
a machine (how much memory there is at all, not how much is free just now), and where that was too hopeful, from what is
remembered of it. A film whose batch is made smaller is planned anew: its segments have other keys then.
"""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gandream.base.errors import RenderError
from gandream.base.files import published
from gandream.base.hashing import content_key
from gandream.rendering.memory import largest_batch, needed_by
from gandream.rendering.plan import Plan, made_size
from gandream.rendering.reel import Reel, Shot, make_reel


class TooManyError(RenderError):
    """A batch needs more memory than there is; one of fewer pictures may not."""

    def __init__(self, where: str, problem: str, hint: str, batch: int):
        super().__init__(where, problem, hint)
        self.batch = batch


def fitting(shots: Sequence[Shot], folder: Path, total: int, parameters: Mapping[str, int]) -> list[Shot]:
    """Shots whose batches are no larger than what is remembered in a folder, and need no more than ``total`` bytes.

    ``parameters`` are bytes of each model's numbers as float32, by its fingerprint.
    """
    most = remembered(folder, shots)
    return [_at_most(shot, min(most, _largest(shot.plan, total, parameters))) for shot in shots]


def smaller(reel: Reel, most: int) -> Reel:
    """The same frames in batches of no more than ``most`` pictures; its segments have keys of their own."""
    shots = [_at_most(shot, most) for shot in reel.shots]
    return make_reel(shots, (reel.start, reel.start + reel.frames))


def remembered(folder: Path, shots: Sequence[Shot]) -> int:
    """The most pictures that were found to fit, on this machine; as many as one likes where nothing was found."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        return max(1, int(json.loads(_file(folder, shots).read_text("utf-8"))["most"]))
    return 1 << 30


def remember(folder: Path, shots: Sequence[Shot], most: int) -> None:
    """Keep that no more pictures fit; where nothing can be written, it will be found out again."""
    with contextlib.suppress(OSError, RenderError):
        folder.mkdir(parents=True, exist_ok=True)
        with published(_file(folder, shots)) as part:
            part.write_text(json.dumps({"most": most}), "utf-8")


def _file(folder: Path, shots: Sequence[Shot]) -> Path:
    """Where it is kept what fits: by machine, models and the sizes of their pictures."""
    plans = {
        json.dumps([shot.plan.trajectory.spec.fingerprint, *_made(shot.plan), shot.plan.precision, shot.plan.layer])
        for shot in shots
    }
    return folder / f"{content_key('batch', platform.node(), shots[0].plan.device, sorted(plans))}.json"


def _made(plan: Plan) -> tuple[int, int]:
    return made_size(plan.trajectory.spec, (plan.fmt.height, plan.fmt.width), plan.fit)


def _largest(plan: Plan, total: int, parameters: Mapping[str, int]) -> int:
    own = parameters.get(plan.trajectory.spec.fingerprint, 0)
    return largest_batch(lambda batch: needed_by(plan, own, batch), total, plan.batch)


def _at_most(shot: Shot, most: int) -> Shot:
    if shot.plan.batch <= most:
        return shot
    return replace(shot, plan=replace(shot.plan, batch=max(1, most)))
