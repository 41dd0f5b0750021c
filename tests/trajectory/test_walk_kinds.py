"""Each kind of walk in a recipe: where it is, that it closes, that any range expands alone, and what its keys hold."""

import numpy as np
import pytest
import torch
from films import film_of

from gandream.base.errors import RecipeError
from gandream.models.registry import describe
from gandream.trajectory.compose import compose
from gandream.trajectory.roam import Roam

SPEC = describe("cppn#7")
LATENT = np.random.RandomState(7).randn(64)


@pytest.fixture
def saved(tmp_path):
    rows = np.random.RandomState(0).randn(24, 64).astype(np.float32)
    np.save(tmp_path / "way.npy", rows)
    film_of(np.random.RandomState(1).randint(0, 255, (60, 3, 3, 3), np.uint8), tmp_path / "clip.mkv")
    return rows


@pytest.fixture
def laid(written):
    return lambda text: compose(written(text), SPEC).trajectory


@pytest.fixture
def wrong(laid):
    def tell(text):
        with pytest.raises(RecipeError) as caught:
            laid(text)
        return caught.value

    return tell


FILM = "\nvideo: {duration: 6s, fps: 50, loop: true}"
KINDS = [
    "wander",
    "{wander: 0.4s}",
    "{wander: {sigma: 1s, every: 2.5s}}",
    "{wander: {around: 7, amount: 0.3}, speed: 1 + 0.8*sin(tau*progress)}",
    "{wander: 1s, speed: sin(tau*progress)}",
    "circle",
    "{circle: 5s}",
    "{circle: {plane: [4, 5]}, speed: -1}",
    "{circle: {around: 7, every: 2s}, speed: sin(tau*progress)}",
    "simplex",
    "{simplex: {kind: perlin, every: 4s}}",
    "{simplex: {around: 7}, speed: 1 + 0.8*sin(tau*progress)}",
    "bounce",
    "{bounce: {speed: 3, redraw: 0.7s, around: 7}}",
    "{bounce: 2, speed: -0.4}",
    "{bounce: 2, speed: sin(tau*progress)}",
    "{file: way.npy}",
    "{file: {file: way.npy, fps: 9}}",
    "{file: {file: way.npy, duration: 2.2s}, speed: 1 + 0.8*sin(tau*progress)}",
    "{plane: {x: 3*sin(tau*progress), y: cos(tau*progress)}}",
    "{footage: clip.mkv}",
    "{footage: {file: clip.mkv, smooth: 0, around: 7}, speed: 1 + 0.8*sin(tau*progress)}",
    "{through: {seeds: 5}, order: ping-pong, every: [1s, 0.5s], path: [slerp, spline], ease: [linear, out_circ, soft]}",
]


@pytest.mark.parametrize("walk", KINDS)
def test_a_looped_film_closes(laid, saved, walk):
    trajectory = laid(f"walk: {walk}{FILM}")
    F, track = trajectory.frames, trajectory.track
    steps = np.diff(track.places, axis=0)
    after = track.places[-1] + steps[-1] if "ease" not in walk else track.places[-1:]
    z = track.at(0, F)
    seam, most = np.linalg.norm(z[0] - z[-1]), np.linalg.norm(np.diff(z, axis=0), axis=1).max()
    assert seam <= 1.05 * most + 1e-12
    if isinstance(track, Roam) and track.kind != "plane":  # the frame after the last is the first
        if track.kind == "bounce":
            after = np.array([track.places[-1, 0] + steps[-1, 0], 1.0])
        one = track.shape(np.asarray(after)[None])
        # A swing is closed to what its trapezoids miss; all others to the last bits.
        np.testing.assert_allclose(one[0], track.shape(track.places[:1])[0], atol=1e-9)


@pytest.mark.parametrize("walk", KINDS)
def test_any_range_expands_alone_to_the_same_bits(laid, saved, walk):
    trajectory = laid(f"walk: {walk}{FILM}")
    whole = trajectory.latents(0, 300)
    assert whole.shape == (300, 64)
    assert np.isfinite(whole).all()
    for start, stop in ((0, 1), (7, 8), (113, 200), (299, 300), (20, 20)):
        np.testing.assert_array_equal(trajectory.latents(start, stop), whole[start:stop])


