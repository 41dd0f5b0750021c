"""What is seen in frames, against pictures and rhythms whose answer is known; and how it is kept with a segment."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gandream.rendering.store import Store
from gandream.video.colour import planes
from gandream.video.facts import Streams, read_back
from gandream.video.join import join
from gandream.video.quality.beside import attach, attached, look
from gandream.video.quality.flashes import changes, hazards
from gandream.video.quality.judge import judge
from gandream.video.quality.looks import POINTS, Looks, looks_of, points_of, together, unpacked
from gandream.video.quality.timing import differences

FPS = 30


def film(light: np.ndarray) -> Looks:
    """Looks of frames whose points have these display values: [F] or [F, 72, 72] of 0..255."""
    light = np.asarray(light)
    light = light[:, None, None] if light.ndim == 1 else light
    return looks_of(np.repeat(np.broadcast_to(light, (len(light), POINTS, POINTS))[..., None], 3, 3).astype(np.uint8))


def same(one: Looks | None, other: Looks) -> bool:
    return one is not None and all(np.array_equal(vars(one)[name], vars(other)[name]) for name in vars(other))


def moving(frames: int, seed: int = 0) -> np.ndarray:
    """A ramp that travels through the picture, with no luminance of its own that changes: [F, 72, 72]."""
    at = np.arange(POINTS)[None, None, :] + np.arange(frames)[:, None, None] * 0.7 + seed
    wave = 128 + 60 * np.sin(2 * np.pi * at / POINTS)
    return np.broadcast_to(wave, (frames, POINTS, POINTS))


def kinds(looks: Looks, **said) -> list[tuple[str, int, int]]:
    return [(one.kind, one.start, one.stop) for one in judge(looks, FPS, **said)]


def test_luminance_is_that_of_wcag():
    colours = np.zeros((3, POINTS, POINTS, 3), np.uint8)
    colours[0], colours[1], colours[2] = (255, 0, 0), (128, 128, 128), (0, 200, 40)
    # By the definition of "relative luminance" in WCAG 2.2, worked out by hand.
    assert looks_of(colours).luminance[:, 0, 0] == pytest.approx([0.2126, 0.2159, 0.4149], abs=0.004)


def test_looks_survive_packing_and_joining():
    one, other = film(moving(7)), film(moving(5, seed=9))
    assert same(unpacked(one.packed()), one)
    assert unpacked(b"looks1 something else") is None
    assert unpacked(one.packed()[:-9]) is None
    both = together([one, other])
    assert both.frames == 12
    assert both.change[0] == 0
    assert both.change[7] > both.change[6] > 0, "where they meet there is a cut"


def test_points_are_taken_from_every_part_of_the_picture():
    pixels = np.arange(144 * 288, dtype=np.uint32).reshape(144, 288, 1)
    found = points_of(pixels)[..., 0]
    assert (found.shape, found[0, 0], found[-1, -1]) == ((POINTS, POINTS), 288 + 2, 143 * 288 + 286)


def test_a_film_that_only_moves_has_no_flaws():
    assert kinds(film(moving(300)), closes=False) == []


def test_black_is_found_to_the_frame():
    frames = moving(120).copy()
    frames[40:70] = 3
    assert kinds(film(frames)) == [("black", 40, 70)]
    frames[50:60, 30:36, 20:50] = 200  # a title in the dark
    assert kinds(film(frames)) == []


def test_standing_still_is_found_against_slow_movement():
    frames = moving(200).copy()
    frames[60:140] = frames[60]
    assert kinds(film(frames)) == [("frozen", 60, 140)]
    slow = 60 + np.linspace(0, 40, 200)  # a fifth of a display value from frame to frame
    assert kinds(film(slow[:, None, None] + moving(1))) == []


def test_a_short_rest_and_grain_are_no_standstill():
    frames = moving(200).copy()
    frames[60:110] = frames[60]
    assert kinds(film(frames)) == []
    grain = np.random.default_rng(0).normal(0, 3, (200, POINTS, POINTS))
    assert kinds(film(moving(1) + grain)) == []


def test_burnt_out_pictures_are_found():
    frames = moving(150).copy()
    frames[30:100, :, :50] = 255
    found = judge(film(frames), FPS)
    assert [(one.kind, one.start, one.stop) for one in found] == [("clipped", 30, 100)]
    assert found[0].amount == pytest.approx(50 / 72, abs=0.01)


def test_full_colours_are_found_where_they_are_much_of_the_picture():
    points = np.repeat(moving(150)[..., None], 3, 3).astype(np.uint8)
    points[20:90, :30, :, 0] = 255
    assert [(one.kind, one.start, one.stop) for one in judge(looks_of(points), FPS)] == [("clipped", 20, 90)]
    points[20:90, 12:30] = 100  # a sixth of the picture may be a flat ground of one bright colour
    assert judge(looks_of(points), FPS) == []


def test_flicker_from_frame_to_frame_is_found():
    frames = moving(90).copy()
    frames[30:60:2] += 8  # far below a flash
    assert kinds(film(frames)) == [("flicker", 29, 60)]
    beat = moving(90).copy()
    beat[::10] += 8
    assert kinds(film(beat)) == [], "a rhythm is none"


def strobe(per_second: float, low: int = 40, high: int = 200, area: float = 1.0) -> np.ndarray:
    frames = np.full((90, POINTS, POINTS), low)
    lit = (np.arange(90) / FPS * per_second) % 1 < 0.5
    frames[lit, : round(area * POINTS)] = high
    return frames


@pytest.mark.parametrize(
    ("frames", "harms"),
    [
        (strobe(2.5), False),
        (strobe(3.0), False),
        (strobe(5.0), True),
        (strobe(10.0), True),
        (strobe(5.0, area=1 / 6), False),
        (strobe(5.0, area=1 / 3), True),
        (strobe(5.0, low=120, high=135), False),  # relative luminance 0.19 and 0.24: half of a tenth
        (strobe(5.0, low=240, high=255), False),  # the darker one is above 0.8
    ],
)
def test_flashes_by_the_rule(frames: np.ndarray, harms: bool):
    assert bool(hazards(film(frames).luminance, FPS)) is harms


def test_flashes_are_counted_and_placed():
    frames = np.concatenate([np.full((60, POINTS, POINTS), 40), strobe(5.0), np.full((60, POINTS, POINTS), 40)])
    ((start, stop, count),) = hazards(film(frames).luminance, FPS)
    assert count == 5
    assert 60 <= start <= 63
    assert 140 <= stop <= 150


def test_what_moves_through_the_picture_changes_no_quarter_of_it_at_once():
    bars = np.where((np.arange(POINTS)[None, None, :] + np.arange(90)[:, None, None] * 2) % POINTS < 12, 220, 40)
    assert not changes(film(np.broadcast_to(bars, (90, POINTS, POINTS))).luminance, FPS).size


def test_a_seam_is_found_only_where_the_film_closes():
    turn = moving(103)[:103]  # 72 points at 0.7 a frame: 102.86 frames
    assert kinds(film(turn), closes=True) == []
    jump = moving(160)[:60]
    assert kinds(film(jump), closes=False) == []
    assert kinds(film(jump), closes=True) == [("seam", 59, 60)]


@pytest.mark.parametrize("codec", ["h264", "vp9", "ffv1"])
def test_statistics_are_at_the_end_of_each_segment(make_segments, small, codec: str, tmp_path):
    alpha = codec == "vp9"
    fmt = small(codec=codec, alpha=alpha, preset="ultrafast")
    paths = make_segments(fmt, [10, 6])
    assert paths[0].suffix == (".mkv" if alpha else f".{fmt.row.segment}")
    for path, frames in zip(paths, (10, 6), strict=True):
        kept, anew = attached(path), look(path)
        assert kept is not None
        assert kept.frames == frames
        assert same(kept, anew)
    target = tmp_path / ("film.webm" if alpha else "film.mkv" if codec == "ffv1" else "film.mp4")
    join(paths, [10, 6], fmt, target)
    facts = read_back(target)
    assert facts.frames == 16
    if target.suffix == ".mp4":
        assert facts.fps == fmt.fps
    assert attached(target) is None, "they don't get into the film"


def test_a_segment_without_statistics_is_looked_at_anew(make_segments, small, tmp_path):
    store = Store(tmp_path / "store")
    fmt = small(preset="ultrafast")
    (path,) = make_segments(fmt, [8], folder=tmp_path)
    data, kept = path.read_bytes(), attached(path)
    assert kept is not None
    length = int.from_bytes(data[-20:-16], "big")
    for name, content in (("with", data), ("without", data[:-length])):
        part = tmp_path / f"{name}.mp4"
        part.write_bytes(content)
        assert (attached(part) is None) is (name == "without")
        store.publish(part, f"key{name}")
    found = store.looks(["keywith", "keywithout"])
    assert found is not None
    assert found.frames == 16
    assert np.array_equal(found.light[:8], found.light[8:])
    assert store.looks(["keywith", "another"]) is None


def test_what_is_at_the_end_of_a_file_may_be_anything(tmp_path):
    file = tmp_path / "x.mp4"
    for content in (b"", b"short", bytes(4000), np.random.default_rng(0).bytes(4000)):
        file.write_bytes(content)
        assert attached(file) is None
    attach(file, film(moving(3)))
    data = bytearray(file.read_bytes())
    data[-20:-16] = (10**6).to_bytes(4, "big")
    file.write_bytes(data)
    assert attached(file) is None


def test_pictures_become_the_light_that_they_have(make_segments, small):
    import torch

    fmt = small(preset="ultrafast", crf=4)
    ramp = torch.linspace(-1, 1, 64).expand(1, 3, 48, 64).repeat(4, 1, 1, 1)
    (path,) = make_segments(fmt, [4], planes(ramp, "420").numpy())
    found = attached(path)
    assert found is not None
    light = found.light[0].mean(axis=0).astype(float)
    expected = looks_of(
        (np.linspace(0, 255, POINTS)[None, None, :, None] * np.ones((1, POINTS, 1, 3))).astype(np.uint8)
    )
    assert np.abs(light - expected.light[0].mean(axis=0)).max() < 5


def streams(times, sound_at=Fraction(0), samples=48000, rate=48000) -> Streams:
    return Streams(tuple(times), Fraction(1, 25), rate, 2, samples, sound_at)


def test_times_of_frames_and_sound_are_held_against_the_plan():
    fps, even = Fraction(25), [Fraction(at, 25) for at in range(25)]

    def told(found: Streams, frames: int = 25) -> list[str]:
        return [f"{kind} {words}" for kind, _, words in differences(found, frames, fps, sound=True)]

    assert told(streams(even)) == []
    assert told(streams([time + Fraction(1, 2500) for time in even])) == [], "Matroska rounds to milliseconds"
    assert told(streams(even[:-1])) == ["dropped the file has 24 frames, and 25 were made"]
    late = [*even[:7], even[7] + Fraction(1, 50), *even[8:]]
    assert told(streams(late)) == ["dropped 1 frame isn't shown at its time (frame 7): up to 20 ms off"]
    assert told(streams(even, Fraction(3, 25))) == ["sound it begins 120 ms after the picture"]
    assert told(streams([time + Fraction(1, 10) for time in even])) == ["sound it begins 100 ms before the picture"]
    assert told(streams(even, samples=40000)) == ["sound it is too short: 0.833 s of 1.000 s"]
    assert told(streams(even, samples=0, rate=0)) == ["sound the file has no sound, and the recipe has"]
