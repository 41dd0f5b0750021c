"""Drafts: quick, and about the same film."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandream.base import ffmpeg
from gandream.models.registry import describe
from gandream.recipe.draft import drafted
from gandream.recipe.load import load_recipe, recipe_from
from gandream.run.film import render
from gandream.run.picture import picture_format, picture_size
from gandream.trajectory.compose import compose

WORDS = {
    "model": "cppn#7",
    "walk": {"through": [1, 2, 3], "every": "36 frames"},
    "truncation": "0.5 + 0.4*sin(frame/9) + 0.002*fps",
    "push": [
        {"random": 3, "by": {"30 frames": 0, "60 frames": 1}},
        {"random": 4, "by": 0.3, "mode": "drift"},
    ],
    "mix": {"from": 9, "at": "15 frames", "until": "66 frames", "layers": "fine"},
    "video": {"size": "100x60", "fps": 30, "duration": "90 frames"},
}


def test_a_draft_is_every_third_frame_of_the_same_film():
    recipe, spec = recipe_from(WORDS), describe("cppn#7")
    whole, draft = (compose(one, spec).trajectory for one in (recipe, drafted(recipe, (100, 60))))
    assert (draft.timeline.clock.fps, draft.frames, whole.frames) == (10, 30, 90)
    assert np.allclose(draft.psi, whole.psi[::3])
    assert np.allclose(draft.track.places, whole.track.places[::3])
    for mine, its in zip(draft.shoves, whole.shoves, strict=True):
        assert np.allclose(mine.amounts, its.amounts[::3], atol=1e-3)


def test_its_size_is_half_and_even():
    made = drafted(recipe_from(WORDS), (1022, 60)).video
    assert (made.size, made.fps, made.preset, made.coding.codec) == ((512, 30), Fraction(10), "ultrafast", "h264")
    assert drafted(recipe_from(WORDS), (512, 20)).video.size == (256, 16), "the least side of a film"


def slow(words: dict[str, Any]) -> Any:
    return pytest.param(words, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "more",
    [
        slow({"scenes": [{"for": "30 frames"}, {"for": "60 frames", "truncation": "frame/90"}]}),
        {"grid": {"vary": {"seed": [1, 2]}}},
        slow({"use": "wavefunk", "audio": "bundled:night_drive"}),
        slow({"effects": [{"echo": 0.5, "delay": "9 frames"}, {"contrast": "1 + 0.1*sin(frame)"}]}),
        slow({"video": {"fps": "24000/1001", "file": "webm", "duration": 3}}),
    ],
    ids=["scenes", "grid", "preset", "effects", "webm"],
)
def test_whatever_the_recipe_says_its_draft_has_its_length(here: Path, more):
    words = {**WORDS, **more}
    (here / "r.yaml").write_text(json.dumps({**words, "video": {**WORDS["video"], "duration": 1, **words["video"]}}))
    made = render(load_recipe("r.yaml"), device="cpu", draft=True)
    assert made.path == Path("outputs/r.draft.mp4")
    raw = ffmpeg.run("-loglevel", "error", "-i", made.path, "-f", "rawvideo", "-pix_fmt", "gray", "-")
    manifest = json.loads(made.manifest.read_text())["video"]
    whole = load_recipe("r.yaml").video
    assert whole.duration is not None
    seconds = whole.duration.amount / (whole.fps if whole.duration.unit == "frames" else 1)
    assert len(raw) == manifest["width"] * manifest["height"] * made.frames
    assert abs(made.frames / Fraction(manifest["fps"]) - seconds) < 0.5 / Fraction(manifest["fps"]) + Fraction(1, 1000)


def test_a_draft_needs_no_encoder_but_its_own(here: Path, gandream):
    """Whoever works on a recipe may have another machine than the one that will render it."""
    (here / "r.yaml").write_text(
        "model: cppn#7\n"
        "video: {size: 68x46, fps: 10, duration: 1, file: mov, codec: ffv1, encoder: hardware, subsampling: '420'}\n"
    )
    whole = gandream("render", "r.yaml")
    assert (whole.status, "no hardware encodes ffv1" in whole.err) == (2, True)
    assert gandream("render", "r.yaml", "--draft").out == "outputs/r.draft.mp4\n"
    made = json.loads(Path("outputs/r.draft.mp4.manifest.json").read_text())["video"]
    assert (made["width"], made["height"], made["codec"]) == (34, 24, "h264")


@pytest.mark.parametrize(
    ("video", "model"),
    [
        ({"size": "63x65"}, None),
        ({"size": "63x65", "subsampling": "444"}, None),
        ({"file": "png", "size": "63x65"}, None),
        ({}, (255, 383)),
        ({"codec": "prores", "file": "mov"}, (255, 383)),
    ],
)
def test_the_size_alone_is_that_of_the_film(video, model):
    spec, recipe = replace(describe("cppn#7"), size=model), recipe_from({"model": "cppn#7", "video": video})
    fmt, _ = picture_format(recipe, spec)
    assert picture_size(recipe, spec) == (fmt.width, fmt.height)


def test_a_draft_has_its_own_segments_and_the_whole_sound(here: Path, clicks: Path, gandream):
    (here / "r.yaml").write_text(
        f"model: cppn#7\naudio: {clicks}\nvideo: {{size: 64, fps: 30, duration: 2, start: 1, preset: ultrafast}}\n"
    )
    assert gandream("render", "r.yaml").out == "outputs/r.mp4\n"
    assert gandream("render", "r.yaml", "--draft").out == "outputs/r.draft.mp4\n"
    whole, draft = Path("outputs/r.mp4"), Path("outputs/r.draft.mp4")
    sounds = [
        ffmpeg.run("-loglevel", "error", "-i", film, "-vn", "-f", "s16le", "-ac", "1", "-") for film in (whole, draft)
    ]
    assert sounds[0] == sounds[1]
    keys = [json.loads(Path(f"{film}.manifest.json").read_text())["segments"] for film in (whole, draft)]
    assert not set(keys[0]) & set(keys[1])
    assert gandream("render", "r.yaml", "--draft", "--frames", "30:51").out == "outputs/r.30-51.draft.mp4\n"
    part = json.loads(Path("outputs/r.30-51.draft.mp4.manifest.json").read_text())["video"]
    assert (part["first_frame"], part["frames"]) == (10, 7)
    assert render(load_recipe("r.yaml"), device="cpu").rendered == 0


def test_a_range_of_a_draft_is_told_in_frames_of_the_film(here: Path, gandream):
    (here / "r.yaml").write_text("model: cppn#7\nvideo: {size: 64, fps: 10, duration: 2.2, preset: ultrafast}\n")
    beyond = gandream("render", "r.yaml", "--draft", "--frames", "30:40")
    assert (beyond.status, "30:40" in beyond.err, "frames 0:21" in beyond.err) == (2, True, True)
    assert gandream("render", "r.yaml", "--draft", "--frames", "21:22").out == "outputs/r.21-22.draft.mp4\n"
    last = json.loads(Path("outputs/r.21-22.draft.mp4.manifest.json").read_text())["video"]
    assert (last["first_frame"], last["frames"], last["frames_in_whole"]) == (6, 1, 7)
