"""The network of a StyleGAN3 as a list of what to compute, from shapes and attributes. Loads no torch.

Names of tensors are those of NVIDIA's torch checkpoints, where each layer says its own factors, padding and clamp
(its resolved attributes). Where a file has none, as a bare state dict, the paper's formulas give them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import DamagedError
from gandream.models.style.reader import Dense, MappingPlan, Reader, mapping_names, mapping_plan
from gandream.models.stylegan3 import hyperparameters
from gandream.models.stylegan3.filters import Design

READ = (
    *("activation", "weight_gain", "bias_gain", "output_scale", "size", "sampling_rate", "bandwidth", "is_torgb"),
    *("up_factor", "down_factor", "padding", "conv_clamp", "up_taps", "down_taps", "down_radial", "in_cutoff"),
    *("in_half_width", "out_cutoff", "out_half_width", "tmp_sampling_rate"),
)
"""Attributes of modules that shape the picture; gandream's own files carry these."""
OPTIONAL = r"mapping\.w_avg|synthesis\.input\.transform|synthesis\.L\d+_\d+_\d+\.(up|down)_filter"
"""Tensors that can be made up where a file has none."""
LAYER = r"synthesis\.(L(\d{1,3})_(\d{1,5})_(\d{1,5}))\."
MAX_LAYERS = 128
MAX_SIDE = 1 << 14
"""Of what a layer gives, in pixels."""
MAX_FACTOR = 16
MAX_TAPS = 256


@dataclass(frozen=True)
class Lowpass:
    """A filter: the tensor's name, or what to make where the file has none."""

    key: str
    radial: bool
    """Whether it is two-dimensional; else it is applied along rows and along columns."""
    design: Design | None = None


@dataclass(frozen=True)
class Fourier:
    """The input: C waves, moved and turned by w, and mixed (Karras et al. 2021, section 3.2 and appendix F)."""

    key: str
    affine: Dense
    """To (cos, sin, x, y)."""
    channels: int
    size: tuple[int, int]
    """(height, width)."""
    rate: float
    """Samples per unit, the side of the picture."""
    bandwidth: float
    """Up to this frequency waves have their full height; from there it falls to 0 at half the rate."""


@dataclass(frozen=True)
class Convolution:
    """A layer: modulated convolution, bias, finer grid, activation, coarser grid (figure 4b)."""

    key: str
    row: int
    """Which row of w [L, D] is its style."""
    affine: Dense
    outputs: int
    kernel: int
    colours: bool
    """Whether it makes colours: then it neither demodulates nor activates."""
    up: int
    down: int
    padding: tuple[int, int, int, int]
    """Left, right, top, bottom, in pixels of the fine grid; negative ones crop."""
    up_filter: Lowpass | None
    down_filter: Lowpass | None
    clamp: float | None
    before: tuple[int, int]
    """(height, width) of what it is given."""
    size: tuple[int, int]
    """(height, width) of what it gives."""


@dataclass(frozen=True)
class SynthesisPlan:
    """From w to pictures."""

    input: Fourier
    layers: tuple[Convolution, ...]
    scale: float
    """Multiplies what the last layer gives."""

    @property
    def channels(self) -> int:
        """Of the picture."""
        return self.layers[-1].outputs

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        return self.layers[-1].size

    @property
    def w(self) -> int:
        """D, of a row of w."""
        return self.input.affine.inputs


@dataclass(frozen=True)
class Plan:
    """A whole generator."""

    mapping: MappingPlan
    synthesis: SynthesisPlan

    @property
    def summary(self) -> str:
        """Its configuration, in a line for people."""
        layers = self.synthesis.layers[:-1]
        kernels = sorted({layer.kernel for layer in layers})
        turned = any(layer.down_filter and layer.down_filter.radial for layer in layers)
        kind = "rotation" if turned else "translation"
        sizes = " ".join(str(kernel) for kernel in kernels)
        channels = " ".join(str(layer.outputs) for layer in layers)
        clamps = sorted({layer.clamp for layer in layers if layer.clamp is not None})
        clamped = f", clamped at {' '.join(f'{clamp:g}' for clamp in clamps)}" if clamps else ""
        return (
            f"equivariant to {kind}, {len(self.mapping.layers)} mapping layers, kernels {sizes}, "
            f"channels {channels}{clamped}"
        )


def layer_names(names: Collection[str]) -> list[str]:
    """``L0_36_512`` ... in their order; numbers may be left out."""
    found = {match[1]: int(match[2]) for name in names if (match := re.match(LAYER, name))}
    return sorted(found, key=lambda name: (found[name], name))[:MAX_LAYERS]


