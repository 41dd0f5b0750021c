"""Films of other codecs, rendered from recipes and read back: bits, alpha, encoders, what is said where it can't be."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gandream.base import ffmpeg
from gandream.base.errors import GandreamError, RecipeError
from gandream.models.registry import load_generator
from gandream.recipe.load import load_recipe
from gandream.run.film import render
from gandream.run.prepare import prepare
from gandream.video.facts import read_back
from gandream.video.metadata import recipe_of

SMALL = "size: 64, fps: 10, duration: 0.5, preset: ultrafast"


@pytest.fixture
def made(here: Path):
    """Renders a recipe with such words of `video`; gives the film's path."""

    def make(video: str, body: str = "model: cppn#7", name: str = "r.yaml") -> Path:
        Path(name).write_text(f"{body}\ntitle: Nacht\nvideo: {{{SMALL}, {video}}}\n")
        return render(load_recipe(name), device="cpu").path

    return make


@pytest.fixture
def glass(here: Path) -> str:
    """A model whose pictures, 64 x 64, have an alpha channel."""
    torch.manual_seed(1)
    parts: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(pairwise((8, 12, 8, 8, 8, 4))):
        parts.append(convolution := nn.ConvTranspose2d(inputs, outputs, 4, 2 if number else 1, 1 if number else 0))
        nn.init.normal_(convolution.weight, 0, 0.3)  # contrast
        parts += [nn.BatchNorm2d(outputs), nn.ReLU()] if outputs != 4 else [nn.Tanh()]
    state = {f"main.{key}": value for key, value in nn.Sequential(*parts).state_dict().items()}
    torch.save(state, here / "glass.pth")
    return "model: glass.pth"


def frames(path: Path, pix_fmt: str, *decoder: str) -> np.ndarray:
    raw = ffmpeg.run(*ffmpeg.QUIET, *decoder, "-i", path, "-pix_fmt", pix_fmt, "-f", "rawvideo", "-")
    return np.frombuffer(raw, np.uint8).reshape(5, 64, 64, -1)


@pytest.mark.parametrize(
    ("video", "codec", "pix_fmt"),
    [
        pytest.param("file: webm", "vp9", "yuv420p", marks=pytest.mark.slow),
        ("file: mov, codec: prores", "prores", "yuv422p10le"),
        pytest.param("codec: h265, depth: 10, crf: 12", "hevc", "yuv420p10le", marks=pytest.mark.slow),
        pytest.param("file: mkv, codec: av1, depth: 10", "av1", "yuv420p10le", marks=pytest.mark.slow),
        pytest.param("codec: h264, depth: 10, subsampling: 422", "h264", "yuv422p10le", marks=pytest.mark.slow),
        pytest.param("file: mkv, codec: ffv1", "ffv1", "yuv420p", marks=pytest.mark.slow),
    ],
)
def test_a_film_of_another_codec(made, video, codec, pix_fmt):
    film = made(video)
    facts = read_back(film)
    assert (facts.codec, facts.pix_fmt, facts.frames, facts.title) == (codec, pix_fmt, 5, "Nacht")
    assert recipe_of(film) == Path("r.yaml").read_text()
    plain = frames(made("subsampling: 444, crf: 0", name="plain.yaml"), "gray").astype(float)
    assert np.sqrt(np.mean((frames(film, "gray") - plain) ** 2)) < 5, "the same pictures"


@pytest.mark.parametrize(
    "video",
    ["file: mov, codec: prores_4444", pytest.param("file: webm, crf: 0", marks=pytest.mark.slow),
     pytest.param("file: mkv, codec: ffv1", marks=pytest.mark.slow)],
)  # fmt: skip
def test_alpha_is_kept(made, glass, video):
    film = made(f"{video}, alpha: true", glass)
    decoder = ("-c:v", "libvpx-vp9") if "webm" in video else ()
    raw = frames(film, "yuva444p", *decoder).reshape(5, 4, 64, 64).astype(float)
    luma, opacity = raw[:, 0] - 16, raw[:, 3]
    generator = load_generator("glass.pth", device="cpu", base=Path.cwd())
    wanted = generator.synthesise(generator.map(generator.latents([0])))[0, 3].clamp(-1, 1) * 127.5 + 127.5
    assert np.ptp(opacity) > 100
    assert np.abs(opacity[0] - wanted.numpy()).max() < (8 if "prores" in video else 2)
    # Without the word what is transparent lies over black.
    opaque = frames(made("subsampling: 444, crf: 0", glass, "opaque.yaml"), "yuv444p").reshape(5, 3, 64, 64)[:, 0]
    assert np.abs(opaque - (luma * opacity / 255 + 16)).max() < (8 if "prores" in video else 2)


