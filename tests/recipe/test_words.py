"""Every word of the language, found by itself: described, protected from wrong values, its typos told."""

# ruff: noqa: PT017 (the test is that text is read or refused)
from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from gandream.base.errors import RecipeError
from gandream.recipe.bend import BENDS
from gandream.recipe.camera import Camera, Shake
from gandream.recipe.classes import Classes, Shuffle
from gandream.recipe.effects import EFFECTS
from gandream.recipe.fields import Word, words_at
from gandream.recipe.grid import Grid
from gandream.recipe.latent import Latent
from gandream.recipe.layering import Blend, LayerPsi, Mix, Nearest, Noise, Truncated
from gandream.recipe.load import load_recipe
from gandream.recipe.model import ModelWords
from gandream.recipe.motion import Bounced, Push, Walk
from gandream.recipe.music import MusicWords
from gandream.recipe.noise import Spot
from gandream.recipe.overlays import Lyrics
from gandream.recipe.presets.deep_music import DeepMusic
from gandream.recipe.presets.lucid_sonic import LucidSonic
from gandream.recipe.presets.parts import Preset
from gandream.recipe.presets.wavefunk import Wavefunk
from gandream.recipe.recipe import Recipe
from gandream.recipe.regions import RegionOfLatent
from gandream.recipe.roams import Bounce, Circle, Footage, Plane, Recorded, Simplex, Wander
from gandream.recipe.scene import Labelled, Scene, Sectioned, Transition
from gandream.recipe.seeds import Seeds
from gandream.recipe.signals import Knee, Sections, Signal, Steps
from gandream.recipe.smooth import Smooth
from gandream.recipe.tempo import Tempo
from gandream.recipe.use import PRESETS
from gandream.recipe.video import Video

# Each group of words: where it stands (push and through: in a list), and what else it wants.
# Effects and bends have tests of their own.
GROUPS: dict[type[Word], tuple[tuple, dict]] = {
    Recipe: ((), {"model": "cppn#7", "audio": "song.wav"}),
    MusicWords: (("audio",), {"file": "song.wav"}),
    Tempo: (("tempo",), {}),
    Signal: (("signals", "kick"), {"from": "rms"}),
    Knee: (("signals", "kick", "compress"), {"threshold": 0.5, "ratio": 2}),
    Steps: (("signals", "kick", "quantise"), {"steps": 4}),
    Sections: (("sections",), {}),
    Walk: (("walk",), {}),
    Seeds: (("walk", "through", 0), {"seeds": 3}),
    Wander: (("walk", "wander"), {}),
    Circle: (("walk", "circle"), {}),
    Simplex: (("walk", "simplex"), {}),
    Bounce: (("walk", "bounce"), {}),
    Recorded: (("walk", "file"), {"file": "song.npy"}),
    Plane: (("walk", "plane"), {}),
    Footage: (("walk", "footage"), {"file": "song.wav"}),
    Latent: (("walk", "through", 0), {"seed": 1}),
    Classes: (("classes",), {"through": [0, 1]}),
    Shuffle: (("classes", "shuffle"), {"every": 2}),
    Push: (("push", 0), {"random": 1}),
    Bounced: (("push", 0, "bounce"), {}),
    Smooth: (("smooth",), {"sigma": 0.1}),
    LucidSonic: (("use",), {"preset": "lucid_sonic"}),
    DeepMusic: (("use",), {"preset": "deep_music"}),
    Wavefunk: (("use",), {"preset": "wavefunk"}),
    Mix: (("mix", 0), {"from": 1}),
    Blend: (("blend", 0), {"by": "notes", "latents": list(range(12))}),
    LayerPsi: (("truncation", 0), {"layers": "fine", "psi": 0.5}),
    Truncated: (("truncation",), {"psi": 0.5, "cutoff": 3}),
    Nearest: (("truncation", "toward"), {"nearest": [1, 2]}),
    Noise: (("noise", 0), {}),
    Spot: (("noise", 0, "where"), {}),
    RegionOfLatent: (("regions", 0), {"from": 1, "where": "left"}),
    Camera: (("camera",), {}),
    Shake: (("camera", "shake"), {}),
    ModelWords: (("model",), {"file": "cppn#7"}),
    Scene: (("scenes", 0), {}),
    Sectioned: (("scenes",), {}),
    Labelled: (("scenes", "labels", "A"), {}),
    Transition: (("scenes", 0, "transition"), {}),
    Video: (("video",), {}),
    Grid: (("grid",), {"columns": 2}),
    Lyrics: (("effects", 0, "text"), {"file": "song.lrc"}),
}
EITHER = {Latent, Nearest, Seeds}
"""Either may stand where the other does, so what may be written there is more than the words of one."""
BESIDE: dict[str, dict] = {
    "compress": {"from": "rms"},
    "quantise": {"from": "rms"},
    "shuffle": {"from": "notes"},
    "toward": {"psi": 0.5},
}
"""What else a group wants that holds a group."""
FIELDS = [(group, word) for group in GROUPS for word in group.words()]
NAMES = [f"{group.__name__}.{word}" for group, word in FIELDS]


