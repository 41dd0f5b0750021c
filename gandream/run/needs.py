"""What a render will take, of memory and of disk, told from the recipe alone; what can't fit is refused at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandream.base.errors import RenderError
from gandream.models.registry import facts
from gandream.rendering.cells import picture_size
from gandream.rendering.memory import encoder, largest_batch, needed_by
from gandream.rendering.plan import Plan, Segment, batch_of
from gandream.rendering.room import UNKNOWN, Room, room
from gandream.run.outputs import FilmOutput, PictureOutput
from gandream.run.prepare import Prepared
from gandream.trajectory.grid import GridTrajectory

SURE = 4
"""A film's size depends on its pictures, and the guess may be wrong by so much; what is more than so much too large is
refused, and what is less is told."""
BITS = {"h264": 0.23, "h265": 0.16, "vp9": 0.16, "av1": 0.13}
"""Of a pixel in a film of 512x512 at the codec's usual ``crf``: the median of films made of the bundled recipes."""
USUAL_CRF = {"h264": 17, "h265": 18, "vp9": 24, "av1": 23}
LARGER = 0.45
"""Larger pictures are smoother: bits of a pixel fall with this power of their number."""
HALF = 6.0
"""Steps of ``crf`` that halve a film, about."""
PLAIN_BITS = {"prores": 4.5, "prores_4444": 7.0, "ffv1": 6.0, "png": 9.0, "jpg": 1.5, "webp-images": 1.5, "exr": 24.0}
"""Of those whose pictures stand alone, of 8 bits where they may have more."""
SOUND_BITS = 320_000
"""Of a second."""

Output = FilmOutput | PictureOutput


class TooLargeError(RenderError):
    """What is asked for can't fit this machine."""

    exit_code = 2


@dataclass(frozen=True)
class Needs:
    """Bytes, needed and there."""

    memory: int
    memory_room: Room
    batch: int
    largest_batch: int
    """Of those that fit into what is free, up to the most that are made at a time."""
    disk: int
    """About, for what isn't there yet."""
    disk_free: int


def needs(made: Sequence[Output], missing: Sequence[Mapping[Segment, range]], disk: int | None = None) -> Needs:
    """What it takes to make what is missing of some outputs; ``disk`` bytes, where somebody has measured."""
    device = made[0].reel.device
    about = room(device)
    memory, batch = _memory(made), max(output.reel.batch for output in made)
    most = max(_most(shot.plan) for output in made for shot in output.reel.shots)
    most = largest_batch(lambda count: _memory(made, count), about.free, most)
    bytes_ = disk_needed(made, missing) if disk is None else disk
    return Needs(memory, about, batch, most, bytes_, _free(made[0].target.parent))


def refuse_impossible(
    made: Sequence[Output], missing: Sequence[Mapping[Segment, range]], note: Callable[[str], None]
) -> None:
    """TooLargeError where a render surely can't fit the machine; ``note`` is told where it may not. Loads no torch,
    unless on CUDA.
    """
    found = needs(made, missing)
    fmt = made[0].reel.fmt
    film = f"{fmt.width}x{fmt.height}"
    if found.memory_room.total < UNKNOWN:
        takes = f"rendering {film} takes about {size(found.memory)} of memory"
        if found.memory > found.memory_room.total:
            hint = "Make video.size smaller, or take a machine with more."
            raise TooLargeError("rendering", f"{takes}, and this machine has {size(found.memory_room.total)}", hint)
        if found.memory > found.memory_room.free:
            note(f"{takes}, and {size(found.memory_room.free)} are free")
    refuse_too_large(made, missing, note)


def refuse_too_large(
    made: Sequence[Output], missing: Sequence[Mapping[Segment, range]], note: Callable[[str], None]
) -> None:
    """TooLargeError where what a render writes surely can't fit the disk; ``note`` is told where it may not."""
    disk, free = disk_needed(made, missing), _free(made[0].target.parent)
    takes = f"this render takes about {size(disk)} on the disk"
    if disk > SURE * free:
        hint = "Make room, choose another place with -o, or take a higher video.crf or a smaller video.size."
        raise TooLargeError(str(made[0].target), f"{takes}, and {size(free)} are free", hint)
    if disk > free:
        note(f"{takes}, and {size(free)} are free: it may not fit")


def _memory(made: Sequence[Output], batch: int | None = None) -> int:
    """Bytes at the peak: of the largest scene, with an encoder for each further output."""
    parameters = _parameters(made[0].prepared)
    sizes = [_of_plan(shot.plan, batch, parameters) for output in made for shot in output.reel.shots]
    others = [2 * encoder(output.reel.fmt) for output in made[1:] if isinstance(output, FilmOutput)]
    return max(sizes) + sum(others)


def _of_plan(plan: Plan, batch: int | None, parameters: Mapping[str, int]) -> int:
    return needed_by(plan, parameters.get(plan.trajectory.spec.fingerprint, 0), batch)


def _most(plan: Plan) -> int:
    """The most pictures of a batch, where there is memory for any."""
    height, width = picture_size(plan)
    whole = plan.fmt.height * plan.fmt.width if isinstance(plan.trajectory, GridTrajectory) else 0
    return batch_of(plan.device, max(height * width, whole))


def _parameters(prepared: Prepared) -> dict[str, int]:
    """Bytes of each model's numbers as float32, by its fingerprint; none for what is drawn from a seed."""
    named = [(cut.trajectory.spec, cut.recipe.model) for cut in prepared.cuts]
    named = named or [(prepared.spec, prepared.recipe.model)]
    found = {spec.fingerprint: facts(model.written, model.folder) for spec, model in named}
    return {fingerprint: 4 * one.parameters for fingerprint, one in found.items() if one is not None}


def disk_needed(made: Sequence[Output], missing: Sequence[Mapping[Segment, range]]) -> int:
    """Bytes, about: of the segments that are missing, and of the films that are joined from all of them."""
    total = 0.0
    for output, parts in zip(made, missing, strict=True):
        each = bytes_of_frame(output)
        total += each * sum(len(frames) for frames in parts.values())
        if isinstance(output, FilmOutput):
            seconds = float(output.frames / output.reel.fmt.fps)
            total += each * output.frames + (SOUND_BITS / 8 * seconds if output.recipe.audio else 0)
    return round(total)


def bytes_of_frame(output: Output) -> float:
    """Bytes of an encoded frame, about."""
    fmt, coding = output.reel.fmt, output.recipe.video.coding
    pixels, kind = fmt.width * fmt.height, coding.file if isinstance(output, PictureOutput) else fmt.codec
    if kind in BITS and fmt.crf > 0:
        softer = 2 ** ((USUAL_CRF[kind] - fmt.crf) / HALF)
        return pixels * BITS[kind] * (512 * 512 / pixels) ** LARGER * softer / 8
    return pixels * PLAIN_BITS.get(kind, PLAIN_BITS["ffv1"]) * max(1.0, coding.depth / 8) / 8


def _free(folder: Path) -> int:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return UNKNOWN


def size(count: float) -> str:
    """Bytes as a person reads them: ``1.8 GB``."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if count >= unit:
            number = count / unit
            return f"{number:.1f} {name}" if number < 10 else f"{number:,.0f} {name}".replace(",", " ")
    return f"{max(1, round(count / 1000))} kB"
