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
    words = declared[declared.index("smooth") :]
    assert [*envelope.ENVELOPE, "range"] == words


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