def tree(group: type[Word], word: str, value: object) -> dict:
    path, wants = GROUPS[group]
    inside: object = {**wants, word: value}
    for step in reversed(path):
        inside = [inside] if isinstance(step, int) else {step: inside, **BESIDE.get(step, {})}
    return {"model": "cppn#7", "audio": "song.wav", "signals": {"notes": "chroma"}, **inside}  # type: ignore[dict-item]


def leaves(word: type[Word] = Word) -> Iterator[type[Word]]:
    """The groups that may be written, not those that they have in common."""
    below = word.__subclasses__()
    yield from (leaf for one in below for leaf in leaves(one)) if below else (word,)


def subgroups(word: type[Word]) -> Iterator[type[Word]]:
    yield word
    for other in set(leaves()):
        notes = str([(field.annotation, field.metadata) for field in word.model_fields.values()])
        if other.__name__ in notes and other is not word:
            yield from subgroups(other)


def test_every_group_is_tested():
    assert (
        set(subgroups(Recipe))
        == set(GROUPS) | set(EFFECTS.values()) | set(BENDS.values())
        == {word for word in leaves() if word.__module__.startswith("gandream.recipe.")}
    )


def test_words_at_knows_every_group():
    for group, (path, _) in GROUPS.items():
        if group not in EITHER and not issubclass(group, Preset):
            assert words_at(Recipe, path) == group.words()
    for group in EITHER:
        assert set(group.words()) < set(words_at(Recipe, GROUPS[group][0]))
    assert set(words_at(Recipe, ("use",))) == {word for kind in PRESETS.values() for word in kind.words()}
    assert words_at(Recipe, ("vars", "x")) == words_at(Recipe, ("video", "size")) == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_every_word_is_described(group):
    schema = group.model_json_schema()
    if "$ref" in schema:  # it holds itself
        schema = schema["$defs"][group.__name__]
    for word in group.words():
        assert len(schema["properties"][word]["description"]) > 8, word


def test_the_schema_holds_every_word():
    schema = Recipe.model_json_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert set(schema["properties"]) == set(Recipe.words())
    model = schema["properties"]["model"]["anyOf"][1]
    assert set(model["properties"]) == set(ModelWords.words())
    groups = {*GROUPS, *EFFECTS.values(), *BENDS.values()} - {Recipe, ModelWords, MusicWords}
    assert set(schema["$defs"]) == {group.__name__ for group in groups}
    for group in groups:
        assert list(schema["$defs"][group.__name__]["properties"]) == group.words()


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_a_typo_is_told_with_the_nearest_word(write, group):
    for word in group.words():
        write(json.dumps(tree(group, word + word[-1], 1), indent=1), first="")
        with pytest.raises(RecipeError, match="no such word here") as caught:
            load_recipe("r.yaml")
        path = [*GROUPS[group][0], word + word[-1]]
        shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
        assert caught.value.where.endswith(f"  {shown} = 1")
        assert caught.value.where.startswith("r.yaml:")
        assert caught.value.hint == f"Did you mean '{word}'?"


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_a_word_of_nowhere_is_told_with_those_that_there_are(write, group):
    write(json.dumps(tree(group, "qqqqqq", 1)), first="")
    with pytest.raises(RecipeError) as caught:
        load_recipe("r.yaml")
    words = words_at(Recipe, GROUPS[group][0]) if group in EITHER else group.words()
    assert caught.value.hint.startswith("Words here: " + ", ".join(words))


