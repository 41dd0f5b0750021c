"""Kinds of signal on sounds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from sounds import RATE, click, hat, kick, measured, noise, sampled, signal, sine, strikes, written

from gandream.audio import blocks, separate
from gandream.audio.analyse import analyse, feature_key
from gandream.audio.scales import held
from gandream.base import ffmpeg
from gandream.recipe.signals import DETECTORS

TIMES = np.arange(0.5, 5.3, 0.5) + np.random.default_rng(1).uniform(0, 0.02, 10)


def sweep(low: float, octaves: float, seconds: float) -> np.ndarray:
    """A sine that rises evenly in octaves."""
    t = np.arange(round(seconds * RATE)) / RATE
    pace = octaves / seconds
    return 0.5 * np.sin(2 * np.pi * low / (pace * np.log(2)) * 2 ** (pace * t))


@pytest.fixture(scope="module")
def rising(tmp_path_factory):
    return written(tmp_path_factory.mktemp("rising") / "rising.wav", sweep(200, 4, 8))


def test_the_centroid_of_a_sweep_is_its_frequency(rising):
    hz = sampled(rising, {"from": "centroid", "scale": "none"}, 30)[15:-15]
    true = 200 * 2 ** (np.arange(15, 225) / 60)
    assert np.abs(np.log2(hz / true)).max() < 0.05
    curve = sampled(rising, "centroid", 30)
    assert curve[120] == pytest.approx(0.5, abs=0.03)  # even in octaves
    assert (curve.min(), curve.max()) == (0, 1)


def test_colour_is_held_through_silence(tmp_path):
    sound = np.concatenate([sine(400, 1), sine(3200, 1), np.zeros(RATE), sine(400, 1)])
    path = written(tmp_path / "held.wav", sound)
    curve = sampled(path, "centroid", 30)
    assert curve[[15, 45, 75, 105]] == pytest.approx([0, 1, 1, 0], abs=0.05)
    assert sampled(path, {"from": "flatness"}, 30)[75] == 0


def test_flatness_is_high_in_noise_and_low_in_tones(tmp_path):
    gated = np.concatenate([sine(500, 1), noise(1), sine(500, 1), noise(1), np.zeros(RATE)])
    path = written(tmp_path / "gated.wav", gated)
    flat = sampled(path, {"from": "flatness", "scale": "none"}, 30)
    assert flat[[15, 75]].max() < 0.01
    # of white noise: exp(-Euler's constant) = 0.56; little less in what the resampler leaves at the top
    assert flat[[45, 105]] == pytest.approx([0.56, 0.56], abs=0.08)
    assert not flat[135:].any()


def test_mel_bands_light_up_one_after_the_other(rising):
    mel = sampled(rising, {"from": "mel", "bands": 6, "low": 200, "high": 3200}, 30)
    assert mel.shape == (240, 6)
    assert mel.max(axis=0) == pytest.approx(np.ones(6), abs=0.02)
    assert (np.diff(np.argmax(mel, axis=0)) > 0).all()


def test_mel_amplitudes_are_root_mean_squares(tmp_path):
    path = written(tmp_path / "white.wav", noise(4))
    mel = measured(path, {"from": "mel", "bands": 20, "low": 1000, "high": 4000})
    band = measured(path, {"from": "rms", "low": 1200, "high": 3600})
    # the triangles of all bands add up to 1 between the first and the last centre
    assert np.sqrt((mel**2).sum(axis=0)).mean() == pytest.approx(band.mean(), rel=0.12)


def test_a_silent_band_is_not_lifted_to_full_height(tmp_path):
    mel = sampled(written(tmp_path / "low.wav", sine(300, 2)), "mel", 30)
    assert mel[15:45, 0].min() > 0.9
    assert mel[15:45, 7].max() < 0.2


def test_flux_sees_rises_and_falls_alike(tmp_path):
    steps = np.concatenate([sine(440, 1), np.zeros(RATE), sine(440, 1), sine(1500, 1)])
    flux = sampled(written(tmp_path / "steps.wav", steps), "flux", 60)
    assert flux[40:55].max() < 0.05  # a steady tone
    up, down, change = flux[115:126].max(), flux[55:66].max(), flux[175:186].max()
    assert up == pytest.approx(down, rel=0.15)
    assert change == pytest.approx(np.sqrt(2) * up, rel=0.15)  # one rises while the other falls


def test_contrast_is_high_for_tones_and_low_for_noise(tmp_path):
    chord = sum(sine(hz, 2) for hz in (110, 330, 660, 1100, 2500, 5000)) / 3
    path = written(tmp_path / "both.wav", np.concatenate([chord + noise(2, 1e-3), noise(2)]))
    contrast = sampled(path, {"from": "contrast", "scale": "none"}, 30)
    assert contrast.shape == (120, 7)
    assert (contrast[30, :6] > contrast[90, :6] + 10).all()
    assert sampled(path, {"from": "contrast", "bands": 4}, 30).shape == (120, 4)


@pytest.mark.parametrize("detector", DETECTORS)
def test_each_detector_finds_the_clicks_where_they_are(tmp_path, detector):
    path = written(tmp_path / "clicks.wav", strikes(click, TIMES, 6) + noise(6, 1e-4))
    onset = measured(path, {"from": "onset", "detector": detector})[0]
    quiet = onset.copy()
    for time in TIMES:
        near = np.arange(round((time - 0.06) * 150), round((time + 0.06) * 150))
        peak = near[np.argmax(onset[near])]
        assert abs(peak / 150 - time) < 0.011
        assert onset[peak] > 0.6 * onset.max()
        quiet[near] = 0
    assert quiet[20:].max() < 0.15 * onset.max()


def test_detectors_differ_as_they_should(tmp_path):
    """High-frequency content hears hats more than kicks; only the complex one hears a note that changes its pitch."""
    both = strikes(kick, TIMES[::2], 6) + strikes(hat, TIMES[1::2], 6, 0.2)
    path = written(tmp_path / "both.wav", both)

    def strength(detector: str, times: np.ndarray) -> float:
        onset = measured(path, {"from": "onset", "detector": detector})[0]
        return float(np.mean([onset[round(t * 150) - 4 : round(t * 150) + 6].max() for t in times]))

    ratio = {one: strength(one, TIMES[1::2]) / strength(one, TIMES[::2]) for one in ("energy", "hfc")}
    assert ratio["hfc"] > 5 * ratio["energy"]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Two seconds of chord, two of drums, two of both."""
    chord = sum(sine(hz, 6) for hz in (220, 277.18, 329.63)) / 4
    drums = strikes(hat, np.arange(2.1, 5.9, 0.25), 6, 0.5)
    chord[2 * RATE : 4 * RATE] = 0
    path = tmp_path_factory.mktemp("mixed") / "mixed.wav"
    return written(path, chord + drums)


