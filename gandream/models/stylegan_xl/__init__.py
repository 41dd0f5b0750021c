"""StyleGAN-XL, at its first resolution or grown to higher ones: torch pickles, their state dicts, and gandream's own.

Sauer et al. 2022, "StyleGAN-XL: scaling StyleGAN to large diverse datasets". A StyleGAN3 with a table of class
features, a centre of w for each class, and layers that were added for higher resolutions. This part loads no torch.

- ``plan.py``: from shapes and attributes to what is computed;
- ``grown.py``: what layers do, where a file doesn't say it;
- ``mapping.py``: the class embedding as one layer;
- ``network.py``: the ``Generator``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from gandream.base.hashing import content_key
from gandream.models import stylegan3
from gandream.models.checkpoint import Checkpoint, Network
from gandream.models.families import Condition, Identity, class_names
from gandream.models.precision import pays
from gandream.models.spec import Spec
from gandream.models.stylegan3.extend import shown
from gandream.models.stylegan3.plan import OPTIONAL, configuration
from gandream.models.stylegan_xl import plan as plans

if TYPE_CHECKING:
    import torch

    from gandream.models.stylegan_xl.network import StyleGANXL

FAMILY = "stylegan_xl"
VERSION = 1
"""Goes up whenever a change in this folder changes the pictures; those of StyleGAN3's count besides."""
EXTENDS = True
SIGNATURE = (
    Condition(r"synthesis\.input\.freqs", 2),
    Condition(r"synthesis\.L\d+_\d+_\d+\.weight", 4),
    Condition(r"mapping\.fc0\.weight", 2),
    Condition(r"mapping\.embed\.weight", 2),
    Condition(r"mapping\.embed\.bias", absent=True),
)
"""Waves come in, and there is a table of class features; StyleGAN3 has a layer with a bias in its place."""


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these would have."""
    return plans.expected(names)


def describe_network(network: Network, identity: Identity) -> Spec:
    """Facts about a network."""
    plan = plans.plan(network)
    return Spec(
        family=FAMILY,
        name=identity.name,
        fingerprint=content_key(FAMILY, VERSION, stylegan3.VERSION, identity.sha256),
        latent_size=plan.mapping.z,
        layers=stylegan3.layers(plan.synthesis),
        size=plan.synthesis.size,
        channels=plan.synthesis.channels,
        classes=class_names(plan.mapping.classes, identity.classes),
        licence=identity.licence,
        w_size=plan.mapping.w,
        class_centres=plan.mapping.by_class,
        transform=True,
        drifts=True,
        extends=EXTENDS,
        reducible=pays((min(layer.size), layer.outputs) for layer in plan.synthesis.layers),
        shown=shown(plan.synthesis),
        configuration=plan.summary,
    )


def build(
    checkpoint: Checkpoint, network: Network, spec: Spec, device: torch.device, dtype: torch.dtype | None
) -> StyleGANXL:
    """Read the tensors and make the generator."""
    from gandream.models.stylegan_xl.network import StyleGANXL

    plan = plans.plan(network)
    optional = (name for name in network.tensors if re.fullmatch(OPTIONAL, name))
    tensors = checkpoint.arrays(network, [*expected(network.tensors), *optional])
    return StyleGANXL(spec, plan, tensors, configuration(network.attributes), device, dtype)
