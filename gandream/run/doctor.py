"""What is on this machine, part by part, and what to do about what is missing."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import cast

from gandream.base import ffmpeg
from gandream.base.assets import bundled
from gandream.base.errors import GandreamError, RenderError, listed
from gandream.base.files import writable_folder
from gandream.models.registry import BUILT_IN
from gandream.recipe.fields import AUDIO_SUFFIXES
from gandream.rendering.device import cuda_devices, no_mps, torch_version
from gandream.rendering.store import ELSEWHERE, store_folder
from gandream.video.codecs import CODECS
from gandream.video.colour import Subsampling
from gandream.video.format import VideoFormat
from gandream.video.hardware import chosen

WANTED_ENCODERS = ("libx264", "aac")
OTHER_ENCODERS = (
    "libx265",
    "libvpx-vp9",
    "libsvtav1",
    "libaom-av1",
    "prores_ks",
    "ffv1",
    "libopus",
)


@dataclass(frozen=True)
class Finding:
    """One part of the machine."""

    part: str
    good: bool
    found: str
    advice: str = ""


def examine() -> list[Finding]:
    """Look at every part; nothing here raises."""
    findings = []
    for part, look in _PARTS.items():
        try:
            findings.extend(Finding(part, found[0], found[1], *found[2:]) for found in look())
        except GandreamError as error:
            findings.append(Finding(part, False, error.problem, error.hint))
        except Exception as error:
            findings.append(Finding(part, False, f"{type(error).__name__}: {error}"))
    return findings


Found = Iterator[tuple[bool, str] | tuple[bool, str, str]]


def _gandream() -> Found:
    yield (
        True,
        f"{version('gandream')} on Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    )


def _torch() -> Found:
    import torch

    threads = torch.get_num_threads()
    yield (
        True,
        f"{torch.__version__}, {threads} thread{'s' * (threads != 1)} of {os.cpu_count()} cores, "
        f"{torch.backends.cpu.get_cpu_capability()}",
    )


def _device() -> Found:
    import torch

    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            facts = torch.cuda.get_device_properties(index)
            yield True, f"cuda:{index} {facts.name}, {facts.total_memory / 2**30:.0f} GiB"
    elif cuda_devices():
        yield (
            True,
            "a CUDA device is here, but torch can't use it: rendering on the CPU",
            "Install a torch that fits the driver.",
        )
    elif not no_mps() and torch.backends.mps.is_available():
        yield True, "mps, the GPU of this Mac, which was never tried here; --device cpu is the CPU"
    elif not no_mps():
        told = "an Apple GPU is here, but torch can't use it: rendering on the CPU"
        yield True, told, "Install a newer torch, or a newer macOS."
    else:
        built = torch_version().endswith("+cpu")
        advice = "For an NVIDIA GPU, install torch with CUDA: https://pytorch.org/get-started/locally" if built else ""
        yield True, "no GPU: rendering on the CPU", advice


def _ffmpeg() -> Found:
    yield True, f"{ffmpeg.build()} at {ffmpeg.executable()}"


def _encoders() -> Found:
    here = ffmpeg.encoders()
    missing = [name for name in WANTED_ENCODERS if name not in here]
    advice = (
        "This ffmpeg can't make films. Unset IMAGEIO_FFMPEG_EXE, or pip install --force-reinstall imageio-ffmpeg."
        if missing
        else ""
    )
    yield (
        not missing,
        listed(name for name in (*WANTED_ENCODERS, *OTHER_ENCODERS) if name in here) or "none",
        advice,
    )


def _chips() -> Found:
    works = []
    for codec, row in CODECS.items():
        with contextlib.suppress(RenderError):
            first = row.software[0]
            sub = cast(Subsampling, first.subsamplings[0])
            fmt = VideoFormat(320, 240, Fraction(25), codec, subsampling=sub, depth=first.depths[0])
            works.append(chosen(fmt, "hardware")[0].encoder)
    yield True, listed(works) or "none works here: `encoder: software` makes the films"


def _libraries() -> Found:
    import soundfile

    yield True, f"librosa {version('librosa')}, libsndfile {soundfile.__libsndfile_version__}"


def _models() -> Found:
    yield True, listed(f"{family.name} ({family.about})" for family in BUILT_IN.values())


def _music() -> Found:
    pieces = bundled("music", AUDIO_SUFFIXES)
    yield (
        bool(pieces),
        listed(f"bundled:{name}" for name in pieces) or "no bundled music",
        "" if pieces else "Install gandream again.",
    )


def _store() -> Found:
    folder = store_folder(Path("outputs"))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else 0
    if folder.is_dir():
        writable_folder(folder, ELSEWHERE)
    yield True, f"{folder}, {f'{size / 1e6:.0f} MB' if folder.is_dir() else 'not made yet'}", ELSEWHERE


_PARTS: dict[str, Callable[[], Found]] = {
    "gandream": _gandream,
    "torch": _torch,
    "device": _device,
    "ffmpeg": _ffmpeg,
    "encoders": _encoders,
    "hardware": _chips,
    "sound": _libraries,
    "models": _models,
    "music": _music,
    "store": _store,
}