def synthesis_names(names: Collection[str]) -> list[str]:
    """Names of the tensors that the synthesis network must have, judging from the ones there are."""
    base = "synthesis.input"
    keys = [f"{base}.{part}" for part in ("weight", "affine.weight", "affine.bias", "freqs", "phases")]
    for layer in layer_names(names) or ["L0_36_512"]:
        base = f"synthesis.{layer}"
        keys += [f"{base}.{part}" for part in ("weight", "bias", "affine.weight", "affine.bias", "magnitude_ema")]
    return keys


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these must have."""
    return [*mapping_names(names), *synthesis_names(names)]


def plan(network: Network) -> Plan:
    """Infer everything; DamagedError where tensors contradict each other."""
    reader = Reader(network)
    synthesis = synthesis_plan(reader)
    return Plan(mapping_plan(reader, synthesis.w), synthesis)


def configuration(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The attributes that shape the picture, for gandream's own files."""
    kept = {module: {name: found[name] for name in READ if name in found} for module, found in attributes.items()}
    return {module: found for module, found in kept.items() if found}


def synthesis_plan(reader: Reader) -> SynthesisPlan:
    """The synthesis network, layer by layer, each from its own tensors and attributes."""
    names = layer_names(reader.network.tensors)
    guess = _Guess(reader, names)
    start = _input(reader, guess)
    layers: list[Convolution] = []
    size, channels = start.size, start.channels
    for position, name in enumerate(names):
        layer = _layer(reader, guess, position, name, size, channels, start.affine.inputs)
        layers.append(layer)
        size, channels = layer.size, layer.outputs
    if not layers or not layers[-1].colours or any(layer.colours for layer in layers[:-1]):
        raise DamagedError("its last layer makes no colours, or one before it does")
    scale = reader.sure("synthesis", "output_scale", hyperparameters.OUTPUT_SCALE)
    return SynthesisPlan(start, tuple(layers), scale)


class _Guess:
    """What the paper's formulas give where a layer's attributes are missing; computed when it is first asked for."""

    def __init__(self, reader: Reader, names: list[str]):
        self.reader, self.names = reader, names
        self.found: list[dict[str, Any]] | None = None

    def __call__(self, position: int, attribute: str) -> Any:
        """A layer's attribute: its own, or the formulas'."""
        own = self.reader.network.attributes.get(f"synthesis.{self.names[position]}", {})
        if attribute in own:
            return own[attribute]
        if self.found is None:
            self.found = self._make()
        return self.found[position][attribute]

    @property
    def first(self) -> hyperparameters.Band:
        """What the input gives."""
        return self._bands()[0][0]

    def _bands(self) -> tuple[list[hyperparameters.Band], int]:
        found = hyperparameters.fitting([int(name.split("_")[1]) for name in self.names])
        if found is None:
            raise DamagedError(
                f"the sizes of its layers ({', '.join(self.names)}) follow no rule, and it has no attributes"
            )
        return found

    def _make(self) -> list[dict[str, Any]]:
        found, critical = self._bands()
        tensors = self.reader.network.tensors
        kernels = [self.reader.shape(f"synthesis.{name}.weight", None, None, None, None)[2] for name in self.names]
        taps: list[tuple[int | None, int | None]] = []
        for name in self.names:
            filters = (tensors.get(f"synthesis.{name}.{way}_filter") for way in ("up", "down"))
            up, down = (each.shape[0] if each is not None and each.shape else None for each in filters)
            taps.append((up, down))
        # The configuration that is equivariant to rotation is the one with 1 x 1 convolutions (table 3).
        return hyperparameters.attributes(found, critical, kernels, taps, kernels[0] == 1)


def _input(reader: Reader, guess: _Guess) -> Fourier:
    key = "synthesis.input"
    own = reader.network.attributes.get(key, {})
    channels, _ = reader.shape(f"{key}.freqs", None, 2)
    reader.shape(f"{key}.phases", channels)
    reader.shape(f"{key}.weight", channels, channels)
    if f"{key}.transform" in reader.network.tensors:
        reader.shape(f"{key}.transform", 3, 3)
    affine = reader.dense(f"{key}.affine", None, "linear")
    reader.shape(f"{key}.affine.bias", 4)
    # Only where it must: the sizes of a network with attributes need follow no rule.
    given: Any = own["size"] if "size" in own else [guess.first.size] * 2  # noqa: SIM401
    width, height = _wholes(key, "size", given, 2)
    if not 0 < min(width, height) <= max(width, height) <= MAX_SIDE:
        raise DamagedError(f"{key} has the size {width} x {height}")
    rate = reader.number(key, "sampling_rate", None) or float(guess.first.rate)
    bandwidth = reader.sure(key, "bandwidth", hyperparameters.FIRST_CUTOFF)
    if not 0 < 2 * bandwidth < rate:
        raise DamagedError(f"{key} has the bandwidth {bandwidth:g} at {rate:g} samples")
    return Fourier(key, affine, channels, (height, width), rate, bandwidth)