def test_harmonic_and_percussive_parts(mixed):
    harmonic = measured(mixed, "harmonic")[0]
    percussive = measured(mixed, "percussive")[0]
    chord, drums, both = slice(60, 240), slice(360, 540), slice(660, 840)
    assert percussive[chord].mean() < 0.05 * harmonic[chord].mean()
    assert harmonic[drums].mean() < 0.35 * percussive[drums].mean()
    assert harmonic[both].mean() == pytest.approx(harmonic[chord].mean(), rel=0.1)
    assert percussive[both].mean() == pytest.approx(percussive[drums].mean(), rel=0.15)
    strict = measured(mixed, {"from": "harmonic", "margin": 8})[0]
    assert strict[drums].mean() < 0.5 * harmonic[drums].mean()


def test_any_kind_can_listen_to_one_part(mixed):
    full = measured(mixed, "onset")[0]
    tones = measured(mixed, {"from": "onset", "part": "harmonic"})[0]
    assert tones[360:540].sum() < 0.6 * full[360:540].sum()
    assert feature_key(signal("harmonic")) == feature_key(signal({"from": "rms", "part": "harmonic"}))


def test_pitch_follows_the_melody_and_is_held(tmp_path):
    notes = [220.0, 440.0, 330.0]
    sound = np.concatenate([*(sine(hz, 0.8) for hz in notes), 0.3 * noise(0.8), sine(220, 0.8)])
    path = written(tmp_path / "melody.wav", sound)
    hz = sampled(path, {"from": "pitch", "scale": "none"}, 50)
    for index, true in enumerate([*notes, 330.0, 220.0]):
        middle = hz[40 * index + 12 : 40 * index + 34]
        assert np.abs(12 * np.log2(np.median(middle) / true)) < 0.3
    share = sampled(path, "pitch", 50)
    assert share[[20, 60, 100]] == pytest.approx([0, 1, np.log2(1.5)], abs=0.06)


