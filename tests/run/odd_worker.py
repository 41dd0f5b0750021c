"""A worker in which some recipes, by their names, do what recipes do that go wrong: for tests, named to a crew."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gandream.base.errors import RenderError
from gandream.run.batch import worker
from gandream.run.film import render


def odd(recipe: Any, *arguments: Any, **options: Any) -> Any:
    """Render as ever, unless the recipe's name says otherwise."""
    name = Path(recipe.document.file).stem
    print("a library that talks on standard output", flush=True)
    if name.startswith("poison"):
        ctypes.string_at(0)  # a crash as one in a library is
    if name.startswith("killed"):
        os.kill(os.getpid(), 9)
    if name.startswith("slow"):
        while True:
            options["progress"]("rendering", 1, 2)
            time.sleep(0.02)
    if name.startswith("stuck"):
        child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
        Path(recipe.document.file).with_suffix(".child").write_text(str(child.pid))
        time.sleep(60)
    if name.startswith("once"):
        beside = Path(recipe.document.file).with_suffix(".tried")
        if not beside.exists():
            beside.touch()
            raise RenderError("encoder", "a passing trouble")
    if name.startswith("mistake"):
        raise ZeroDivisionError("of somebody's")
    if name.startswith("short"):
        _short_of_memory(3)
    return render(recipe, *arguments, **options)


def _short_of_memory(room: int) -> None:
    """A device that has memory for so many pictures at a time."""
    import torch

    from gandream.models.cppn.network import CPPN

    own = CPPN.synthesise

    def synthesise(self: Any, inputs: Any, **given: Any) -> Any:
        if len(inputs.w) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return own(self, inputs, **given)

    CPPN.synthesise = synthesise  # type: ignore[method-assign]


worker.render = odd
worker.main(sys.argv[1:])
