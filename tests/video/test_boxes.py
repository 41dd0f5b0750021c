from __future__ import annotations

import contextlib
import random
from fractions import Fraction

import pytest

from gandream.base import ffmpeg
from gandream.video.boxes import NotWholeError, picture_track


@pytest.mark.parametrize("fps", ["24000/1001", "7/3"])
def test_what_it_says(make_segments, small, fps):
    fmt = small(fps=Fraction(fps))
    track = picture_track(make_segments(fmt, [11])[0])
    assert (track.codec, track.width, track.height, track.samples) == ("avc1", 64, 48, 11)
    assert Fraction(track.ticks, track.timescale) == 1 / fmt.fps
    assert track.starts_with_key
    assert b"avcC" in track.config


def test_config_is_the_settings_and_not_the_pictures(make_segments, small, tmp_path):
    (tmp_path / "b").mkdir()
    one, two = make_segments(small(), [11, 3])
    (other,) = make_segments(small(preset="medium"), [11], folder=tmp_path / "b")
    assert picture_track(one).config == picture_track(two).config != picture_track(other).config


def test_every_cut_is_noticed(make_segments, small, tmp_path):
    data = make_segments(small(), [5])[0].read_bytes()
    short = tmp_path / "short.mp4"
    for length in [*range(0, 200), *range(200, len(data), 37), len(data) - 1]:
        short.write_bytes(data[:length])
        with pytest.raises(NotWholeError):
            picture_track(short)


def test_damage_is_noticed_or_harmless(make_segments, small, tmp_path):
    """Whatever is in the file: an answer or NotWholeError, at once."""
    data = make_segments(small(), [5])[0].read_bytes()
    chance, broken = random.Random(0), tmp_path / "broken.mp4"
    index = data.index(b"moov")
    for _ in range(1500):
        changed = bytearray(data)
        for _ in range(chance.choice([1, 1, 2, 8])):
            changed[chance.randrange(index - 4, len(data))] = chance.choice([0, 1, 127, 255, chance.randrange(256)])
        broken.write_bytes(changed)
        with contextlib.suppress(NotWholeError):
            picture_track(broken)


def test_what_is_no_film(tmp_path):
    for content in (b"", b"text, and more than sixteen bytes of it", bytes(100), b"\xff" * 100):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(NotWholeError):
            picture_track(tmp_path / "x")
    ffmpeg.run(*ffmpeg.QUIET, "-f", "lavfi", "-i", "anullsrc", "-t", "1", tmp_path / "sound.m4a")
    with pytest.raises(NotWholeError, match="0 picture tracks"):
        picture_track(tmp_path / "sound.m4a")
