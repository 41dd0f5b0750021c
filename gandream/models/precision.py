"""In what precision a generator works where a recipe leaves it open. Loads no torch: films are planned without it.

Half precision is taken only where the processor multiplies it itself: on x86 that is bfloat16 with AMX or AVX-512,
whose flags the system lists; on CUDA float16, whose rounding is finer, as every GPU has it that torch still runs on.
Apple's GPUs have it too, but were never seen with it here: there it is float32.
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "bfloat16", "float16"]
FLAGS = frozenset({"amx_bf16", "avx512_bf16"})
"""Of processors that multiply bfloat16, as Linux calls them."""
_CPUINFO = Path("/proc/cpuinfo")


EXACT = 8
"""Side in pixels of the layers up to which nothing is rounded in any family: they cost little, and what is rounded
there moves everything that is made of them."""
WIDE = 128
"""Channels of convolutions from which half precision pays: of fewer, more time goes by between them than in them."""


def chosen(word: str, device: str, *, reducible: bool) -> Precision:
    """What `precision:` (``auto`` or ``exact``) means for a model on a device of this class (``cpu``, ``cuda`` ...).

    ``reducible`` says whether half precision pays for it at all (``Spec.reducible``).
    """
    if word == "exact" or not reducible:
        return "float32"
    if device == "cuda":
        return "float16"
    return "bfloat16" if device == "cpu" and multiplies_bfloat16() else "float32"


def pays(convolutions: Iterable[tuple[int, int]]) -> bool:
    """Whether half precision does, judging from the side and the channels of a network's convolutions."""
    return any(side > EXACT and channels >= WIDE for side, channels in convolutions)


@functools.cache
def multiplies_bfloat16() -> bool:
    """Whether this machine's processors multiply bfloat16 in hardware; False where that can't be read."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        text = _CPUINFO.read_text("utf-8", "replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return not FLAGS.isdisjoint(flags.split())


def dtype_of(precision: Precision) -> torch.dtype:
    """Torch's word for it."""
    import torch

    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[precision]
