"""Which device renders, known without loading torch, so that a film that is already rendered costs nothing."""

from __future__ import annotations

import ctypes
import functools
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from gandream.base.errors import RenderError

DeviceWord = Literal["auto", "cpu", "cuda"]


def torch_version() -> str:
    """Version of the installed torch, read from its metadata."""
    try:
        return version("torch")
    except PackageNotFoundError:
        raise RenderError("torch", "torch isn't installed", "pip install torch") from None


@functools.cache
def cuda_devices() -> int:
    """How many CUDA devices the driver sees; 0 without a driver or with a torch that was built for CPUs."""
    if torch_version().endswith("+cpu") or sys.platform == "darwin":
        return 0
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        return count.value if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 else 0
    except (OSError, AttributeError):
        return 0


@functools.cache
def cuda_memory() -> int:
    """Bytes of memory that the first CUDA device has, as the driver tells; 0 where there is none."""
    if not cuda_devices():
        return 0
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        first, total = ctypes.c_int(0), ctypes.c_size_t(0)
        told = driver.cuDeviceGet(ctypes.byref(first), 0) == 0
        return total.value if told and driver.cuDeviceTotalMem_v2(ctypes.byref(total), first) == 0 else 0
    except (OSError, AttributeError):
        return 0


def pick(device: DeviceWord) -> Literal["cpu", "cuda"]:
    """The device that a word names; asking for CUDA where there is none is an error that says why."""
    if device == "cpu":
        return "cpu"
    if cuda_devices():
        return "cuda"
    if device == "auto":
        return "cpu"
    reason = "this torch was built without CUDA" if torch_version().endswith("+cpu") else "no CUDA device was found"
    raise NoCudaError("--device cuda", reason, "Use --device cpu, or see `gandream doctor`.")


class NoCudaError(RenderError):
    """The user asked for a device that isn't here."""

    exit_code = 2
