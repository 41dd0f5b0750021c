"""What ``--on`` and ``--store`` say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gandream.base.errors import RenderError, did_you_mean

INSTALL = "pip install 'gandream[ray]'"


class ClusterError(RenderError):
    """The cluster can't be used as it is; nothing was rendered on it."""

    exit_code = 2


@dataclass(frozen=True)
class Where:
    """A place to render: a cluster's address as Ray writes it, or a new cluster on this machine."""

    address: str | None
    """None: started here, and ended with the render."""
    store: str = "auto"
    """How segments come back: ``auto``, ``shared``, ``bytes``, or an address of fsspec such as ``s3://bucket/film``."""
    workers: int | None = None
    """How many; None: as many as the cluster has room for."""

    @property
    def said(self) -> str:
        """As it is written."""
        if self.address is None:
            return "--on ray"
        return f"--on {self.address}" if self.address.startswith("ray://") else f"--on ray:{self.address}"


def where(on: str, store: str = "auto", workers: int | None = None) -> Where | None:
    """What ``--on`` means; None for this process. ClusterError where it means nothing."""
    word, colon, address = on.partition(":")
    address = on if on.startswith("ray://") else address
    known = ("local", "ray", "ray:auto", "ray:HOST:6379", "ray://HOST:10001")
    if word not in ("local", "ray") or (word == "local" and colon):
        hint = did_you_mean(word, ("local", "ray")) or f"It can be {', '.join(known)}."
        raise ClusterError(f"--on {on}", "no such place to render on", hint)
    if word == "local":
        if store != "auto" or workers is not None:
            said = "--workers" if store == "auto" else f"--store {store}"
            raise ClusterError(said, "says something about workers, and there are none", "It goes with --on ray.")
        return None
    if store not in ("auto", "shared", "bytes") and not re.match(r"[a-z][a-z0-9+.]*://.", store):
        hint = did_you_mean(store, ("auto", "shared", "bytes"))
        hint = hint or "It can be auto, shared, bytes, or an address such as s3://bucket/film."
        raise ClusterError(f"--store {store}", "no such way for segments to come back", hint)
    if colon and not re.fullmatch(r"auto|(ray://)?(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):\d{1,5}", address):
        hint = "Write ray:auto, ray:HOST:6379 on a node of the cluster, or ray://HOST:10001 from elsewhere."
        raise ClusterError(f"--on {on}", "this is no address of a Ray cluster", hint)
    return Where(address if colon else None, store, workers)
