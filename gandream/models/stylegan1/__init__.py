"""StyleGAN, the first, from files: TensorFlow's pickles, the ports to torch that are common, and gandream's own.

Karras, Laine & Aila 2019, "A style-based generator architecture for generative adversarial networks": figure 1b (the
two networks), equation 1 (AdaIN: adaptive instance normalisation), appendix B (truncation); Karras et al. 2018,
"Progressive growing of GANs": figure 2 (resolutions that fade in), section 4.1 (equalised learning rate). This part
loads no torch.

- ``plan.py``: the family's names, and from shapes to what is computed;
- ``layouts.py``: other people's ways of writing it; ``renaming.py``: what these are translated with;
- ``layer.py``: convolution or constant; ``adain.py``: what follows it; ``synthesis.py``: from w to pictures;
- ``network.py``: the ``Generator``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from gandream.base.hashing import content_key
from gandream.models.checkpoint import Checkpoint, Network
from gandream.models.families import Condition, Identity, class_names
from gandream.models.precision import pays
from gandream.models.spec import Layer, Spec
from gandream.models.stylegan1 import layouts
from gandream.models.stylegan1 import plan as plans

if TYPE_CHECKING:
    import torch

    from gandream.models.stylegan1.network import StyleGAN1

FAMILY = "stylegan1"
VERSION = 2
"""Goes up whenever a change in this folder changes the pictures."""
EXTENDS = True
SIGNATURE = (
    Condition(r"synthesis\.b\d+\.const", 3),
    Condition(r"synthesis\.b\d+\.conv0\.affine\.weight", 2),
    Condition(r"mapping\.fc0\.weight", 2),
    Condition(r"synthesis\.b\d+\.torgb\.weight", 4),
    Condition(r"synthesis\.b\d+\.torgb\.affine\.weight", absent=True),
)
"""Blocks that begin with a constant, whose colours have no style of their own, unlike StyleGAN2's."""
LAYOUTS = layouts.LAYOUTS


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these would have."""
    return plans.expected(names)


def describe_network(network: Network, identity: Identity) -> Spec:
    """Facts about a network."""
    plan = plans.plan(network)
    convs = [conv for block in plan.blocks for conv in block.convs]
    layers = tuple(Layer(conv.key.removeprefix("synthesis."), min(conv.size), conv.outputs) for conv in convs)
    return Spec(
        family=FAMILY,
        name=identity.name,
        fingerprint=content_key(FAMILY, VERSION, identity.sha256),
        latent_size=plan.mapping.z,
        layers=layers,
        shown=layers,
        size=plan.size,
        channels=plan.channels,
        classes=class_names(plan.mapping.classes, identity.classes),
        licence=identity.licence,
        w_size=plan.mapping.w,
        constant=True,
        noise=any(conv.noise for conv in convs),
        extends=EXTENDS,
        reducible=pays((min(conv.size), conv.outputs) for conv in convs),
        configuration=plan.summary,
    )


def build(
    checkpoint: Checkpoint, network: Network, spec: Spec, device: torch.device, dtype: torch.dtype | None
) -> StyleGAN1:
    """Read the tensors and make the generator."""
    from gandream.models.stylegan1.network import StyleGAN1

    optional = (name for name in plans.OPTIONAL if name in network.tensors)
    tensors = checkpoint.arrays(network, [*expected(network.tensors), *optional])
    return StyleGAN1(spec, plans.plan(network), tensors, plans.configuration(network.attributes), device, dtype)
