"""Mistakes as programs are told them."""

from __future__ import annotations

from gandream.base.errors import GandreamError


def plain(error: GandreamError) -> dict[str, object]:
    """Where it is, what is wrong, what to do."""
    return {"where": error.where, "problem": error.problem, "hint": error.hint}
