"""Which device renders, known without loading torch, so that a film that is already rendered costs nothing."""

from __future__ import annotations

import ctypes
import functools
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from gandream.base.errors import RenderError

Kind = Literal["cpu", "cuda", "mps"]
"""A class of devices: processors, NVIDIA's GPUs, and Apple's, which torch reaches by Metal Performance Shaders."""

DeviceWord = Literal["auto", "cpu", "cuda", "mps"]

OLDEST_MACOS = (12, 3)
"""That torch's MPS ran on at all; newer ones of torch want a newer one, and say so (``rendering.apple``)."""


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


def no_mps() -> str:
    """Why there is no Apple GPU for torch; "" where there is one, as far as can be told without torch."""
    if sys.platform != "darwin":
        return "this is no Mac"
    if platform.machine() != "arm64":  # an Intel Mac, or a Python that was made for one
        return "torch takes the GPU of Macs with an Apple chip, and this Python is one for Intel"
    if torch_version().endswith("+cpu"):
        return "this torch was built without MPS"
    found = platform.mac_ver()[0]
    numbers = [int(part) for part in found.split(".")[:2] if part.isdecimal()]
    if tuple(numbers) < OLDEST_MACOS:
        return f"macOS {found or '(of no known version)'} is too old: torch wants 12.3 or newer"
    return ""


def pick(device: DeviceWord) -> Kind:
    """The device that a word names; asking for one that isn't there is an error that says why.

    With ``auto`` it is an NVIDIA GPU, else an Apple one, else the CPU.
    """
    if device == "cpu":
        return "cpu"
    if device == "auto":
        return "cuda" if cuda_devices() else "cpu" if no_mps() else "mps"
    if missing := no_mps() if device == "mps" else _no_cuda():
        raise NoDeviceError(f"--device {device}", missing, "Use --device cpu, or see `gandream doctor`.")
    return device


def _no_cuda() -> str:
    if cuda_devices():
        return ""
    return "this torch was built without CUDA" if torch_version().endswith("+cpu") else "no CUDA device was found"


class NoDeviceError(RenderError):
    """The user asked for a device that isn't here."""

    exit_code = 2
