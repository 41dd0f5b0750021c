"""The words mix, blend, noise and truncation by layer: forms, and what is told when they are wrong."""

# ruff: noqa: E501 (a table)
from __future__ import annotations

from fractions import Fraction

import pytest

from gandream.recipe.curve import Constant, Expression
from gandream.recipe.latent import Latent
from gandream.recipe.layering import NOISES
from gandream.recipe.motion import Walk
from gandream.recipe.recipe import Recipe, curves_in, needs_beats
from gandream.recipe.times import Time

TWELVE = list(range(12))


def test_the_defaults_do_nothing(load):
    recipe = load("")
    assert (recipe.mix, recipe.blend, recipe.noise, recipe.truncation) == ((), (), (), Constant(1.0))
    assert (recipe.video.size, recipe.video.fit) == (None, "cover")
    assert (recipe.walk.space, recipe.walk.path) == (None, None)


def test_one_is_a_list_of_one(load):
    for one, many in (
        ("mix: {from: 3}", "mix: [{from: 3}]"),
        ("noise: animate", "noise: [{mode: animate}]"),
        ("truncation: {layers: fine, psi: 0.5}", "truncation: [{layers: fine, psi: 0.5}]"),
        (
            f"signals: {{n: chroma}}\nblend: {{by: n, latents: {TWELVE}}}",
            f"signals: {{n: chroma}}\nblend: [{{by: n, latents: {TWELVE}}}]",
        ),
    ):
        music = "audio: song.wav\n"
        assert load(music + one).model_dump(exclude={"_document"}) == load(music + many).model_dump(
            exclude={"_document"}
        )


def test_a_source_is_a_latent_or_a_walk(load):
    for text in ("7", "mean", "{seed: 7, class: 3}", "{between: [1, 2]}"):
        assert not isinstance(load(f"mix: {{from: {text}}}").mix[0].source, Walk)
    for text in ("{through: [1, 2]}", "{every: 2s}", "{through: 7, space: w}"):
        assert isinstance(load(f"mix: {{from: {text}}}").mix[0].source, Walk)


def test_truncation_is_a_curve_or_by_layer(load):
    assert isinstance(load("truncation: 0.5 + t").truncation, Expression)
    assert load("truncation: {0s: 1, 2s: 0}").truncation.values == (1, 0)
    (part,) = load("truncation: {layers: 4-, psi: t}").truncation
    assert part.layers.parts == ((4, None),)


def test_truncation_with_more_to_say(load):
    said = load("truncation: {psi: t, cutoff: 8, toward: 7}").truncation
    assert (said.cutoff, said.toward, said.layers) == (8, Latent(seed=7), None)
    assert load("truncation: {psi: 0.5}").truncation.psi == Constant(0.5)
    assert load("truncation: {psi: 0.5, toward: class}").truncation.toward == "class"
    assert load("truncation: {psi: 0.5, toward: {nearest: 3}}").truncation.toward.nearest == (Latent(seed=3),)
    assert len(load("truncation: {psi: [{layers: fine, psi: 1}], toward: mean}").truncation.psi) == 1


def test_a_mask_that_is_not_there(mistake, tmp_path):
    error = mistake(MUSIC + "noise: {mode: animate, where: nothere.png}")
    assert error.where.endswith("noise.where = nothere.png")
    assert error.problem.startswith("no such file: ")


def test_the_modes_of_noise(load):
    for mode in NOISES:
        assert load(f"noise: {mode}").noise[0].mode == mode


def test_times_and_curves_inside_are_found(load):
    recipe = load("mix: {from: {through: [1, 2], every: 2 bars, speed: t}, amount: frame}\ntempo: {bpm: 120}")
    assert needs_beats(recipe)
    assert needs_beats(load("mix: {from: 1, at: 2 beats}\ntempo: {bpm: 120}"))
    assert needs_beats(load("truncation: {layers: fine, psi: beat}\ntempo: {bpm: 120}"))
    assert not needs_beats(load("mix: {from: 1, at: 2s}"))
    paths = [path for path, curve in curves_in(recipe) if isinstance(curve, Expression)]
    assert paths == [("mix", 0, "from", "speed"), ("mix", 0, "amount")]
    assert recipe.mix[0].source.every == Time(Fraction(2), "bars")


def test_what_is_written_is_read_back(load):
    recipe = load(
        "audio: song.wav\nsignals: {n: chroma}\n"
        f"blend: {{by: n, latents: {TWELVE}, layers: [coarse, 8-]}}\n"
        "mix: [{from: {through: [1, mean], every: 2s, path: spline}, at: 1s, fade: 3 frames}, {from: {seed: 3, class: 2}}]\n"
        "noise: [animate, {mode: 'off', layers: fine}]\n"
        "truncation: [{layers: 0-3, psi: {0s: 1, 2s: 0.5}}, {layers: 4-, psi: 0.3 + n.C}]\n"
    )
    _read_back(recipe)
    for more in (
        "mix: [{from: [1, 2], every: 4s, fade: 1s, ease: smooth}, {from: 3, every: 2s, for: 0.5s}]",
        "noise: [{mode: animate, where: left, pyramid: true, by: n}, {where: {x: t, radius: 0.2}}]",
        "truncation: {psi: 0.5 + n.C, cutoff: 4, toward: {seed: 7, class: 3}}",
        "truncation: {psi: 0.5, toward: {nearest: [1, {seed: 2, class: 0}], softness: 1}}",
        "truncation: {psi: [{layers: fine, psi: t}], toward: class}",
    ):
        _read_back(load("audio: song.wav\nsignals: {n: chroma}\n" + more))


