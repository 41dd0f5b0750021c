"""CPPN pattern networks: pictures of any size from a seed, without a checkpoint. This part loads no torch.

A compositional pattern-producing network (Stanley 2007, "Compositional pattern producing networks: A novel
abstraction of development"; pictures with latents after Ha 2016, "Generating abstract patterns with TensorFlow")
asks a small network with mixed activations for the colour of every point of the plane. ``cppn#7`` is the network
whose weights are drawn from seed 7: the same pictures on every machine, up to float rounding.

- ``weights.py``: everything that is random, drawn by numpy;
- ``field.py``: the network as a function of the plane, folded per frame and evaluated per tile;
- ``palette.py``: from the network's last fields to colour;
- ``tiles.py``: tiles over threads;
- ``rough.py``: drafts, from a quarter of the points;
- ``network.py``: the ``Generator``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandream.base.errors import CheckpointError
from gandream.base.hashing import content_key
from gandream.models.spec import Layer, Spec

if TYPE_CHECKING:
    import torch

    from gandream.models.cppn.network import CPPN

FAMILY = "cppn"
VERSION = 1
"""Goes up whenever a change in this folder changes the pictures."""
EXTENDS = True
LATENT = 64
"""D, of z and of w."""
HIDDEN = 7
"""Hidden layers; coarse ones move the composition, later ones add shapes and detail."""
WIDTH = 32
"""Units of each of them."""
LAYERS = (*(Layer(f"hidden{index}", channels=WIDTH) for index in range(HIDDEN)), Layer("light"), Layer("palette"))
DEFAULT_SIZE = (512, 512)


def seed_of(word: str) -> int:
    """Read the seed in ``cppn#7``; an empty word is seed 0."""
    word = word.strip()
    if not word:
        return 0
    if not (word.isascii() and word.isdigit() and int(word) < 2**32):
        raise CheckpointError(
            f"{FAMILY}#{word}", f"{word!r} is not a seed: a whole number from 0 to {2**32 - 1}", f"Write {FAMILY}#7."
        )
    return int(word)


def describe(word: str = "") -> Spec:
    """Facts of the network with this seed."""
    seed = seed_of(word)
    return Spec(
        family=FAMILY,
        name=f"{FAMILY}#{seed}",
        fingerprint=content_key(FAMILY, VERSION, seed, LATENT, [layer.name for layer in LAYERS]),
        latent_size=LATENT,
        layers=LAYERS,
        transform=True,
        extends=EXTENDS,
        rough=True,
        shown=LAYERS[:HIDDEN],
        licence="MIT",
    )


def load(word: str = "", device: torch.device | None = None, dtype: torch.dtype | None = None) -> CPPN:
    """Make the generator with this seed."""
    from gandream.models.cppn.network import CPPN

    return CPPN(describe(word), seed_of(word), device, dtype)
