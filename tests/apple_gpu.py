"""A stand-in for an Apple GPU, where there is none: a device that computes on the CPU, and is as strict as torch's MPS.

Tensors say that they are on ``mps``. They can't be float64 or complex128, nor become so on their way to the host (as
``Copy.mm`` of torch has it), can't be mixed with those of the host, have no NumPy array, and are copied when they move.
Operations may be lacking. What it can't tell is how a real one rounds, and what else it lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

NEVER = (torch.float64, torch.complex128)
MOVES = {"to", "_to_copy", "copy_", "copy"}
MAKES = {torch.tensor, torch.as_tensor, torch.asarray, torch.scalar_tensor}


class OnApple(torch.Tensor):
    """A tensor of the stand-in; ``inner`` is what is really there."""

    inner: torch.Tensor  # pyright: ignore[reportIncompatibleMethodOverride]
    __torch_function__ = torch._C._disabled_torch_function_impl  # pyright: ignore[reportAssignmentType]

    @staticmethod
    def __new__(cls, inner: torch.Tensor):
        if inner.dtype in NEVER:
            problem = f"Cannot convert a MPS Tensor to {inner.dtype} as the MPS framework doesn't support it."
            raise TypeError(problem)
        made = torch.Tensor._make_wrapper_subclass(
            *(cls, inner.shape),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=torch.device("mps"),
        )
        made.inner = inner
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"OnApple({self.inner!r})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        return computed(func, args, kwargs or {})


def on_apple(device: Any) -> bool:
    return device == "mps" if isinstance(device, str) else isinstance(device, torch.device) and device.type == "mps"


def computed(func: Any, args: Sequence[Any], kwargs: dict[str, Any], lacking: frozenset[str] = frozenset()) -> Any:
    """An operation, on the CPU."""
    name = func.overloadpacket.__name__
    given, shape = tree_flatten((tuple(args), dict(kwargs)))
    ours = [one for one in given if isinstance(one, OnApple)]
    hosts = [one for one in given if isinstance(one, torch.Tensor) and not isinstance(one, OnApple)]
    devices = [one for one in given if isinstance(one, torch.device)]
    there = any(map(on_apple, devices)) if devices else bool(ours)
    if not ours and not there:
        return func(*args, **kwargs)
    if name in lacking:
        raise NotImplementedError(f"The operator 'aten::{name}' is not currently implemented for the MPS device.")
    crosses = bool(ours) != there or (name in MOVES and bool(hosts) and bool(ours))
    if any(one.dim() for one in hosts) and ours and name not in (*MOVES, "index", "index_put_", "_index_put_impl_"):
        raise RuntimeError(f"{name}: Expected all tensors to be on the same device, but found MPS and CPU")
    if crosses and ours and any(one in NEVER for one in [*given, *(host.dtype for host in hosts)]):
        raise TypeError("Undefined type Double: MPS can't cast to it on the way")
    known = {id(one.inner): one for one in ours}
    plain = [one.inner if isinstance(one, OnApple) else one for one in given]
    plain = [torch.device("cpu") if on_apple(one) else one for one in plain]
    inner_args, inner_kwargs = tree_unflatten(plain, shape)
    made = func(*inner_args, **inner_kwargs)

    def back(one: Any) -> Any:
        if not isinstance(one, torch.Tensor) or isinstance(one, OnApple):
            return one
        if id(one) in known and there:
            return known[id(one)]
        if crosses and not name.endswith("_"):
            one = one.clone() if any(one is other for other in plain) else one
        if there or (name.endswith("_") and isinstance(args[0], OnApple)):
            return OnApple(one)
        return one

    if name == "copy_":
        return args[0]
    return tree_map(back, made)


class _Dispatched(TorchDispatchMode):
    def __init__(self, lacking: frozenset[str]):
        super().__init__()
        self.lacking = lacking

    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        return computed(func, args, kwargs or {}, self.lacking)


class _Called(TorchFunctionMode):
    """Makes tensors of numbers on the host first, and then moves them, as torch does where no test can see it."""

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        device = kwargs.get("device")
        if func in MAKES and on_apple(device):
            del kwargs["device"]
            data = args[0]
            return _moved(data if isinstance(data, torch.Tensor) else func(*args, **kwargs), device, **kwargs)
        if func is torch.Tensor.to and any(map(on_apple, (*args[1:], device))):
            return _moved(*args, **kwargs)
        try:
            return func(*args, **kwargs)
        except RuntimeError as error:
            if "not linked with support for mps" not in str(error):
                raise
            return _guarded(func, args, kwargs)


def _moved(x: torch.Tensor, *args: Any, **kwargs: Any) -> OnApple:
    """As ``x.to(device, dtype)``: the CPU converts what comes from it."""
    dtype = next((one for one in (*args, *kwargs.values()) if isinstance(one, torch.dtype)), x.dtype)
    if isinstance(x, OnApple):
        return x if dtype == x.dtype else OnApple(x.inner.to(dtype))
    return OnApple(x.to(dtype, copy=True))


def _guarded(func: Any, args: Any, kwargs: Any) -> Any:
    """A method that asks torch for the device itself before it does anything."""
    given = tree_flatten((args[:1] + args[2:] if func is torch.Tensor.__getitem__ else args, kwargs))[0]
    if any(isinstance(one, torch.Tensor) and one.dim() and not isinstance(one, OnApple) for one in given):
        raise RuntimeError("Expected all tensors to be on the same device, but found MPS and CPU")
    inner = tree_map(lambda one: one.inner if isinstance(one, OnApple) else one, (args, kwargs))
    return tree_map(lambda one: OnApple(one) if isinstance(one, torch.Tensor) else one, func(*inner[0], **inner[1]))


@contextmanager
def apple_gpu(*lacking: str) -> Iterator[None]:
    """In here there is one, in this thread; it lacks some operations, by their names in ATen."""
    with torch.inference_mode(), _Dispatched(frozenset(lacking)), _Called():
        yield
