"""Class morphs: weights worked out by hand, on their own beside the walk, in keys and in what is mapped."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from gandream.base.clock import Clock
from gandream.base.errors import RecipeError
from gandream.base.tempo import BeatGrid
from gandream.models.registry import describe, load_generator
from gandream.trajectory.classes import Morph
from gandream.trajectory.compose import compose
from gandream.trajectory.timeline import Timeline

SPEC = replace(describe("cppn#7"), name="paints", classes=("silk", "nebula", "moss", "3", "rust"))
FILM = "\nvideo: {duration: 8s, fps: 10, loop: %s}"
GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "stylegan2_ada" / "cond_r64_fp16cfg"


def smooth(x):
    return x * x * (3 - 2 * x)


@pytest.fixture
def film(written, tmp_path):
    def make(text: str, spec=SPEC, loop: str = "false"):
        return compose(written(text + FILM % loop), spec, tmp_path / "heard").trajectory

    return make


@pytest.fixture
def weights(film):
    """Weights of the classes at every frame, [80, 5], ten to a second."""

    def make(classes: str, walk: str = "walk: {through: 1}", **more) -> np.ndarray:
        made = film(f"{walk}\nclasses: {classes}", **more).track.classes(0, 80, 5)
        assert made.shape == (80, 5)
        assert made.dtype == np.float32
        np.testing.assert_allclose(made.sum(axis=1), 1, atol=1e-6)
        return made

    return make


def row(**parts: float) -> np.ndarray:
    return np.array([parts.get(name, 0.0) for name in ("silk", "nebula", "moss", "three", "rust")])


def test_what_moves_says_how():
    with pytest.raises(TypeError, match="abstract"):
        Morph(5, np.arange(2))  # type: ignore[abstract]


def close(made, wanted, atol=1e-6):
    np.testing.assert_allclose(np.asarray(made), np.asarray(wanted), atol=atol)


# in time


def test_from_class_to_class_and_back_to_the_first(weights):
    made = weights("{through: [silk, 2, rust], every: 2s, ease: linear}")
    close(made[0], row(silk=1))
    close(made[5], row(silk=0.75, moss=0.25))
    close(made[20], row(moss=1))
    close(made[30], row(moss=0.5, rust=0.5))
    close(made[50], row(rust=0.5, silk=0.5))  # once through them, and back
    close(made[60:], made[:20])
    assert ((made != 0).sum(axis=1) <= 2).all()
    twice = weights("{through: [silk, silk, moss], every: 1s, ease: linear}")
    close(twice[:11], np.tile(row(silk=1), (11, 1)))
    close(twice[13], row(silk=0.7, moss=0.3))


def test_smooth_unless_another_ease_is_named(weights):
    made = weights("{through: [silk, moss], every: 2s}")
    close(made[:20, 2], smooth(np.arange(20) / 20))
    made = weights("{through: [silk, moss], every: 2s, ease: in_quad}")
    close(made[:20, 2], (np.arange(20) / 20) ** 2)


@pytest.mark.parametrize("hold", ["25%", "0.5s", "500ms", "5 frames", "1 beat"])
def test_a_class_is_held_then_morphs(weights, hold):
    made = weights(f"{{through: [silk, moss], every: 2s, hold: {hold}}}", "walk: {through: 1}\ntempo: {bpm: 120}")
    for start, other in ((0, 2), (20, 0), (40, 2)):
        close(made[start : start + 6, other], 0)
        close(made[start + 5 : start + 20, other], smooth(np.arange(15) / 15))


def test_a_class_that_is_held_all_the_time_jumps(weights):
    for words in (
        "every: 2s, hold: 100%",
        "every: 2s, hold: 2s",
        "every: 4 beats, hold: 1 bar",
        "at: [0, 2], hold: 2s",
    ):
        made = weights(f"{{through: [silk, moss], {words}}}", "walk: {through: 1}\ntempo: {bpm: 120}")
        close(made, np.stack([row(silk=1), row(moss=1)])[np.arange(80) // 20 % 2])


def test_four_bars_to_a_class(weights):
    made = weights("{through: [silk, moss], every: 4 bars, hold: 2 bars}", "walk: {through: 1}\ntempo: {bpm: 240}")
    close(made[:21], np.tile(row(silk=1), (21, 1)))
    close(made[30], row(silk=0.5, moss=0.5))
    close(made[40:61], np.tile(row(moss=1), (21, 1)))


def test_steps_in_beats_follow_the_music(film, monkeypatch):
    grid = BeatGrid((0.0, 0.5, 1.0, 2.0, 2.5, 4.0, 5.0, 6.0, 8.0), 4)
    line = Timeline(Clock(Fraction(10), 80), Fraction(1, 2), grid)
    monkeypatch.setattr("gandream.trajectory.compose.lay_out", lambda *args, **words: line)
    made = film("walk: {through: 1}\nclasses: {through: [0, 1], every: 2 beats, ease: linear}").track.classes(0, 80, 5)
    # From half a second of the music on: two beats are over at 1.5 s of the film, four at 3.5 s, six at 5.5 s.
    close(made[[0, 5, 10, 15, 20, 35, 45, 55], 1], [0, 0.5, 0.75, 1, 0.5, 0, 0.5, 1])


def test_times_of_each_class(weights):
    made = weights("{through: [silk, moss, rust], at: [1s, 2s, 6s], hold: 50%, ease: linear}")
    close(made[:16], np.tile(row(silk=1), (16, 1)))
    close(made[18], row(silk=0.4, moss=0.6))
    close(made[20:41], np.tile(row(moss=1), (21, 1)))
    close(made[50], row(moss=0.5, rust=0.5))
    close(made[60:80], np.tile(row(rust=1), (20, 1)))  # of the four seconds back, half are held
    made = weights("{through: [silk, moss, rust], at: [0s, 1s, 5s], hold: 0.5s, ease: linear}")
    close(made[[5, 15, 55]], np.stack([row(silk=1), row(moss=1), row(rust=1)]))
    close(made[7], row(silk=0.6, moss=0.4))
    close(made[22], row(moss=0.8, rust=0.2))


def test_the_last_stays_without_a_loop(weights):
    made = weights("{through: [silk, moss], every: 2s, loop: false}")
    close(made[:20], weights("{through: [silk, moss], every: 2s}")[:20])
    close(made[20:], np.tile(row(moss=1), (60, 1)))


def test_an_ease_that_overshoots_goes_beyond_and_sums_to_one(weights):
    made = weights("{through: [silk, moss], every: 2s, ease: out_back}")
    assert made.max() > 1.05
    assert made.min() < -0.05


def test_a_looped_film_closes_exactly(weights):
    for words in ("every: 1.7s", "every: 3s, hold: 40%", "at: [0, 1, 3.3]", "every: 3s, hold: 1s"):
        classes = f"{{through: [silk, moss, rust], {words}, ease: linear}}"
        made = weights(classes, loop="true")
        steps = np.abs(np.diff(made, axis=0)).max(axis=1)
        assert np.abs(made[0] - made[-1]).max() <= steps.max() + 1e-6
        close(made[0], row(silk=1))
    # Every 3 s becomes 8/3 s, and what is held is stretched with it.
    third = 80 / 3
    made = weights("{through: [silk, moss, rust], every: 3s, hold: 1s, ease: linear}", loop="true")
    x = np.arange(27) / third
    close(made[:27, 2], np.clip((x - 1 / 3) * 3 / 2, 0, 1))
    assert not np.allclose(weights("{through: [silk, moss, rust], every: 3s}")[-1], row(silk=1), atol=0.05)


def test_the_last_class_that_stays_can_not_close_and_says_so(written):
    score = compose(written("walk: {through: 1}\nclasses: {through: [0, 1], loop: false}" + FILM % "true"), SPEC)
    said = "video.loop: the last class stays (classes.loop is false), so the film won't close"
    assert score.warnings == (said,)


def test_without_music_and_with_one_latent_a_film_lasts_once_through_its_classes(written):
    def seconds(text):
        line = compose(written(text), SPEC).trajectory.timeline
        return float(line.clock.duration)

    assert seconds("walk: {through: 1}\nclasses: {through: [0, 1, 2], every: 1.5s}") == 4.5
    assert seconds("walk: {through: 1}\nclasses: {through: [0, 1, 2], at: [0, 1, 3]}") == 5
    assert seconds("walk: {through: 1}\nclasses: [0, 1, 2]") == 12
    assert seconds("walk: {through: [1, 2], every: 1s}\nclasses: [0, 1, 2]") == 2


# beside the walk


def test_the_class_goes_by_itself(film):
    classes = "classes: {through: [0, 1, 2], every: 1.1s, hold: 20%}"
    walks = ["walk: {through: [1, 2, 3], every: 2s}", "walk: {through: [4, 5], every: 0.7s, ease: hold, path: step}"]
    walks += ["walk: {through: [4, 5], every: 0.7s, ease: out_back, path: spline, speed: sin(t)}"]
    moving = [film(f"{walk}\n{classes}") for walk in walks]
    for one in moving[1:]:
        np.testing.assert_array_equal(one.track.classes(0, 80, 5), moving[0].track.classes(0, 80, 5))
    still = film(f"{walks[0]}\nclasses: 3")
    np.testing.assert_array_equal(still.latents(0, 80), moving[0].latents(0, 80))


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (79, 80), (13, 47)])
def test_any_range_expands_alone_to_the_same_bits(film, start, stop):
    track = film("walk: {through: [1, {seed: 2, class: 4}, 3]}\nclasses: {through: [0, 1, 2], every: 1.1s}").track
    whole = track.classes(0, 80, 5)
    np.testing.assert_array_equal(track.classes(start, stop, 5), whole[start:stop])


def test_one_class_is_the_class_of_all_that_name_none(film):
    stops = film("walk: {through: [1, {seed: 2, class: silk}, {between: [3, 4]}]}\nclasses: moss").track.stops
    assert [stop.class_ for stop in stops] == [2, 0, 2]


def test_classes_win_over_the_models(written):
    recipe = written("walk: {through: [1, {seed: 2, class: silk}]}\nclasses: moss")
    recipe = recipe.model_copy(update={"model": replace(recipe.model, class_="rust")})
    assert [stop.class_ for stop in compose(recipe, SPEC).trajectory.track.stops] == [2, 0]


def test_a_class_of_its_own_wins(weights):
    own = "walk: {through: [{seed: 1, class: rust}, {seed: 2, class: 3}], every: 4s}"
    made = weights("{through: [silk, moss], every: 1s}", own)
    close(made[[0, 20, 40]], np.stack([row(rust=1), row(rust=0.5, three=0.5), row(three=1)]))
    mixed = "walk: {through: [{seed: 1, class: rust}, 2], every: 4s}"
    made = weights("{through: [silk, moss], every: 1s, ease: linear}", mixed)
    close(made[0], row(rust=1))
    close(made[10], row(rust=0.75, moss=0.25))  # a quarter of the way to a latent that is moss now
    close(made[25], row(rust=0.375, silk=0.3125, moss=0.3125))
    close(made[40], row(silk=1))


def test_classes_that_no_latent_follows_are_told(written):
    def warnings(text):
        return compose(written(text + "\nclasses: [0, 1]"), SPEC).warnings

    said = ("classes: no latent is without a class of its own, so this changes nothing",)
    assert warnings("walk: {through: {seed: 1, class: 0}}") == said
    assert warnings("walk: {through: mean}") == said
    for follower in ("mix: {from: 3}", "push: {toward: 3}", "mix: {from: {between: [mean, 3]}}"):
        assert warnings(f"walk: {{through: mean}}\n{follower}") == ()


# mistakes


@pytest.mark.parametrize(
    ("text", "where", "problem", "hint"),
    [
        (
            "classes: [silk, nebul]",
            "1:17  classes[1] = nebul",
            "paints has no class 'nebul'",
            "Did you mean 'nebula'? Its classes: 0 silk, 1 nebula, 2 moss, 3, 4 rust.",
        ),
        (
            "classes: {through: [0, 5]}",
            "1:24  classes.through[1] = 5",
            "paints has classes 0 to 4",
            "Its classes: 0 silk",
        ),
        ("classes: qqq", "1:1  classes = qqq", "paints has no class 'qqq'", "Its classes: 0 silk"),
        (
            "classes: {through: [0, 1, 2], at: [0, 2, 1]}",
            "1:42  classes.at[2] = 1",
            "the times must rise, but this is not after 2s",
            "",
        ),
        (
            "classes: {through: [0, 1], every: 2s, hold: 2.5s}",
            "1:39  classes.hold = 2.5s",
            "a class is held for 2.5s, but a step takes only 2 s",
            "hold: 50%",
        ),
    ],
)
def test_what_is_told(film, text, where, problem, hint):
    with pytest.raises(RecipeError) as caught:
        film(text)
    assert caught.value.where.endswith(f"film.yaml:{where}")
    assert caught.value.problem == problem
    assert hint in caught.value.hint


def test_a_model_without_classes_is_named(film):
    for text in ("classes: [0, 1]", "classes: 0", "walk: {through: mean}\nclasses: [silk, moss]"):
        with pytest.raises(RecipeError) as caught:
            film(text, describe("cppn#7"))
        assert caught.value.where.endswith("  classes" if "[" in text else "  classes = 0")
        assert (caught.value.problem, caught.value.hint) == ("cppn#7 has no classes", "Leave `classes` out.")


def test_no_class_at_all_says_what_to_write(film):
    with pytest.raises(RecipeError) as caught:
        film("walk: {through: 7}")
    assert "`classes: 0`" in caught.value.hint


def test_it_needs_no_torch(tmp_path, stylegan2_file):
    (tmp_path / "r.yaml").write_text(f"model: {stylegan2_file(classes=3)}\nclasses: {{through: [0, 2], every: 1s}}\n")
    code = (
        "import sys; from pathlib import Path; from gandream.recipe.load import load_recipe; "
        "from gandream.run.prepare import prepare; folder = Path(sys.argv[1]); "
        "made = prepare(load_recipe(folder / 'r.yaml'), folder).score.trajectory; "
        "print(made.track.classes(0, 60, 3).shape, len(made.key(0, 60)), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout == "(60, 3) 32 False\n", done.stderr


# keys


def tenths(before, after) -> list[int]:
    """Which tenths of two films have different keys."""
    return [n for n in range(10) if before.key(8 * n, 8 * n + 8) != after.key(8 * n, 8 * n + 8)]


WALKS = {
    "z": "walk: {through: [1, 2], every: 2s}",
    "w": "walk: {through: [1, 2], every: 2s, space: w}",
    "mean": "walk: {through: [1, mean], every: 2s, path: spline}",
    "mix": "walk: {through: mean}\nmix: {from: 3}",
    "push": "walk: {through: mean}\npush: {toward: {between: [3, mean]}}",
    "blend": "walk: {through: mean}\naudio: {music}\nsignals: {n: chroma}\n"
    "blend: {by: n, latents: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], amount: 1 + t}",
}


@pytest.mark.parametrize("walk", WALKS)
def test_the_keys_change_where_the_weights_do_and_nowhere_else(film, walk, music):
    def made(classes):
        return film(f"{WALKS[walk].replace('{music}', str(music))}\nclasses: {classes}")

    base = made("{through: [0, 1, 2], at: [0, 2.4, 5.6], loop: false}")
    same = made("{through: [silk, nebula, moss], at: [0, 2.4, 5.6], loop: false, ease: smooth, hold: 0%}")
    assert tenths(base, same) == []
    assert tenths(base, made("{through: [0, 1, 3], at: [0, 2.4, 5.6], loop: false}")) == [3, 4, 5, 6, 7, 8, 9]
    assert tenths(base, made("{through: [0, 1, 2], at: [0, 2.4, 7.2], loop: false}")) == [3, 4, 5, 6, 7, 8]
    assert tenths(base, made("{through: [4, 1, 2], at: [0, 2.4, 5.6], loop: false}")) == [0, 1, 2]
    assert tenths(base, made("{through: [0, 1, 2], at: [0, 2.4, 5.6], loop: false, ease: linear}")) == [
        0,
        1,
        2,
        3,
        4,
        5,
        6,
    ]


def test_what_has_a_class_of_its_own_keeps_its_keys(film):
    for space in ("z", "w"):
        own = f"walk: {{through: [{{seed: 1, class: 0}}, {{seed: 2, class: 1}}], every: 2s, space: {space}}}\n"
        assert tenths(film(own + "classes: [0, 1]"), film(own + "classes: {through: [2, 3, 4], every: 1s}")) == []
        assert tenths(film(own + "classes: [0, 1]"), film(own)) == []
        part = own.replace("{seed: 2, class: 1}", "{seed: 2, class: 1}, {seed: 3, class: 2}, 4, {seed: 1, class: 0}")
        part = part.replace("every: 2s", "at: [0, 1, 1.6, 4, 6.4]")
        assert tenths(film(part + "classes: [0, 1]"), film(part + "classes: [0, 3]")) == [2, 3, 4, 5, 6, 7]


def test_a_class_that_stands_is_in_the_keys_as_the_models_is(written):
    recipe = written("walk: {through: [1, 2]}" + FILM % "false")
    models = recipe.model_copy(update={"model": replace(recipe.model, class_=2)})
    classes = written("walk: {through: [1, 2]}\nclasses: moss" + FILM % "false")
    one, two = (compose(recipe, SPEC).trajectory for recipe in (models, classes))
    assert tenths(one, two) == []


# what is mapped


@pytest.fixture(scope="module")
def generator(stylegan2):
    return stylegan2(classes=3, z=10, w=12)


MOVING = "\nclasses: {through: [0, 2, 1], every: 1.5s, hold: 30%}"


@pytest.fixture
def fed(film, generator):
    """w of a film's frames, and the weights of the moving class, [80, 3]."""

    def make(text: str, start: int = 0, stop: int = 80) -> tuple[torch.Tensor, torch.Tensor]:
        trajectory = film(text + MOVING, generator.spec)
        (morph,) = {at.class_ for at in film("walk: {through: 1}" + MOVING, generator.spec).places()}
        assert isinstance(morph, Morph)
        return trajectory.inputs(generator, start, stop).w, torch.as_tensor(morph.weights(start, stop)).float()

    return make


