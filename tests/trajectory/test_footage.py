"""``walk: {footage: clip.mp4}``: a video's pictures lead the way."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from films import film_of

from gandream.audio.cache import Shelf
from gandream.base.errors import RecipeError
from gandream.base.hashing import file_fingerprint
from gandream.models.registry import describe
from gandream.trajectory import footage
from gandream.trajectory.compose import compose
from gandream.trajectory.footage import CELLS, SIDE, seconds_of, watch, watched
from gandream.trajectory.paths.filmed import Filmed

SPEC = describe("cppn#7")
ASSETS = Path(__file__).parents[2]


def scene(number: int) -> np.ndarray:
    """A picture of 4 x 4 colours."""
    return np.random.RandomState(number).randint(0, 255, (4, 4, 3), np.uint8)


@pytest.fixture
def clip(tmp_path):
    """Two scenes of a second, and the first again, a little lighter."""
    lighter = np.clip(scene(1).astype(int) + 12, 0, 255).astype(np.uint8)
    return film_of(np.stack([scene(1)] * 30 + [scene(2)] * 30 + [lighter] * 30), tmp_path / "clip.mkv")


@pytest.fixture
def laid(written):
    return lambda walk, film="": compose(written(f"walk: {walk}\n{film}"), SPEC).trajectory


def alike(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_pictures_are_read_as_they_are(clip, written):
    recipe = written("walk: {footage: clip.mkv}")
    cells = watched(recipe.walk.footage, recipe, ("walk", "footage"))
    assert cells.shape == (90, CELLS)
    assert seconds_of(cells) == 3
    # BT.601, as ffmpeg converts RGB of no stated matrix, limited range; twelve cells are three to a square.
    luma = 16 + scene(2) @ np.array([0.299, 0.587, 0.114]) * 219 / 255
    found = cells[45, : SIDE * SIDE].reshape(SIDE, SIDE)[1::3, 1::3]
    np.testing.assert_allclose(found, luma, atol=2.5)


def test_alike_pictures_lead_to_alike_latents(clip, laid):
    z = laid("{footage: {file: clip.mkv, smooth: 0}}").latents(0, 90)
    assert z.shape == (90, 64)
    assert alike(z[10], z[25]) == pytest.approx(1, abs=1e-6), "nothing moves within a scene"
    assert alike(z[10], z[70]) > 0.97
    assert abs(alike(z[10], z[45])) < 0.5
    assert 0.75 < np.sqrt((z[[10, 45]] ** 2).mean()) < 1.25


def test_angles_between_pictures_are_angles_between_latents():
    """Over wide z: the cosine of two latents is that of the two pictures, without their means."""
    random = np.random.RandomState(0)
    first, second = random.randint(60, 200, (2, CELLS), np.uint8)
    mixed = (0.7 * first.astype(float) + 0.3 * second).astype(np.uint8)
    cells = np.stack([first, mixed, second])
    path = Filmed(cells, 3, 20000, loop=False)(np.arange(3.0))
    seen = cells.astype(float)
    seen[:, : SIDE**2] -= seen[:, : SIDE**2].mean(axis=1, keepdims=True)
    seen[:, SIDE**2 :] -= 128
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert alike(path[a], path[b]) == pytest.approx(alike(seen[a], seen[b]), abs=0.02)
    np.testing.assert_allclose(path.var(axis=1), 1, atol=0.03)


def test_a_black_picture_is_near_the_middle_and_nothing_is_torn():
    cells = np.zeros((3, CELLS), np.uint8)
    cells[:, SIDE**2 :] = 128
    cells[1, 5] = 1
    path = Filmed(cells, 3, 64)(np.linspace(0, 3, 40))
    assert np.isfinite(path).all()
    assert np.abs(path).max() < 0.1


def test_smoothing_makes_a_cut_a_glide(clip, laid):
    hard, soft = (laid(f"{{footage: {{file: clip.mkv, smooth: {s}}}}}").latents(0, 90) for s in ("0", "0.2s"))
    steps = [np.linalg.norm(np.diff(z, axis=0), axis=1) for z in (hard, soft)]
    assert steps[1].max() < 0.25 * steps[0].max()
    assert np.argmax(steps[0][:50]) == 29
    assert alike(hard[15], soft[15]) > 0.999


def test_a_film_lasts_as_long_as_its_video_at_any_frame_rate(clip, laid):
    assert laid("{footage: clip.mkv}").frames == 90
    slow = laid("{footage: clip.mkv}", "video: {fps: 15}")
    assert slow.frames == 45
    np.testing.assert_allclose(slow.latents(0, 45), laid("{footage: clip.mkv}").latents(0, 90)[::2], atol=1e-6)


def test_a_clip_of_another_frame_rate_keeps_its_time(tmp_path, laid):
    film_of(np.stack([scene(1)] * 24 + [scene(2)] * 24), tmp_path / "slow.mkv", fps=12)
    z = laid("{footage: {file: slow.mkv, smooth: 0}}").latents(0, 120)
    assert alike(z[50], z[5]) > 0.999
    assert alike(z[70], z[115]) > 0.999
    assert alike(z[5], z[70]) < 0.6


def test_around_a_latent_it_stays_near(clip, laid):
    z = laid("{footage: {file: clip.mkv, around: 7, amount: 0.3}}").latents(0, 90)
    away = z - np.random.RandomState(7).randn(64)
    assert 0.2 < np.sqrt((away**2).mean(axis=1)).mean() < 0.4


def test_without_loop_it_stays_at_its_last_picture(clip, laid):
    z = laid("{footage: clip.mkv, loop: false}", "video: {duration: 5s}").latents(0, 150)
    np.testing.assert_array_equal(z[100:], np.tile(z[149], (50, 1)))


def test_a_later_change_of_the_video_leaves_earlier_keys_alone(tmp_path, laid):
    pictures = np.stack([scene(number // 10) for number in range(120)])
    film_of(pictures, tmp_path / "clip.mkv")
    first = laid("{footage: {file: clip.mkv, smooth: 0.1s}}")
    pictures[105:] = scene(99)
    film_of(pictures, tmp_path / "clip.mkv")
    second = laid("{footage: {file: clip.mkv, smooth: 0.1s}}")
    changed = [first.key(at, at + 30) != second.key(at, at + 30) for at in range(0, 120, 30)]
    # The first second sees the end, as the video begins again after it.
    assert changed == [True, False, False, True]


def test_seeds_lead_elsewhere(clip, laid):
    one, other, same = (laid(f"{{footage: {{file: clip.mkv, seed: {s}}}}}").latents(0, 1)[0] for s in (1, 2, 1))
    np.testing.assert_array_equal(one, same)
    assert abs(alike(one, other)) < 0.5


def test_what_was_seen_is_kept_by_content(clip, written, tmp_path):
    recipe = written(
        "mix: {from: {footage: clip.mkv}, layers: fine}\nregions: {from: {footage: clip.mkv}, where: left}"
    )
    watch(recipe, tmp_path / "cache")
    (entry,) = (tmp_path / "cache").rglob("*.npz")
    shelf = Shelf(tmp_path / "cache", file_fingerprint(clip))
    assert entry.parent.name == shelf.fingerprint[:32]
    cells = watched(recipe.mix[0].source.footage, recipe, ())
    np.testing.assert_array_equal(np.load(entry)["cells"], cells)


BAD = {
    "text.mp4": "this is no video that can be read: there are no pictures in it",
    "picture.png": "this is no video that can be read: there are no pictures in it",
    "sound.mkv": "this is no video that can be read: there are no pictures in it",
    "one.mkv": "this is no video that can be read: it is a single picture",
    "list.m3u8": "this is no video that can be read: there are no pictures in it",
    "empty.mp4": "this is no video that can be read: there are no pictures in it",
    "long.mkv": "this video is longer than an hour",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_video_is_told(tmp_path, laid, name, monkeypatch, clicks):
    file = tmp_path / name
    if name == "picture.png":
        shutil.copy(ASSETS / "tests" / "effects" / "logo.png", file)
    elif name == "sound.mkv":
        footage.ffmpeg.run("-loglevel", "error", "-i", clicks, "-t", "1", file)
    elif name == "one.mkv":
        film_of(scene(1)[None], file)
    elif name == "long.mkv":
        monkeypatch.setattr(footage, "MOST", 20)
        film_of(np.stack([scene(1)] * 30), file)
    elif name == "list.m3u8":
        film_of(np.stack([scene(1)] * 30), tmp_path / "part.mkv")
        file.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\npart.mkv\n#EXT-X-ENDLIST\n")
    else:
        file.write_text("words" if name == "text.mp4" else "")
    with pytest.raises(RecipeError) as caught:
        laid(f"{{footage: {name}}}")
    assert caught.value.problem == BAD[name]
    assert "map" not in caught.value.hint, "that is what ffmpeg was told, and nothing that is wrong with the file"
    assert "walk.footage" in caught.value.where
    assert "whitelist" not in caught.value.hint


@pytest.mark.parametrize(
    ("walk", "problem"),
    [
        ("{footage: nowhere.mp4}", "no such file"),
        ("{footage: {file: clip.mkv, smooth: -1s}}", "can't be negative"),
        ("{footage: clip.mkv, pace: perceptual}", "`footage` goes as it is written"),
        ("{footage: clip.mkv, every: 2s}", "`every` goes with `through`"),
        ("{footage: clip.mkv, wander: 2s}", "a walk is one of"),
        ("{footage: {file: clip.mkv, around: mean}, space: z}", "only there in w"),
        ("{footage: 7}", "wanted the name of a video file"),
        ("footage", "which file?"),
        ("file", "which file?"),
    ],
)
def test_wrong_words_are_told(clip, laid, walk, problem):
    with pytest.raises(RecipeError) as caught:
        laid(walk)
    assert problem in caught.value.problem


def test_a_video_is_a_whole_number_of_pictures():
    assert seconds_of(np.zeros((45, CELLS), np.uint8)) == Fraction(3, 2)