@pytest.mark.parametrize("walk", [kind for kind in KINDS if "progress" not in kind])
def test_positions_do_not_depend_on_fps(laid, saved, walk):
    film = "\nvideo: {duration: 6s, fps: %d}"
    slow, fast = (laid(f"walk: {walk}{film % fps}").track.at(0, 6 * fps) for fps in (30, 60))
    np.testing.assert_allclose(slow, fast[::2], atol=1e-9)


@pytest.mark.parametrize(
    "walk", [kind for kind in KINDS if "speed" not in kind and not kind.startswith(("{pl", "{th"))]
)
def test_speed_is_integrated(laid, saved, walk):
    words = f"{{{walk}: {{}}}}" if "{" not in walk else walk
    film = "\nvideo: {duration: 6s, fps: 50}"
    plain, ramp = (laid(f"walk: {text}{film}") for text in (words, f"{words[:-1]}, speed: t/3}}"))
    # The integral of t / 3 is t² / 6: at 6 s it is where the plain walk is, at 3 s where that is at 1.5 s.
    np.testing.assert_allclose(ramp.track.at(150, 151), plain.track.at(75, 76), atol=1e-6)
    np.testing.assert_allclose(ramp.track.at(240, 241), plain.track.at(192, 193), atol=1e-6)


@pytest.mark.parametrize("kind", ["wander", "circle", "simplex", "bounce", "plane", "through"])
def test_all_kinds_move_about_as_fast_if_nothing_is_said(laid, kind):
    z = laid(f"walk: {kind}\nvideo: {{duration: 20s, fps: 30}}").track.at(0, 600)
    pace = 30 * np.sqrt((np.diff(z, axis=0) ** 2).mean(axis=1))  # standard deviations per second
    assert 0.2 < pace.min() < pace.max() < 0.6
    assert 0.3 < pace.mean() < 0.45
    assert 0.7 < np.sqrt((z**2).mean()) < 1.3


def test_a_circle_round_a_latent(laid):
    track = laid("walk: {circle: {around: 7, radius: 0.5, seed: 1}}\nvideo: {duration: 16s}").track
    away = track.at(0, 480) - LATENT
    np.testing.assert_allclose(np.sqrt((away**2).mean(axis=1)), 0.5, atol=1e-12)
    np.testing.assert_allclose(away[240:], -away[:240], atol=1e-9)


def test_a_circle_through_a_plane_begins_at_its_first_latent(laid):
    track = laid("walk: {circle: {around: 7, plane: [4, 5]}}").track
    np.testing.assert_allclose(track.at(0, 1)[0], np.random.RandomState(4).randn(64), atol=1e-12)
    way = track.at(0, 240) - LATENT
    axes = np.stack([np.random.RandomState(seed).randn(64) - LATENT for seed in (4, 5)], axis=1)
    plane = np.linalg.qr(axes)[0]
    np.testing.assert_allclose(way @ plane @ plane.T, way, atol=1e-9)


def test_a_bounce_around_a_latent_begins_there_and_stays_near(laid):
    z = laid("walk: {bounce: {around: 7, box: 0.4}}\nvideo: {duration: 20s}").track.at(0, 600)
    np.testing.assert_array_equal(z[0], LATENT)
    assert 0.39 < np.abs(z - LATENT).max() <= 0.4 + 1e-12


def test_a_saved_trajectory_is_met_frame_by_frame(laid, saved):
    at_own_rate = laid("walk: {file: {file: way.npy, fps: 30}}\nvideo: {fps: 30, duration: 24 frames}")
    np.testing.assert_array_equal(at_own_rate.latents(0, 24), saved)
    whole_film = laid("walk: {file: way.npy}\nvideo: {fps: 60, duration: 4s}").latents(0, 240)
    np.testing.assert_array_equal(whole_film[::10], saved)
    held = laid("walk: {file: {file: way.npy, fps: 30}, loop: false}\nvideo: {fps: 30, duration: 2s}").latents(0, 60)
    np.testing.assert_array_equal(held[24:], np.tile(saved[-1], (36, 1)))


def test_without_music_a_film_lasts_as_long_as_its_walk(laid, saved):
    for walk, frames in {
        "{circle: 5s}": 150,
        "{wander: {every: 7s}}": 210,
        "{file: {file: way.npy, fps: 12}}": 60,
        "{through: 0-5, every: [1s, 2s]}": 270,
        "{through: [0, 1], order: ping-pong}": 240,
        "{through: {seeds: 3}, loop: false}": 240,
        "{through: way.npy, every: 1s}": 720,
        "wander": 300,
    }.items():
        assert laid(f"walk: {walk}").frames == frames, walk


