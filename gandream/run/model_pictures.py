"""Pictures of a model for its sheets: seeds, classes, truncations, mixtures and pushed ones, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from gandream.base.errors import RenderError
from gandream.models.precision import chosen, dtype_of
from gandream.models.registry import load_generator
from gandream.models.spec import Inputs, Spec
from gandream.rendering.device import Kind
from gandream.rendering.plan import batch_of
from gandream.trajectory.places import Place

if TYPE_CHECKING:
    from torch import Tensor

    from gandream.models.spec import Generator


@dataclass(frozen=True)
class Sample:
    """One picture: a seed, of a class, truncated; with some layers of another seed; pushed along the direction."""

    seed: int
    class_: int | None = None
    psi: float = 1.0
    other: int | None = None
    layers: tuple[bool, ...] = ()
    """Of each style layer, whether it comes from the other seed."""
    amount: float = 0.0


@dataclass(frozen=True)
class Pushed:
    """A direction of the sheet and the layers that it reaches, bool [L]; None: all."""

    place: Place
    layers: np.ndarray | None = None


def pictures(
    model: str,
    spec: Spec,
    samples: Sequence[Sample],
    size: tuple[int, int],
    device: Kind,
    pushed: Pushed | None = None,
) -> Iterator[np.ndarray]:
    """Pictures of the samples in order, uint8 [h, w, 3] of a ``size`` (height, width); a batch is held at a time."""
    import torch

    from gandream.rendering.paint import in_colour, stretch
    from gandream.video.colour import display_bytes

    dtype = dtype_of(chosen("auto", device, reducible=spec.reducible))
    generator = load_generator(model, device, dtype)
    made = spec.size or size
    count = batch_of(device, max(made[0] * made[1], size[0] * size[1]))
    left = iter(samples)
    while batch := list(islice(left, count)):
        try:
            with torch.inference_mode():
                inputs = inputs_of(generator, batch, pushed)
                images = generator.synthesise(inputs, noise="fixed", size=None if spec.size else size)
                shown = display_bytes(stretch(in_colour(images), size)).cpu().numpy()
        except (MemoryError, torch.OutOfMemoryError) as error:
            problem = f"{len(batch)} pictures of {made[1]}x{made[0]} need more memory than there is"
            raise RenderError(spec.name, problem, "Close other programs, or take --device cpu.") from error
        yield from shown


def inputs_of(generator: Generator, samples: Sequence[Sample], pushed: Pushed | None = None) -> Inputs:
    """What synthesis is fed for some samples: each is mapped, truncated, mixed, and then pushed in w.

    A push in w is not scaled by truncation, as in a film; one in z comes before the mapping.
    """
    import torch

    place = pushed.place if pushed else None
    amounts = torch.tensor([sample.amount for sample in samples], device=generator.device)
    z = generator.latents([sample.seed for sample in samples])
    if place is not None and place.z is not None:
        z = z + amounts[:, None] * torch.as_tensor(place.z, dtype=z.dtype, device=z.device)
    inputs = _mapped(generator, z, samples)
    w = inputs.w
    if any(sample.other is not None for sample in samples):
        other = generator.latents([sample.seed if sample.other is None else sample.other for sample in samples])
        none = (False,) * w.shape[1]
        mask = torch.tensor([sample.layers or none for sample in samples], device=w.device)
        w = torch.where(mask[:, :, None], _mapped(generator, other, samples).w, w)
    if pushed is not None and place is not None and place.w is not None:
        step = torch.as_tensor(place.w, dtype=w.dtype, device=w.device)
        moved = w + amounts[:, None, None] * step
        chosen_layers = None if pushed.layers is None else torch.as_tensor(pushed.layers, device=w.device)[:, None]
        w = moved if chosen_layers is None else torch.where(chosen_layers, moved, w)
    return Inputs(w, inputs.psi)


def _mapped(generator: Generator, z: Tensor, samples: Sequence[Sample]) -> Inputs:
    import torch

    numbers = [sample.class_ for sample in samples]
    classes = None if None in numbers else torch.tensor(numbers, device=generator.device)
    psi = torch.tensor([sample.psi for sample in samples], dtype=torch.float32, device=generator.device)
    return generator.map(z, classes, psi)
