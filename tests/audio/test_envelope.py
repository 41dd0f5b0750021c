from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sounds import seconds, signal

from gandream.audio import envelope
from gandream.recipe.signals import Signal

RATE = 150


def shaped(curve, **words) -> np.ndarray:
    return envelope.shaped(np.atleast_2d(np.asarray(curve, float)), signal({"from": "rms", **words}), seconds, RATE)[0]


def step(at: int = 150, length: int = 1500) -> np.ndarray:
    return (np.arange(length) >= at).astype(float)


def pulse(at: int = 300, length: int = 900) -> np.ndarray:
    return (np.arange(length) == at).astype(float)


def test_every_word_has_a_meaning_and_they_keep_the_declared_order():
    declared = list(Signal.model_fields)
    assert [*envelope.ENVELOPE, "range"] == declared[declared.index("smooth") :]


def test_no_words_change_nothing():
    curve = np.random.default_rng(0).random(300)
    assert np.array_equal(shaped(curve), curve)


def test_attack_reaches_63_percent_after_its_time_and_never_looks_ahead():
    curve = shaped(step(), attack=0.4)
    assert not curve[:150].any()
    assert curve[150 - 1 + round(0.4 * RATE)] == pytest.approx(1 - np.exp(-1), abs=1e-4)
    assert np.all(np.diff(curve) >= 0)


def test_release_falls_to_37_percent_after_its_time_and_jumps_up():
    curve = shaped(pulse(), release=0.25)
    assert not curve[:300].any()
    assert curve[300] == 1
    after = np.arange(150)
    assert curve[300:450] == pytest.approx(np.exp(-after / RATE / 0.25))


def test_a_short_event_with_an_attack_keeps_its_height():
    curve = shaped(pulse(), attack=0.1, release=0.3)
    assert curve.max() == pytest.approx(1)
    assert np.argmax(curve) == 300


def test_beats_fall_within_a_fifth_of_a_second_unless_told():
    def beat(**words):
        return envelope.shaped(pulse()[None], signal({"from": "beat", **words}), seconds, RATE)[0]

    assert beat()[300 + 30] == pytest.approx(np.exp(-1))
    assert beat(release=0)[301] == 0


def test_smooth_is_a_centred_gaussian_that_keeps_the_peak():
    curve = shaped(pulse(), smooth=0.2)
    distance = (np.arange(900) - 300) / RATE
    assert curve == pytest.approx(np.exp(-0.5 * (distance / 0.2) ** 2), abs=2e-3)


def test_smooth_keeps_a_constant_up_to_the_ends():
    assert shaped(np.full(400, 0.7), smooth=1.0) == pytest.approx(np.full(400, 0.7))
    assert shaped(np.full(3, 0.7), smooth=100.0) == pytest.approx(np.full(3, 0.7))


def test_clip_stretches_between_percentiles():
    curve = shaped(np.linspace(0, 1, 1001), clip=[10, 90])
    assert curve[:101] == pytest.approx(0)
    assert curve[900:] == pytest.approx(1)
    assert curve[500] == pytest.approx(0.5)
    assert np.array_equal(shaped(pulse(), clip=50), pulse())  # more silence than the percentile
    assert not shaped(np.zeros(100), clip=50).any()


def test_gate_and_power():
    assert shaped([0.1, 0.3, 0.6], gate=0.3).tolist() == [0, 0.3, 0.6]
    assert shaped([0.0, 0.5, 1.0], power=2).tolist() == [0, 0.25, 1]


def test_delay_shifts_and_begins_with_nothing():
    assert np.argmax(shaped(pulse(), delay=0.5)) == 300 + 75
    assert not shaped(step(at=0), delay="250ms")[:37].any()
    assert not shaped(step(at=0), delay=100).any()


def test_order():
    curve = np.array([0.0, 0.4, 1.0, 0.4, 0.0])
    assert shaped(curve, gate=0.5, power=0.5).tolist() == [0, 0, 1, 0, 0]  # 0.4 ** 0.5 is above the gate
    late = shaped(pulse(), release=0.2, delay=0.1)
    assert np.argmax(late) == 315
    assert late[345] == pytest.approx(np.exp(-1))


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.fixed_dictionaries(
        {},
        optional={
            "smooth": st.floats(0, 2),
            "clip": st.tuples(st.floats(0, 49), st.floats(50, 100)).map(list),
            "gate": st.floats(0, 1),
            "power": st.floats(0.1, 8),
            "attack": st.floats(0, 3),
            "release": st.floats(0, 3),
            "delay": st.floats(0, 1),
        },
    ),
)
def test_whatever_the_words_the_curve_stays_between_0_and_1(curve, words):
    result = shaped(curve, **words)
    assert result.shape == (len(curve),)
    assert np.isfinite(result).all()
    assert result.min() >= 0
    assert result.max() <= 1 + 1e-9


