"""How much memory a render needs, and the largest batch that fits. Loads no torch; ``there`` does, for CUDA.

What is needed is estimated from facts that are known before anything is loaded, and held against measured peaks by
``tests/benchmarks/memory_needed.py``: it is to be no less than they were, and at most about half as much again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from gandream.models.precision import Precision
from gandream.models.spec import Spec
from gandream.rendering.cells import at_once, picture_size
from gandream.rendering.device import Kind
from gandream.rendering.plan import Plan, piece_of
from gandream.rendering.room import there as there
from gandream.trajectory.grid import GridTrajectory
from gandream.video.codecs import PRESETS
from gandream.video.encode import QUEUED_BYTES
from gandream.video.format import VideoFormat

MB = 1 << 20
PROCESS: dict[Kind, int] = {"cpu": 295 * MB, "cuda": 700 * MB, "mps": 700 * MB}
"""Python and torch with what they load; on CUDA its context and the libraries' own room, in the device's memory; on MPS
both, as its memory is the machine's. The latter is a guess."""
WAITING = 64
"""Frames that wait for the encoder, where they are small; of large ones, as many as make ``QUEUED_BYTES``."""


@dataclass(frozen=True)
class Appetite:
    """What a family takes, in multiples: of its weights in float32, and of its largest layer's activations."""

    exact: float = 4.0
    """Of the weights, with what loading them takes for a while."""
    reduced: float = 6.0
    """The same in half precision."""
    working: float = 3.0
    """Of the largest layer in float32, for each picture that is made at once; in half precision, ``HALVED`` of it."""
    alone: bool = False
    """Whether a CPU makes the largest layers picture by picture."""


FAMILIES = {
    "cppn": Appetite(1.0, 1.0, 0.02, alone=True),
    "stylegan2": Appetite(3.7, 5.0, 1.9, alone=True),
    "stylegan3": Appetite(3.5, 5.6, 1.5),
    "biggan": Appetite(3.9, 3.9, 2.8),
    "biggan_deep": Appetite(3.6, 3.6, 2.8),
}
"""By measured peaks of renders on a CPU. On CUDA they were not measured yet; there the largest layer counts twice, as
what is recorded has memory of its own (``rendering.graphs``); and on MPS, where torch keeps what it once had."""
ANY = Appetite()
HALVED = 0.75
GRIDDED = 4.5
"""Copies of a grid's frames: its cells, their sum, the frames, and what is made of these."""
ENCODER = 38 * MB
"""Of ffmpeg with nothing to do."""
HELD = {"h264": 112.0, "h265": 250.0, "vp9": 90.0, "av1": 250.0, "prores": 40.0, "prores_4444": 40.0, "ffv1": 30.0}
"""Frames of 8-bit 4:2:0 that an encoder holds at preset ``veryfast``, about."""
EFFORT = (0.4, 0.6, 1.0, 1.1, 1.2, 1.35, 1.6, 2.0, 2.4)
"""How many more with each preset, from ``ultrafast`` on."""


def needed(
    spec: Spec,
    fmt: VideoFormat,
    batch: int,
    device: Kind,
    precision: Precision,
    parameters_bytes: int,
    made: tuple[int, int] | None = None,
    *,
    cells: int | None = None,
) -> int:
    """Bytes that rendering such a film takes at its peak: of the machine's memory with ffmpeg, or of the CUDA device's.

    ``parameters_bytes`` are those of the model's numbers as float32, four for each. ``made`` is (height, width) of the
    pictures that the generator makes, where they aren't of its own size (``plan.made_size``). ``cells`` are how many
    pictures of a grid's cells are made at a time; its frames are put together from all cells, a batch at a time. Music
    isn't counted: it was heard before, and let go.
    """
    frame = (fmt.height, fmt.width)
    size = made or spec.size or frame
    appetite = FAMILIES.get(spec.family, ANY)
    exact = precision == "float32"
    weights = parameters_bytes * (appetite.exact if exact else appetite.reduced)
    count = batch if cells is None else max(batch, cells)
    at_once = 1 if device == "cpu" and appetite.alone else count
    working = appetite.working * _largest_layer(spec, size) * at_once * (1 if exact else HALVED)
    working *= 1 if device == "cpu" else 2
    pictures = 2.5 * count * _floats(spec.channels, size)
    piece = piece_of(device, batch, fmt) if cells is None else batch
    copies = GRIDDED if cells is not None else 0.0 if size == frame else 2.5
    frames = copies * piece * _floats(3 + fmt.alpha, frame) + 2 * piece * fmt.frame_bytes
    found = PROCESS[device] + weights + working + pictures + frames
    waiting = max(min(QUEUED_BYTES, WAITING * fmt.frame_bytes), piece * fmt.frame_bytes)
    return math.ceil(found if device == "cuda" else found + waiting + 2 * encoder(fmt))


def needed_by(plan: Plan, parameters_bytes: int, batch: int | None = None) -> int:
    """Bytes that rendering a plan takes at its peak, with its own batch or another."""
    plan = plan if batch is None else replace(plan, batch=batch)
    cells = at_once(plan) if isinstance(plan.trajectory, GridTrajectory) else None
    given = plan.trajectory.spec, plan.fmt, plan.batch, plan.device, plan.precision, parameters_bytes
    return needed(*given, picture_size(plan), cells=cells)


def encoder(fmt: VideoFormat) -> int:
    """Bytes that one ffmpeg takes as it encodes; two run at once, of which one is ending."""
    held = HELD.get(fmt.codec, 100.0) * EFFORT[PRESETS.index(fmt.preset)]
    return math.ceil(ENCODER + held * 1.5 * fmt.width * fmt.height * (1 if fmt.depth == 8 else 2))


def largest_batch(need: Callable[[int], int], room: int, most: int) -> int:
    """The largest batch, at most ``most`` and at least 1, for which ``need(batch)`` bytes fit into ``room``.

    More pictures must need more. It halves from ``most``, so that memory that differs a little changes nothing.
    """
    batch = max(1, most)
    while batch > 1 and need(batch) > room:
        batch //= 2
    return batch


def _largest_layer(spec: Spec, size: tuple[int, int]) -> int:
    """Bytes of the largest layer's activations of one picture, in float32."""
    more = size[0] * size[1] / (min(spec.size) ** 2) if spec.size else 1.0
    layers = [
        layer.channels * (layer.resolution**2 * more if layer.resolution else size[0] * size[1])
        for layer in (*spec.shown, *spec.layers)
    ]
    return math.ceil(4 * max(layers, default=64 * size[0] * size[1]))


def _floats(channels: int, size: tuple[int, int]) -> int:
    return 4 * channels * size[0] * size[1]
