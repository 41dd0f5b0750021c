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


FEW = {
    "audio/test_features.py::test_onsets_peak_at_the_event": 5,
    "audio/test_sampling.py::test_no_event_is_lost_or_lowered_and_each_is_in_its_frame": 4,
    "cli/test_usage.py::test_work_that_fails_ends_with_1": 1,
    "cli/test_voice.py::test_a_pipe_that_lacks_characters_gets_escapes": 1,
    "effects/test_chain.py::test_cuts_change_no_byte": 10,
    "models/test_odd_files.py::test_more_tensors_than_any_model_has": 1,
    "models/test_on_apple_families.py::test_a_family_there_is_what_it_is_on_a_cpu": 2,
    "models/test_precision.py::test_files": 5,
    "models/test_same_bytes.py::test_a_model_that_is_let_go_frees_its_memory": 2,
    "models/test_same_bytes.py::test_threads": 5,
    "models/test_stylegan1.py::test_odd_configurations": 8,
    "models/test_stylegan3.py::test_bare_state_dict": 4,
    "models/test_stylegan3.py::test_odd_configurations": 6,
    "models/test_stylegan_xl.py::test_odd_configurations": 6,
    "recipe/test_reader.py::test_long_but_harmless_is_read_quickly": 5,
    "run/test_drawings.py::test_what_is_somebody_elses_stays_unless_it_is_forced": 2,
    "run/test_explain.py::test_every_recipe_explained_makes_the_same_film": 1,
    "run/test_film.py::test_frames_are_counted_exactly_at_any_rate": 3,
    "run/test_gates.py::test_what_is_wrong_is_told_with_its_cause": 4,
    "run/test_on_apple.py::test_a_film_goes_from_there_to_the_encoder": 2,
    "run/test_on_apple.py::test_its_memory_halves_batches": 1,
    "run/test_stops.py::test_a_full_disk_leaves_no_half_film": 1,
    "training/test_learning.py::test_a_resumed_training_takes_the_same_steps": 1,
    "training/test_learning.py::test_what_was_learnt_is_a_model_like_any_other": 2,
    "trajectory/test_presets.py::test_the_latents_of_lucid_sonic_dreams": 1,
    "trajectory/test_presets.py::test_the_latents_of_wavefunk": 1,
    "video/test_join.py::test_awkward_names": 6,
    "video/test_join.py::test_every_frame_on_its_exact_time": 4,
    "video/test_join.py::test_sound_is_cut_or_padded_to_the_frames": 4,
    "video/test_sync.py::test_flash_meets_click": 5,
}
"""Sweeps of which so many variants are in every run, and the others slow: each proves the same of another input."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the later variants of sweeps as slow; done before ``-m`` chooses."""
    seen = dict.fromkeys(FEW, 0)
    for item in items:
        name = f"{item.path.relative_to(ROOT / 'tests').as_posix()}::{getattr(item, 'originalname', item.name)}"
        if name in seen and not item.get_closest_marker("slow"):
            seen[name] += 1
            if seen[name] > FEW[name]:
                item.add_marker(pytest.mark.slow)


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
