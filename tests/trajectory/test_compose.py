import os
import subprocess
import sys
import time
import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gandream.base.errors import AudioError, RecipeError
from gandream.base.tempo import BeatGrid
from gandream.models.registry import describe
from gandream.trajectory.compose import MAX_FRAMES, Score, compose

SPEC = describe("cppn#7")
NTSC = Fraction(24000, 1001)


@pytest.fixture(scope="session")
def heard(tmp_path_factory) -> Path:
    """One folder for what was heard, so that the click track is analysed once."""
    return tmp_path_factory.mktemp("heard")


@pytest.fixture
def composed(written, heard):
    def make(text: str) -> Score:
        return compose(written(text), SPEC, heard)

    return make


@pytest.fixture
def frames(composed):
    return lambda text: composed(text).trajectory.frames


def wrong(composed, text, kind=RecipeError):
    with pytest.raises(kind) as caught:
        composed(text)
    return caught.value


# how long a film is


@pytest.mark.parametrize(
    ("duration", "fps", "count"),
    [
        ("2", "30", 60),
        ("0.05", "30", 2),  # 1.5 frames: half up
        ("0.049", "30", 1),
        ("1ms", "30", 1),
        ("0.1", "25", 3),  # 2.5 frames
        ("1001 frames", "24000/1001", 1001),
        ("1001s", "24000/1001", 24000),
        ("0:42", "30000/1001", 1259),
        ("100ms", "24000/1001", 2),
    ],
)
def test_frames_are_the_duration_times_the_rate_rounded_half_up(frames, duration, fps, count):
    assert frames(f"video: {{duration: {duration}, fps: {fps}}}") == count


@pytest.mark.parametrize(
    ("recipe", "seconds"),
    [
        ("walk: {through: [1, 2, 3], every: 2s}", 6),  # once round
        ("walk: {through: [1, 2, 3], every: 2s, loop: false}", 4),
        ("walk: {through: [1, 2, 3]}", 12),
        ("walk: {through: 7}", 10),
        ("walk: {through: 7, at: [3s]}", 10),
        ("walk: {through: [1, 2, 3], at: [0s, 1s, 3s]}", 5),  # the way back is as long as the last step
        ("walk: {through: [1, 2, 3], at: [0s, 1s, 3s], loop: false}", 3),
        ("walk: {through: [1, 2, 3], at: [0s, 40%, 3s], loop: false}", 3),
        ("walk: {through: [1, 2], at: [0s, 50%]}", 10),
        ("walk: {through: [1, 2], every: 2 bars}\ntempo: {bpm: 120}", 8),
        ("walk: {through: [1, 2], every: 4 beats}\ntempo: {bpm: 100}", 4.8),
        ("walk: {through: [1, 2]}\nvideo: {duration: 8 bars}\ntempo: {bpm: 120, beats_per_bar: 3}", 12),
    ],
)
def test_without_music_a_film_lasts_once_round_its_walk(frames, recipe, seconds):
    assert frames(recipe) == round(30 * seconds)


def test_frames_of_a_walk_in_frames_are_exact(frames):
    for count in (1, 7, 90, 91, 1001):
        every = f"walk: {{through: [1, 2, 3], every: {count} frames}}\nvideo: {{fps: 23.976}}"
        at = f"walk: {{through: [1, 2], at: [0s, {count} frames]}}\nvideo: {{fps: 23.976}}"
        assert (frames(every), frames(at)) == (3 * count, 2 * count)


def test_too_many_frames_are_refused_before_anything_is_made(composed):
    error = wrong(composed, "video:\n  fps: 60\n  duration: 600 min")
    assert error.where.endswith("film.yaml:3:3  video.duration = 600 min")
    assert error.problem == f"2160000 frames are too many for one film (at most {MAX_FRAMES})"
    assert error.hint == "Make several films of it."


