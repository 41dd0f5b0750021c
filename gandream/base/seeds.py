"""Randomness with names: a seed for each place in the recipe, so that nothing depends on order of calls."""

from __future__ import annotations

import hashlib


def named_seed(seed: int, path: str) -> int:
    """Seed in [0, 2**32) of the thing at a key path of a recipe with that seed."""
    digest = hashlib.blake2b(f"{seed}\0{path}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little")
