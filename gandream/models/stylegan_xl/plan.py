"""The network of a StyleGAN-XL as a list of what to compute, from shapes and attributes. Loads no torch.

From w on it is a StyleGAN3, whose plan it uses: a network that was grown to a higher resolution has dropped its last
layers and got new ones, so numbers of layers are left out, and the layers' own attributes say what they do.
"""

from __future__ import annotations

from collections.abc import Collection

from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import DamagedError
from gandream.models.style.reader import Dense, Reader, mapping_after, mapping_names
from gandream.models.stylegan3.plan import Plan, synthesis_names, synthesis_plan
from gandream.models.stylegan_xl.grown import completed

TABLE, PROJECTION, CENTRES = "mapping.embed.weight", "mapping.embed_proj", "mapping.w_avg"


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these must have."""
    keys = [name for name in mapping_names(names) if not name.startswith("mapping.embed.")] + [TABLE]
    if any(name.startswith(f"{PROJECTION}.") for name in names):
        keys += [f"{PROJECTION}.weight", f"{PROJECTION}.bias"]
    return [*keys, *synthesis_names(names)]


def plan(network: Network) -> Plan:
    """Infer everything; DamagedError where tensors contradict each other."""
    reader = Reader(completed(network))
    synthesis = synthesis_plan(reader)
    return Plan(mapping_after(reader, _embedding(reader, synthesis.w), synthesis.w), synthesis)


def _embedding(reader: Reader, w: int) -> Dense | None:
    """From weights of classes to what z is joined with; None for a network without classes.

    Each class has a row of a table, of features of a classifier (Sauer et al. 2022, section 3.2), which is projected
    to the size of z. Table and projection are one layer here; ``mapping.folded`` makes its weights. Networks of fewer
    classes than the table has rows, and networks without classes, carry the whole table all the same.
    """
    rows, features = reader.shape(TABLE, None, None)
    centres = reader.network.tensors.get(CENTRES)
    by_class = centres is not None and len(centres.shape) == 2
    if f"{PROJECTION}.weight" not in reader.network.tensors:
        if by_class:
            raise DamagedError(f"{PROJECTION}.weight is missing, though {CENTRES} has a row for each class")
        return None
    projection = reader.dense(PROJECTION, features, "lrelu")
    reader.shape("mapping.fc0.weight", None, 2 * projection.outputs)
    classes = rows
    if by_class:
        classes, _ = reader.shape(CENTRES, None, w)
    if classes > rows:
        raise DamagedError(f"{TABLE} has {rows} rows for {classes} classes")
    return Dense(PROJECTION, classes, projection.outputs, projection.gain, projection.bias_gain, projection.activation)
