"""What to say of a file that no family takes: what it is, if that is known, else how near it came to which family."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gandream.base.errors import CheckpointError, listed
from gandream.models.checkpoint import Checkpoint, Network
from gandream.models.checkpoint.container import BROKEN
from gandream.models.checkpoint.records import RefusedError

if TYPE_CHECKING:
    from gandream.models.families import Condition, FileFamily

KINDS = (
    ("LoRA weights, which change a diffusion model", r".*(lora_|\.lora|hada_w|lokr_w).*"),
    ("a diffusion model", r"(.*\.)?(diffusion_model|unet)\..*|(down|up)_blocks\.\d+\.(resnets|attentions)\..*"),
    ("a diffusion model", r"(single_|joint_)?transformer_blocks\..*|(input|output|double|single)_blocks\.\d+\..*"),
    ("the autoencoder of a diffusion model", r"(.*\.)?(encoder|decoder)\.(up|down|mid)(_block|\.).*|quant_conv\..*"),
    ("a model of words", r"(.*\.)?(layers?|h|resblocks)\.\d+\.(self_attn|attention|attn|mlp)\..*|.*embed_tokens\..*"),
    ("a network that recognises things", r"layer[1-4]\.\d+\.conv1\.weight|features\.\d+\.weight|Conv2d_1a_3x3\..*"),
)
"""Widespread networks that are no generators of a family: what each is, and names of its tensors."""
OPTIMIZER = r"(.*\.)?(exp_avg(_sq)?|max_exp_avg_sq|momentum_buffer|square_avg|sum|step|acc_delta)"
"""Names of what optimizers keep."""
DISCRIMINATOR = (
    r".*fromrgb.*|.*FromRGB.*|fromRGBLayers\..*|b4\.out\.weight|.*from_rgb.*|final_linear\..*|.*minibatch.*|classifier\..*"
    r"|fc\.weight|embed\.weight"
)
"""Names of tensors that judge pictures."""
UNREMARKABLE = r".*(filter|kernel|num_batches_tracked|w_avg|noise|lod|accumulation_counter|sv\d).*"
"""Names of tensors that a network may have without being odd."""
_ENDS = "is this a discriminator, or a training state without its generator?"
_JUDGES = "this is a discriminator, which judges pictures and makes none."
_PREFIX = 3
"""Parts of names that may say where a network sat."""
_FEW, _MANY = 4, 10_000
"""Tensors of a network, at least and at most, whose names are looked into for such parts."""


def unknown(
    checkpoint: Checkpoint, families: Mapping[str, FileFamily], elsewhere: Collection[tuple[str, str]]
) -> CheckpointError:
    """The error for a file of no family; ``elsewhere`` are those that can't be read: (name, pattern of a tensor)."""
    path, known = str(checkpoint.path), f"Families that are read from files: {listed(families)}."
    names = [name for network in checkpoint.networks for name in network.tensors]
    if not names:
        return CheckpointError(
            path, f"no known family takes this file: a {checkpoint.container} without tensors", known
        )
    for what, pattern in elsewhere:
        if any(re.fullmatch(pattern, name) for name in names):
            return CheckpointError(path, f"this is a {what} model, which can't be read yet", known)
    if all(re.fullmatch(OPTIMIZER, name) for name in names):
        return CheckpointError(path, "this is the state of an optimizer, without a network", known)
    near = max((one for one in _candidates(checkpoint, families)), key=lambda one: one.rank, default=None)
    if near is None or near.share < 0.5:
        for network in checkpoint.networks:
            for kind, family in _prefixed(network, families):
                hint = f"Save them without it: the rest is a {family} network. {known}"
                return CheckpointError(path, f"no known family takes this file: its names begin with `{kind}`", hint)
        for what, pattern in KINDS:
            if any(re.fullmatch(pattern, name) for name in names):
                return CheckpointError(path, f"this is {what}, no generator that is known here", known)
    judged = Counter(_judges(network) for network in checkpoint.networks if network.tensors)
    where = near.network if near else checkpoint.networks[0]
    ending = _JUDGES if _judges(where) or not judged[False] else _ENDS
    places = sorted({network.where for network in checkpoint.networks if network.tensors and network.where})
    several = f" The file holds {listed(places, 8)}." if len(places) > 1 else ""
    found = f"nearest: {near.words}; " if near else ""
    return CheckpointError(
        path, f"{len(set(names))} tensors, no known family takes this file", f"{found}{ending}{several} {known}"
    )


