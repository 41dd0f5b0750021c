"""What ships with gandream: found in a checkout (``assets/``, ``recipes/``) and in a wheel (``gandream/_assets``)."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
BUNDLED = "bundled:"
"""Names of what ships begin so where a file could stand too."""


def folder() -> Path:
    """The folder of the shipped assets."""
    installed = _PACKAGE / "_assets"
    return installed if installed.is_dir() else _PACKAGE.parent / "assets"


def bundled(kind: str, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Shipped files of one kind (a folder of the assets) by their name without suffix."""
    return _files(folder() / kind, suffixes)


def recipes() -> dict[str, Path]:
    """The shipped recipes by their name; in a checkout they have a folder of their own."""
    installed = _PACKAGE / "_assets"
    return _files(installed / "recipes" if installed.is_dir() else _PACKAGE.parent / "recipes", (".yaml",))


def _files(place: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    return {file.stem: file for file in sorted(place.glob("*")) if file.suffix in suffixes}
