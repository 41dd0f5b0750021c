"""StyleGAN3 (alias-free GAN), configurations T and R: NVIDIA's torch pickles, their state dicts, and gandream's own.

Karras et al. 2021, "Alias-free generative adversarial networks". The network works on signals of limited bandwidth:
waves that w moves and turns come in, and each activation is computed on a finer grid between two low-pass filters,
so that detail sticks to what is shown and not to pixels. This part loads no torch.

- ``hyperparameters.py``: the paper's formulas for bandwidths, rates and sizes, where a file doesn't say them;
- ``filters.py``: low-pass filters, where a file has none;
- ``plan.py``: from shapes and attributes to what is computed;
- ``fourier.py``: the input; ``resample.py``: filters and the activation between them; ``synthesis.py``: the layers;
- ``modulated.py``, ``reduced.py``: the convolution, in float32 and in half precision;
- ``extend.py``: larger pictures;
- ``network.py``: the ``Generator``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from gandream.base.hashing import content_key
from gandream.models.checkpoint import Checkpoint, Network
from gandream.models.families import Condition, Identity, class_names
from gandream.models.precision import pays
from gandream.models.spec import Layer, Spec
from gandream.models.stylegan3 import plan as plans
from gandream.models.stylegan3.extend import shown

if TYPE_CHECKING:
    import torch

    from gandream.models.stylegan3.network import StyleGAN3

FAMILY = "stylegan3"
VERSION = 2
"""Goes up whenever a change in this folder changes the pictures."""
EXTENDS = True
SIGNATURE = (
    Condition(r"synthesis\.input\.freqs", 2),
    Condition(r"synthesis\.L\d+_\d+_\d+\.weight", 4),
    Condition(r"mapping\.fc0\.weight", 2),
    Condition(r"mapping\.embed_proj\.weight", absent=True),
)
"""Waves come in; the last one is what StyleGAN-XL has besides."""


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these would have."""
    return plans.expected(names)


def layers(plan: plans.SynthesisPlan) -> tuple[Layer, ...]:
    """The style layers: the input, then the convolutions."""
    convolutions = (Layer(layer.key.removeprefix("synthesis."), min(layer.size)) for layer in plan.layers)
    return (Layer("input", min(plan.input.size)), *convolutions)


def describe_network(network: Network, identity: Identity) -> Spec:
    """Facts about a network."""
    plan = plans.plan(network)
    return Spec(
        family=FAMILY,
        name=identity.name,
        fingerprint=content_key(FAMILY, VERSION, identity.sha256),
        latent_size=plan.mapping.z,
        layers=layers(plan.synthesis),
        size=plan.synthesis.size,
        channels=plan.synthesis.channels,
        classes=class_names(plan.mapping.classes, identity.classes),
        licence=identity.licence,
        w_size=plan.mapping.w,
        transform=True,
        drifts=True,
        extends=EXTENDS,
        reducible=pays((min(layer.size), layer.outputs) for layer in plan.synthesis.layers),
        shown=shown(plan.synthesis),
        configuration=plan.summary,
    )


def build(
    checkpoint: Checkpoint, network: Network, spec: Spec, device: torch.device, dtype: torch.dtype | None
) -> StyleGAN3:
    """Read the tensors and make the generator."""
    from gandream.models.stylegan3.network import StyleGAN3

    plan = plans.plan(network)
    optional = (name for name in network.tensors if re.fullmatch(plans.OPTIONAL, name))
    tensors = checkpoint.arrays(network, [*expected(network.tensors), *optional])
    return StyleGAN3(spec, plan, tensors, plans.configuration(network.attributes), device, dtype)
