"""What ships with gandream: found in a checkout (``assets/``) and in an installed wheel (``gandream/_assets``)."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """The folder of the shipped assets."""
    installed = _PACKAGE / "_assets"
    return installed if installed.is_dir() else _PACKAGE.parent / "assets"


def bundled(kind: str, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Shipped files of one kind (a folder of the assets) by their name without suffix."""
    files = sorted((folder() / kind).glob("*"))
    return {file.stem: file for file in files if file.suffix in suffixes}
