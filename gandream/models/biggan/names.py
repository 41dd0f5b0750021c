"""Names of a BigGAN's tensors, as Brock's PyTorch code gives them."""

from __future__ import annotations

import re
from collections.abc import Collection

ATTENTION = ("theta", "phi", "g", "o")
PLAIN, DEEP = ("conv1", "conv2", "conv_sc"), ("conv1", "conv2", "conv3", "conv4")
START, LAST_NORM, COLOURS = "linear", "output_layer.0", "output_layer.2"


def is_deep(names: Collection[str]) -> bool:
    """Whether a network with tensors of these names has bottlenecks."""
    return "blocks.0.0.conv3.weight" in names or "blocks.0.0.conv4.weight" in names


def is_shared(names: Collection[str]) -> bool:
    """Whether classes are embedded once for all: gains then are matrices, which may have a spectral norm."""
    return "shared.weight" in names or "blocks.0.0.bn1.gain.u0" in names


def statistics(names: Collection[str], norm: str) -> tuple[str, str]:
    """Names of a norm's mean and variance, in the three ways in which the published code may write them."""
    for level in ("", ".bn"):
        for kind in ("stored", "running"):
            if f"{norm}{level}.{kind}_mean" in names:
                return f"{norm}{level}.{kind}_mean", f"{norm}{level}.{kind}_var"
    return f"{norm}.stored_mean", f"{norm}.stored_var"


def counter(norm: str) -> str:
    """Name of a norm's count of accumulated statistics, which one of the ways has."""
    return f"{norm}.bn.accumulation_counter"


def convs(deep: bool) -> tuple[str, ...]:
    """Convolutions of a block."""
    return DEEP if deep else PLAIN


def norms(deep: bool) -> tuple[str, ...]:
    """Norms of a block."""
    return tuple(f"bn{number}" for number in range(1, 5 if deep else 3))


def keys(names: Collection[str]) -> list[str]:
    """Blocks of a network with tensors of these names."""
    numbers = [int(match[1]) for name in names if (match := re.match(r"blocks\.(\d{1,2})\.0\.", name))]
    return [f"blocks.{number}.0" for number in range(max(numbers, default=0) + 1)]


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these would have."""
    known = set(names)
    normed = any(name.endswith(".u0") for name in known)
    deep, shared = is_deep(known), is_shared(known)
    found = ["shared.weight"] if shared else []

    def weight(key: str, bias: bool = True, spectral: bool = normed) -> None:
        found.extend([f"{key}.weight", *([f"{key}.bias"] if bias else []), *([f"{key}.u0"] if spectral else [])])

    def norm(key: str) -> None:
        found.extend(statistics(known, key))
        if counter(key) in known:
            found.append(counter(key))

    weight(START)
    for key in keys(known):
        for part in convs(deep):
            weight(f"{key}.{part}")
        for part in norms(deep):
            norm(f"{key}.{part}")
            for kind in ("gain", "bias"):
                weight(f"{key}.{part}.{kind}", False, normed and shared)
        after = f"{key[:-1]}1"
        if any(name.startswith(f"{after}.") for name in known):
            found.append(f"{after}.gamma")
            for part in ATTENTION:
                weight(f"{after}.{part}", False)
    norm(LAST_NORM)
    found += [f"{LAST_NORM}.gain", f"{LAST_NORM}.bias"]
    weight(COLOURS)
    return found
