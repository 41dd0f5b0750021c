"""What an Apple GPU can't do: told by its errors, as torch's MPS lacks some operations, and has no float64 at all.

By torch's sources: an operation that is missing is a NotImplementedError, float64 a TypeError, all else a RuntimeError,
and each names MPS; memory that is used up says so (``MPSAllocator.mm``), or that a buffer's size is invalid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from gandream.base.errors import RenderError
from gandream.rendering.device import Kind

SHORT = ("MPS backend out of memory", "Invalid buffer size")


class CantError(RenderError):
    """There is an Apple GPU, but it can't make this film; the CPU can."""


def short_of_memory(error: BaseException) -> bool:
    """Whether it says that the GPU's memory is used up."""
    return isinstance(error, RuntimeError) and any(words in str(error) for words in SHORT)


@contextmanager
def asked(kind: Kind) -> Iterator[None]:
    """What is done in here is asked of a device; CantError where that is an Apple GPU, and can't do it."""
    try:
        yield
    except (RuntimeError, TypeError) as error:  # of which NotImplementedError is one
        theirs = isinstance(error, NotImplementedError) or re.search(r"\bmps\b", str(error), re.IGNORECASE)
        if kind != "mps" or not (theirs or short_of_memory(error)):
            raise
        what = str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".")
        hint = "Use --device cpu. A newer torch or macOS may be able to."
        raise CantError("--device mps", f"the GPU of this Mac can't do it ({what})", hint) from error