# the seeds of each


@pytest.mark.parametrize("kind", ["wander", "circle", "simplex", "bounce"])
def test_a_seed_is_its_own_or_the_recipes(laid, kind):
    def z(words="", seed=0):
        return laid(f"seed: {seed}\nwalk: {{{kind}: {{{words}}}}}\nvideo: {{duration: 1s}}").latents(0, 30)

    np.testing.assert_array_equal(z("seed: 3"), z("seed: 3", seed=1))
    assert np.abs(z() - z(seed=1)).mean() > 0.2
    assert np.abs(z("seed: 3") - z("seed: 4")).mean() > 0.2


# keys


def test_moving_one_latent_changes_only_the_keys_near_it(laid):
    first, second = (laid(f"walk: {{through: [1, 2, 3, {seed}, 5, 6], every: 1s}}") for seed in (4, 9))
    changed = [first.key(start, start + 30) != second.key(start, start + 30) for start in range(0, 180, 30)]
    assert changed == [False, False, True, True, False, False]


def test_a_later_change_of_speed_leaves_earlier_keys_alone(laid, saved):
    for walk in (
        "wander: 1s",
        "circle: 5s",
        "simplex: 5s",
        "bounce: 1",
        "file: {file: way.npy, fps: 9}",
        "footage: clip.mkv",
    ):
        for space in ("", ", space: w")[: 1 if "file" in walk else 2]:
            text = f"walk: {{{walk}{space}, speed: {{0s: 1, 3s: 1, 4s: %d}}}}\nvideo: {{duration: 6s}}"
            first, second = laid(text % 1), laid(text % 2)
            same = [first.key(start, start + 30) == second.key(start, start + 30) for start in range(0, 180, 30)]
            assert same == [True, True, True, False, False, False], walk


# in w


@pytest.fixture(scope="module")
def generator(stylegan2):
    return stylegan2(seed=3)