def test_with_music_a_film_lasts_to_its_end(frames, music):
    assert frames(f"audio: {music}") == 16 * 30
    assert frames(f"audio: {music}\nvideo: {{fps: 23.976}}") == round(16 * NTSC)
    assert frames(f"audio: {music}\nvideo: {{start: 5.5s}}") == 315
    assert frames(f"audio: {music}\nvideo: {{start: 25%}}") == 360
    assert frames(f"audio: {music}\nvideo: {{start: 45 frames}}") == 435
    assert frames(f"audio: {music}\nvideo: {{duration: 20, start: 10}}") == 600


def test_a_film_in_bars_ends_where_they_are_played(composed, music):
    off = []
    for start in (0, 5, 9.3):
        score = composed(f"audio: {music}\nvideo: {{fps: 60, start: {start}, duration: 3 bars}}")
        grid = BeatGrid(score.music.beats_s)
        end = grid.time_of(float(grid.beat_at(start)) + 12)
        assert score.trajectory.frames == round((end - start) * 60)
        off.append(abs(score.trajectory.frames - 12 * grid.interval_s * 60))
    assert max(off) > 20  # frames that the median tempo is wrong by


def test_a_film_that_begins_on_a_bar_begins_there(composed, music):
    text = f"audio: {music}\ntempo: {{first_beat: 0.5}}\nvideo: {{start: 2 bars}}\ntruncation: bar"
    trajectory = composed(text).trajectory
    assert float(trajectory.timeline.start_s) == pytest.approx(4.5, abs=0.01)
    assert trajectory.psi[0] == pytest.approx(2, abs=1e-6)


def test_a_film_can_not_begin_behind_the_music(composed, music):
    for start in ("16s", "100%", "0:20"):
        error = wrong(composed, f"audio: {music}\nvideo:\n  start: {start}")
        assert error.where.endswith(f"film.yaml:3:3  video.start = {start}")
        assert error.problem.endswith("the music ends at 16.00 s")


# beats


def test_the_first_tracked_beat_is_0_and_every_click_is_a_beat(composed, music):
    beat = composed(f"audio: {music}\ntruncation: beat\nvideo: {{fps: 100}}").trajectory.psi
    np.testing.assert_allclose(beat[50:650:50], np.arange(12), atol=0.02)
    late = beat[1100:1500:60]
    np.testing.assert_allclose(late, late[0] + np.arange(len(late)), atol=0.02)
    assert (np.diff(beat) > 0).all()


def test_a_told_tempo_needs_no_music_and_wins_over_it(composed, music):
    for audio in ("", f"audio: {music}\n"):
        score = composed(f"{audio}tempo: {{bpm: 90, first_beat: 1s}}\ntruncation: beat\nvideo: {{duration: 4}}")
        t = score.trajectory.timeline.clock.times
        np.testing.assert_allclose(score.trajectory.psi, (t - 1) * 1.5, atol=1e-12)
        assert score.music is None or score.music.beats_s is None


def test_steps_in_beats_follow_the_music_from_the_films_first_frame(composed, music):
    text = f"audio: {music}\nwalk: {{through: [1, 2, 3], every: 2 beats}}\nvideo: {{fps: 100, start: 0.5}}"
    places = composed(text).trajectory.track.places
    assert places[0] == 0
    np.testing.assert_allclose(places[0:600:100], np.arange(6), atol=0.02)


def test_beats_without_a_tempo_are_an_error_that_says_what_to_write(composed):
    for recipe in ("walk: {every: 2 bars}", "truncation: sin(beat)", "truncation: {0s: 0, 2 beats: 1}"):
        error = wrong(composed, recipe)
        assert error.problem == "the recipe tells time in beats or bars, but has no music and no tempo"
        assert error.hint == "Say the tempo, for instance `tempo: {bpm: 120}`."
        assert "film.yaml:1:1" in error.where


def test_music_without_a_beat_is_an_error_only_where_beats_are_needed(composed, silence):
    error = wrong(composed, f"walk: {{every: 2 bars}}\naudio: {silence}")
    assert ("film.yaml:2:1  audio = ") in error.where
    assert error.problem == "no beat was found in this music"
    assert composed(f"audio: {silence}").trajectory.frames == 90