@dataclass(frozen=True)
class _Near:
    """How near a network comes to a family."""

    network: Network
    share: float
    """Of the tensors that the family wants, those that are there: 0..1."""
    count: int
    words: str

    @property
    def rank(self) -> tuple[float, int]:
        return self.share, self.count


def _candidates(checkpoint: Checkpoint, families: Mapping[str, FileFamily]) -> Iterator[_Near]:
    """Every network held against every family, as it is and in each of the family's other layouts."""
    for network in checkpoint.networks:
        for name, family in families.items():
            yield from _held(network, network, name, family, family.SIGNATURE)
            for layout in getattr(family, "LAYOUTS", ()):
                wanted = [condition for condition in layout.signature if not condition.absent]
                if 2 * sum(condition.holds(network) for condition in wanted) < len(wanted):
                    continue
                try:
                    form = layout.read(network)
                except (RefusedError, *BROKEN):
                    continue  # What is too odd to be translated is told by families.recognise, or isn't near.
                yield from _held(network, form, f"{name} in {layout.name}'s layout", family, layout.signature)


def _held(
    network: Network, form: Network, name: str, family: FileFamily, signature: tuple[Condition, ...]
) -> Iterator[_Near]:
    """A network held against a family, if they have anything in common."""
    wanted = family.expected(form.tensors)
    missing = [key for key in wanted if key not in form.tensors]
    count = len(wanted) - len(missing)
    if not count:
        return
    usual = set(wanted)
    odd = [key for key in form.tensors if key not in usual and not re.fullmatch(UNREMARKABLE, key)]
    words = f"{name} — {count} of {len(wanted)} keys{f' in {network.where}' if network.where else ''}"
    if missing:
        words += f"; missing {listed(missing, 3)}"
    else:
        fails = (_fails(condition, network) for condition in signature if not condition.holds(network))
        words += f", but {listed(fails, 2)}"
    if odd and 2 * count > len(wanted):
        words += f"; odd: {listed(odd, 2)}"
    yield _Near(network, count / len(wanted), count, words)


def _fails(condition: Condition, network: Network) -> str:
    """Why a network doesn't fulfil a condition of a signature."""
    for name, tensor in network.tensors.items():
        if re.fullmatch(condition.pattern, name):
            if condition.absent:
                return f"it has {name}"
            return f"{name} has shape {list(tensor.shape)}, and {condition.dimensions} dimensions are wanted"
    return f"nothing is named like {condition.pattern}".replace("\\.", ".").replace("\\d+", "0")


def _prefixed(network: Network, families: Mapping[str, FileFamily]) -> Iterator[tuple[str, str]]:
    """Beginnings of names without which a part of a network is one of a family: (beginning, family)."""
    if len(network.tensors) > _MANY:
        return
    seen = Counter(
        name[: match.end()] for name in network.tensors for match in [*re.finditer(r"[./]", name[:200])][:_PREFIX]
    )
    shared = sorted(
        (prefix for prefix, count in seen.items() if count >= _FEW), key=lambda prefix: (len(prefix), prefix)
    )
    for prefix in shared[:50]:
        rest = {name[len(prefix) :]: part for name, part in network.tensors.items() if name.startswith(prefix)}
        inner = replace(network, tensors=rest)
        for name, family in families.items():
            signatures = [family.SIGNATURE, *(layout.signature for layout in getattr(family, "LAYOUTS", ()))]
            if any(all(condition.holds(inner) for condition in signature) for signature in signatures):
                yield prefix, name


def _judges(network: Network) -> bool:
    """Whether a network looks like a discriminator."""
    return "Discriminator" in network.class_name or any(re.fullmatch(DISCRIMINATOR, name) for name in network.tensors)