def test_a_causal_gaussian_does_not_look_ahead():
    curve = shaped(pulse(), smooth=0.2, causal=0)
    assert curve[:300].max() < 1e-12  # rounding of the convolution
    assert curve[300] == 1
    after = np.arange(200) / RATE
    assert curve[300:500] == pytest.approx(np.exp(-0.5 * (after / 0.2) ** 2), abs=2e-3)
    half = shaped(pulse(), smooth=0.2, causal=0.5)
    assert half[285] / half[315] == pytest.approx(0.5)
    assert half[300] == 1
    assert shaped(np.full(400, 0.7), smooth=0.5, causal=0.2) == pytest.approx(np.full(400, 0.7))


def test_the_mass_of_a_causal_gaussian_is_as_measured():
    """REACTIVE.md, section 3: at 30 frames per second and sigma 5, 0.148 at the event and 0.852 after it."""
    curve = envelope.smooth(pulse()[None], signal({"from": "rms", "smooth": 5 / 30, "causal": 0}), seconds, 30)[0]
    share = curve / curve.sum()
    assert share[300] == pytest.approx(0.148, abs=0.002)
    assert share[301:].sum() == pytest.approx(0.852, abs=0.002)


def test_peaks_clip_at_a_percentile_of_the_local_peaks():
    curve = np.zeros(100)
    curve[10:60:10] = [0.2, 0.4, 0.6, 0.8, 1.0]
    clipped = shaped(curve, peaks=75)  # of 0.2, 0.4, 0.6, 0.8, 1 that is 0.8
    assert clipped[10:60:10] == pytest.approx([0.25, 0.5, 0.75, 1, 1])
    assert not shaped(np.zeros(10), peaks=50).any()
    assert shaped(np.linspace(0, 0.5, 11), peaks=97)[-1] == 1  # no peak at all: the highest


def test_compress_and_expand_by_hand():
    curve = [0.0, 0.25, 0.5, 0.75, 1.0]
    # above 0.5 a quarter as fast: 0.5625 and 0.625, then brought to the old height
    compressed = shaped(curve, compress={"threshold": 0.5, "ratio": 4})
    assert compressed == pytest.approx(np.array([0, 0.25, 0.5, 0.5625, 0.625]) / 0.625)
    # below 0.5 three times as fast: 0.5 - 3 · 0.25 is below 0
    assert shaped(curve, expand={"threshold": 0.5, "ratio": 3}).tolist() == [0, 0, 0.5, 0.75, 1]
    assert shaped([0.4, 1.0], expand={"threshold": 0.5, "ratio": 3}) == pytest.approx([0.2, 1])
    for word in ("compress", "expand"):
        assert shaped(curve, **{word: {"threshold": 0.5, "ratio": 1}}) == pytest.approx(curve)


def test_hold_keeps_each_peak_and_never_looks_ahead():
    curve = shaped(pulse(), hold=0.2)
    assert np.flatnonzero(curve).tolist() == list(range(300, 331))
    falling = shaped(pulse(), hold=0.2, release=0.1)
    assert (falling[300:331] == 1).all()
    assert falling[331 + 14] == pytest.approx(np.exp(-1), rel=0.01)  # the release comes first, the hold after it
    assert (shaped(pulse(at=0), hold=100) == 1).all()


def test_quantise_goes_to_the_nearest_step():
    assert shaped([0, 0.12, 0.13, 0.37, 0.38, 0.99], quantise=4).tolist() == [0, 0, 0.25, 0.25, 0.5, 1]
    assert shaped([0.2, 0.7], quantise={"steps": 1}).tolist() == [0, 1]


def test_later_words_work_on_what_earlier_ones_left():
    """peaks, gate, compress, expand, power, release, hold, quantise, delay: computed one after the other by hand."""
    curve = np.zeros(60)
    curve[[10, 30]] = [0.5, 1.0]
    words = {"peaks": 0, "gate": 0.6, "power": 2, "quantise": 2, "hold": 2 / RATE, "delay": 5 / RATE}
    # peaks: the 0th percentile of the peaks is 0.5, so both become 1; the gate leaves them
    assert np.flatnonzero(shaped(curve, **words)).tolist() == [15, 16, 17, 35, 36, 37]
    words["peaks"] = 100  # now 0.5 stays 0.5 and is gated
    assert np.flatnonzero(shaped(curve, **words)).tolist() == [35, 36, 37]
    late = shaped(curve, power=2, quantise=2)  # 0.25 · 2 + 0.5 rounds up only after the power
    assert late[10] == 0.5
    assert shaped(curve, power=3, quantise=2)[10] == 0


def test_automation_may_be_negative():
    curve = np.array([-2.0, -0.5, 0, 1])
    words = signal({"from": "rms", "power": 2})
    assert envelope.power(curve[None], words, seconds, RATE)[0].tolist() == [-4, -0.25, 0, 1]
    smoothed = envelope.smooth(np.full((1, 300), -2.0), signal({"from": "rms", "smooth": 0.1}), seconds, RATE)
    assert smoothed == pytest.approx(np.full((1, 300), -2.0))
