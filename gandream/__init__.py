"""gandream: a YAML recipe in, a finished video out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gandream.models.registry import load_generator as load_generator
    from gandream.recipe.load import load_recipe as load_recipe
    from gandream.run.film import render as render
    from gandream.run.hear import analyse as analyse

    __version__: str

_FACE = {
    "analyse": "gandream.run.hear",
    "load_generator": "gandream.models.registry",
    "load_recipe": "gandream.recipe.load",
    "render": "gandream.run.film",
}


def __getattr__(name: str) -> Any:
    """Resolve the five public names when they are asked for, so that the import is light."""
    if name == "__version__":
        from importlib.metadata import version

        return version("gandream")
    if name in _FACE:
        return getattr(import_module(_FACE[name]), name)
    raise AttributeError(f"module 'gandream' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*_FACE, "__version__"]
