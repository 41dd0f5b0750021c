from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from sounds import RATE, click, kick, noise, sampled, sine, strikes, written

from gandream.audio.analyse import Analysis, analyse, feature_key
from gandream.base.assets import bundled
from gandream.recipe.signals import Signal

TIMES = np.arange(0.5, 19.3, 0.37) + np.random.default_rng(1).uniform(0, 0.04, 51)
RATES = [24, "24000/1001", 25, 30, "30000/1001", 50, 60, 120, 240]


def analysis(curve: np.ndarray, words: str = "rms") -> Analysis:
    """What was measured is this curve [T] (or [B, T]), over its whole length."""
    curve = np.atleast_2d(np.asarray(curve, np.float32))
    key = feature_key(Signal.model_validate(words))
    return Analysis("", Fraction(curve.shape[1] - 1, 150), features={key: curve})


@pytest.fixture(scope="module")
def clicks(tmp_path_factory):
    return written(tmp_path_factory.mktemp("clicks") / "clicks.wav", strikes(click, TIMES, 20))


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    sound = strikes(kick, TIMES, 20) + noise(20, 0.01) + np.repeat([0.05, 0.3, 0.1, 0.2], 5 * RATE) * sine(330, 20)
    return written(tmp_path_factory.mktemp("music") / "music.wav", sound)


@pytest.mark.parametrize("fps", RATES)
def test_no_event_is_lost_or_lowered_and_each_is_in_its_frame(clicks, fps):
    onset = sampled(clicks, "onset", fps)
    rate = float(Fraction(str(fps)))
    heights = []
    for time in TIMES:
        near = np.arange(int((time - 0.06) * rate), int((time + 0.06) * rate) + 2)
        frame = near[np.argmax(onset[near])]
        assert abs(frame / rate - time) <= 0.5 / rate + 0.0065  # half a frame, and what the onset itself is off
        heights.append(onset[frame])
    assert min(heights) > 0.9
    assert max(heights) <= 1


@pytest.mark.parametrize(
    "words",
    ["rms", {"from": "band", "low": 200, "high": 400, "smooth": 0.1}, {"from": "rms", "attack": 0.05, "release": 0.4}],
)
def test_the_frame_rate_does_not_change_the_curve(music, words):
    slow, fast = sampled(music, words, 24), sampled(music, words, 60)
    common = np.arange(0, 20 * 12 - 1)
    apart = np.abs(slow[common * 2] - fast[common * 5])
    assert np.median(apart) < 0.002
    assert np.percentile(apart, 90) < 0.05  # a frame may show the peak within its half frame


@pytest.mark.parametrize("fps", [24, 60, 240])
def test_a_falling_signal_has_one_shape_at_any_frame_rate(clicks, fps):
    curve = sampled(clicks, {"from": "onset", "power": 4, "release": 0.1}, fps)
    alone = TIMES[np.flatnonzero(np.diff(TIMES) > 0.37)]
    assert len(alone) > 3
    for time in alone:
        assert curve[round((time + 0.2) * fps)] == pytest.approx(
            np.exp(-(round((time + 0.2) * fps) / fps - time) / 0.1), rel=0.3
        )


def test_a_start_within_the_music_shows_the_same_moments(music):
    whole = sampled(music, {"from": "onset", "release": 0.2}, 60)
    later = sampled(music, {"from": "onset", "release": 0.2}, 60, frames=600, start=5)
    assert later == pytest.approx(whole[300:900], abs=1e-6)
    between = sampled(music, "rms", 60, frames=60, start="1/120")
    assert between == pytest.approx((whole := sampled(music, "rms", 120))[1:121:2], abs=0.03)


def test_the_film_window_does_not_change_the_scale(music):
    assert sampled(music, "rms", 30, frames=60) == pytest.approx(sampled(music, "rms", 30)[:60])
    assert sampled(music, "rms", 30, frames=12).max() < 0.1  # the loudest comes later
    assert sampled(music, "rms", 30).max() == pytest.approx(1)


def test_past_the_end_is_silence_before_range(music):
    curve = sampled(music, {"from": "rms", "release": 5, "range": [2, 3]}, 30, frames=700)
    assert (curve[600:] == 2).all()
    assert curve[599] > 2
    assert (sampled(music, "chroma", 30, frames=10, start=21) == 0).all()


def test_range_may_be_upside_down(music):
    bare = sampled(music, {"from": "onset"}, 30)
    assert sampled(music, {"from": "onset", "range": [1, -1]}, 30) == pytest.approx(1 - 2 * bare, abs=1e-6)


def test_a_curve_is_read_at_the_time_of_the_frame():
    ramp = np.linspace(0, 1, 1501)
    for fps in ("24000/1001", 60):
        times = np.arange(200) / float(Fraction(fps))
        assert sampled(analysis(ramp), "rms", fps, frames=200) == pytest.approx(times / 10, abs=1e-6)


def test_a_sound_that_begins_at_full_strength_does_not_set_the_scale(tmp_path):
    cut = strikes(kick, np.arange(0.5, 9.5, 0.5), 10, 0.2) + 0.5 * noise(10)
    onset = sampled(written(tmp_path / "cut.wav", cut), "onset")
    assert onset[10:].max() == pytest.approx(1)


def test_chroma_has_twelve_columns_in_the_order_of_the_words(music):
    chroma = sampled(music, "chroma", 30)
    assert chroma.shape == (600, 12)
    assert np.argmax(np.median(chroma[160:290], axis=0)) == 4  # 330 Hz, E


NIGHT_DRIVE = bundled("music", (".ogg",)).get("night_drive")


@pytest.mark.skipif(NIGHT_DRIVE is None, reason="the bundled piece is not here")
def test_the_bundled_piece():
    words = {"kick": {"from": "onset", "high": 120}, "level": "rms", "chroma": "chroma"}
    heard = analyse(NIGHT_DRIVE, [Signal.model_validate(one) for one in words.values()], beats=False)
    kicks = sampled(heard, words["kick"], 60)
    drop = [kicks[60 * second // 2 : 60 * second // 2 + 4].max() for second in range(25, 39)]
    assert min(drop) > 0.7 * max(drop)
    level = sampled(heard, words["level"], 60)
    assert level[12 * 60 : 20 * 60].mean() > 3 * level[: 4 * 60].mean()
    chroma = sampled(heard, words["chroma"], 60)
    assert set(np.argsort(chroma[60:110].mean(axis=0))[-4:]) == {6, 9, 1, 8}  # F sharp minor with a ninth
