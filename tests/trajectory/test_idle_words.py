"""Words that change nothing are told, and so is what keeps a loop from closing; words that do something are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from gandream.base.errors import RecipeError
from gandream.models.registry import describe
from gandream.models.spec import Layer, Spec
from gandream.recipe.bend import BENDS
from gandream.recipe.camera import Camera
from gandream.recipe.effects import EFFECTS
from gandream.recipe.load import recipe_from
from gandream.recipe.ranges import ranges
from gandream.trajectory.compose import compose
from gandream.trajectory.scenes import compose_scenes
from gandream.trajectory.seams import TURNS

CPPN = describe("cppn#7")
NOISY = Spec("stylegan2", "net", "0", 64, tuple(Layer(f"b{n}") for n in range(10)), (64, 64), noise=True)
SINGLE = Spec("dcgan", "flat", "0", 64, (Layer("z", 64),), (64, 64))
PLAIN = {"fps": 10, "duration": 3}
LOOP = {**PLAIN, "loop": True}
AGAIN = "2*pi*t/3"


def told(words, spec=CPPN, **video) -> tuple[str, ...]:
    """The warnings of a film of 30 frames."""
    return compose(recipe_from({"model": "cppn#7", "video": PLAIN | video} | words), spec).warnings


IDLE = [
    ({"push": {"random": 1, "by": 0}}, "push.by: it is 0 in every frame, so the push changes nothing"),
    ({"push": [{"random": 1}, {"random": 1, "by": "0*t"}]}, "push[1].by: it is 0 in every frame"),
    ({"push": {"bounce": 2, "by": "0*t"}}, "push.by: it is 0 in every frame"),
    ({"mix": {"from": 3, "at": "9s"}}, "mix: it is never there: the film ends at 0:03.000"),
    ({"mix": {"from": 3, "amount": "0*t"}}, "mix: its amount is 0 in every frame"),
    (
        {"mix": [{"from": 3}, {"from": 4, "every": "50ms", "for": "20ms"}]},
        "mix[1].every: 0.05s is shorter than a frame",
    ),
    ({"regions": {"from": 3, "where": "left", "until": 0}}, "regions: it is never there: no frame is in its time"),
    ({"mix": {"from": 3, "at": "1.01s", "until": "1.02s"}}, "mix: it is never there: no frame is in its time"),
    ({"regions": {"from": 3, "where": {"x": 3}}}, "regions.where: the spot lies wholly outside the picture"),
    ({"regions": {"from": 3, "where": {"radius": 0}}}, "regions.where: the spot lies wholly outside the picture"),
    ({"bend": {"layer": 2, "rotate": 0}}, "bend.rotate: it leaves every frame as it is"),
    ({"bend": {"layer": 2, "rotate": 9, "channels": "20-50"}}, "bend.channels: not all of them are in hidden2 (0-31)"),
    ({"bend": {"layer": 2, "blur": 0.1, "seed": 3}}, "bend.seed: it draws a random share of the channels"),
    ({"camera": {"zoom": 1}}, "camera: it leaves every frame as it is"),
    ({"smooth": "1ms"}, "smooth: 0.001s is too short for frames of 100 ms"),
    ({"effects": ["vignette", {"flash": "0*t"}]}, "effects[1].flash: nothing of it is seen in the film"),
    ({"effects": {"text": "Hello", "at": "9s"}}, "effects.text: nothing of it is seen in the film"),
    ({"truncation": {"psi": 1, "toward": 3}}, "truncation.toward: psi is 1 in every frame"),
    ({"truncation": {"psi": 0.3, "cutoff": 0}}, "truncation.cutoff: 0 is the first layer, so none is truncated"),
    ({"walk": {"every": "30ms"}}, "walk.every: 0.03s is shorter than a frame (100 ms)"),
    ({"video": {**PLAIN, "fit": "contain"}}, "video.fit: cppn#7 makes pictures of any size"),
    ({"video": {**PLAIN, "start": 2}}, "video.start: there is no music to begin in"),
]


@pytest.mark.parametrize(("words", "said"), IDLE)
def test_what_changes_nothing_is_told(words, said):
    (one,) = told(words)
    assert one.startswith(said)


def test_what_changes_something_is_not():
    assert not told({"push": {"random": 1, "by": {"0s": 0, "2.8s": 0, "3s": 1}}})
    assert not told({"mix": {"from": 3, "at": "2.9s"}})
    assert not told({"regions": {"from": 3, "where": {"x": 1.2}}})
    assert not told({"regions": {"from": 3, "where": {"x": "3 - t"}}})
    assert not told({"effects": {"text": "Hello", "at": "2.8s", "fade": 0}})
    assert not told({"truncation": {"psi": 0.3, "cutoff": 8, "toward": 3}})
    assert not told({"bend": {"layer": "all", "rotate": 9, "channels": "31-"}})


def test_each_output_is_fitted():
    outputs = [PLAIN, {"size": "96x64", "fit": "contain"}, {"size": 64, "fit": "cover"}, {"size": 32, "fit": "stretch"}]
    assert [one.split(":")[0] for one in told({"video": outputs})] == ["video[1].fit", "video[3].fit"]
    assert not told({"video": outputs}, replace(CPPN, size=(64, 64)))
    grid = {"grid": {"vary": {"truncation": [0.2, 1]}}}
    assert [one.split(":")[0] for one in told({**grid, "video": outputs})] == ["video[1].fit", "video[3].fit"]


def test_noise_words_of_other_modes():
    assert [one.split(":")[0] for one in told({"noise": {"speed": 2, "seed": 3}}, NOISY)] == [
        "noise.speed",
        "noise.seed",
    ]
    off = {"mode": "off", "strength": 2, "where": "left"}
    assert [one.split(":")[0] for one in told({"noise": off}, NOISY)] == ["noise.strength", "noise.where"]
    assert not told({"noise": {"mode": "animate", "speed": 2, "seed": 3, "where": "left"}}, NOISY)
    (outside,) = told({"noise": {"mode": "animate", "where": {"y": -1}}}, NOISY)
    assert outside.startswith("noise.where: the spot lies wholly outside")


def test_a_black_mask(tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "black.png")
    (said,) = told({"regions": {"from": 3, "where": str(tmp_path / "black.png")}})
    assert said == "regions.where: this image is black, so nothing is there"


def test_one_layer_is_all_layers():
    words = {"mix": {"from": 3, "layers": "fine"}, "truncation": {"psi": 0.5, "layers": ["coarse", 0]}}
    (said,) = told(words, SINGLE)
    assert said == "mix.layers, truncation.layers: flat has one layer, which coarse, middle and fine all mean"
    assert not told({"mix": {"from": 3, "layers": "all"}}, SINGLE)


def test_of_a_grid_what_is_idle_in_all_cells():
    push = {"push": {"random": 1, "by": 0}}
    assert not told({**push, "grid": {"vary": {"push.by": [0, 1]}}})
    (said,) = told({**push, "grid": {"vary": {"truncation": [0.2, 1]}}})
    assert said.startswith("push.by")
    with pytest.raises(RecipeError, match="can be paced by the eye"):
        told({"grid": {"vary": {"walk.pace": ["perceptual", "as written"]}}})


def test_a_scene_names_its_own_words():
    scenes = [{"for": "1s"}, {"for": "1s", "push": {"random": 1, "by": 0}}, {"at": "2s"}, {"at": "7s"}]
    recipe = recipe_from({"model": "cppn#7", "video": PLAIN, "scenes": scenes})
    score, _ = compose_scenes(recipe, lambda scene: CPPN)
    assert score.warnings == (
        "scenes[3]: begins at 0:07.000, and the film ends at 0:03.000",
        "scenes[1].push.by: it is 0 in every frame, so the push changes nothing",
    )


OPEN = [
    ({"push": {"random": 1, "mode": "drift"}}, "push drifts to elsewhere than it begins"),
    ({"push": {"random": 1, "inertia": "0.2s"}}, "push.inertia begins at 0 and doesn't end there"),
    ({"mix": {"from": 3, "at": "1s"}}, "mix is there at one end of the film alone"),
    ({"regions": {"from": 3, "where": "left", "until": "1s"}}, "regions is there at one end of the film alone"),
    ({"effects": ["trails"]}, "effects[0].trails begins without a memory"),
    ({"effects": ["vignette", "echo"]}, "effects[1].echo begins without a memory"),
    ({"effects": "fade"}, "effects.fade is seen where the film closes"),
    ({"truncation": {"0s": 0.2, "100%": 1}}, "truncation begins with 0.2 and ends with 1"),
    ({"effects": {"contrast": {"0s": 1, "1s": 2}}}, "effects.contrast begins with 1 and ends with 2"),
    ({"camera": {"rotate": {"0s": 0, "100%": 350}}}, "camera.rotate begins with 0 and ends with 350"),
    ({"truncation": "0.5 + 0.1*t"}, "truncation begins with 0.5 and ends with 0.8, so the film won't close"),
    ({"truncation": "sin(t/2)"}, "truncation begins with 0 and ends with 0.997"),
    ({"push": {"random": 1, "mode": "drift", "by": "t"}}, "push drifts to elsewhere than it begins"),
    ({"truncation": [{"layers": "fine", "psi": "progress"}]}, "truncation[0].psi begins with 0 and ends with 1"),
    ({"truncation": "0.5 + 0.4*noise(t/2, 4)"}, "truncation begins with 0.5 and ends with 0.724"),
    ({"push": [{"random": 1}, {"random": 2, "by": "integral(1)"}]}, "push[1].by begins with 0 and ends with 3"),
    ({"effects": {"glow": "lag(0.5 + 0.5*cos(2*pi*t/3), 1)"}}, "effects.glow begins with 1 and ends with 0.613"),
    ({"effects": {"hue": "100*t"}}, "effects.hue begins with 0 and ends with 300"),
    ({"effects": {"pan": "t"}}, "effects.pan begins with 0 and ends with 3"),
    ({"camera": {"zoom": "1 + saw(t/4)"}}, "camera.zoom begins with 0 and ends with 1.5"),
    ({"camera": {"zoom": "1 + floor(t)"}}, "camera.zoom begins with 1 and ends with 4"),
    ({"curves": {"rise": "t/3", "more": "2*rise"}, "truncation": "more"}, "truncation begins with 0 and ends with 2"),
    ({"curves": {"arc": {"0s": 0.2, "100%": 1}}, "truncation": "arc"}, "truncation begins with 0.2 and ends with 1"),
    ({"tempo": {"bpm": 100}, "truncation": "sin(tau*beat/4)"}, "truncation begins with 0 and ends with 1"),
    ({"walk": {"plane": {"x": {"0s": 0, "100%": 2}}}}, "walk.plane doesn't end where it begins"),
    ({"walk": {"plane": {"x": f"sin({AGAIN}/3)"}}}, "walk.plane doesn't end where it begins"),
]


@pytest.mark.parametrize(("words", "said"), OPEN)
def test_what_keeps_a_loop_open_is_told(words, said):
    assert not told(words)
    (one,) = told({**words, "video": LOOP})
    assert one.startswith(f"video.loop: {said}")


def test_a_scenes_own_words_need_not_close_with_the_film_and_those_of_the_top_must():
    def said(top, own):
        words = {"model": "cppn#7", "video": LOOP, **top, "scenes": [{"for": "1s", **own}, {"walk": "wander"}]}
        return compose_scenes(recipe_from(words), lambda scene: CPPN)[0].warnings

    ends = {"walk": {"through": [1, 2], "loop": False}}
    for words in (*(words for words, _ in OPEN), ends, {"push": {"bounce": 2}}):
        whole = {name: words[name] for name in ("tempo", "curves") if name in words}
        assert not said(whole, {name: value for name, value in words.items() if name not in whole}), words
    told_of = {"push": {"random": 1, "mode": "drift"}, "truncation": {"0s": 0.2, "100%": 1}, **ends}
    assert {one.split()[1] for one in said(told_of, {"camera": {"zoom": 2}})} == {"push", "truncation", "the"}
    (one,) = said({"push": {"bounce": 2}}, ends)
    assert one.startswith("video.loop: a push with `bounce`")


def test_what_closes_is_not():
    assert not told({"push": {"random": 1, "mode": "drift", "by": f"sin({AGAIN})"}, "video": LOOP})
    assert not told({"push": {"random": 1, "mode": "drift", "by": {"0s": 1, "1.5s": -1, "3s": 1}}, "video": LOOP})
    assert not told({"mix": {"from": 3, "at": "1s", "until": "2s"}, "video": LOOP})
    assert not told({"truncation": {"0s": 0.2, "50%": 1, "100%": 0.2}, "video": LOOP})
    assert not told({"walk": {"speed": {"0s": 1, "100%": 2}}, "video": LOOP})
    assert not told({"effects": {"fade": f"0.5 + 0.5*sin({AGAIN})"}, "video": LOOP})
    assert not told({"walk": {"plane": {"x": f"sin({AGAIN})", "y": f"2*cos({AGAIN})"}}, "video": LOOP})


CLOSED = [
    {"truncation": f"0.5 + 0.4*cos({AGAIN})"},
    {"truncation": "0.5 + 0.4*sin(2*3.14159*progress)"},
    {"truncation": "abs(2*progress - 1)"},
    {"camera": {"zoom": "2 + saw(t/3)"}},
    {"camera": {"zoom": "2 + saw(10*t/3)"}},
    {"camera": {"zoom": "1 + 0.1*square(t) + 0.1*pulse(3*t/0.9)"}},
    {"camera": {"zoom": "1 + 0.1*random(4*t) + 0.01*noise(t)"}},
    {"camera": {"zoom": "where(t < 1, 1, 2)"}},
    {"curves": {"phase": "t/3"}, "truncation": "0.5 + 0.5*sin(tau*phase)"},
    {"curves": {"unused": "t"}},
    {"tempo": {"bpm": 80}, "truncation": "0.5 + 0.5*sin(tau*beat/4)"},
    {"truncation": "sqrt(3 - 1/10 - t)"},
    {"walk": {"speed": "1 + t"}},
    {"camera": {"zoom_speed": "t/3"}},
    {"effects": {"text": "Hello", "at": "1s", "until": "2s", "size": "0.05 + 0.01*t"}},
    {"mix": {"from": 3, "at": "1s", "until": "2s", "amount": "t/3"}},
]


@pytest.mark.parametrize("words", CLOSED)
def test_curves_that_close_are_not_told(words):
    assert not told({**words, "video": LOOP})


def test_what_follows_the_music_need_not_close(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "up.wav", np.linspace(0, 0.9, 3 * 22050) * np.sin(np.arange(3 * 22050) / 9), 22050)
    words = {"audio": str(tmp_path / "up.wav"), "signals": {"level": "rms"}, "curves": {"mine": "2*level"}}
    assert not told({**words, "truncation": "level", "camera": {"zoom": "1 + mine"}, "video": LOOP})
    (one,) = told({**words, "truncation": "level", "camera": {"zoom": "1 + t"}, "video": LOOP})
    assert one.startswith("video.loop: camera.zoom begins with 1 and ends with 4")


def test_what_counts_from_each_scene_need_not_close():
    scenes = [{"for": "1s"}, {"for": "2s", "walk": {"through": [4, 5]}}]

    def said(psi):
        words = {"model": "cppn#7", "video": LOOP, "truncation": psi, "scenes": scenes}
        return compose_scenes(recipe_from(words), lambda scene: CPPN)[0].warnings

    assert not said("scene_progress")
    assert [one[:40] for one in said("progress")] == ["video.loop: truncation begins with 0 and"]


def test_a_full_turn_closes():
    assert not told({"camera": {"rotate": "360*progress"}, "effects": [{"hue": "-240*t"}, {"pan": "4*progress"}],
                     "video": LOOP})  # fmt: skip
    turn = {"0s": 0, "100%": -720}
    effects = [{"hue": turn}, {"kaleidoscope": 6, "angle": turn}, {"rotate": turn}, {"text": "Hello", "rotate": turn}]
    words = {"camera": {"rotate": turn}, "bend": {"layer": 2, "rotate": turn}, "effects": effects}
    assert not told({**words, "video": LOOP})
    kinds = (*EFFECTS.values(), *BENDS.values(), Camera)
    turns = {word: range_.period for kind in kinds for word, range_ in ranges(kind).items() if range_.period}
    assert turns == TURNS


def test_transparency_is_told_where_it_is_not_kept():
    clear = replace(SINGLE, channels=4)
    assert told({}, clear) == ("model: flat has transparency, which lies over black without `video.alpha`",)
    assert not told({}, clear, file="png", alpha=True)


def test_channels_that_no_layer_has():
    with pytest.raises(RecipeError) as caught:
        told({"bend": {"layer": 2, "rotate": 9, "channels": "40-50"}})
    assert caught.value.where.endswith("bend.channels = 40-50")
    assert (caught.value.problem, caught.value.hint) == (
        "cppn#7 has no such channels", "Its channels: hidden2 0 to 31.",
    )  # fmt: skip
    # Of what isn't known, such as the constant that synthesis begins with, nothing is said.
    unknown = replace(NOISY, shown=NOISY.layers)
    assert not told({"bend": {"layer": 2, "rotate": 9, "channels": "40-50"}}, unknown)


def test_beats_of_a_told_tempo_need_no_music():
    words = {"signals": {"k": {"from": "beat", "release": 0.05}, "b": "bar"}, "tempo": {"bpm": 120, "beats_per_bar": 2}}
    score = compose(recipe_from({"model": "cppn#7", "video": PLAIN, "truncation": "k"} | words), CPPN)
    assert score.curves.signals is not None
    assert np.flatnonzero(score.curves.signals["k"] == 1).tolist() == [0, 5, 10, 15, 20, 25]
    assert np.flatnonzero(score.curves.signals["b"] == 1).tolist() == [0, 10, 20]
    with pytest.raises(RecipeError, match="signals need music") as caught:
        recipe_from({"model": "cppn#7", "signals": {"k": "beat"}})
    assert "For beats a tempo is enough" in caught.value.hint


REFUSED = [
    ({"scenes": [{"for": 1}, {"transition": {"ease": "smooth"}}]}, "`ease` goes with `crossfade`"),
    ({"push": {"bounce": 2, "mode": "drift"}}, "with `bounce`, `by` is a speed anyway"),
    ({"effects": [{"fade": 0.5, "over": "2s"}]}, "`over` goes with in, out, both"),
    ({"effects": [{"text": "Hello", "outline_colour": "red"}]}, "`outline_colour` goes with `outline`"),
    ({"classes": {"from": "n", "levels": "none", "floor": 1}}, "`floor` goes with levels, and here are none"),
    ({"walk": {"plane": {}, "loop": False}}, "`plane` has no end"),
]


@pytest.mark.parametrize(("words", "problem"), REFUSED)
def test_words_without_the_one_they_belong_to_are_refused(words, problem):
    with pytest.raises(RecipeError, match=problem):
        recipe_from({"model": "cppn#7"} | words)