VALUES = [
    "null",
    "true",
    "[]",
    "{}",
    '"x"',
    '""',
    "-1",
    "0",
    "1e400",
    ".nan",
    "-.inf",
    "9" * 399,
    "🙂",
    '"\\0"',
    "[[1]]",
    "[null, null]",
    "[" + "-1," * 500 + "]",
    "{a: {b: {c: [1]}}}",
    "{1: 2}",
    "{0.5: true}",
    "$x",
    "1 +",
    "x" * 2000,
    "0.5",
    "~x/y",
    '"a\\nb"',
]
NEVER = ["1e400", ".nan", "[[1]]", "{0.5: true}"]
"""What no word takes."""


@pytest.mark.slow
@pytest.mark.parametrize(("group", "word"), FIELDS, ids=NAMES)
def test_any_value_is_taken_or_told_at_its_place(write, group, word):
    taken_or_told(write, group, word, VALUES)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_some_values_are_taken_or_told_at_their_place(write, group):
    """The short form of the one above: what no word takes, and some that others do, each word its own."""
    for number, word in enumerate(group.words(), list(GROUPS).index(group)):
        some = (VALUES * 2)[2 * number % len(VALUES) :][:2]
        taken_or_told(write, group, word, [*NEVER, *some])


def taken_or_told(write, group: type[Word], word: str, values: list[str]) -> None:
    marker = "@here@"
    text = json.dumps(tree(group, word, marker), indent=1)
    line = next(number for number, line in enumerate(text.split("\n"), 1) if marker in line)
    refused = 0
    for value in values:
        write(text.replace(f'"{marker}"', value), first="")
        try:
            load_recipe("r.yaml")
        except RecipeError as error:  # and nothing else
            refused += 1
            places = [
                other.where.split(" ")[0] for other in (error, *error.others) if other.where.startswith("r.yaml:")
            ]
            assert all(place.count(":") == 2 for place in places), places
            assert (
                any(place.startswith(f"r.yaml:{line}:") for place in places)
                or "made after" in str(error)
                or after(error)
            )
            assert len(str(error)) < 6000
            assert error.problem.replace("\n", " ").isprintable() or "\0" in error.problem
    assert refused >= 4


def after(error: RecipeError) -> bool:
    """Mistakes between words, which stand at the group's or at the other word's place."""
    words = (
        "a push wants either",
        "one push goes one way",
        "signals need music",
        "for 1 latents",
        "must be below",
        "can't both be given",
        "don't apply",
        "is missing",
    )
    return any(word in str(error) for word in words)


LONG = (list(range(15_000)), ["x"] * 1000, {str(key): key for key in range(1000)})
FOREIGN = (b"x", 1j, object(), {1, 2}, "x" * 20_000, 10**5000)


@pytest.mark.slow
@pytest.mark.parametrize(("group", "word"), FIELDS, ids=NAMES)
def test_a_value_from_python_raises_nothing_else_either(write, group, word):
    write("")
    taken_or_refused(group, word, LONG + FOREIGN)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_values_from_python_raise_nothing_else_either(write, group):
    """The short form of the one above: the long ones for one word of each group."""
    write("")
    for number, word in enumerate(group.words()):
        taken_or_refused(group, word, FOREIGN if number else LONG + FOREIGN)


def taken_or_refused(group: type[Word], word: str, values: tuple) -> None:
    began = time.process_time()
    for value in values:
        try:
            Recipe.model_validate(tree(group, word, value))
        except ValidationError as error:
            assert error.error_count()
    assert time.process_time() - began < 5


