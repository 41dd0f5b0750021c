"""BigGAN, from files: Brock's PyTorch code (``G_ema.pth``), conversions to it from TensorFlow Hub, gandream's own.

Brock, Donahue & Simonyan 2018, "Large scale GAN training for high fidelity natural image synthesis", appendix B and
figure 15 (the blocks); also that code's deep variant (figure 16, with fixed statistics). ``state_dict.pth`` is read
where it lies beside the file, for its configuration. No torch here.

- ``names.py``: names of tensors; ``plan.py``: from shapes and configuration to what is computed;
- ``folding.py``: spectral norm, statistics, gains and biases, folded when the file is read;
- ``network.py``: the ``Generator``.

Each row of w is [z, embedding of the class]: the first for the first linear layer, then one for each block, so that
layers can be mixed. Where z is hierarchical, a row has its own chunk of z only. Where classes have no shared embedding,
the class's part is the weights of the classes. Truncation scales z and leaves the class (``Spec.class_size``).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from gandream.base.hashing import content_key
from gandream.models.biggan import names as known
from gandream.models.biggan import plan as plans
from gandream.models.checkpoint import Checkpoint, Network
from gandream.models.families import Condition, Identity, class_names
from gandream.models.precision import pays
from gandream.models.spec import Layer, Spec

if TYPE_CHECKING:
    import torch

    from gandream.models.biggan.network import BigGAN

FAMILY = "biggan"
VERSION = 1
"""Goes up whenever a change in this folder changes the pictures."""
SIGNATURE = (
    Condition(r"linear\.weight", 2),
    Condition(r"blocks\.0\.0\.conv1\.weight", 4),
    Condition(r"blocks\.0\.0\.bn1\.gain\.weight", 2),
    Condition(r"output_layer\.2\.weight", 4),
)
"""Linear start, blocks with norms whose gains depend on the class, and colours after a last norm."""
BESIDE = "state_dict.pth"
"""The file of configuration that is read where it lies beside a model."""


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these would have."""
    return known.expected(names)


def describe_network(network: Network, identity: Identity) -> Spec:
    """Facts about a network."""
    plan = plans.plan(network)
    layers = (
        Layer(known.START, plan.bottom, plan.blocks[0].inputs),
        *(Layer(block.key, block.size, block.outputs) for block in plan.blocks),
    )
    return Spec(
        family=FAMILY,
        name=identity.name,
        fingerprint=content_key(FAMILY, VERSION, identity.sha256, plan.configuration),
        latent_size=plan.latent,
        layers=layers,
        size=(plan.size, plan.size),
        channels=plan.channels,
        classes=class_names(plan.classes, identity.classes) if plan.classes > 1 else (),
        licence=identity.licence,
        w_size=plan.chunk + plan.embed,
        class_size=plan.embed,
        truncated=True,
        regional=True,
        reducible=pays((block.size, block.outputs // (4 if plan.deep else 1)) for block in plan.blocks),
        shown=layers,
        configuration=plan.summary,
    )


def build(
    checkpoint: Checkpoint, network: Network, spec: Spec, device: torch.device, dtype: torch.dtype | None
) -> BigGAN:
    """Read the tensors and make the generator."""
    from gandream.models.biggan.network import BigGAN

    tensors = checkpoint.arrays(network, expected(network.tensors))
    return BigGAN(spec, plans.plan(network), tensors, device, dtype)