def mapped(generator, seed: int, weights: torch.Tensor) -> torch.Tensor:
    z = torch.as_tensor(generator.spec.latents([seed]), dtype=torch.float32)
    return generator.map(z.expand(len(weights), -1), weights).w


def test_a_walk_in_z_is_mapped_with_the_weights_of_its_frames(fed, film, generator):
    walk = "walk: {through: [1, 2], every: 2s}"
    w, weights = fed(walk)
    z = torch.as_tensor(film(walk + MOVING, generator.spec).latents(0, 80))
    assert torch.equal(w, generator.map(z, weights).w)
    assert not torch.allclose(w, generator.map(z, torch.tensor(0)).w, atol=1e-2)


def test_a_walk_in_w_is_between_latents_mapped_with_the_classes_of_the_moment(fed, generator):
    w, weights = fed("walk: {through: [1, 2, mean], every: 2s, space: w}")
    one, two, mean = mapped(generator, 1, weights), mapped(generator, 2, weights), generator.w_avg.expand(80, -1, -1)
    share = torch.arange(20)[:, None, None] / 20
    close(w[:20], torch.lerp(one[:20], two[:20], share), 1e-4)
    close(w[20:40], torch.lerp(two[20:40], mean[20:40], share), 1e-4)
    close(w[40:60], torch.lerp(mean[40:60], one[40:60], share), 1e-4)
    part, _ = fed("walk: {through: [1, 2, mean], every: 2s, space: w}", 33, 57)
    close(part, w[33:57], 1e-5)