GOOD_AND_BAD = {
    "video.size": (
        ["16", "512", "8192", "1280x720", "[1280, 720]", "'640 x 360'", "16×16"],
        [
            "0",
            "15",
            "8193",
            "100000",
            "[512]",
            "[1, 2, 3]",
            "512x",
            "x512",
            "1280x",
            "512.0",
            "[512, true]",
            "٣٤٥x٣٤٥",
            "-512",
            ".inf",
            "1x1",
        ],
    ),
    "video.fps": (
        ["1", "240", "30", "29.97", "23.976", "24000/1001", "12.5", "'30'", "60000/1001", "+30"],
        [
            "0",
            "0.5",
            "241",
            "-30",
            ".nan",
            ".inf",
            "1e9",
            "1e400",
            "x",
            "1/0",
            "1/0.5",
            "''",
            "3_0",
            "٣٠",
            "30fps",
            "23.9760239",
            "true",
            "[30]",
        ],
    ),
    "video.crf": (["0", "51", "18.0"], ["-1", "52", "18.5", "x", "true", ".inf", ".nan"]),
    "video.preset": (["ultrafast", "veryslow"], ["fst", "1", "FAST", "[]"]),
    "video.duration": (["1", "0:42", "4 bars", "1 frame"], ["0", "-1", "50%", "0 frames", "4 barz", "1e400"]),
    "video.start": (["0", "0:42", "10%"], ["-1", "nan s"]),
    "video.subsampling": (["420", "422", "'444'", "null"], ["411", "420.0", "true"]),
    "video.loop": (["true", "False"], ["yes", "on", "1", "null", "off"]),
    "walk.path": (["slerp", "lerp", "spline", "step", "null"], ["slrp", "splin", "1"]),
    "walk.space": (["z", "w", "null"], ["x", "1", "W"]),
    "walk.ease": (["in_out_sine"], ["in_out_sin", "ease"]),
    "walk.every": (["1", "1/3s", "0:01", "2 beats"], ["0", "-1s", "50%", "1/0 s", "x"]),
    "walk.through": (
        [
            "1",
            "[1]",
            "{seed: 1}",
            "[0, 4294967295, 3.0]",
            "{seed: 1, class: 2}",
            "[{seed: 1, class: gold fish}]",
            "mean",
            "[{mean: true}]",
            "{between: [1, 2]}",
            "{between: [mean, {seed: 3, class: 1}], amount: -0.5}",
            "{between: [1, {between: [2, 3]}]}",
        ],
        [
            "[]",
            "[-1]",
            "[4294967296]",
            "[1.5]",
            "[x]",
            "true",
            "{}",
            "[[1]]",
            "'7'",
            "{seed: 1, class: -1}",
            "{seed: 1, class: 1.5}",
            "{seed: 1, class: true}",
            "{seed: 1, mean: true}",
            "{mean: false}",
            "{mean: true, class: 1}",
            "{seed: null}",
            "{seed: 1, name: x}",
            "{seed: 1, amount: 0.3}",
            "{between: [1]}",
            "{between: [1, 2, 3]}",
            "{between: 1}",
            "{between: [1, 2], amount: t}",
            "{between: [1, 2], amount: 1000}",
            "{between: [1, 2], class: 3}",
            "{between: [1, x]}",
            "{file: song.wav}",
            "song.wav",
            "no.npy",
            "{file: no.npz, name: x}",
            "no.npz#x",
        ],
    ),
    "mix": (
        [
            "{from: 1}",
            "[]",
            "[{from: mean, layers: fine, amount: t}, {from: {through: [1, 2]}, at: 1s, until: 2 bars, fade: 3 frames}]",
            "{from: {through: 3, space: w, speed: 2}}",
            "{from: {every: 1s}}",
            "{from: {between: [1, 2]}, fade: 0, at: 50%}",
        ],
        [
            "1",
            "null",
            "{}",
            "{layers: fine}",
            "{from: null}",
            "{from: [1, 2]}",
            "{from: x}",
            "{from: 1, amount: true}",
            "{from: 1, at: -1}",
            "{from: 1, until: soon}",
            "{from: 1, fade: 1s}",
            "{from: 1, at: 0, fade: -1}",
            "{from: 1, at: 0, fade: 10%}",
            "{from: 1, layers: 3-0}",
            "{from: {through: []}}",
            "{from: {through: [1, 2], at: [1s]}}",
            "{from: {through: 1, seed: 2}}",
        ],
    ),
    "noise": (
        [
            "fixed",
            "'off'",
            "animate",
            "{}",
            "[]",
            "{mode: animate, strength: t, speed: 0.5, seed: 7, layers: 4-}",
            "[fixed, {mode: off, layers: fine}]",
        ],
        [
            "animated",
            "true",
            "1",
            "null",
            "{mode: on}",
            "{strength: x}",
            "{seed: -1}",
            "{seed: t}",
            "{layers: some}",
            "{speed: 1s}",
        ],
    ),
    "walk.at": (["[0, 1, 2, 3]", "[0%, 1 bar, 2s, 0:03]"], ["[0]", "[]", "3", "[0, 1, 2, -1]", "{a: 1}", "x"]),
    "push": (
        [
            "{random: 1}",
            "[{toward: 2}, {random: true}]",
            "[]",
            "{random: 1, mode: drift, box: 2}",
            "{random: 1, space: w, layers: fine}",
        ],
        [
            "{}",
            "null",
            "3",
            "{toward: 1, random: 2}",
            "{random: false}",
            "{random: -1}",
            "{random: 1, box: 1}",
            "{toward: 1, mode: drift, box: 1}",
            "{random: 1, space: z, layers: 0-3}",
            "{random: 1, layers: 3-0}",
            "{random: 1, layers: []}",
            "{random: 1, box: 0, mode: drift}",
        ],
    ),
    "truncation": (
        [
            "0.5",
            "t",
            "{0: 0}",
            "-3",
            "[]",
            "[{layers: fine, psi: 0.5}, {psi: {0s: 1, 1s: 0}, layers: [0, 2-3]}]",
            "{layers: 4-, psi: t}",
        ],
        [
            "",
            "true",
            "[1]",
            "{}",
            ".nan",
            "1e301",
            "t +",
            "[{psi: 1}]",
            "{layers: fine}",
            "[{layers: fine, psi: 1, x: 2}]",
            "[{layers: fine, psi: x}]",
        ],
    ),
    "video.fit": (["cover", "contain", "stretch"], ["crop", "1", "null"]),
    "tempo.bpm": (["10", "120.5", "1000"], ["9", "1001", ".nan", "x", "true"]),
    "tempo.beats_per_bar": (["1", "64"], ["0", "65", "3.5"]),
    "seed": (["0", "4294967295", "0o17", "0x1F"], ["-1", "4294967296", "1.5", "x", "null", "'1'"]),
    "title": (["x", "null", "'2'"], ["2", "[]", "x" * 201]),
    "gandream": (["1"], ["2", "0", "x", "1.5"]),
    "model": (
        ["x", "{file: x}", f"{{file: x, sha256: {'aB' * 32}}}", "{file: x, class: 3}", "{file: x, class: goldfish}"],
        [
            "3",
            "''",
            "' '",
            "[]",
            "null",
            "{}",
            "{file: 3}",
            "{file: {file: x}}",
            "{file: ''}",
            "{class: 3}",
            "{file: x, sha256: abc}",
            "{file: x, sha256: 3}",
            "{file: x, class: -1}",
            "{file: x, sha: 1}",
        ],
    ),
    "audio": (
        ["song.wav", "./song.wav", "{file: song.wav}", "{file: song.wav, gain: -3.5}"],
        [
            "{gain: 3}",
            "{file: song.wav, gain: loud}",
            "{file: song.wav, gain: 41}",
            "{file: no.wav}",
            "{fil: song.wav}",
            "no.wav",
            "''",
            "3",
            ".",
            "bundled:nothing",
            "~nobody_123/x.wav",
            "x" * 5000,
            "no/song.wav",
            "/dev/null",
        ],
    ),
    "signals.k": (
        [
            "rms",
            "beat",
            "{from: onset, clip: 95}",
            "{from: band, low: 100}",
            "{from: rms, range: [1, 0], clip: [5, 95]}",
        ],
        [
            "rmss",
            "band",
            "null",
            "{}",
            "{from: band, low: 200, high: 100}",
            "{from: beat, low: 3}",
            "{from: rms, clip: [90, 10]}",
            "{from: rms, clip: [1]}",
            "{from: rms, clip: 101}",
            "{from: rms, gate: 2}",
            "{from: rms, power: 0}",
            "{from: rms, smooth: -1}",
            "{from: rms, smooth: 1%}",
            "{from: rms, range: 1}",
            "{from: rms, of: no.wav}",
            "{source: rms}",
            "{from: rms, low: -1}",
            "{from: rms, high: 20000}",
            "{from: rms, range: [0, .inf]}",
        ],
    ),
}


@pytest.mark.parametrize("key", GOOD_AND_BAD)
def test_what_a_word_takes(write, key):
    write("audio: song.wav\n")
    good, bad = GOOD_AND_BAD[key]
    for value in good:
        load_recipe("r.yaml", [f"{key}={value}"])
    for value in bad:
        with pytest.raises(RecipeError) as caught:
            load_recipe("r.yaml", [f"{key}={value}"])
        assert caught.value.where.startswith(f"--set {key}={value}"[:70])


def test_frame_rates_are_exact(load):
    from fractions import Fraction

    for written, rate in (
        ("29.97", Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("25", Fraction(25)),
    ):
        assert load(f"video: {{fps: {written}}}").video.fps == rate
