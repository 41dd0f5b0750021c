"""What generators are given, checked in one place: latents, classes, w, and what only some families can do."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from gandream.base.errors import CheckpointError, LatentError, listed
from gandream.models.spec import Inputs, Spec


def z_of(spec: Spec, z: Tensor, device: torch.device) -> Tensor:
    """Latents as float32 [N, D] on the device."""
    z = z.to(device, torch.float32)
    if z.ndim != 2 or z.shape[1] != spec.latent_size:
        raise LatentError(spec.name, f"z has shape {list(z.shape)}, and [N, {spec.latent_size}] is wanted")
    return z


def w_of(spec: Spec, inputs: Inputs | Tensor, centre: Tensor) -> Tensor:
    """w as float32 [N, L, D'] on the device of the centre of w [L, D']; row by row, as sums may round by the order."""
    w = (inputs.w if isinstance(inputs, Inputs) else inputs).to(centre.device, torch.float32).contiguous()
    if w.ndim != 3 or w.shape[1:] != centre.shape:
        raise LatentError(spec.name, f"w has shape {list(w.shape)}, and {['N', *centre.shape]} is wanted")
    return w


def class_weights(spec: Spec, classes: Tensor | None, z: Tensor) -> Tensor | None:
    """Weights of the classes, float32 [N, C], from their numbers [N] or from weights; None where there are none."""
    count, N = len(spec.classes), z.shape[0]
    if not count:
        if classes is not None:
            raise LatentError(spec.name, "this model has no classes, but one was given", "Leave it out.")
        return None
    if classes is None:
        raise LatentError(spec.name, "this model needs a class", f"Its classes are {listed(spec.classes)}.")
    classes = classes.to(z.device)
    if classes.ndim == 2 and classes.shape in ((N, count), (1, count)):
        return classes.to(torch.float32).expand(N, count)
    if classes.ndim > 1 or classes.is_floating_point() or classes.numel() not in (1, N):
        raise LatentError(
            spec.name, f"classes have shape {list(classes.shape)}, and whole numbers [{N}] or [{N}, {count}] are wanted"
        )
    if classes.numel() and not 0 <= int(classes.min()) <= int(classes.max()) < count:
        raise LatentError(
            spec.name, f"class {int(classes.max())} is not one of its {count}", f"They are {listed(spec.classes)}."
        )
    return torch.nn.functional.one_hot(classes.long().expand(N), count).to(torch.float32)


def centre_of(w_avg: Tensor, class_centres: Tensor | None, weights: Tensor | None) -> Tensor:
    """The centre of w, [N, L, D'] by weights of classes [N, C] where those have their own, else [1, L, D'] of all."""
    if class_centres is None or weights is None:
        return w_avg[None]
    return (weights @ class_centres)[:, None].expand(-1, *w_avg.shape)


def only_native(
    spec: Spec,
    noise: object,
    size: tuple[int, int] | None,
    transform: object,
    layer: int | None = None,
) -> None:
    """Refuse what a family can't do: where it doesn't extend, pictures of other sizes are made by resizing."""
    if isinstance(noise, str) and noise not in ("fixed", "off"):
        raise ValueError(f"{noise = }: 'fixed' or 'off' is wanted")
    if layer is not None and not 0 <= layer < len(spec.shown):
        shown = listed(f"{number} ({one.name})" for number, one in enumerate(spec.shown))
        raise ValueError(f"{layer = }: {spec.name} shows {shown or 'none of its layers'}")
    if size is not None and spec.extends and min(size) < 1:
        raise ValueError(f"{size = }: height and width must be positive")
    if size is not None and tuple(size) != spec.size and not spec.extends:
        raise ValueError(f"{size = }: {spec.name} makes pictures of {spec.size} only")
    if transform is not None:
        raise ValueError(f"{spec.family} has no input to transform; move the picture instead")


def computed(spec: Spec, dtype: torch.dtype | None) -> torch.dtype:
    """The type that a family's convolutions compute in: float32 for None, and halves."""
    if dtype not in (None, torch.float32, torch.bfloat16, torch.float16):
        raise CheckpointError(spec.name, f"{spec.family} doesn't work in {dtype}", "Take float32, bfloat16 or float16.")
    return dtype or torch.float32


def only_float32(spec: Spec, dtype: torch.dtype | None) -> None:
    """Refuse another precision, in families that have no faster one."""
    if dtype not in (None, torch.float32):
        raise CheckpointError(spec.name, f"{spec.family} works in float32 here, not {dtype}", "Leave precision out.")


def double(x: Tensor) -> Tensor:
    """As float64; on the host where its device has no such numbers, as Apple's GPUs."""
    return x.to(wide(x.device)).double()


def wide(device: torch.device) -> torch.device:
    """Where what is on a device is computed in float64: there, or on the host."""
    return torch.device("cpu") if device.type == "mps" else device


def exact(device: torch.device) -> AbstractContextManager[Any]:
    """float32 that is float32, and the same bytes every time: on CUDA neither is the default."""
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
