"""A BigGAN of random numbers, and the network as figures 15 and 16 of the paper have it, in float64 and in no hurry."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


@dataclass(frozen=True)
class Kind:
    """A configuration."""

    widths: tuple[int, ...] = (16, 16, 8)
    """Channels before, between and after the stages."""
    latent: int = 12
    embed: int = 5
    classes: int = 4
    shared: bool = True
    hier: bool = True
    depth: int = 0
    """Bottlenecks of a stage of the deep variant; 0: plain blocks."""
    attention: tuple[int, ...] = (1,)
    """Numbers of the blocks before the non-local ones."""
    statistics: str = "stored"
    """stored, mybn or running: the three ways to write them."""
    normed: bool = True
    logs: bool = True
    bottom: int = 4
    channels: int = 3

    @property
    def pairs(self) -> list[tuple[int, int, bool]]:
        """Channels in and out of each block, and whether it doubles the size."""
        stages = list(zip(self.widths, self.widths[1:], strict=False))
        if not self.depth:
            return [(a, b, True) for a, b in stages]
        return [(a, b if last else a, last) for a, b in stages for last in [False] * (self.depth - 1) + [True]]

    @property
    def chunk(self) -> int:
        """What the first layer of plain blocks sees of z."""
        return self.latent // (len(self.pairs) + 1) if self.hier and not self.depth else self.latent

    @property
    def condition(self) -> int:
        """What norms see."""
        if not self.shared:
            return self.classes
        return self.embed + (self.chunk if self.hier or self.depth else 0)

    def but(self, **changes: object) -> Kind:
        """The same but for something."""
        return replace(self, **changes)  # type: ignore[arg-type]


def random_state(kind: Kind, seed: int = 0) -> State:
    """As the published code would save it."""
    random = torch.Generator().manual_seed(seed)
    held: State = {}

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random)

    def spectral(key: str, rows: int) -> None:
        if kind.normed:
            held[f"{key}.u0"] = normal(1, rows)
            if kind.logs:
                held[f"{key}.sv0"] = torch.full((1,), 123.0)

    def weight(key: str, *shape: int, bias: bool = True) -> None:
        held[f"{key}.weight"] = normal(*shape) / (1 if kind.normed else math.sqrt(math.prod(shape[1:])))
        if bias:
            held[f"{key}.bias"] = normal(shape[0]) / 3
        spectral(key, shape[0])

    def norm(key: str, channels: int) -> None:
        key = key if kind.statistics == "stored" else f"{key}.bn"
        word = "running" if kind.statistics == "running" else "stored"
        held[f"{key}.{word}_mean"] = normal(channels) / 5
        held[f"{key}.{word}_var"] = torch.rand(channels, generator=random) / 2 + 1
        if kind.statistics == "mybn":
            held[f"{key}.accumulation_counter"] = torch.zeros(1)

    def conditional(key: str, channels: int) -> None:
        norm(key, channels)
        for part in ("gain", "bias"):
            if kind.shared:
                weight(f"{key}.{part}", channels, kind.condition, bias=False)
            else:
                held[f"{key}.{part}.weight"] = normal(kind.classes, channels) / 3

    if kind.shared:
        held["shared.weight"] = normal(kind.classes, kind.embed)
    columns = kind.latent + kind.embed if kind.depth else kind.chunk
    weight("linear", kind.widths[0] * kind.bottom**2, columns)
    for number, (inputs, outputs, _) in enumerate(kind.pairs):
        key = f"blocks.{number}.0"
        if kind.depth:
            middle = inputs // 4
            sizes = [(middle, inputs, 1), (middle, middle, 3), (middle, middle, 3), (outputs, middle, 1)]
            names = ["conv1", "conv2", "conv3", "conv4"]
            channels = [inputs, middle, middle, middle]
        else:
            sizes, names = (
                [(outputs, inputs, 3), (outputs, outputs, 3), (outputs, inputs, 1)],
                ["conv1", "conv2", "conv_sc"],
            )
            channels = [inputs, outputs]
        for name, (a, b, side) in zip(names, sizes, strict=True):
            weight(f"{key}.{name}", a, b, side, side)
        for index, count in enumerate(channels, 1):
            conditional(f"{key}.bn{index}", count)
        if number in kind.attention:
            key = f"blocks.{number}.1"
            held[f"{key}.gamma"] = torch.tensor(0.7)
            parts = (("theta", 2, outputs), ("phi", 2, outputs), ("g", outputs // 2, outputs),
                     ("o", outputs, outputs // 2))  # fmt: skip
            for name, a, b in parts:
                weight(f"{key}.{name}", a, b, 1, 1, bias=False)
    norm("output_layer.0", kind.widths[-1])
    held["output_layer.0.gain"], held["output_layer.0.bias"] = normal(kind.widths[-1]), normal(kind.widths[-1])
    weight("output_layer.2", kind.channels, kind.widths[-1], 3, 3)
    return held


def plain(held: State, kind: Kind, z: Tensor, y: Tensor, eps: float = 1e-5, count: float = 1) -> Tensor:
    """Pictures of z and of classes: their embeddings [N, E], or their numbers [N] where none is shared."""
    held = {name: tensor.double() for name, tensor in held.items()}
    z = z.double()

    def weight(key: str) -> Tensor:
        w = held[f"{key}.weight"]
        if f"{key}.u0" not in held:
            return w
        matrix = w.flatten(1)
        v = F.normalize(held[f"{key}.u0"] @ matrix, eps=1e-6)
        u = F.normalize(v @ matrix.T, eps=1e-6)
        return w / (v @ matrix.T @ u.T).squeeze()

    def conv(x: Tensor, key: str) -> Tensor:
        w = weight(key)
        return F.conv2d(x, w, held.get(f"{key}.bias"), padding=w.shape[-1] // 2)

    def norm(x: Tensor, key: str, epsilon: float) -> Tensor:
        level = "" if kind.statistics == "stored" else ".bn"
        word = "running" if kind.statistics == "running" else "stored"
        mean, variance = (held[f"{key}{level}.{word}_{part}"] / count for part in ("mean", "var"))
        return (x - mean[:, None, None]) / (variance + epsilon).sqrt()[:, None, None]

    def conditional(x: Tensor, key: str, condition: Tensor) -> Tensor:
        gain, bias = (
            F.linear(condition, weight(f"{key}.{part}")) if kind.shared else held[f"{key}.{part}.weight"][condition]
            for part in ("gain", "bias")
        )
        return (norm(x, key, eps) * (1 + gain[:, :, None, None]) + bias[:, :, None, None]).relu()

    def attend(x: Tensor, key: str) -> Tensor:
        theta = conv(x, f"{key}.theta").flatten(2)
        phi, g = (F.max_pool2d(conv(x, f"{key}.{part}"), 2).flatten(2) for part in ("phi", "g"))
        beta = torch.einsum("ncq,nck->nqk", theta, phi).softmax(-1)
        found = torch.einsum("nqk,nck->ncq", beta, g).view(len(x), -1, *x.shape[2:])
        return x + held[f"{key}.gamma"] * conv(found, f"{key}.o")

    blocks = len(kind.pairs)
    embedded = y if not kind.shared else y.double()
    conditions: list[Tensor]
    if kind.depth:
        first = torch.cat((embedded, z), 1)
        conditions = [first] * blocks
    elif kind.hier:
        first, *rest = z.split(kind.chunk, 1)
        conditions = [torch.cat((embedded, part), 1) for part in rest]
    else:
        first, conditions = z, [embedded] * blocks
    x = F.linear(first, weight("linear"), held["linear.bias"]).view(len(z), -1, kind.bottom, kind.bottom)
    for number, (_, outputs, up) in enumerate(kind.pairs):
        key, condition = f"blocks.{number}.0", conditions[number]

        def raised(x: Tensor, up: bool = up) -> Tensor:
            return F.interpolate(x, scale_factor=2) if up else x

        h = conditional(x, f"{key}.bn1", condition)
        if kind.depth:
            h = conditional(conv(h, f"{key}.conv1"), f"{key}.bn2", condition)
            h = conditional(conv(raised(h), f"{key}.conv2"), f"{key}.bn3", condition)
            h = conditional(conv(h, f"{key}.conv3"), f"{key}.bn4", condition)
            x = raised(x[:, :outputs]) + conv(h, f"{key}.conv4")
        else:
            h = conditional(conv(raised(h), f"{key}.conv1"), f"{key}.bn2", condition)
            x = conv(h, f"{key}.conv2") + conv(raised(x), f"{key}.conv_sc")
        if f"blocks.{number}.1.gamma" in held:
            x = attend(x, f"blocks.{number}.1")
    x = norm(x, "output_layer.0", 1e-5) * held["output_layer.0.gain"][:, None, None]
    return conv((x + held["output_layer.0.bias"][:, None, None]).relu(), "output_layer.2").tanh()
