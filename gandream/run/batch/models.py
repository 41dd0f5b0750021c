"""Generators that stay loaded from film to film, as long as there is memory for them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, cast

from gandream.models.registry import describe, facts
from gandream.recipe.recipe import Recipe
from gandream.rendering.device import Kind
from gandream.rendering.memory import ANY, FAMILIES
from gandream.rendering.room import room
from gandream.run.prepare import load_model, precision_of

if TYPE_CHECKING:
    from gandream.models.spec import Generator

KEPT_FREE = 0.25
"""Share of all memory that is left to the films themselves: encoders, pictures, music."""

Key = tuple[str, str, str]


class Models:
    """What was loaded, by its fingerprint, precision and device; what was wanted longest ago goes first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Generator] = OrderedDict()
        self.loaded = 0
        """How often something was loaded."""

    def __len__(self) -> int:
        return len(self._kept)

    def load(self, recipe: Recipe, device: str) -> Generator:
        """The recipe's model on a device, loaded anew only where it isn't kept. CheckpointError as in loading it."""
        spec = describe(recipe.model.written, recipe.model.folder)
        key = spec.fingerprint, precision_of(recipe, spec, device), device
        found = self._kept.pop(key, None)
        if found is None:
            self._make_room(recipe, device)
            found = self._loaded(recipe, device)
        self._kept[key] = found
        return found

    def forget(self, *, all_but: int = 0) -> None:
        """Let go of models, those that were wanted longest ago first."""
        while len(self._kept) > all_but:
            self._kept.popitem(last=False)

    def _loaded(self, recipe: Recipe, device: str) -> Generator:
        self.loaded += 1
        if not self._kept:
            return load_model(recipe, device)
        try:
            return load_model(recipe, device)
        except (MemoryError, RuntimeError) as error:  # torch's own is a RuntimeError
            if "memory" not in str(error).lower() and not isinstance(error, MemoryError):
                raise
        self.forget()
        return load_model(recipe, device)

    def _make_room(self, recipe: Recipe, device: str) -> None:
        """Let go of so many models that another one and its film surely fit."""
        known = facts(recipe.model.written, recipe.model.folder)
        if known is None or not self._kept:
            return
        wanted = 4 * known.parameters * FAMILIES.get(known.spec.family, ANY).reduced
        while self._kept:
            there = room(cast(Kind, device))
            if there.free - wanted > KEPT_FREE * there.total:
                return
            self.forget(all_but=len(self._kept) - 1)
            _collect(device)


def _collect(device: str) -> None:
    """Give back what is held for nobody."""
    import gc

    gc.collect()
    if device == "cuda":
        import torch

        torch.cuda.empty_cache()