def test_the_first_beat_is_told_in_seconds(composed):
    error = wrong(composed, "tempo:\n  bpm: 120\n  first_beat: 1 bar")
    assert error.where.endswith("film.yaml:3:3  tempo.first_beat = 1 bar")
    assert error.problem == "wanted a time in seconds or frames of the music"


# music


def test_signals_drive_curves_frame_by_frame_from_where_the_film_begins(composed, music):
    text = f"audio: {music}\nsignals: {{hit: {{from: onset, release: 0.1}}}}\ntruncation: 2*hit + 1\n"
    whole = composed(text).trajectory
    np.testing.assert_array_equal(whole.psi, 2 * whole.signals["hit"].astype(np.float64) + 1)
    assert whole.psi[15] > 2  # the click at 0.5 s
    later = composed(text + "video: {start: 2}").trajectory
    np.testing.assert_allclose(later.psi, whole.psi[60:], atol=1e-6)


def test_a_signal_of_another_file_is_heard_there(composed, music, silence):
    text = f"audio: {music}\nsignals: {{here: rms, there: {{from: rms, of: {silence}}}}}\ntruncation: here + there"
    signals = composed(text).trajectory.signals
    assert signals["here"].max() > 0.5
    assert not signals["there"].any()


def test_sound_that_can_not_be_read_points_at_the_recipes_word(composed, music, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF and no more")
    error = wrong(composed, f"audio: {broken}", AudioError)
    assert "film.yaml:1:1  audio = " in error.where
    error = wrong(composed, f"audio: {music}\nsignals:\n  a: {{from: rms, of: {broken}}}", AudioError)
    assert "film.yaml:3:18  signals.a.of = " in error.where


# the walk


def test_waypoints_are_what_the_published_tools_draw(composed):
    waypoints = composed("walk: {through: [7, 0, 4294967295]}").trajectory.track.waypoints
    for row, seed in zip(waypoints, (7, 0, 2**32 - 1), strict=True):
        np.testing.assert_array_equal(row, np.random.RandomState(seed).randn(1, 64)[0])


CLOSING = [
    "walk: {through: [1, 2, 3], every: 2s}",
    "walk: {through: [1, 2, 3], every: 0.7s}",
    "walk: {through: [1, 2, 3], every: 11s, path: lerp}",
    "walk: {through: [1, 2, 3], every: 2s, speed: 1 + 0.5*sin(tau*progress)}",
    "walk: {through: [1, 2, 3], every: 0.7s, speed: -1}",
    "walk: {through: [1, 2, 3], every: 0.5s, speed: sin(tau*progress)}",
    "walk: {through: [1, 2, 3], at: [0s, 1s, 3s]}",
    "walk: {through: [1, 2, 3], at: [1s, 2s, 2.5s]}",
    "walk: {through: [1, 2, 3], at: [0s, 1s, 3s], speed: 0.7 + 0.4*cos(tau*progress)}",
    "walk: {through: [1, 2], every: 3 beats}\ntempo: {bpm: 97}",
]


@pytest.mark.parametrize("walk", CLOSING)
def test_a_looped_films_end_meets_its_beginning(composed, walk):
    track = composed(f"{walk}\nvideo: {{duration: 7s, loop: true, fps: 100}}").trajectory.track
    steps = np.diff(track.places)
    after = track.places[-1] + steps[-1]
    laps = (after - track.places[0]) / len(track.waypoints)
    assert laps == pytest.approx(round(laps), abs=1e-9)
    # The seam is no greater a step than others, in latents too.
    z = track.at(0, 700)
    assert np.linalg.norm(z[0] - z[-1]) <= 1.01 * np.linalg.norm(np.diff(z, axis=0), axis=1).max()


def test_a_film_that_closes_by_itself_is_not_stretched(composed):
    for walk in ("every: 2s", "at: [0s, 1s, 4s]"):
        text = f"walk: {{through: [1, 2, 3], {walk}}}\nvideo: {{loop: %s}}"
        looped, plain = (composed(text % word).trajectory.track.places for word in ("true", "false"))
        np.testing.assert_allclose(looped, plain, atol=1e-9)


def test_a_walk_that_stays_at_its_end_can_not_close_and_says_so(composed):
    score = composed("walk: {through: [1, 2], loop: false}\nvideo: {loop: true}")
    assert score.warnings == (
        "video.loop: the walk stays at its last latent (walk.loop is false), so the film won't close",
    )
    assert not composed("walk: {through: 1, loop: false}\nvideo: {loop: true}").warnings


def test_a_walk_of_too_many_latents_is_refused(composed):
    error = wrong(composed, "walk: {every: 1ms, speed: 1e9}\nvideo: {duration: 2}")
    assert error.where.endswith("film.yaml:1:1  walk")
    assert error.problem == "the walk is too fast: it passes more than 1e+09 latents"


# pushes


def test_a_push_has_its_own_seed_or_one_of_the_recipe_and_its_place(composed):
    def directions(text):
        return [shove.target.z for shove in composed(text).trajectory.shoves]

    own = "push: [{random: 3}, {random: 3}]"
    first, second = directions(own)
    np.testing.assert_array_equal(first, np.random.RandomState(3).randn(64))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, directions(f"seed: 1\n{own}")[0])

    named = "push: [{random: true}, {random: true}]"
    first, second = directions(named)
    again, moved = directions(named)[0], directions(f"seed: 1\n{named}")[0]
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.5
    assert abs(np.corrcoef(first, moved)[0, 1]) < 0.5
    np.testing.assert_array_equal(first, directions("push: {random: true}")[0])


