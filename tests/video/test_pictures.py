"""Folders of pictures: PNG, EXR and the others read back by foreign readers; their list, and what is found again."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gandream.base import ffmpeg
from gandream.video.exr import exr_bytes
from gandream.video.pictures import LISTING, PictureFolder, PictureFormat, linear, owner_of
from gandream.video.png import png_bytes
from gandream.video.stamp import read_stamp, recipe_in

FPS = Fraction(25)


def ramp(height: int, width: int, channels: int = 3) -> torch.Tensor:
    """A picture [1, C, H, W] from -1 to 1 whose neighbours differ by less than a code of 8 bits."""
    values = torch.linspace(-1, 1, channels * height * width, dtype=torch.float64)
    return values.view(1, channels, height, width).float()


def read(path: Path, data: bytes, pix_fmt: str, kind: str) -> np.ndarray:
    """The values of a picture as ffmpeg decodes them."""
    path.write_bytes(data)
    raw = ffmpeg.run(*ffmpeg.QUIET, "-i", ffmpeg.file_url(path), "-f", "rawvideo", "-pix_fmt", pix_fmt, "-")
    return np.frombuffer(raw, kind)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (33, 17)])
def test_png_holds_exactly_what_it_was_given(tmp_path, channels, dtype, size):
    rng = np.random.default_rng(7)
    smooth = np.add.outer(np.arange(size[0]) * 300, np.arange(size[1]) * 70)[..., None] * np.arange(1, channels + 1)
    pixels = (smooth + rng.integers(0, 9, (*size, channels))).astype(dtype)
    if dtype == np.uint16:  # which Pillow doesn't read
        name = {1: "gray16le", 2: "ya16le", 3: "rgb48le", 4: "rgba64le"}[channels]
        found = read(tmp_path / "x.png", png_bytes(pixels), name, "<u2")
        assert np.array_equal(found.reshape(pixels.shape), pixels)
    with Image.open(io.BytesIO(png_bytes(pixels))) as file:
        file.load()  # its checksums hold
        if dtype == np.uint8:
            assert np.array_equal(np.array(file).reshape(pixels.shape), pixels)


def test_filters_make_a_gradient_small():
    pixels = np.add.outer(np.arange(64) * 3, np.arange(64) * 2).astype(np.uint8)[..., None].repeat(3, 2)
    assert len(png_bytes(pixels)) < pixels.nbytes / 50


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [(1, 1), (16, 8), (33, 40)])
def test_exr_holds_exactly_what_it_was_given(tmp_path, channels, size):
    rng = np.random.default_rng(3)
    pixels = rng.normal(0, 3, (*size, channels)).astype(np.float16)
    pixels[0] = 0.5  # a row that packs well
    names = {3: "gbrpf16le", 4: "gbrapf16le"}
    found = read(tmp_path / "x.exr", exr_bytes(pixels, FPS), names[channels], "<f2")
    planes = found.reshape(channels, *size)[[2, 0, 1, 3][:channels]]
    assert np.array_equal(planes.transpose(1, 2, 0), pixels)


def test_exr_is_linear_light_of_what_is_displayed(tmp_path):
    """IEC 61966-2-1: display 188 of 255 is half of the light; black and white stay."""
    codes = PictureFormat("exr", FPS, 16).codes(torch.tensor([-1.0, 1.0, 2 * 188 / 255 - 1, 3.0]).view(1, 1, 2, 2))
    assert codes.dtype == torch.float16
    assert np.allclose(codes.flatten().float(), [0, 1, 0.503, 1], atol=1e-3)
    shown = torch.linspace(0, 1, 1001, dtype=torch.float64)
    light = linear(shown)
    back = torch.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    assert torch.allclose(back, shown, atol=1e-6)


def test_opacity_is_multiplied_into_exr_and_not_into_png():
    image = torch.tensor([1.0, 1.0, 1.0, 0.0]).view(1, 4, 1, 1)  # white, half opaque
    assert PictureFormat("exr", FPS, 16, True).codes(image).flatten().tolist() == [0.5] * 4
    assert PictureFormat("png", FPS, 8, True).codes(image).flatten().tolist() == [255, 255, 255, 128]


def test_sixteen_bits_tell_apart_what_eight_do_not():
    image = ramp(16, 64)
    codes = {depth: PictureFormat("png", FPS, depth).codes(image).numpy() for depth in (8, 16)}
    assert len(np.unique(codes[8])) == 256
    assert len(np.unique(codes[16])) == 16 * 64 * 3
    assert (codes[16].min(), codes[16].max()) == (0, 65535)
    assert np.abs(codes[16] / 65535 - codes[8] / 255.0).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(
    ("kind", "crf", "most"), [("jpg", 0, 3), ("jpg", 8, 5), ("webp-images", 8, 8), ("webp-images", 0, 0)]
)
def test_lossy_pictures_are_near(kind, crf, most):
    image = ramp(48, 64)
    fmt = PictureFormat(kind, FPS, crf=crf)
    codes = fmt.codes(image).numpy()[0]
    with Image.open(io.BytesIO(fmt.encoded(codes))) as file:
        assert np.abs(np.array(file.convert("RGB")).astype(int) - codes).mean() <= most


def test_a_folder_finds_what_it_has_and_notices_what_is_damaged(tmp_path):
    folder = PictureFolder(tmp_path, PictureFormat("png", FPS))
    keys = {frame: f"key{frame}" for frame in range(98, 103)}
    assert folder.lacking(keys) == list(keys)
    for frame in (98, 99, 101):
        folder.publish(frame, keys[frame], png_bytes(np.full((2, 2, 3), frame, np.uint8)))
    assert {path.name for path in tmp_path.iterdir()} == {LISTING, "000098.png", "000099.png", "000101.png"}
    assert folder.lacking(keys) == [100, 102]
    assert folder.lacking({98: "another"}) == [98]
    data = bytearray((tmp_path / "000099.png").read_bytes())
    data[-20] ^= 1
    (tmp_path / "000099.png").write_bytes(data)
    (tmp_path / "000101.png").unlink()
    assert folder.lacking(keys) == [99, 100, 101, 102]


def test_a_line_that_a_kill_cut_off_is_no_line(tmp_path):
    folder = PictureFolder(tmp_path, PictureFormat("png", FPS))
    for frame in range(3):
        folder.publish(frame, "k", png_bytes(np.zeros((2, 2, 3), np.uint8)))
    text = (tmp_path / LISTING).read_bytes()
    for end in range(0, len(text) + 1, 7):
        (tmp_path / LISTING).write_bytes(text[:end])
        assert folder.lacking(dict.fromkeys(range(3), "k")) == list(range(text[:end].count(b"\n"), 3))


def test_a_folder_knows_whose_it_is(tmp_path):
    assert owner_of(tmp_path) is None
    assert owner_of(tmp_path / "nowhere") is None
    folder = PictureFolder(tmp_path, PictureFormat("png", FPS))
    folder.claim("../a.yaml")
    folder.claim("../a.yaml")
    assert owner_of(tmp_path) == "../a.yaml"
    assert (tmp_path / LISTING).read_text().count("\n") == 1
    (tmp_path / LISTING).unlink()
    (tmp_path / "holiday.png").write_bytes(b"mine")
    assert owner_of(tmp_path) == "?"


def test_what_a_longer_film_left_goes_and_what_is_not_ours_stays(tmp_path):
    folder = PictureFolder(tmp_path, PictureFormat("png", FPS))
    for frame in range(4):
        folder.publish(frame, "k", png_bytes(np.zeros((2, 2, 3), np.uint8)))
    (tmp_path / "000003.png").write_bytes(b"painted over")
    (tmp_path / "000009.png").write_bytes(b"somebody's")
    folder.remove_beyond(2)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [f"{at:06d}.png" for at in (0, 1, 3, 9)]


def test_the_first_picture_carries_the_recipe(tmp_path):
    folder = PictureFolder(tmp_path, PictureFormat("png", FPS, 16))
    pixels = np.arange(12, dtype=np.uint16).reshape(2, 2, 3)
    folder.publish(0, "k", png_bytes(pixels))
    folder.stamp(0, "k", "Nacht", "model: x\n")
    assert recipe_in(tmp_path) == "model: x\n"
    assert read_stamp(tmp_path / "000000.png").title == "Nacht"
    assert folder.lacking({0: "k"}) == [], "and is still as it was written"
    assert np.array_equal(
        read(tmp_path / "y.png", (tmp_path / "000000.png").read_bytes(), "rgb48le", "<u2"), pixels.ravel()
    )
