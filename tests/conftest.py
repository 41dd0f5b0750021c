"""What tests share: a command line in this process, recipes in a folder of their own, synthetic music."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# Before torch is loaded: threads that spin while they wait make a busy machine many times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


@pytest.fixture
def gandream(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run ``gandream ARGUMENTS`` as the console script does."""
    from gandream.cli.main import main

    def run(*arguments: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["gandream", *map(str, arguments)])
        capfd.readouterr()
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        return Said(status, *capfd.readouterr())

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh working directory, with no cache but its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GANDREAM_CACHE", raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def stylegan2_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Files of small StyleGAN2s of random weights, 16 x 16; the options are those of ``random_tensors``."""

    def make(**options: Any) -> Path:
        import safetensors.numpy

        found = importlib.util.spec_from_file_location(
            "reference", ROOT / "tests" / "models" / "stylegan2_reference.py"
        )
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        file = tmp_path_factory.mktemp("model") / "net.safetensors"
        safetensors.numpy.save_file(module.random_tensors(**options), file)
        return file

    return make


@pytest.fixture(scope="session")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that all tests share, those of other processes too: what music they hear is heard once."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "heard"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of stereo clicks at 120 BPM, 44.1 kHz, over a quiet 110 Hz tone."""
    import soundfile

    rate = 44_100
    time = np.arange(6 * rate) / rate
    sound = 0.02 * np.sin(2 * np.pi * 110 * time)
    burst = np.hanning(400) * np.sin(2 * np.pi * 1500 * np.arange(400) / rate)
    for beat in np.arange(0.5, 6, 0.5):
        start = int(beat * rate)
        sound[start : start + 400] += 0.8 * burst
    path = tmp_path_factory.mktemp("music") / "clicks.wav"
    soundfile.write(path, np.stack([sound, sound * 0.9], axis=1), rate)
    return path