def test_a_push_that_drifts_adds_up(composed):
    shove = composed("push: {random: 1, by: 0.5, mode: drift, box: 2}").trajectory.shoves[0]
    np.testing.assert_allclose(shove.amounts, np.arange(480) / 60, atol=1e-9)
    assert (shove.box, shove.in_w, shove.toward) == (2, False, False)


def test_curves_that_fail_name_their_own_place(composed):
    error = wrong(composed, "push:\n  - {random: 1}\n  - {random: 2, by: log(frame)}")
    assert error.where.endswith("film.yaml:3:21  push[1].by = log(frame)")
    error = wrong(composed, "walk: {speed: 1/t}")
    assert error.where.endswith("film.yaml:1:16  walk.speed = 1/t")


# what it costs


def test_composing_loads_no_torch(tmp_path, music):
    recipe = tmp_path / "film.yaml"
    recipe.write_text(f"model: cppn#7\naudio: {music}\nsignals: {{a: rms}}\npush: {{random: true, by: a, layers: 0}}\n")
    code = (
        "import sys; from gandream.recipe.load import load_recipe; from gandream.models.registry import describe\n"
        "from gandream.trajectory.compose import compose\n"
        f"trajectory = compose(load_recipe({str(recipe)!r}), describe('cppn#7')).trajectory\n"
        "print(trajectory.frames, len(trajectory.key(0, 60)), 'torch' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert done.stdout.split() == ["480", "32", "False"]


def test_ten_minutes_at_60_fps_are_composed_in_a_moment(written):
    recipe = written(
        """
        walk: {through: [1, 2, 3, 5, 8, 13], every: 3s, speed: "1 + 0.5*lag(noise(t), 0.5)"}
        push: {random: true, by: "delay(noise(t*2, 3), 0.2)", mode: drift, box: 1.5}
        truncation: {0s: 0.4, 50%: 1, 100%: 0.4, ease: in_out_sine}
        video: {duration: 10 min, fps: 60}
        """
    )
    compose(written("walk: {through: 1}"), SPEC)  # what is loaded once isn't measured
    tracemalloc.start()
    score = compose(recipe, SPEC)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    started = time.perf_counter()
    compose(recipe, SPEC)
    assert time.perf_counter() - started < 2
    assert peak < 60e6
    assert score.trajectory.frames == 36000