@pytest.mark.parametrize(
    ("body", "video", "place", "problem"),
    [
        ("model: cppn#7", "file: png", "alpha", "the pictures of cppn#7 have no alpha channel"),
        ("glass", "file: mov, codec: prores_4444", "alpha", "lie on a colour"),
    ],
)
def test_alpha_that_is_not_there(made, glass, body, video, place, problem):
    body = f"{glass}\ngrid: {{seeds: 1-2}}" if body == "glass" else body
    with pytest.raises(RecipeError, match=problem) as caught:
        made(f"{video}, alpha: true", body)
    assert f"video.{place}" in caught.value.where


def test_cells_that_have_no_room_in_the_frame(made):
    with pytest.raises(RecipeError, match="a frame of 64x64 has no room for so many cells") as caught:
        made("file: mp4", "model: cppn#7\ngrid: {columns: 40, rows: 1, seeds: 1-40}")
    assert caught.value.where.endswith("grid")


@pytest.mark.slow
@pytest.mark.parametrize("video", ["file: mov, codec: prores", "codec: av1"])
def test_a_grid_of_another_codec(made, video):
    assert read_back(made(video, "model: cppn#7\ngrid: {columns: 3, seeds: 1-6}")).frames == 5


def test_hardware_is_tried_and_not_assumed(made, here, monkeypatch):
    """An encoder that this ffmpeg has, on a machine that may lack the chip: it works, or it is told what was tried."""
    said = ""
    try:
        assert read_back(made("encoder: hardware")).frames == 5
    except RecipeError as error:
        said = str(error)
    for words in ("video.encoder = hardware", "no hardware here encodes h264: h264_nvenc (", "auto") if said else ():
        assert words in said
    # A chip that isn't there can't do what none does.
    with pytest.raises(RecipeError, match=r"h264_nvenc \(not with yuv444p\)"):
        made("encoder: hardware, subsampling: 444", name="other.yaml")
    monkeypatch.setattr(ffmpeg, "encoders", lambda: frozenset({"libx264", "aac"}))
    with pytest.raises(RecipeError, match=r"hevc_nvenc \(not in this ffmpeg\)"):
        made("encoder: hardware, codec: h265", name="other.yaml")
    Path("r.yaml").write_text(f"model: cppn#7\nvideo: {{{SMALL}, encoder: auto}}\n")
    prepared = prepare(load_recipe("r.yaml"), here / "cache")
    assert prepared.fmt.encoder == "libx264"
    assert "libx264 takes its place" in prepared.warnings[0]


def test_an_encoder_that_this_ffmpeg_lacks_is_told_at_the_codec(made, monkeypatch):
    monkeypatch.setattr(ffmpeg, "encoders", lambda: frozenset({"libx264", "aac"}))
    with pytest.raises(GandreamError, match="built without libx265") as caught:
        made("codec: h265")
    assert "video.codec = h265" in str(caught.value)
    assert "IMAGEIO_FFMPEG_EXE" in str(caught.value)


def test_a_webm_without_its_sound_is_told_before_it_is_rendered(made, clicks, monkeypatch):
    monkeypatch.setattr(ffmpeg, "encoders", lambda: frozenset({"libx264", "aac", "libvpx-vp9"}))
    with pytest.raises(RecipeError, match="without libopus") as caught:
        made("file: webm", f"model: cppn#7\naudio: {clicks}")
    assert "video.file = webm" in caught.value.where


def test_what_shapes_no_byte_is_in_no_key(here):
    """How hard an encoder tries means nothing to one that knows no effort."""
    keys = set()
    for preset in ("ultrafast", "slow"):
        Path("r.yaml").write_text(
            f"model: cppn#7\nvideo: {{size: 64, duration: 1, file: mkv, codec: ffv1, preset: {preset}}}\n"
        )
        keys |= {segment.key for segment in prepare(load_recipe("r.yaml"), here / "c").reel("cpu").segments}
    assert len(keys) == 1
