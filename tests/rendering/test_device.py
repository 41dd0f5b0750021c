"""Which device a word takes on which machine, known without torch; and how much memory a Mac's GPU has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gandream.rendering import device
from gandream.rendering.apple import CantError, asked, short_of_memory
from gandream.rendering.device import NoDeviceError, no_mps, pick
from gandream.rendering.room import room, total


def machine(
    monkeypatch: pytest.MonkeyPatch, system: str, chip: str = "arm64", macos: str = "14.5", torch: str = "2.8.0"
) -> None:
    monkeypatch.setattr(device.sys, "platform", system)
    monkeypatch.setattr(device.platform, "machine", lambda: chip)
    monkeypatch.setattr(device.platform, "mac_ver", lambda: (macos, ("", "", ""), chip))
    monkeypatch.setattr(device, "torch_version", lambda: torch)


@pytest.mark.parametrize(
    ("system", "chip", "macos", "torch", "says"),
    [
        ("darwin", "arm64", "14.5", "2.8.0", ""),
        ("darwin", "arm64", "12.3", "2.2.0", ""),
        ("darwin", "arm64", "26.1", "2.13.0", ""),
        ("darwin", "arm64", "12.2.1", "2.2.0", "macOS 12.2.1 is too old"),
        ("darwin", "arm64", "", "2.2.0", "macOS (of no known version) is too old"),
        ("darwin", "x86_64", "14.5", "2.2.0", "this Python is one for Intel"),
        ("darwin", "arm64", "14.5", "2.8.0+cpu", "built without MPS"),
        ("linux", "arm64", "", "2.8.0", "no Mac"),
        ("win32", "AMD64", "", "2.8.0", "no Mac"),
    ],
)
def test_an_apple_gpu_is_known_or_it_is_said_why_not(
    monkeypatch: pytest.MonkeyPatch, system: str, chip: str, macos: str, torch: str, says: str
):
    machine(monkeypatch, system, chip, macos, torch)
    monkeypatch.setattr(device, "cuda_devices", lambda: 0)
    assert says in no_mps()
    assert bool(no_mps()) == bool(says)
    assert pick("auto") == ("cpu" if says else "mps")
    assert pick("cpu") == "cpu"
    if not says:
        assert pick("mps") == "mps"
        return
    with pytest.raises(NoDeviceError) as told:
        pick("mps")
    assert (told.value.where, told.value.exit_code) == ("--device mps", 2)
    assert says in told.value.problem
    assert "--device cpu" in told.value.hint


def test_nvidia_comes_first(monkeypatch: pytest.MonkeyPatch):
    machine(monkeypatch, "linux")
    monkeypatch.setattr(device, "cuda_devices", lambda: 1)
    assert (pick("auto"), pick("cuda")) == ("cuda", "cuda")
    with pytest.raises(NoDeviceError, match="no Mac"):
        pick("mps")


def test_without_torch():
    words = "import sys; from gandream.rendering.device import pick; pick('auto'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", words], check=True)


@pytest.mark.skipif(sys.platform == "darwin", reason="there may be one")
def test_the_command_line_says_that_there_is_none(gandream, here: Path):
    (here / "r.yaml").write_text("model: cppn#7\nvideo: {size: 32, fps: 4, duration: 1}\n")
    said = gandream("render", "r.yaml", "--device", "mps")
    assert said.status == 2
    assert "this is no Mac" in said.err
    assert "--device cpu" in said.err
    said = gandream("render", "r.yaml", "--device", "metal")
    assert said.status == 2
    assert "wanted auto, cpu, cuda or mps" in said.err
    said = gandream("train", "procedural:dreams", "--out", "m.safetensors", "--device", "mps")
    assert said.status == 2


def test_its_memory_is_two_thirds_of_the_machines(tmp_path: Path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 3000000 kB\nMemAvailable: 2500000 kB\n")
    assert room("mps", tmp_path).total == 2_000_000 * 1024
    assert room("mps", tmp_path).free == 2_000_000 * 1024
    (tmp_path / "proc/meminfo").write_text("MemTotal: 3000000 kB\nMemAvailable: 500000 kB\n")
    assert room("mps", tmp_path).free == 500_000 * 1024
    assert total("mps") < total("cpu")


@pytest.mark.parametrize(
    ("error", "cant"),
    [
        (NotImplementedError("The operator 'aten::x' is not currently implemented for the MPS device. If you"), True),
        (TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support it."), True),
        (RuntimeError("The MPS backend is supported on macOS 14.0+. Current OS version can be queried"), True),
        (RuntimeError("PyTorch is not linked with support for mps devices"), True),
        (RuntimeError("Adaptive pool MPS: input sizes must be divisible by output sizes"), True),
        (RuntimeError("the lamps are out"), False),
        (ValueError("MPS"), False),
    ],
)
def test_its_errors_are_told_from_others(error: Exception, cant: bool):
    for kind in ("mps", "cpu"):
        with pytest.raises(CantError if cant and kind == "mps" else type(error)), asked(kind):
            raise error


def test_short_of_memory():
    assert short_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"))
    assert short_of_memory(RuntimeError("Invalid buffer size: 20.00 GB"))
    assert not short_of_memory(ValueError("MPS backend out of memory"))