@pytest.mark.parametrize("walk", ["wander", "circle", "simplex", "bounce", "plane"])
def test_round_a_place_in_w(written, stylegan2_file, walk):
    from gandream.models.registry import load_generator
    from gandream.trajectory.feed import Feed

    file = str(stylegan2_file())
    generator = load_generator(file, "cpu")

    def feed(text):
        recipe = written(f"{text}\nvideo: {{duration: 2s, fps: 10}}")
        return Feed(compose(recipe, generator.spec).trajectory, generator)

    in_z, in_w = feed(f"walk: {{{walk}: {{}}}}"), feed(f"walk: {{{walk}: {{}}, space: w}}")
    z, w = in_z.inputs(0, 20).w, in_w.inputs(0, 20).w
    if walk != "plane":  # around the mean of w it is what z is mapped to
        torch.testing.assert_close(z, w, atol=1e-4, rtol=1e-4)
    else:  # seeds are mapped, and then mixed
        seeds = generator.map(generator.latents([0, 1])).w
        torch.testing.assert_close(w[2], seeds[0] + 0.05 * (seeds[1] - seeds[0]), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(in_w.inputs(13, 14).w, w[13:14], atol=1e-5, rtol=1e-5)
    if walk in ("wander", "simplex"):
        near = feed(f"walk: {{{walk}: {{around: mean, amount: 0.5}}}}").inputs(0, 20).w
        torch.testing.assert_close(near, generator.w_avg + 0.5 * (z - generator.w_avg), atol=1e-4, rtol=1e-4)


def test_a_walk_is_a_source_of_a_mix(laid, saved):
    for source in ("{wander: 1s}", "{circle: 2s}", "{file: {file: way.npy}}", "{plane: {x: t}}"):
        trajectory = laid(f"walk: {{through: 1}}\nmix: {{from: {source}, amount: 0.5}}\nvideo: {{duration: 2s}}")
        assert isinstance(trajectory.mixes[0].track, Roam)
        assert len({trajectory.key(start, start + 10) for start in range(0, 60, 10)}) == 6
    still = laid("mix: {from: {file: way.npy, name: '3'}}").mixes[0].track  # a latent, as ever
    np.testing.assert_array_equal(still.stops[0].z, saved[3])


# mistakes


def test_what_is_told(wrong, tmp_path, saved):
    np.save(tmp_path / "nan.npy", np.full((3, 64), np.nan))
    np.save(tmp_path / "odd.npy", np.zeros((3, 5)))
    np.savez(tmp_path / "two.npz", a=saved, b=saved)
    for text, where, problem in (
        ("walk: {file: nan.npy}", "1:8  walk.file = nan.npy", "some of these numbers are not finite"),
        ("walk: {file: odd.npy}", "1:8  walk.file = odd.npy", "the saved trajectory is [3, 5]"),
        ("walk: {file: two.npz}", "1:8  walk.file = two.npz", "say which latent"),
        ("walk: {through: nan.npy}", "1:8  walk.through = nan.npy", "some of these numbers are not finite"),
        ("walk: {through: odd.npy}", "1:8  walk.through = odd.npy", "the saved latent is [3, 5]"),
        ("walk: {through: 1-2, every: [1, 2, 3]}", "1:22  walk.every", "`every` has 3 lengths for 2 steps"),
        ("walk: {through: 1-2, ease: [linear, hold, soft]}", "1:22  walk.ease", "`ease` has 3 words for 2 steps"),
        ("walk: {through: 1-3, at: [1, 2, 3, 4]}", "1:22  walk.at", "`at` has 4 times for 3 latents"),
        ("walk: {through: 1-3, at: [1, 3, 2]}", "1:33  walk.at[2] = 2", "the times must rise"),
        ("walk: {circle: {around: 7, plane: [7, 8]}}", "1:28  walk.circle.plane", "these latents and the centre lie"),
        ("walk: {circle: {plane: [7, mean]}}", "walk.circle.plane[1] = mean", "this latent is only there in w"),
        ("walk: {wander: {around: mean}, space: z}", "1:17  walk.wander.around = mean", "this latent is only there"),
        ("walk: {bounce: {redraw: 1ms}}\nvideo: {duration: 60s}", "1:8  walk.bounce", "this draws 6"),
        ("walk: {wander: 1ms, speed: 1e9}", "1:1  walk", "the walk is too fast"),
    ):
        error = wrong(text)
        assert (where in error.where, problem in error.problem) == (True, True), (text, error.where, error.problem)


def test_what_can_not_close_says_so(written):
    for walk, problem in {
        "{plane: {x: t}}": "walk.plane doesn't end where it begins",
        "{wander: 1s, loop: false}": "the walk goes on",
        "{circle: 1s, loop: false}": "the walk stays at its end",
    }.items():
        warnings = compose(written(f"walk: {walk}\nvideo: {{loop: true}}"), SPEC).warnings
        assert any(problem in warning for warning in warnings)


@pytest.mark.parametrize("minutes", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_many_minutes_take_little_memory(written, minutes):
    import tracemalloc

    for walk in ("wander", "simplex", "bounce", "circle"):
        recipe = written(f"walk: {walk}\nvideo: {{duration: {minutes} min, fps: 60, loop: true}}")
        tracemalloc.start()
        compose(recipe, SPEC)
        assert tracemalloc.get_traced_memory()[1] < minutes * 1e6
        tracemalloc.stop()


@pytest.mark.parametrize("classes", ["1", "{through: [1, 0], every: 2s}"])
def test_around_the_middle_of_w_with_the_class_of_the_moment(written, tmp_path, classes):
    from gandream.models.files import write_native
    from gandream.models.registry import load_generator
    from gandream.training.networks.base import Stage
    from gandream.training.networks.biggan_deep import BigGANDeepConfig, BigGANDeepGenerator
    from gandream.trajectory.feed import Feed

    sizes = {"latent_size": 6, "embed_size": 4, "width": 8, "attention": 0, "multipliers": (2, 1)}
    tensors, configuration = BigGANDeepGenerator(BigGANDeepConfig(8, classes=3, **sizes)).export(Stage(8))
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    write_native(
        tmp_path / "own.safetensors", arrays, family="biggan_deep", name="own", licence="", classes=("a", "b", "c"),
        size=(8, 8), configuration=configuration,
    )  # fmt: skip
    generator = load_generator(str(tmp_path / "own.safetensors"), "cpu")
    for walk in ("wander", "simplex", "circle"):
        texts = [f"classes: {classes}\nwalk: {{{walk}: {{}}{space}}}" for space in ("", ", space: w")]
        z, w = (Feed(compose(written(text), generator.spec).trajectory, generator).inputs(0, 90).w for text in texts)
        torch.testing.assert_close(z, w, atol=1e-5, rtol=1e-4)
