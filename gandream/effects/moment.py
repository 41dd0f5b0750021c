"""What an effect is told beside the pictures, and what a row of the table of effects says about one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from gandream.base.clock import Clock
    from gandream.recipe.curve import AnyCurve
    from gandream.recipe.reader import Path_
    from gandream.recipe.recipe import Recipe
    from gandream.recipe.times import Time


@dataclass(frozen=True)
class Moment:
    """The N frames that pictures belong to, and an effect's parameters at each of them."""

    frames: np.ndarray
    """Numbers of the frames in the film, int64 [N]; consecutive."""
    values: Mapping[str, np.ndarray]
    """Each curve of the effect by its word, float32 [N]."""
    choices: Mapping[str, Any]
    """The words that stay the same over the film: modes, colours, lengths in frames."""
    seed: int
    fps: float
    memory: dict[Any, Any] = field(default_factory=dict)
    """The effect's own in this run: what it keeps of preceding frames, or need not make twice."""

    def at(self, word: str, images: Tensor) -> Tensor:
        """A parameter of each picture, [N, 1, 1, 1] beside the pictures."""
        return beside(self.values[word], images)

    def numbers(self, word: str) -> list[float]:
        """A parameter of each picture, as numbers of Python."""
        return self.values[word].tolist()

    def colour(self, images: Tensor) -> Tensor:
        """The chosen colour in [-1, 1], [1, 3, 1, 1]."""
        rgb = np.array(self.choices["colour"], np.float32) * 2 - 1
        return beside(rgb, images).view(1, 3, 1, 1)

    def kept(self, key: Any, make: Callable[[], Any]) -> Any:
        """What was made before under this key, or make it."""
        if key not in self.memory:
            self.memory[key] = make()
        return self.memory[key]


def beside(values: np.ndarray | list[float], images: Tensor) -> Tensor:
    """Numbers [N] as float32 [N, 1, 1, 1] where the pictures are."""
    import torch

    aside = images.device.type == "cuda"  # of Apple's GPUs, torch had some that read what was gone by then
    return torch.from_numpy(np.array(values, np.float32)).to(images.device, non_blocking=aside).view(-1, 1, 1, 1)


@dataclass(frozen=True)
class Film:
    """What the words of one recipe are evaluated with."""

    recipe: Recipe
    clock: Clock
    values: Callable[[AnyCurve, Path_], np.ndarray]
    length_s: Callable[[Time], float]
    moment_s: Callable[[Time], float]
    start_s: float = 0.0
    """Where in the music the film begins."""
    ends: tuple[int, int] = (0, 0)
    """The frames [start, stop) that the film has, or the scene whose words these are."""


@runtime_checkable
class Content(Protocol):
    """A choice that is larger than a word: it tells what of it shapes which frames."""

    def key(self, start: int, stop: int) -> Any:
        """For content_key: what of it shapes frames [start, stop)."""
        ...


Meaning: TypeAlias = "Callable[[Tensor, Moment], Tensor]"
"""An effect: pictures [N, C, H, W] in [-1, 1] -> as many of the same range. It doesn't write into those it is given."""


@dataclass(frozen=True)
class Past:
    """What an effect needs of preceding frames."""

    frames: int
    """How far back its memory reaches, at most."""
    since: Callable[[int, int], int]
    """(start, stop) -> the first frame that must be seen for frames [start, stop) to be right."""


@dataclass(frozen=True)
class Row:
    """A row of the table: the function, whether transparency takes part in it, and its memory if it has any."""

    apply: Meaning
    alpha: bool = False
    """True: it moves the picture, all C channels; False: it is given red, green and blue only, and alpha stays."""
    dated: bool = False
    """Whether a frame's number shapes it, beside its parameters."""
    past: Callable[[Mapping[str, np.ndarray], Mapping[str, Any], float], Past] | None = None
    """(curves over the film [F], choices, fps) -> its memory."""
    ready: Callable[[Any, Path_, Film, dict[str, np.ndarray]], tuple[dict[str, np.ndarray], dict[str, Any]]] | None = (
        None
    )
    """(words, path, film, curves over the film [F]) -> curves and choices, where words alone aren't enough."""
