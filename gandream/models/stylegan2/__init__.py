"""StyleGAN2 and StyleGAN2-ADA, from files: NVIDIA's pickles (torch, TensorFlow), state dicts in their or rosinality's
layout, and gandream's own.

Karras et al. 2019, "A style-based generator architecture for generative adversarial networks" (the mapping network,
truncation, style mixing); Karras et al. 2020a, "Analyzing and improving the image quality of StyleGAN" (modulated
convolutions, skip and residual generators); Karras et al. 2020b, "Training generative adversarial networks with
limited data" (class-conditional mapping). This part loads no torch.

- ``plan.py``: from shapes to what is computed;
- ``layouts.py``: TensorFlow's and rosinality's ways of writing it;
- ``synthesis.py``: from w to pictures;
- ``convolution.py``: the modulated convolution, in the order of operations that is fastest;
- ``reduced.py``: the same in half precision;
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
from gandream.models.stylegan2 import plan as plans
from gandream.models.stylegan2.layouts import LAYOUTS as LAYOUTS

if TYPE_CHECKING:
    import torch

    from gandream.models.stylegan2.network import StyleGAN2

FAMILY = "stylegan2"
VERSION = 2
"""Goes up whenever a change in this folder changes the pictures."""
EXTENDS = True
SIGNATURE = (
    Condition(r"synthesis\.b\d+\.const", 3),
    Condition(r"synthesis\.b\d+\.conv1\.affine\.weight", 2),
    Condition(r"mapping\.fc0\.weight", 2),
    Condition(r"mapping\.embed_proj\.weight", absent=True),
    Condition(r"synthesis\.input\..*", absent=True),
)
"""Constant input and modulated blocks; the last two are what StyleGAN-XL and StyleGAN3 have instead."""


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these would have."""
    return plans.expected(names)


def describe_network(network: Network, identity: Identity) -> Spec:
    """Facts about a network."""
    plan = plans.plan(network)
    convs = [conv for block in plan.blocks for conv in block.convs]
    layers = [Layer(conv.key.removeprefix("synthesis."), min(conv.size), conv.outputs) for conv in convs]
    layers.append(Layer(plan.blocks[-1].key.removeprefix("synthesis.") + ".torgb", min(plan.size)))
    return Spec(
        family=FAMILY,
        name=identity.name,
        fingerprint=content_key(FAMILY, VERSION, identity.sha256),
        latent_size=plan.mapping.z,
        layers=tuple(layers),
        size=plan.size,
        channels=plan.channels,
        classes=class_names(plan.mapping.classes, identity.classes),
        licence=identity.licence,
        w_size=plan.mapping.w,
        class_centres=plan.mapping.by_class,
        constant=True,
        regional=True,
        noise=any(conv.noise for conv in convs),
        extends=EXTENDS,
        reducible=pays((min(conv.size), conv.outputs) for conv in convs),
        shown=tuple(layers[:-1]),
        configuration=plan.summary,
    )


def build(
    checkpoint: Checkpoint, network: Network, spec: Spec, device: torch.device, dtype: torch.dtype | None
) -> StyleGAN2:
    """Read the tensors and make the generator."""
    from gandream.models.stylegan2.network import StyleGAN2

    plan = plans.plan(network)
    optional = (name for name in network.tensors if re.fullmatch(plans.OPTIONAL, name))
    tensors = checkpoint.arrays(network, [*expected(network.tensors), *optional])
    return StyleGAN2(spec, plan, tensors, plans.configuration(network.attributes), device, dtype)