def test_between_latents_of_which_one_has_its_own(fed, generator):
    w, weights = fed("walk: {through: {between: [1, {seed: 2, class: 1}], amount: 0.3}}")
    one, two = mapped(generator, 1, weights), mapped(generator, 2, torch.tensor([[0.0, 1, 0]]))
    close(w, one + 0.3 * (two - one), 1e-4)


def test_between_two_that_follow_is_on_the_sphere(film):
    (stop,) = film("walk: {through: {between: [1, 2]}}\nclasses: [0, 1]").track.stops
    assert not stop.in_w
    assert stop.moves


def test_mixes_pushes_and_blends_follow(fed, film, generator, music):
    stay = "walk: {through: {seed: 1, class: 0}}"
    w, weights = fed(f"{stay}\nmix: {{from: 3}}")
    close(w, mapped(generator, 3, weights), 1e-5)
    w, _ = fed(f"{stay}\nmix: {{from: {{through: [3]}}}}")
    close(w, mapped(generator, 3, weights), 1e-5)
    w, _ = fed(f"{stay}\npush: {{toward: 3}}")  # of another class than the walk's: in w
    close(w, mapped(generator, 3, weights), 1e-4)
    trajectory = film("walk: {through: 1}\npush: {toward: 3}" + MOVING, generator.spec)
    assert not trajectory.shoves[0].in_w
    close(trajectory.inputs(generator, 0, 80).w, mapped(generator, 3, weights), 1e-4)
    latents = [f"{{seed: {seed}, class: 1}}" if seed % 3 == 0 else str(seed) for seed in range(12)]
    text = f"{stay}\naudio: {music}\nsignals: {{n: chroma}}\nblend: {{by: n, latents: [{', '.join(latents)}]}}"
    w, _ = fed(text)
    (blend,) = film(text + MOVING, generator.spec).blends
    own = torch.tensor([[0.0, 1, 0]]).expand(80, -1)
    sources = torch.stack([mapped(generator, seed, weights if seed % 3 else own) for seed in range(12)])
    source = torch.einsum("nb,bnld->nld", torch.as_tensor(blend.weights).float(), sources)
    base = mapped(generator, 1, torch.tensor([[1.0, 0, 0]]))
    close(w, base + torch.as_tensor(blend.amounts).float()[:, None, None] * (source - base), 1e-4)


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden files aren't here")
def test_the_published_numbers_come_of_the_word(written, tmp_path):
    io = np.load(GOLDEN / "io.npz")
    first, second = io["c"].argmax(axis=1)
    np.save(tmp_path / "z.npy", io["z"])
    generator = load_generator(str(GOLDEN / "network.pkl"), "cpu")
    text = "walk: {through: [z.npy#0, z.npy#1], every: 2s%s}\nclasses: {through: [%d, %d], every: 2s, hold: 25%%}\n"
    for space in ("", ", space: w"):
        trajectory = compose(written(text % (space, first, second)), generator.spec).trajectory
        w = trajectory.inputs(generator, 0, 120).w
        for frame, wanted in ((0, 0), (60, 1)):
            close(w[frame], io["ws_psi1"][wanted], 1e-5 * io["ws_psi1"].std())
        # The class is held for half a second: until then frames are of the first one alone.
        alone = (
            generator.map(torch.as_tensor(trajectory.latents(0, 16)), torch.tensor(int(first))) if not space else None
        )
        assert alone is None or torch.equal(w[:16], alone.w)
