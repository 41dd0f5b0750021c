"""Work on the device that a word names; where `auto` took an Apple GPU that can't do it, all of it on the CPU.

What fails there isn't known before it is tried: torch's MPS does more with each version. So it is tried, a film is
never made half on the one and half on the other, and what failed is remembered, so that it isn't tried each time.
"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gandream.base.errors import RenderError
from gandream.base.files import published
from gandream.base.hashing import content_key
from gandream.recipe.recipe import Recipe
from gandream.rendering.apple import CantError, asked
from gandream.rendering.device import DeviceWord, Kind, pick, torch_version

Made = TypeVar("Made")
Note = Callable[[str], None]


def on_device(device: DeviceWord, make: Callable[[Kind], Made], note: Note, failed: Path | None = None) -> Made:
    """What ``make`` gives on a device; CantError only where the user asked for an Apple GPU, and it can't do it.

    ``failed`` is a file that is there once it failed (``failed_before``), until it doesn't with ``--device mps``.
    """
    kind = pick(device)
    if kind != "mps":
        return make(kind)
    if device == "auto" and failed is not None and failed.exists():
        note("the CPU makes this, as the GPU of this Mac couldn't; --device mps tries it again")
        return make("cpu")
    try:
        with asked(kind):
            made = make(kind)
    except CantError as error:
        if device != "auto":
            raise
        note(f"{error.problem}: the CPU makes all of it")
        if failed is not None:
            _remember(failed, error.problem)
        return make("cpu")
    if failed is not None:
        with contextlib.suppress(OSError):
            failed.unlink(missing_ok=True)
    return made


def failed_before(store: Path, recipe: Recipe) -> Path:
    """Where it is remembered that a recipe's film failed on this machine's GPU, with this torch and this macOS."""
    named = recipe.document.file or recipe.document.text
    machine = platform.node(), platform.mac_ver()[0], torch_version()
    return store / "devices" / content_key("failed", *machine, str(named))


def _remember(file: Path, problem: str) -> None:
    """Where nothing can be written, it will be found out again."""
    with contextlib.suppress(OSError, RenderError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with published(file) as part:
            part.write_text(problem, "utf-8")
