"""Progressive GANs, from files: pytorch_GAN_zoo's layout (torch.hub's PGAN), TensorFlow's, and gandream's own.

Karras, Aila, Laine & Lehtinen 2018, "Progressive growing of GANs for improved quality, stability, and variation":
figure 2 (fade-in), section 4 (scaled weights, pixelwise normalisation), table 2 (the layers). Classes are one-hot and
appended to z, as in Odena, Olah & Shlens 2017, section 3. This part loads no torch.

- ``plan.py``: from shapes and configuration to what is computed;
- ``layouts.py``: the layout of the original, in TensorFlow;
- ``network.py``: the ``Generator``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from gandream.base.hashing import content_key
from gandream.models.checkpoint import Checkpoint, Network
from gandream.models.families import Condition, Identity
from gandream.models.progan import plan as plans
from gandream.models.progan.layouts import LAYOUTS as LAYOUTS
from gandream.models.spec import Layer, Spec

if TYPE_CHECKING:
    import torch

    from gandream.models.progan.network import ProGAN

FAMILY = "progan"
VERSION = 1
"""Goes up whenever a change in this folder changes the pictures."""
SIGNATURE = (
    Condition(r"formatLayer(\.module)?\.weight", 2),
    Condition(r"groupScale0\.0(\.module)?\.weight", 4),
    Condition(r"toRGBLayers\.0(\.module)?\.weight", 4),
)
"""The discriminator of the same layout has fromRGBLayers, and no formatLayer."""


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these would have."""
    return plans.expected(names)


def describe_network(network: Network, identity: Identity) -> Spec:
    """Facts about a network."""
    plan = plans.plan(network)
    names = tuple(name for name, _ in plan.classes)
    blocks = ["groupScale0", *(f"scaleLayers.{scale}" for scale in range(len(plan.depths) - 1))]
    return Spec(
        family=FAMILY,
        name=identity.name,
        fingerprint=content_key(FAMILY, VERSION, identity.sha256),
        latent_size=plan.inputs - plan.labels,
        layers=(Layer("z", plan.size),),
        size=(plan.size, plan.size),
        channels=plan.channels,
        shown=tuple(Layer(block, plans.FIRST << number, plan.depths[number]) for number, block in enumerate(blocks)),
        classes=identity.classes if len(identity.classes) == len(names) else names,
        licence=identity.licence,
        w_size=plan.inputs if plan.labels else 0,
        class_size=plan.labels,
        configuration=plan.summary,
    )


def build(
    checkpoint: Checkpoint, network: Network, spec: Spec, device: torch.device, dtype: torch.dtype | None
) -> ProGAN:
    """Read the tensors and make the generator."""
    from gandream.models.progan.network import ProGAN

    tensors = checkpoint.arrays(network, expected(network.tensors))
    known = plans.configuration(network.attributes)
    return ProGAN(spec, plans.plan(network), tensors, {"": {"config": known}}, device, dtype)