@pytest.mark.parametrize("kind", ["stft", "cens"])
def test_chroma_of_other_kinds(tmp_path, kind):
    chords = [sum(sine(hz, 3) for hz in chord) / 3 for chord in ((261.63, 329.63, 392.0), (220.0, 277.18, 329.63))]
    path = written(tmp_path / "chords.wav", np.concatenate(chords))
    chroma = sampled(path, {"from": "chroma", "kind": kind}, 30)
    for middle, pitches in ((45, {0, 4, 7}), (135, {9, 1, 4})):
        assert {int(pitch) for pitch in np.argsort(chroma[middle])[-3:]} == pitches
    if kind == "cens":
        assert np.linalg.norm(chroma[20:160], axis=1) == pytest.approx(np.ones(140), abs=0.02)


def test_tonnetz_of_a_fifth_by_hand(tmp_path):
    path = written(tmp_path / "fifth.wav", (sine(261.63, 3) + sine(392.0, 3)) / 2)
    found = sampled(path, {"from": "tonnetz", "scale": "none"}, 30)[45]
    classes = np.array([0, 7])  # C and G, of equal strength (Harte et al. 2006, eq. 2)
    by_hand = [
        radius * np.mean(wave(angle * classes))
        for angle, radius in ((7 * np.pi / 6, 1), (3 * np.pi / 2, 1), (2 * np.pi / 3, 0.5))
        for wave in (np.sin, np.cos)
    ]
    assert found == pytest.approx(by_hand, abs=0.12)
    assert sampled(path, "tonnetz", 30)[45] == pytest.approx((found + 1) / 2, abs=1e-6)


def test_mfcc_of_louder_sound_differ_in_the_first_alone(tmp_path):
    """A step of 20 dB adds 20 to each of K levels: c_0, their sum over sqrt(K), by 20 sqrt(K), and no other."""
    sound = noise(4, 0.02)
    sound[2 * RATE :] *= 10
    found = sampled(written(tmp_path / "a.wav", sound), {"from": "mfcc", "scale": "none"}, 30, 120)
    quiet, loud = found[10:50].mean(axis=0), found[70:110].mean(axis=0)
    assert found.shape == (120, 13)
    steps = ((loud[0] - quiet[0]) / 20) ** 2
    assert steps == pytest.approx(round(steps), abs=0.3)
    assert 36 <= steps <= 40.3
    assert np.abs(loud - quiet)[1:].max() < 5


def test_mfcc_tell_dark_from_bright_and_keep_still_in_silence(tmp_path):
    t = np.arange(2 * RATE) / RATE
    dark = 0.3 * sum(np.sin(2 * np.pi * hz * t) for hz in (60, 90, 130, 200))
    sound = np.concatenate([dark, np.diff(noise(2, 0.2), prepend=0), np.zeros(2 * RATE)])
    found = sampled(written(tmp_path / "a.wav", sound), {"from": "mfcc", "bands": 4}, 30, 180)
    assert found.min() >= 0
    assert found.max() <= 1
    assert found[5:50, 1].min() > 0.8
    assert found[70:110, 1].max() < 0.2
    assert np.ptp(found[140:175], axis=0).max() == 0


def test_mfcc_of_a_narrow_band_has_its_numbers(tmp_path):
    words = {"from": "mfcc", "bands": 40, "low": 200, "high": 260}
    found = sampled(written(tmp_path / "a.wav", noise(1)), words, 30, 30)
    assert found.shape == (30, 40)
    assert np.isfinite(found).all()


