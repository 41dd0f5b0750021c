"""What is computed without librosa is what librosa computes."""

from __future__ import annotations

import subprocess
import sys

import librosa
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.signal import resample_poly
from sounds import kick, strikes, written

from gandream.audio.beats import _smooth
from gandream.audio.chain import chain
from gandream.audio.resample import resampled
from gandream.audio.spectra import (
    frequencies,
    hann,
    highest,
    mel_filters,
    mel_frequencies,
    root_mean_square,
    transformed,
)

RATE = 22050
DICE = np.random.default_rng(5)
SAMPLES = DICE.normal(size=9000).astype(np.float32)


@pytest.mark.parametrize(("length", "hop"), [(1024, 147), (2048, 512), (300, 77)])
def test_spectra(length: int, hop: int):
    window = hann(length)
    np.testing.assert_allclose(window, librosa.filters.get_window("hann", length), atol=1e-12)
    made = transformed(SAMPLES, window, hop)
    wanted = librosa.stft(SAMPLES, n_fft=length, hop_length=hop, window=window, center=False)
    assert made.dtype == wanted.dtype
    np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-5)
    amplitudes = np.abs(made)
    loud = librosa.feature.rms(S=amplitudes, frame_length=length)
    np.testing.assert_allclose(root_mean_square(amplitudes, length), loud, rtol=1e-6)
    np.testing.assert_allclose(frequencies(RATE, length), librosa.fft_frequencies(sr=RATE, n_fft=length))


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize(("sized", "norm"), [("height", None), ("area", "slaney"), ("sum", 1)])
@pytest.mark.parametrize(("bands", "low", "high"), [(138, 0.0, RATE / 2), (8, 20.0, 900.0), (40, 300.0, 8000.0)])
def test_mel_filters(sized: str, norm: str | int | None, bands: int, low: float, high: float):
    made = mel_filters(bands, low, high, RATE, 1024, sized)
    wanted = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=bands, fmin=low, fmax=high, norm=norm)  # pyright: ignore
    np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-9)
    points = librosa.mel_frequencies(bands + 2, fmin=low, fmax=high)
    np.testing.assert_allclose(mel_frequencies(bands + 2, low, high), points, rtol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 13, 64, 200])
def test_the_highest_around(size: int):
    values = DICE.normal(size=(2, 150))
    before = size // 2
    wanted = maximum_filter1d(values, size, axis=1, mode="constant", cval=-np.inf)
    np.testing.assert_array_equal(highest(values, before, size - 1 - before), wanted)
    later = np.stack([values[:, at : at + size].max(axis=1) for at in range(150)], axis=1)
    np.testing.assert_array_equal(highest(values, 0, size - 1), later)


@pytest.mark.parametrize("sigma", [2.25, 37.5, 600.0])
def test_a_gaussian_with_mirrored_ends(sigma: float):
    values = DICE.normal(size=700)
    np.testing.assert_allclose(_smooth(values, sigma), gaussian_filter1d(values, sigma, mode="reflect"), atol=1e-12)


@pytest.mark.parametrize("tempos", [(120, 120), (60, 60), (100, 140), (173, 91), (239, 42)])
@pytest.mark.parametrize("noise", [0.0, 0.3, 3.0])
def test_the_chain_of_beats(tempos: tuple[float, float], noise: float):
    """Regular onsets, faint and buried, at a steady and at a drifting tempo; silence at both ends."""
    bpm = np.linspace(*tempos, 3000)
    phase = np.cumsum(bpm / 60 / 150)
    onsets = np.where(np.diff(np.floor(phase), prepend=0) > 0, 2.0, 0.0) + noise * DICE.random(3000) ** 2
    onsets[:400] = onsets[-300:] = 0
    _, wanted = librosa.beat.beat_track(
        onset_envelope=onsets, sr=150, hop_length=1, bpm=bpm, tightness=350.0, trim=False
    )
    np.testing.assert_array_equal(chain(onsets, bpm, 150, 350.0), wanted)


@pytest.mark.parametrize("from_hz", [44100, 48000, 22050, 11025, 8000, 96000, 32000, 22049])
@pytest.mark.parametrize("length", [1, 20, 4001])
def test_another_rate(from_hz: int, length: int):
    wanted = resample_poly(SAMPLES[:length].astype(np.float64), RATE, from_hz)
    made = resampled(SAMPLES[:length], RATE, from_hz)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, wanted, atol=2e-6)


LOADED = """
import sys
from pathlib import Path
from gandream.audio.analyse import analyse
from gandream.recipe.signals import Signal
words = ["rms", "onset", "beat", "mel", "centroid", "flatness", "flux", {"from": "band", "high": 200}]
words += [{"from": "onset", "detector": word} for word in ("flux", "energy", "hfc", "complex")]
found = analyse(Path(sys.argv[1]), [Signal.model_validate(one) for one in words], beats=True)
assert len(found.beats_s) > 8
print(sorted({"librosa", "scipy", "numba", "torch"} & set(sys.modules)))
"""


def test_what_most_films_hear_loads_no_large_library(tmp_path):
    path = written(tmp_path / "drums.wav", strikes(kick, np.arange(0.3, 9.5, 0.5), 10))
    said = subprocess.run([sys.executable, "-c", LOADED, str(path)], check=True, capture_output=True, text=True).stdout
    assert said == "[]\n"
