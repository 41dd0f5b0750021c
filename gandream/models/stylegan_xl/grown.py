"""What the layers of a bare state dict do, from the lengths of their filters and the sizes in their names.

The paper's formulas (``stylegan3.hyperparameters``) need the whole history of a network that was grown to a higher
resolution; what was kept of it is enough. Loads no torch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gandream.models.checkpoint import Network
from gandream.models.stylegan3.hyperparameters import FILTER_SIZE, FIRST_CUTOFF, MARGIN
from gandream.models.stylegan3.plan import layer_names


def completed(network: Network) -> Network:
    """The network with the attributes of its layers, where none has any; as it is if they can't be told."""
    keys = [f"synthesis.{name}" for name in layer_names(network.tensors)]
    if not keys or any(network.attributes.get(key) for key in keys):
        return network
    sizes = [int(key.split("_")[1]) for key in keys]
    first = {"size": [sizes[0]] * 2, "sampling_rate": sizes[0] - 2 * MARGIN, "bandwidth": FIRST_CUTOFF}
    made: dict[str, dict[str, Any]] = {"synthesis.input": first}
    for number, key in enumerate(keys):
        # The colours come straight from the last pixels; every other activation has a filter on both sides.
        colours = number == len(keys) - 1
        taps = [1, 1] if colours else [_taps(network, f"{key}.{way}_filter") for way in ("up", "down")]
        kernel = network.tensors.get(f"{key}.weight")
        if kernel is None or len(kernel.shape) != 4 or any(length % FILTER_SIZE for length in taps if not colours):
            return network
        up, down = (max(length // FILTER_SIZE, 1) for length in taps)
        before = sizes[max(number - 1, 0)] + kernel.shape[2] - 1
        total = (sizes[number] - 1) * down + 1 - before * up + sum(taps) - 2
        low = (total + up) // 2
        made[key] = {
            "is_torgb": colours,
            "up_factor": up,
            "down_factor": down,
            "padding": [low, total - low] * 2,
            "up_taps": taps[0],
            "down_taps": taps[1],
        }
    return replace(network, attributes={**network.attributes, **made})


def _taps(network: Network, name: str) -> int:
    """The length of a filter; 1, which is none's, where the file has none."""
    tensor = network.tensors.get(name)
    return tensor.shape[0] if tensor is not None and tensor.shape and tensor.shape[0] else 1
