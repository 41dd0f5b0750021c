"""BigGAN-deep, from files: the published PyTorch conversion (``pytorch_model.bin``), and gandream's own.

Brock, Donahue & Simonyan 2018, "Large scale GAN training for high fidelity natural image synthesis", appendix B and
figure 16 (the blocks), section 3.1 (truncation). ``config.json`` is read where it lies beside the file. No torch here.

- ``plan.py``: from shapes and configuration to what is computed;
- ``folding.py``: spectral norm, biases and tables of statistics, folded when the file is read;
- ``network.py``: the ``Generator``.

Each row of w is [z, embedding of the class]: the first for the first linear layer, then one for each block, so that
layers can be mixed. Truncation scales z and leaves the class (``Spec.class_size``); its amount also chooses the
statistics of the norms: all layers take those of one psi, the mean one where layers are truncated differently.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from gandream.base.hashing import content_key
from gandream.models.biggan_deep import plan as plans
from gandream.models.checkpoint import Checkpoint, Network
from gandream.models.families import Condition, Identity, class_names
from gandream.models.precision import pays
from gandream.models.spec import Layer, Spec

if TYPE_CHECKING:
    import torch

    from gandream.models.biggan_deep.network import BigGANDeep

FAMILY = "biggan_deep"
VERSION = 2
"""Goes up whenever a change in this folder changes the pictures."""
SIGNATURE = (
    Condition(r"generator\.gen_z\.weight(_orig)?", 2),
    Condition(r"generator\.layers\.0\.bn_0\.running_means", 2),
    Condition(r"generator\.conv_to_rgb\.weight(_orig)?", 4),
    Condition(r"embeddings\.weight", 2),
)
"""Linear start, norms with tables of statistics, classes that are embedded once for all."""
BESIDE = "config.json"
"""The file of configuration that is read where it lies beside a model."""


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these would have."""
    return plans.expected(names)


def describe_network(network: Network, identity: Identity) -> Spec:
    """Facts about a network."""
    plan = plans.plan(network)
    layers = [
        Layer("gen_z", plans.FIRST, plan.blocks[0].inputs),
        *(Layer(block.key.removeprefix("generator."), block.size, block.outputs) for block in plan.blocks),
    ]
    return Spec(
        family=FAMILY,
        name=identity.name,
        fingerprint=content_key(FAMILY, VERSION, identity.sha256, plan.configuration),
        latent_size=plan.latent,
        layers=tuple(layers),
        shown=tuple(layers),
        size=(plan.size, plan.size),
        classes=class_names(plan.classes, identity.classes) if plan.classes > 1 else (),
        licence=identity.licence,
        w_size=plan.latent + plan.embed,
        class_size=plan.embed,
        truncated=True,
        regional=True,
        reducible=pays((block.size, block.inputs // 4) for block in plan.blocks),
        configuration=plan.summary,
    )


def build(
    checkpoint: Checkpoint, network: Network, spec: Spec, device: torch.device, dtype: torch.dtype | None
) -> BigGANDeep:
    """Read the tensors and make the generator."""
    from gandream.models.biggan_deep.network import BigGANDeep

    tensors = checkpoint.arrays(network, expected(network.tensors))
    return BigGANDeep(spec, plans.plan(network), tensors, device, dtype)
