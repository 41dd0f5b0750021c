"""GIF, APNG and WebP from lossless segments: read back by Pillow and by our own reader."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from gandream.base.errors import RenderError
from gandream.video.animation import KINDS, animate, every, length_s, quality
from gandream.video.boxes import NotWholeError
from gandream.video.stamp import pieces, read_stamp, recipe_in, stamped

SIDE = 32
TITLE, RECIPE = "Nächtliche Fahrt", "model: x\r\n# <&> \u00fc \U0001f3b5\nwalk: {through: [1, 2]}\n"


def drawn(frames: int, alpha: bool = False) -> np.ndarray:
    """Smooth pictures, each another: uint8 [F, SIDE, SIDE, 3 or 4]."""
    at = np.arange(frames)[:, None, None]
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    red, green, blue = (127 + 120 * np.sin(2 * np.pi * (x * a + y * b) + at / 5) for a, b in ((1, 0), (0, 1), (1, 1)))
    opacity = np.clip(255 * (x * 2 - 0.5), 0, 255) + 0 * at
    return np.stack([red, green, blue, *([opacity] if alpha else [])], axis=-1).round().astype(np.uint8)


def planes(pictures: np.ndarray) -> np.ndarray:
    """As segments take them: G, B, R, A."""
    order = [1, 2, 0, 3][: pictures.shape[-1]]
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)[:, order]).reshape(len(pictures), -1)


def shown(path: Path, mode: str) -> tuple[np.ndarray, list[float]]:
    """Pictures as Pillow decodes them, and their delays in ms."""
    with Image.open(path) as file:
        frames = [
            (np.array(frame.convert(mode)), float(frame.info["duration"])) for frame in ImageSequence.Iterator(file)
        ]
    return np.stack([one for one, _ in frames]), [delay for _, delay in frames]


@pytest.fixture
def made(make_segments, small, tmp_path):
    """Make an animation; gives its path and its pictures."""

    def make(kind: str, counts=(9, 8), fps=Fraction(25), alpha=False, crf=None, pictures=None, **words):
        fmt = small(width=SIDE, height=SIDE, fps=fps, codec="ffv1", subsampling="rgb", alpha=alpha)
        pictures = drawn(sum(counts), alpha) if pictures is None else pictures
        segments = make_segments(fmt, counts, planes(pictures))
        path = tmp_path / f"x.{kind}"
        animate(segments, counts, fmt, path, kind, crf=crf, **{"title": TITLE, "recipe_text": RECIPE, **words})
        return path, pictures

    return make


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_animation_has_every_picture_for_as_long_as_it_should(made, kind):
    path, pictures = made(kind)
    decoded, delays = shown(path, "RGB")
    assert decoded.shape == pictures.shape
    assert delays == [40] * 17
    error = decoded.astype(float) - pictures
    assert np.sqrt(np.mean(error**2)) <= {"gif": 16, "apng": 0, "webp": 7}[kind]
    # The dither of a GIF is gone where pixels are averaged, as the eye does.
    calm = error.reshape(17, SIDE // 4, 4, SIDE // 4, 4, 3).mean(axis=(2, 4))
    assert np.abs(calm).mean() < {"gif": 5, "apng": 1e-9, "webp": 3}[kind]


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_animation_says_its_title_and_its_recipe_and_never_ends(made, kind):
    path, _ = made(kind, (3,))
    stamp = read_stamp(path)
    assert (stamp.title, stamp.recipe, stamp.loops) == (TITLE, RECIPE, 0)
    assert recipe_in(path) == RECIPE
    assert path.read_bytes() == made(kind, (3,))[0].read_bytes(), "the same bytes every time"


@pytest.mark.parametrize("fps", ["24000/1001", "60", "7/3", "120"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_delays_add_up_to_the_length_to_a_tick_and_every_end_is_the_nearest(made, kind, fps):
    rate = Fraction(fps)
    path, _ = made(kind, (23,), rate)
    delays, step, unit = read_stamp(path).delays_s, every(kind, rate), KINDS[kind].tick_s
    assert len(delays) == 23 // step + (23 % step / rate >= KINDS[kind].shortest_s)
    assert min(delays) >= KINDS[kind].shortest_s, "what is shorter browsers show for 100 ms"
    assert abs(sum(delays) - 23 / rate) <= unit
    for at in range(1, len(delays)):
        assert abs(sum(delays[:at]) - at * step / rate) <= unit / 2
    if kind == "apng":
        assert sum(delays) == length_s(kind, 23, rate)


def test_frames_are_dropped_evenly_where_players_show_no_more():
    assert [every("gif", Fraction(fps)) for fps in (25, 50, 51, 60, 100, 120, 240)] == [1, 1, 2, 2, 2, 3, 5]
    assert [every("webp", Fraction(fps)) for fps in (60, 90, 91, 120, 240)] == [1, 1, 2, 2, 3]


def test_dropped_frames_are_the_right_ones(made):
    path, pictures = made("apng", (11, 10), Fraction(120))
    assert np.array_equal(shown(path, "RGB")[0], pictures[:20:2]), "the 21st alone would be too short"


@pytest.mark.parametrize("kind", ["apng", "webp"])
def test_what_is_transparent_stays_so(made, kind):
    path, pictures = made(kind, (4,), alpha=True, crf=0 if kind == "webp" else None)
    decoded, _ = shown(path, "RGBA")
    assert np.array_equal(decoded[..., 3], pictures[..., 3])
    seen = pictures[..., 3] > 0  # the colour of what is not seen is nobody's business
    assert np.array_equal(decoded[seen], pictures[seen])


def test_lossless_webp_is_exact_and_quality_follows_the_rate_factor(made):
    exact, pictures = made("webp", (3,), crf=0)
    assert np.array_equal(shown(exact, "RGB")[0], pictures)
    small = made("webp", (3,), crf=40)[0].stat().st_size
    assert small < made("webp", (3,))[0].stat().st_size < exact.stat().st_size * 3
    assert [quality(crf) for crf in (None, 0, 17, 34, 63)] == [85, 100, 85, 70, 44]


@pytest.mark.parametrize("kind", list(KINDS))
def test_pictures_that_stand_still_take_their_time(made, kind):
    still = np.repeat(drawn(1), 12, axis=0)
    path, _ = made(kind, (12,), pictures=still)
    assert sum(read_stamp(path).delays_s) == Fraction(12, 25)
    assert np.abs(shown(path, "RGB")[0][-1].astype(int) - still[0]).mean() < 12


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_cut_off_file_is_noticed_at_every_length(made, kind):
    data = made(kind, (3,))[0].read_bytes()
    assert pieces(data)
    for end in [*range(1, 200), *range(200, len(data) - 1, 997), len(data) - 1]:
        with pytest.raises(NotWholeError):
            pieces(data[:end])


def test_texts_are_replaced_and_not_added_to(made):
    for kind in KINDS:
        data = made(kind, (2,))[0].read_bytes()
        again = b"".join(stamped(data, "x", ""))
        assert b"".join(stamped(again, TITLE, RECIPE)) == data
        assert len(again) < len(data)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_film_of_one_frame_is_an_animation_too(made, kind):
    path, pictures = made(kind, (1,), alpha=kind == "webp", crf=0 if kind == "webp" else None)
    stamp = read_stamp(path)
    assert (stamp.delays_s, stamp.recipe, stamp.loops) == (
        (Fraction(1, 25),),
        RECIPE,
        0 if kind != "gif" else stamp.loops,
    )
    with Image.open(path) as file:
        assert (
            np.abs(np.array(file.convert("RGB")).astype(int) - pictures[0, ..., :3])[pictures[0, ..., -1] > 0].mean()
            < 12
        )


def test_what_is_missing_is_told(made, monkeypatch, small, tmp_path):
    monkeypatch.setattr("gandream.base.ffmpeg.encoders", lambda: frozenset({"gif"}))
    with pytest.raises(RenderError, match="libwebp_anim"):
        animate([], [1], small(), tmp_path / "x.webp", "webp")
    monkeypatch.undo()
    wide = small(width=20_000, height=32)
    with pytest.raises(RenderError, match="16383"):
        animate([], [1], wide, tmp_path / "x.webp", "webp")
    assert not (tmp_path / "x.webp").exists()