def test_values_are_held_by_hand():
    values = np.array([5.0, 7, 9, 11, 13])
    loud = np.array([0.0, 1, 1e-4, 0.5, 0])
    assert held(np.stack([values, loud]), signal("centroid"))[0].tolist() == [7, 7, 7, 11, 11]
    assert not held(np.zeros((2, 4)), signal("pitch")).any()


SEAMLESS = [
    "mel", "mfcc", "centroid", "flatness", "flux", "contrast", "harmonic", "percussive", "pitch", "tonnetz",
    {"from": "chroma", "kind": "stft"},
    *({"from": "onset", "detector": one} for one in DETECTORS),
]  # fmt: skip


@pytest.mark.slow
def test_block_borders_do_not_show(tmp_path, monkeypatch):
    """12 s, one border of blocks and one of parts: as in one piece, to 1e-4 of the highest; pitch to a semitone's fifth
    in all but one of a hundred frames (its path is the likeliest of the whole block)."""
    t = np.arange(12 * RATE) / RATE
    sound = strikes(kick, np.arange(0.3, 11.5, 0.5), 12, 0.5) + noise(12, 0.003)
    sound += 0.3 * np.sin(2 * np.pi * 330 * t + 60 * np.sin(t))
    path = written(tmp_path / "music.wav", sound)
    words = [signal(one) for one in SEAMLESS]
    cut = analyse(path, words, beats=False).features
    monkeypatch.setattr(blocks, "BLOCK_FRAMES", 10**5)
    monkeypatch.setattr(separate, "CHUNK_STEPS", 10**5)
    whole = analyse(path, words, beats=False).features
    for key, values in whole.items():
        if key.startswith("pitch"):
            off = np.abs(np.log2(np.maximum(values[0], 1) / np.maximum(cut[key][0], 1))) > 0.2 / 12
            assert off.mean() < 0.01
        else:
            np.testing.assert_allclose(values, cut[key], rtol=1e-3, atol=1e-4 * values.max(), err_msg=key)


def test_memory_of_ten_minutes_is_bounded_by_computation():
    """What is held at once: a block or a chunk, whatever the length of the music."""
    samples = blocks.BLOCK_FRAMES * blocks.HOP + 2 * blocks.CONTEXT
    assert 4 * samples < 1.1e6
    spectra = (separate.CHUNK_STEPS + 2 * separate.MARGIN_STEPS + 1) * (separate.WINDOW // 2 + 1)
    assert 8 * spectra * 6 < 30e6  # the spectrum, two parts, their masks
    features = 600 * blocks.FEATURE_HZ * 4
    assert 64 * features < 24e6  # the widest: 64 mel bands


def test_separation_holds_one_chunk_and_keeps_the_length(monkeypatch):
    monkeypatch.setattr(separate, "CHUNK_STEPS", 40)
    longest = []
    monkeypatch.setattr(
        separate, "_part", lambda samples, part, margin: longest.append(len(samples)) or samples.astype(np.float32)
    )
    sound = noise(20, rate_hz=22050).astype(np.float32)[:400_123]
    for size in (1000, 70_000):
        pieces = [sound[at : at + size] for at in range(0, len(sound), size)]
        assert np.array_equal(np.concatenate(list(separate.separated(pieces, "harmonic", 1.0))), sound)
    assert max(longest) == (40 + 2 * separate.MARGIN_STEPS) * separate.STEP


def test_the_sound_of_a_video_is_heard(tmp_path):
    sound = written(tmp_path / "clicks.wav", strikes(click, TIMES, 6))
    film = tmp_path / "film.mp4"
    picture = ("-f", "lavfi", "-i", "color=red:size=64x64:rate=25:duration=6")
    ffmpeg.run("-y", *picture, "-i", sound, "-c:v", "libx264", "-c:a", "aac", "-shortest", film)
    found, known = measured(film, "onset")[0], measured(sound, "onset")[0]
    length = min(len(found), len(known))
    for time in TIMES:
        near = slice(round((time - 0.05) * 150), min(round((time + 0.05) * 150), length))
        assert abs(int(np.argmax(found[near])) - int(np.argmax(known[near]))) <= 1