def _read_back(recipe):
    dumped = recipe.model_dump(mode="json", by_alias=True)
    again = Recipe.model_validate(dumped)
    assert again.model_dump(mode="json", by_alias=True) == dumped
    assert (again.mix, again.noise, again.truncation) == (recipe.mix, recipe.noise, recipe.truncation)


MUSIC = "audio: song.wav\nsignals: {notes: chroma, kick: onset}\n"


@pytest.mark.parametrize(
    ("text", "where", "problem", "hint"),
    [
        ("mix: {from: 3, layer: fine}", "mix.layer = fine", "no such word here", "Did you mean 'layers'?"),
        ("mix: {from: {thru: [1, 2]}}", "mix.from.thru", "no such word here", "Did you mean 'through'?"),
        ("mix: {from: {through: 1, evry: 1}}", "mix.from.evry = 1", "no such word here", "Did you mean 'every'?"),
        ("mix: {layers: fine}", "mix.from", "is missing", ""),
        ("mix: {from: 3, fade: 2s}", "mix.fade = 2s", "`fade` goes with `at`, `until` or `every`", "Without them the mix is there all the time."),
        ("mix: {from: [3, 4]}", "mix.from", "a list of latents goes with `every`", "For instance `every: 4 beats`; a walk through them is {through: [4, 5]}."),
        ("mix: {from: [], every: 1s}", "mix.from", "is too short: at least 1", ""),
        ("mix: {from: [3, x], every: 1s}", "mix.from[1] = x", "wanted a latent: a seed such as 7, {seed: 7, class: 3}, faces.npz#smile, {between: [7, 9]} or mean", ""),
        ("mix: {from: 3, every: 1s}", "mix.every = 1s", "`every` wants `for`", "For instance `every: 4 beats, for: 1 beat`."),
        ("mix: {from: 3, for: 1s}", "mix.for = 1s", "`for` goes with `every`", "Once, a mix is there from `at` up to `until`."),
        ("mix: {from: 3, at: 1s, ease: smooth}", "mix.ease = smooth", "`ease` goes with `fade`", "For instance `fade: 0.5s`."),
        ("noise: {by: kick}", "noise.by = kick", "'kick' is a single curve; noise wants a signal with bands", "There is: notes."),
        ("noise: {by: nots}", "noise.by = nots", "there is no signal called 'nots'", "Did you mean 'notes'?"),
        ("noise: {where: lft}", "noise.where = lft", "wanted a part of the picture: left, right, top, bottom, centre, edges, an image file (white is where), or a spot {x: 0.5, y: 0.5, radius: 0.3}", "Did you mean 'left'?"),
        ("noise: {where: {x: 1, radios: 1}}", "noise.where.radios = 1", "no such word here", "Did you mean 'radius'?"),
        ("noise: {pyramid: true}", "noise.pyramid = true", "`pyramid` goes with `mode: animate`", "With `speed: 0` it stands still."),
        ("truncation: {psi: 1, cutof: 3}", "truncation.cutof = 3", "no such word here", "Did you mean 'cutoff'?"),
        ("truncation: {psi: 1, cutoff: 3, layers: fine}", "truncation.layers = fine", "`layers`, `cutoff` and a list by layers say the same", "Keep one of them."),
        ("truncation: {psi: 1, toward: {nearest: []}}", "truncation.toward.nearest", "is too short: at least 1", ""),
        ("truncation: {psi: 1, toward: clas}", "truncation.toward = clas", "wanted a centre: a latent such as 7 or faces.npz#smile, mean, class, or {nearest: [3, 5, 8]}", "Did you mean 'class'?"),
        ("truncation: {psi: 1, toward: {nearest: [1, 2], softness: 0}}", "truncation.toward.softness = 0", "must be at least 0.001", ""),
        ("mix: {from: smile}", "mix.from = smile", "wanted a latent: a seed such as 7, {seed: 7, class: 3}, faces.npz#smile, {between: [7, 9]} or mean", ""),
        ("noise: animated", "noise = animated", "wanted a noise: fixed, off, animate", "Did you mean 'animate'?"),
        ("noise: false", "noise = false", "wanted a noise: fixed, off, animate", ""),
        ("noise: [fixed, 3]", "noise[1] = 3", "wanted a noise: fixed, off, animate", ""),
        ("truncation: [{layers: fine}]", "truncation[0].psi", "is missing", ""),
        ("truncation: {layers: fine}", "truncation.psi", "is missing", ""),
        ("truncation: [{layers: fien, psi: 1}]", "truncation[0].layers = fien", "wanted layers: coarse, middle, fine, all, a number, 0-3, 8-, or a list of these", "Did you mean 'fine'?"),
        ("blend: {by: note, latents: [1]}", "blend.by = note", "there is no signal called 'note'", "Did you mean 'notes'?"),
        ("blend: {by: kick, latents: [1]}", "blend.by = kick", "'kick' is a single curve; a blend wants a signal with bands", "There is: notes."),
        ("blend: {by: notes, latents: [1, 2]}", "blend.latents", "'notes' has 12 bands, and here are 2 latents", "Give one latent for each band, in order."),
        ("video: {fit: fill}", "video.fit = fill", "wanted a fit: cover, contain, stretch, extend", ""),
    ],
)  # fmt: skip
def test_what_is_told(mistake, text, where, problem, hint):
    error = mistake(MUSIC + text)
    assert error.where.startswith("r.yaml:4:")
    assert error.where.endswith(f"  {where}")
    assert (error.problem, error.hint) == (problem, hint)
