"""What must be the same for all that render one film, and what a node says of it."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
ASIDE = {"cli", "studio", "training"}
"""Packages of ours that shape no frame."""
LIBRARIES = ("torch", "numpy", "pillow", "ray")
TOLD = 3
"""Nodes that an error names."""


@dataclass(frozen=True)
class Facts:
    """Of one process on a node."""

    node: str
    """The machine's name, and its address in the cluster."""
    versions: Mapping[str, str]
    sees_store: bool = False
    """Whether it found what the driver wrote into its store."""


def versions() -> dict[str, str]:
    """Of everything whose version shapes bytes, or what driver and workers say to each other. Loads no torch."""
    from gandream.base.ffmpeg import build

    # Pictures of Python's own pickles are read by another minor version, functions in them aren't.
    return {
        "gandream": f"{_version('gandream')} [{sources()}]",
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: _version(name) for name in LIBRARIES},
        "ffmpeg": build(),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


@functools.cache
def sources(package: Path = PACKAGE) -> str:
    """8 hex digits of the code that renders: two checkouts say the same version, and may differ."""
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        name = file.relative_to(package)
        if name.parts[0] not in ASIDE:
            digest.update(f"{name.as_posix()}\n".encode() + file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:8]


def differences(own: Mapping[str, str], nodes: Sequence[Facts]) -> str:
    """Which versions differ from ours on which nodes, as a sentence; empty where none do."""
    told: dict[str, list[str]] = {}
    for facts in nodes:
        odd = [
            f"{name} {facts.versions.get(name, 'none')} (here {mine})"
            for name, mine in own.items()
            if facts.versions.get(name) != mine
        ]
        if odd:
            told.setdefault("; ".join(odd), []).append(facts.node)
    lines = []
    for odd, names in told.items():
        more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
        lines.append(f"{', '.join(names[:TOLD])}{more} {'has' if len(names) == 1 else 'have'} {odd}")
    return "\n  ".join(lines)
