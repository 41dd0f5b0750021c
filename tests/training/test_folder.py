"""Folders of pictures: files of all kinds, labels in all forms, batches as pure functions, the cache, and errors."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from gandream.base.errors import GandreamError
from gandream.training import folder_cache, pictures
from gandream.training.folder import Folder, open_folder
from gandream.training.pictures import UnreadableError, read_picture


def noise(seed: int, width: int = 40, height: int = 32) -> np.ndarray:
    small = np.random.RandomState(seed).randint(0, 256, (4, 5, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def fill(folder: Path, count: int, kind: str = "png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(noise(number)).save(folder / f"{number:03}.{kind}")
    return folder


def told(folder: Path, resolution: int = 16, **arguments: Any) -> str:
    with pytest.raises(GandreamError) as caught:
        open_folder(folder, resolution, seed=0, **arguments)
    assert caught.value.exit_code == 2
    return str(caught.value)


def read(path: Path, resolution: int = 8) -> np.ndarray:
    return read_picture(path, resolution)[0].astype(int)


def save(tmp_path: Path, image: Image.Image, name: str, **options: Any) -> Path:
    path = tmp_path / name
    image.save(path, **options)
    return path


# One picture


@pytest.mark.parametrize(
    ("suffix", "options", "slack"),
    [
        ("png", {}, 0),
        ("bmp", {}, 0),
        ("tif", {"compression": "tiff_lzw"}, 0),
        ("webp", {"lossless": True}, 0),
        ("ppm", {}, 0),
        ("tga", {}, 0),
        ("qoi", {}, 0),
        ("jpg", {"quality": 98, "subsampling": 0}, 4),
        ("jp2", {}, 1),
    ],
)
def test_kinds_of_files_give_the_same_pixels(tmp_path, suffix, options, slack):
    image = Image.fromarray(noise(3, 48, 32))
    if f".{suffix}" not in Image.registered_extensions():
        pytest.skip(f"this pillow writes no {suffix}")
    wanted = np.asarray(image.resize((24, 16), Image.Resampling.LANCZOS))[:, 4:20].transpose(2, 0, 1)
    found, enlarged = read_picture(save(tmp_path, image, f"a.{suffix}", **options), 16)
    assert found.dtype == np.uint8
    assert found.shape == (3, 16, 16)
    assert found.flags.c_contiguous
    assert not enlarged
    assert np.abs(found.astype(int) - wanted).max() <= slack


def test_the_middle_square_is_cut_out(tmp_path):
    wide = np.zeros((20, 61, 3), np.uint8)
    wide[:, 20:41] = 255
    assert (read(save(tmp_path, Image.fromarray(wide), "wide.png"), 4)[:, :, 1:3] == 255).all()
    assert (read(save(tmp_path, Image.fromarray(wide.transpose(1, 0, 2)), "tall.png"), 4)[:, 1:3] == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_cameras(tmp_path, orientation):
    upright = Image.fromarray(noise(5, 32, 24))
    inverse = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that undoes what the orientation asks for
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(inverse[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.abs(read(save(tmp_path, stored, "a.png", exif=exif)) - read(save(tmp_path, upright, "b.png"))).max() <= 1


def test_grey_and_one_bit(tmp_path):
    ramp = np.tile(np.arange(0, 256, 16, dtype=np.uint8), (16, 1))
    grey = read(save(tmp_path, Image.fromarray(ramp), "grey.png"), 16)
    assert (grey == ramp).all()
    bits = Image.fromarray(((ramp > 100) * 255).astype(np.uint8)).convert("1", dither=Image.Dither.NONE)
    assert (read(save(tmp_path, bits, "bits.png"), 16) == (ramp > 100) * 255).all()


def test_what_is_transparent_lies_on_white(tmp_path):
    clear = np.zeros((16, 16, 4), np.uint8)
    clear[:8] = (255, 0, 0, 255)
    clear[8:] = (0, 255, 0, 0)  # green that nobody sees, and that must not bleed into the edge
    found = read(save(tmp_path, Image.fromarray(clear), "logo.png"), 16)
    assert (found[:, :8] == np.array([255, 0, 0])[:, None, None]).all()
    assert (found[:, 8:] == 255).all()
    small = read(tmp_path / "logo.png", 2)
    assert (small[0] >= 250).all()
    assert (small[1] == small[2]).all(), "green is seen"
    half = Image.fromarray(np.full((8, 8, 2), (0, 128), np.uint8))
    assert np.abs(read(save(tmp_path, half, "half.png")) - 127).max() <= 1


def test_palettes_with_and_without_a_hole(tmp_path):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    assert (read(save(tmp_path, image, "a.png")) == np.array([10, 200, 30])[:, None, None]).all()
    assert (read(save(tmp_path, image, "a.gif", transparency=1)) == 255).all()


def test_first_frame_of_what_moves(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for kind in ("gif", "webp", "tiff", "png"):
        path = save(tmp_path, frames[0], f"a.{kind}", save_all=True, append_images=frames[1:])
        assert np.abs(read(path) - np.array([255, 0, 0])[:, None, None]).max() <= 4


def test_sixteen_bits_are_scaled(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 16).round().astype(np.uint16), (16, 1))
    for name in ("a.png", "a.tif"):
        found = read(save(tmp_path, Image.fromarray(ramp), name), 16)
        assert np.abs(found - ramp / 257).max() <= 0.5
    dark = read(save(tmp_path, Image.fromarray(ramp // 300), "dark.png"), 16)
    assert dark.max() == 1, "a dark picture stays dark"
    for full in (1, 255, 65535):
        floats = Image.fromarray((ramp / 65535 * full).astype(np.float32))
        assert np.abs(read(save(tmp_path, floats, f"{full}.tif"), 16) - ramp / 257).max() <= 0.5


def test_four_inks_and_wide_colours(tmp_path):
    inks = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    found = read(save(tmp_path, inks, "a.jpg", quality=98))
    assert (found[0] > 240).all()
    assert (found[1:] < 15).all()
    srgb: Any = ImageCms.createProfile("sRGB")
    profile = ImageCms.ImageCmsProfile(srgb).tobytes()
    image = Image.fromarray(noise(1, 16, 16))
    plain = read(save(tmp_path, image, "b.png"), 16)
    assert np.abs(read(save(tmp_path, image, "c.png", icc_profile=profile), 16) - plain).max() <= 1
    assert (read(save(tmp_path, image, "d.png", icc_profile=b"nonsense"), 16) == plain).all()
    assert (read(save(tmp_path, inks, "e.tif", icc_profile=profile)) == np.array([255, 0, 0])[:, None, None]).all()


def test_a_profile_changes_the_colours(tmp_path):
    """A profile like sRGB's whose red and blue primaries are exchanged: shown by it, red is blue."""
    srgb: Any = ImageCms.createProfile("sRGB")
    profile = bytearray(ImageCms.ImageCmsProfile(srgb).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    path = save(tmp_path, Image.new("RGB", (8, 8), (250, 20, 10)), "a.png", icc_profile=bytes(profile))
    assert np.abs(read(path) - np.array([10, 20, 250])[:, None, None]).max() <= 2


def test_small_ones_are_enlarged_and_large_jpegs_are_right(tmp_path):
    assert read_picture(save(tmp_path, Image.fromarray(noise(1, 15, 40)), "a.png"), 16)[1]
    large = Image.fromarray(noise(2, 900, 700))
    quick, whole = (
        read(save(tmp_path, large, name, **options), 16) for name, options in (("b.jpg", {}), ("b.png", {}))
    )
    assert np.abs(quick - whole).max() <= 6


def test_what_cannot_be_read_says_why(tmp_path, monkeypatch):
    whole = save(tmp_path, Image.fromarray(noise(1, 400, 300)), "whole.jpg").read_bytes()
    files = {
        "cut.jpg": (whole[: len(whole) // 2], "truncated"),
        "empty.png": (b"", "empty"),
        "words.png": (b"not a picture at all", "not a picture"),
        "script.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    }
    for name, (content, reason) in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableError, match=reason):
            read_picture(tmp_path / name, 8)
    with pytest.raises(UnreadableError, match="No such file"):
        read_picture(tmp_path / "gone.png", 8)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 1000)
    with pytest.raises(UnreadableError, match="pixels"):
        read_picture(tmp_path / "whole.jpg", 8)


def test_a_bomb_is_not_decoded(tmp_path):
    bomb = bytearray(save(tmp_path, Image.new("1", (16, 16)), "bomb.bmp").read_bytes())
    bomb[18:26] = (20_000).to_bytes(4, "little") * 2
    (tmp_path / "bomb.bmp").write_bytes(bomb)
    with pytest.raises(UnreadableError, match="more than 178 million pixels"):
        read_picture(tmp_path / "bomb.bmp", 8)


# A folder


@pytest.fixture(scope="module")
def fifty_files(tmp_path_factory) -> Path:
    folder = fill(tmp_path_factory.mktemp("pictures") / "fifty", 50)
    (folder / "labels.json").write_text(json.dumps({f"{k:03}.png": ["odd", "even"][k % 2 == 0] for k in range(50)}))
    return folder


@pytest.fixture(scope="module")
def fifty(fifty_files) -> Folder:
    return open_folder(fifty_files, 16, seed=4)


def test_a_folder_of_one_kind(tmp_path):
    folder = fill(tmp_path / "flowers", 3)
    (folder / "notes.txt").write_text("not a picture")
    (folder / ".hidden.png").write_bytes(b"junk")
    found = open_folder(folder, 16, seed=0)
    assert (found.name, found.classes, found.count, found.skipped, found.enlarged) == ("flowers", (), 3, (), 0)
    images, labels = found.batch(0, 3, 16)
    assert labels is None
    assert images.dtype == torch.uint8
    rows = found.rows(0, 3)
    for image, row in zip(images, rows, strict=True):
        assert np.array_equal(image.numpy(), read_picture(folder / f"{row:03}.png", 16)[0])
    assert any("only 3 pictures" in note for note in found.provenance["notes"])
    json.dumps(found.provenance)
    assert str(tmp_path) not in json.dumps(found.provenance)


def test_batches_are_a_matter_of_seed_and_number(fifty, fifty_files):
    images, labels = fifty.batch(90, 60, 16)
    assert labels is not None
    for first, count in ((90, 1), (100, 17), (140, 10)):
        part, part_labels = fifty.batch(first, count, 16)
        assert torch.equal(part, images[first - 90 :][:count])
        assert torch.equal(part_labels, labels[first - 90 :][:count])
    again = open_folder(fifty_files, 16, seed=4)
    assert torch.equal(again.batch(90, 60, 16)[0], images)
    assert not np.array_equal(open_folder(fifty_files, 16, seed=5).rows(90, 60), fifty.rows(90, 60))
    empty, none = fifty.batch(7, 0, 16)
    assert empty.shape == (0, 3, 16, 16)
    assert none is not None
    assert none.shape == (0,)


def test_epochs_hold_everything_once_and_nothing_that_is_held_out(fifty):
    assert fifty.count == 48
    held = set(fifty.rows(0, 100, held_out=True).tolist())
    assert len(held) == 2
    orders = [fifty.rows(48 * epoch, 48) for epoch in range(4)]
    for order in orders:
        assert sorted(order.tolist()) == sorted(set(range(50)) - held)
    assert len({tuple(order) for order in orders}) == 4
    assert Counter(fifty.rows(0, 8, held_out=True).tolist()) == dict.fromkeys(held, 4)


def test_labels_belong_to_their_pictures(fifty):
    labels = fifty.batch(0, 48, 16)[1]
    assert fifty.classes == ("even", "odd")
    assert labels is not None
    assert labels.dtype == torch.int64
    assert labels.tolist() == [row % 2 for row in fifty.rows(0, 48).tolist()]
    assert fifty.provenance["classes"] == {"even": 25, "odd": 25}


def test_lower_resolutions_are_means_of_squares(fifty):
    images = fifty.batch(3, 5, 16)[0]
    for resolution in (8, 4, 1):
        times = 16 // resolution
        squares = images.double().unflatten(3, (resolution, times)).unflatten(2, (resolution, times))
        assert torch.equal(fifty.batch(3, 5, resolution)[0].double(), (squares.mean((3, 5)) + 0.5).floor())
    with pytest.raises(ValueError, match="no whole reduction"):
        fifty.batch(0, 1, 12)


def test_flips_are_of_the_number(tmp_path):
    folder = fill(tmp_path / "a", 10)
    plain, turning = (open_folder(folder, 16, seed=2, flip=flip) for flip in (False, True))
    images, turned = plain.batch(0, 200, 16)[0], turning.batch(0, 200, 16)[0]
    mirrored = [torch.equal(a.flip(2), b) for a, b in zip(images, turned, strict=True)]
    same = [torch.equal(a, b) for a, b in zip(images, turned, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 70 < sum(mirrored) < 130
    assert torch.equal(turning.batch(57, 3, 16)[0], turned[57:60])


def test_files_in_folders_and_behind_links(tmp_path):
    top = tmp_path / "top"
    fill(top / "a" / "deep", 2)
    fill(top / "__MACOSX", 2)
    fill(top / ".cache", 2)
    fill(tmp_path / "elsewhere", 3)
    (top / "a" / "round").symlink_to(top)
    (top / "a" / "above").symlink_to(tmp_path)
    (top / "a" / "again").symlink_to(top / "a" / "deep")
    (top / "a" / "outside").symlink_to(tmp_path / "elsewhere")
    (top / "a" / "one.png").symlink_to(tmp_path / "elsewhere" / "000.png")
    (top / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (top / "a" / "self.png").symlink_to(top / "a" / "self.png")
    found = open_folder(top, 16, seed=0)
    assert found.count == 2 + 3 + 1
    assert {path.name for path, _ in found.skipped} == {"gone.png", "self.png"}
    assert found.classes == ()


def test_one_damaged_among_many_costs_nothing_else(tmp_path):
    folder = fill(tmp_path / "many", 120)
    (folder / "050.png").write_bytes((folder / "050.png").read_bytes()[:200])
    (folder / "phone.heic").write_bytes(b"....ftypheic")
    found = open_folder(folder, 16, seed=0, cache=tmp_path / "cache")
    assert found.provenance["pictures"] == 119
    assert [path for path, _ in found.skipped] == [folder / "050.png", folder / "phone.heic"]
    assert "jpg or png" in found.skipped[1][1]
    images, _ = found.batch(0, found.count, 16)
    order = found.rows(0, found.count)
    names = [k for k in range(120) if k != 50]
    for image, row in zip(images, order, strict=True):
        assert np.array_equal(image.numpy(), read_picture(folder / f"{names[row]:03}.png", 16)[0])


def test_sub_folders_are_classes(tmp_path):
    fill(tmp_path / "x" / "cats" / "black", 2)
    fill(tmp_path / "x" / "birds", 3)
    (tmp_path / "x" / "empty").mkdir()
    found = open_folder(tmp_path / "x", 16, seed=0)
    assert found.classes == ("birds", "cats")
    labels = found.batch(0, 5, 16)[1]
    assert labels is not None
    assert labels.tolist() == [int(row > 2) for row in found.rows(0, 5)]
    fill(tmp_path / "x", 1)
    assert open_folder(tmp_path / "x", 16, seed=0).classes == ()


NAMES = ["000.png", "001.png", "in/000.png"]


@pytest.mark.parametrize(
    ("file", "content", "classes", "numbers"),
    [
        ("labels.json", json.dumps(dict(zip(NAMES, ["b", "a", "b"], strict=True))), ("a", "b"), [1, 0, 1]),
        ("labels.json", json.dumps(dict(zip(NAMES, [10, 2, 10], strict=True))), ("2", "10"), [1, 0, 1]),
        (
            "labels.json",
            json.dumps({"labels": [[NAMES[0], 0], [NAMES[1], 1], ["./in\\000.png", 1]]}),
            ("0", "1"),
            [0, 1, 1],
        ),
        ("dataset.json", json.dumps({"labels": [[name, len(name)] for name in NAMES]}), ("7", "10"), [0, 0, 1]),
        ("labels.csv", "file,class\n000.png,x\n001.png,y\n\nin/000.png,y\n", ("x", "y"), [0, 1, 1]),
        ("labels.csv", '\ufeff000.png;11\r\n001.png;9\r\n"in/000.png";9\r\n', ("9", "11"), [1, 0, 0]),
    ],
)
def test_files_of_labels(tmp_path, file, content, classes, numbers):
    fill(tmp_path / "x", 2)
    fill(tmp_path / "x" / "in", 1)
    (tmp_path / "x" / file).write_text(content, "utf-8")
    found = open_folder(tmp_path / "x", 16, seed=0)
    labels = found.batch(0, 3, 16)[1]
    assert labels is not None
    assert found.classes == classes
    assert labels.tolist() == [numbers[row] for row in found.rows(0, 3)]


def test_labels_that_make_no_classes(tmp_path):
    folder = fill(tmp_path / "x", 2)
    (folder / "dataset.json").write_text('{"labels": null}')
    assert open_folder(folder, 16, seed=0).batch(0, 1, 16)[1] is None
    (folder / "dataset.json").write_text('{"labels": [["000.png", 3], ["001.png", 3]]}')
    found = open_folder(folder, 16, seed=0)
    assert found.classes == ()
    assert "one class" in found.provenance["notes"][-1]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("labels.json", '{"000.png": "a"}', ["1 of 2 pictures have no class", "001.png"]),
        ("labels.json", '{"000.png": "a", "001.pmg": "a"}', ["no picture 001.pmg", "Did you mean '001.png'?"]),
        ("labels.json", '{"y/000.png": "a"}', ["no picture y/000.png", "Did you mean '000.png'?"]),
        ("labels.json", '{"labels.json": "a"}', ["can be read here"]),
        ("labels.json", '{"000.png": 1.5, "001.png": 2}', ["labels.json  000.png", "name or a number, not 1.5"]),
        ("labels.json", '{"000.png": true, "001.png": 2}', ["not true"]),
        ("labels.json", '{"000.png": [0, 1], "001.png": 2}', ["not [0, 1]", "One class"]),
        ("labels.json", '{"000.png": "", "001.png": "x"}', ['not ""']),
        ("labels.json", '{"000.png": -1, "001.png": 2}', ["not -1"]),
        ("labels.json", '{"000.png": 1, "001.png": "x"}', ['"x" stands among numbers']),
        ("labels.json", "[1, 2]", ["not [1, 2]", "Write {"]),
        ("labels.json", '{\n"000.png": }', ["labels.json:2:12", "isn't JSON"]),
        ("labels.json", "[" * 100_000, ["isn't JSON"]),
        ("dataset.json", '{"labels": [["000.png"]]}', ["labels[0]", 'a pair [file, class] is wanted, not ["000.png"]']),
        ("dataset.json", '{"labels": [["000.png", 0], ["000.png", 1]]}', ["labels[1]", "class 1 here and 0 before"]),
        ("labels.csv", "000.png,a,b\n", ["labels.csv:1", "two columns"]),
        ("labels.csv", "file,class\n000.png,a\n007.png,b\n", ["labels.csv:3", "no picture 007.png"]),
        ("labels.csv", "", ["2 of 2 pictures have no class"]),
    ],
)
def test_labels_that_do_not_fit(tmp_path, file, content, words):
    folder = fill(tmp_path / "x", 2)
    (folder / file).write_text(content)
    message = told(folder)
    assert file in message
    assert all(word in message for word in words), message


def test_labels_that_are_no_text_or_there_twice(tmp_path):
    folder = fill(tmp_path / "x", 2)
    (folder / "labels.json").write_bytes(b"\xff\xfe\x00")
    assert "isn't UTF-8" in told(folder)
    (folder / "labels.csv").write_text("000.png,1\n")
    assert "labels.json, labels.csv" in told(folder)


def test_folders_that_cannot_be_learned_from(tmp_path):
    fill(tmp_path / "flowers", 1)
    assert "Did you mean 'flowers'?" in told(tmp_path / "flower")
    assert "no such folder" in told(tmp_path / "no" / "where")
    (tmp_path / "set.zip").write_bytes(b"PK")
    message = told(tmp_path / "set.zip")
    assert "this is a file" in message
    assert "Unpack" in message
    (tmp_path / "empty").mkdir()
    assert "no pictures in this folder" in told(tmp_path / "empty")
    (tmp_path / "empty" / "a.heic").write_bytes(b"x")
    assert "heic" in told(tmp_path / "empty")
    (tmp_path / "broken").mkdir()
    for name in "abcd":
        (tmp_path / "broken" / f"{name}.jpg").write_bytes(b"x")
    message = told(tmp_path / "broken")
    assert "none of 4 pictures can be read: a.jpg (not a picture, or damaged)" in message
    assert "and 1 more" in message


# The cache


def test_nothing_changed_nothing_decoded(tmp_path, monkeypatch):
    folder, cache = fill(tmp_path / "x", 30), tmp_path / "cache"
    (folder / "bad.png").write_bytes(b"junk")
    decoded: list[str] = []
    real = folder_cache.read_picture

    def watched(path: Path, resolution: int):
        decoded.append(path.name)
        return real(path, resolution)

    monkeypatch.setattr(folder_cache, "read_picture", watched)
    steps: list[tuple[int, int]] = []
    first = open_folder(folder, 16, seed=1, cache=cache, progress=lambda *step: steps.append(step))
    assert sorted(decoded) == sorted([*(f"{k:03}.png" for k in range(30)), "bad.png"])
    assert steps == [(done, 31) for done in range(1, 32)]
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".npy"]

    decoded.clear()
    second = open_folder(folder, 16, seed=1, cache=cache)
    assert not decoded
    assert torch.equal(second.batch(0, 60, 16)[0], first.batch(0, 60, 16)[0])
    assert (second.fingerprint, second.skipped) == (first.fingerprint, first.skipped)
    assert second.provenance == first.provenance

    os.utime(folder / "003.png", (1, 1))
    touched = open_folder(folder, 16, seed=1, cache=cache)
    assert len(decoded) == 31
    assert touched.fingerprint == first.fingerprint, "times don't count, only what is in the files"

    Image.fromarray(noise(99)).save(folder / "003.png")
    changed = open_folder(folder, 16, seed=1, cache=cache)
    assert changed.fingerprint != first.fingerprint
    assert len(list(cache.iterdir())) == 2, "what was prepared before is gone"
    open_folder(folder, 8, seed=1, cache=cache)
    assert len(list(cache.iterdir())) == 4, "another resolution isn't"


def test_a_cache_that_is_damaged_is_made_again(tmp_path):
    folder, cache = fill(tmp_path / "x", 5), tmp_path / "cache"
    wanted = open_folder(folder, 16, seed=1, cache=cache).batch(0, 5, 16)[0]
    (array,), (notes,) = cache.glob("*.npy"), cache.glob("*.json")
    for damage in (
        lambda: array.write_bytes(array.read_bytes()[:-1]),
        lambda: array.write_bytes(b""),
        lambda: array.unlink(),
        lambda: notes.write_text("{}"),
        lambda: notes.write_text("nonsense"),
        lambda: np.save(array, np.zeros((5, 3, 8, 8), np.uint8)),
    ):
        damage()
        assert torch.equal(open_folder(folder, 16, seed=1, cache=cache).batch(0, 5, 16)[0], wanted)


def test_the_array_is_mapped_and_not_loaded(tmp_path):
    folder = open_folder(fill(tmp_path / "x", 5), 16, seed=1, cache=tmp_path / "cache")
    assert isinstance(folder._pictures, np.memmap)
    assert not folder._pictures.flags.writeable
    images = folder.batch(0, 5, 16)[0]
    images.zero_()
    assert folder.batch(0, 5, 16)[0].any(), "a batch is a copy"


def test_without_a_cache_nothing_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    folder = open_folder(fill(tmp_path / "x", 5), 16, seed=1)
    assert list((tmp_path / "tmp").iterdir())
    assert folder.batch(0, 5, 16)[0].any()
    del folder
    assert not list((tmp_path / "tmp").iterdir())


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    folder = fill(tmp_path / "x", 3)
    (tmp_path / "file").write_text("in the way")
    message = told(folder, cache=tmp_path / "file")
    assert "can't be kept here" in message
    assert "another folder for the cache" in message
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 100}))
    assert "GB are free" in told(folder, cache=tmp_path / "cache")


def test_the_fingerprint_is_of_the_content(tmp_path):
    def opened(name: str, **arguments: Any) -> Folder:
        return open_folder(tmp_path / name, 16, **{"seed": 1, **arguments})

    a = opened(fill(tmp_path / "a", 4).name)
    assert opened(fill(tmp_path / "b", 4).name).fingerprint == a.fingerprint
    assert opened(fill(tmp_path / "c", 5).name).fingerprint != a.fingerprint
    (tmp_path / "b" / "labels.csv").write_text("000.png,x\n001.png,x\n002.png,y\n003.png,y")
    labelled = opened("b").fingerprint
    assert labelled != a.fingerprint
    (tmp_path / "b" / "labels.csv").write_text("000.png,x\n001.png,y\n002.png,y\n003.png,y")
    assert opened("b").fingerprint not in (labelled, a.fingerprint)