def _layer(
    reader: Reader, guess: _Guess, position: int, name: str, before: tuple[int, int], inputs: int, w: int
) -> Convolution:
    key = f"synthesis.{name}"
    outputs, _, kernel, _ = reader.shape(f"{key}.weight", None, inputs, None, None)
    reader.shape(f"{key}.weight", outputs, inputs, kernel, kernel)
    if kernel > MAX_TAPS:
        raise DamagedError(f"{key}.weight has a kernel of {kernel} x {kernel}")
    reader.shape(f"{key}.bias", outputs)
    reader.shape(f"{key}.magnitude_ema")
    affine = reader.dense(f"{key}.affine", w, "linear")
    reader.shape(f"{key}.affine.bias", inputs)
    up, down = (_wholes(key, way, [guess(position, way)], 1)[0] for way in ("up_factor", "down_factor"))
    left, right, top, bottom = _wholes(key, "padding", guess(position, "padding"), 4)
    colours = guess(position, "is_torgb")
    if not 0 < min(up, down) <= max(up, down) <= MAX_FACTOR or not isinstance(colours, bool):
        raise DamagedError(f"{key} scales up by {up} and down by {down}")
    if colours and (up, down, left, right, top, bottom, kernel) != (1, 1, 0, 0, 0, 0, 1):
        raise DamagedError(f"{key} makes colours, and has a kernel of {kernel} or another grid than what it is given")
    filters = [_lowpass(reader, guess, position, key, way, factor) for way, factor in (("up", up), ("down", down))]
    (up_rows, up_columns), (down_rows, down_columns) = (taps for _, taps in filters)
    clamp = reader.number(key, "conv_clamp", hyperparameters.CLAMP)
    if clamp is not None and clamp <= 0:
        raise DamagedError(f"{key}.conv_clamp is {clamp:g}")
    sides: list[int] = []
    for side, low, high, rows in (
        (before[0], top, bottom, up_rows + down_rows),
        (before[1], left, right, up_columns + down_columns),
    ):
        fine = (side + kernel - 1) * up + low + high - (rows - 2)
        sides.append(-(-fine // down))
        if max(-low, -high, 0) >= side * up or not 0 < sides[-1] <= MAX_SIDE or max(low, high) > MAX_SIDE:
            raise DamagedError(f"{key} pads {side} by {low} and {high}, and gives {sides[-1]}")
    return Convolution(
        key, position + 1, affine, outputs, kernel, colours, up, down, (left, right, top, bottom),
        filters[0][0], filters[1][0], clamp, before, (sides[0], sides[1]),
    )  # fmt: skip


def _lowpass(
    reader: Reader, guess: _Guess, position: int, key: str, way: str, factor: int
) -> tuple[Lowpass | None, tuple[int, int]]:
    """A layer's filter with its (rows, columns), or None and 1 where there is none."""
    name = f"{key}.{way}_filter"
    tensor = reader.network.tensors.get(name)
    if tensor is not None:
        shape = tensor.shape * 2 if len(tensor.shape) == 1 else tensor.shape
        if len(shape) != 2 or not 0 < min(shape) <= max(shape) <= MAX_TAPS:
            raise DamagedError(f"{name} has shape {list(tensor.shape)}, which is no filter's")
        radial = len(tensor.shape) == 2
        return Lowpass(name, radial), (shape[0], shape[1])
    (taps,) = _wholes(key, f"{way}_taps", [guess(position, f"{way}_taps")], 1)
    if taps == 1 and factor == 1:
        return None, (1, 1)
    side = "in" if way == "up" else "out"
    cutoff, half_width, rate = (
        _positive(key, word, guess(position, word)) for word in (f"{side}_cutoff", f"{side}_half_width",
                                                                 "tmp_sampling_rate")
    )  # fmt: skip
    radial = way == "down" and guess(position, "down_radial") is True
    if not 1 < taps <= MAX_TAPS or cutoff >= rate / 2:
        raise DamagedError(f"{name} is missing, and can't be made with {taps} taps and a cutoff of {cutoff:g}")
    return Lowpass(name, radial, Design(taps, cutoff, half_width, rate, radial)), (taps, taps)


def _wholes(module: str, name: str, values: Any, count: int) -> list[int]:
    """Whole numbers among a module's attributes."""
    values = [values] * count if isinstance(values, int) else values
    if not isinstance(values, list) or len(values) != count:
        raise DamagedError(f"{module}.{name} is no list of {count} numbers")
    if not all(type(value) in (int, float) and math.isfinite(value) and value == int(value) for value in values):
        raise DamagedError(f"{module}.{name} has values that are no whole numbers")
    return [int(value) for value in values]


def _positive(module: str, name: str, value: Any) -> float:
    """A positive number among a module's attributes."""
    if type(value) not in (int, float) or not 0 < value < math.inf:
        raise DamagedError(f"{module}.{name} is no positive number")
    return float(value)
