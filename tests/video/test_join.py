from __future__ import annotations

import os
import shutil
from fractions import Fraction

import numpy as np
import pytest

from gandream.base import ffmpeg
from gandream.base.errors import AudioError, OutputError, RenderError
from gandream.base.files import left_behind, machine
from gandream.video.facts import read_back
from gandream.video.join import join
from gandream.video.metadata import read_metadata, recipe_of
from gandream.video.sound import Sound, encode_sound

RATES = ["24000/1001", "25", "30000/1001", "30", "50", "60", "25/2", "1", "7/3", "120000/1001", "999983/40000"]


COUNTS = [(1,), (7,), (9, 1, 2, 11, 1), (1, 3)]
FAST = {(rate, COUNTS[2]) for rate in RATES} | {("24000/1001", counts) for counts in COUNTS}
"""Many segments at every rate, and every way to cut at one of the odd rates; the rest when there is time."""
CUTS = [
    pytest.param(rate, counts, marks=[] if (rate, counts) in FAST else pytest.mark.slow, id=f"{rate}-{counts}")
    for rate in RATES
    for counts in COUNTS
]


@pytest.mark.parametrize(("fps", "counts"), CUTS)
def test_every_frame_on_its_exact_time(make_segments, small, decode, tmp_path, fps, counts):
    fmt = small(fps=Fraction(fps))
    film = tmp_path / "film.mp4"
    segments = make_segments(fmt, counts)
    join(segments, counts, fmt, film)
    facts = read_back(film)
    assert facts.times_s == tuple(index / fmt.fps for index in range(sum(counts)))
    assert facts.fps == fmt.fps
    assert (facts.frames, facts.rate_hz) == (sum(counts), 0)
    assert (facts.codec, facts.width, facts.height, facts.colours) == ("h264", 64, 48, "tv, bt709")
    # Not one pixel of a segment is another in the film.
    assert np.array_equal(decode(film, fmt), np.concatenate([decode(path, fmt) for path in segments]))


@pytest.mark.slow
def test_no_drift_over_many_segments(make_segments, small, tmp_path):
    """A microsecond, in which ffconcat counts, is no whole number of ticks: rounding lengths would add up."""
    fmt = small(fps=Fraction(24000, 1001))
    one, two = make_segments(fmt, [5, 7])
    counts = [5, 7] * 1500
    join([one, two] * 1500, counts, fmt, tmp_path / "film.mp4")
    facts = read_back(tmp_path / "film.mp4")
    assert facts.times_s == tuple(index / fmt.fps for index in range(sum(counts)))


def tone(path, seconds=3, *options, rate=44100, channels=2):
    """A sound file of a tone whose loudness rises, so that a shift is seen."""
    source = f"aevalsrc='0.1*t*sin(2*PI*440*t)':s={rate}:d={seconds}"
    pan = f"pan={channels}c|" + "|".join(f"c{c}={1 - c / 10:g}*c0" for c in range(channels))
    ffmpeg.run(*ffmpeg.QUIET, "-f", "lavfi", "-i", source, "-af", pan, *options, "-y", ffmpeg.file_url(path))
    return path


def test_the_same_bytes_every_time_and_everywhere(make_segments, small, tmp_path, monkeypatch):
    fmt = small()
    sound = Sound(tone(tmp_path / "a.wav"), Fraction(1, 7))
    segments = make_segments(fmt, [9, 4])
    elsewhere = tmp_path / "else where"
    (elsewhere / "deep").mkdir(parents=True)
    join(segments, [9, 4], fmt, tmp_path / "film.mp4", sound=sound, title="T", recipe_text="r: 1")
    copies = [shutil.copy(path, elsewhere) for path in segments]
    moved = Sound(shutil.copy(sound.path, elsewhere / "b.wav"), sound.start_s)
    monkeypatch.chdir(elsewhere)
    relative = [type(sound.path)(os.path.relpath(path)) for path in copies]
    again = type(sound.path)("deep/other.mp4")
    join(relative, [9, 4], fmt, again, sound=moved, title="T", recipe_text="r: 1")
    made = again.read_bytes()
    assert made == (tmp_path / "film.mp4").read_bytes()
    for trace in (b"/tmp", b"else", b"Lavf6", b"Lavf5", b"Lavc6"):
        assert trace not in made
    # Encoding again, in another folder and another process, gives the same as well.
    make_segments(fmt, [9, 4], folder=elsewhere / "deep")
    assert sorted(path.name for path in segments) == sorted(
        path.name for path in (elsewhere / "deep").iterdir() if path.name != "other.mp4"
    )


SOUNDS = [(44100, 1, 44100, 1), (48000, 2, 48000, 2), (22050, 1, 48000, 1), (96000, 2, 48000, 2), (48000, 6, 48000, 2)]
LENGTHS = [(13, "24000/1001"), (40, "10"), (1, "25"), (31, "999983/40000")]
SOUND_CUTS = [
    pytest.param(*sound, *length, marks=pytest.mark.slow if sound_number and number else [])
    for sound_number, sound in enumerate(SOUNDS)
    for number, length in enumerate(LENGTHS)
]
"""Each sound at one length and each length with one sound; all pairs when there is time."""


@pytest.mark.parametrize(("rate", "channels", "out_rate", "out_channels", "frames", "fps"), SOUND_CUTS)
def test_sound_is_cut_or_padded_to_the_frames(
    make_segments, small, tmp_path, rate, channels, out_rate, out_channels, frames, fps
):
    fmt = small(fps=Fraction(fps))
    sound = Sound(tone(tmp_path / "a.flac", 2, rate=rate, channels=channels))
    join(make_segments(fmt, [frames]), [frames], fmt, tmp_path / "film.mp4", sound=sound)
    facts = read_back(tmp_path / "film.mp4")
    assert (facts.rate_hz, facts.channels, facts.sound_at_s) == (out_rate, out_channels, 0)
    assert abs(facts.samples - round(frames / fmt.fps * out_rate)) <= (fmt.fps.numerator > 900_000)
    assert facts.frames == frames


def test_sound_that_begins_after_its_end_is_silence(make_segments, small, tmp_path, hear):
    fmt = small()
    join(
        make_segments(fmt, [9]), [9], fmt, tmp_path / "film.mp4", sound=Sound(tone(tmp_path / "a.wav", 1), Fraction(5))
    )
    heard = hear(tmp_path / "film.mp4", 2)
    assert heard.shape == (9 * 44100 // 25, 2)
    assert np.abs(heard).max() < 1e-3


def test_sound_is_good(make_segments, small, tmp_path, hear):
    """256 kb/s or more: a tone comes back with a distance of 40 dB and more, mono stays mono."""
    fmt = small(fps=Fraction(10))
    for channels in (1, 2):
        path = tone(tmp_path / f"{channels}.wav", 3, rate=48000, channels=channels)
        join(make_segments(fmt, [30]), [30], fmt, tmp_path / "film.mp4", sound=Sound(path))
        raw = ffmpeg.run(*ffmpeg.QUIET, "-i", path, "-f", "f32le", "-")
        original = np.frombuffer(raw, np.float32).reshape(-1, channels)
        heard = hear(tmp_path / "film.mp4", channels)
        assert heard.shape == original.shape
        assert 10 * np.log10(np.mean(original**2) / np.mean((heard - original) ** 2)) > 40


def test_the_sound_waits_beside_the_film_and_goes(make_segments, small, tmp_path, monkeypatch):
    """Not where temporary files are, which may be memory; whoever is killed meanwhile leaves it to the next sweep."""
    fmt, waited = small(fps=Fraction(10)), []
    segments = make_segments(fmt, [10])

    def encoded(*words, **options):
        waited.append(encode_sound(*words, **options))
        assert waited[-1].stat().st_size > 1000
        return waited[-1]

    monkeypatch.setattr("gandream.video.join.encode_sound", encoded)
    (tmp_path / "films").mkdir()
    film, path = tmp_path / "films" / "film.mp4", tone(tmp_path / "tone.wav", 1)
    join(segments, [10], fmt, film, sound=Sound(path))
    with pytest.raises(ValueError, match="null byte"):  # whatever goes wrong
        join(segments, [10], fmt, film, sound=Sound(path), title="\0")
    assert [kept.parent for kept in waited] == [film.parent] * 2
    assert [one.name for one in film.parent.iterdir()] == ["film.mp4"]
    other = waited[0].with_name(waited[0].name.replace(machine(), f"{int(machine(), 16) ^ 1:08x}"))
    other.touch()
    os.utime(other, (0, 0))
    assert left_behind(other)


def test_files_that_hold_no_sound(make_segments, small, tmp_path):
    fmt = small()
    segments = make_segments(fmt, [3])
    (tmp_path / "text.wav").write_text("RIFF, but not really")
    for path, words in ((tmp_path / "text.wav", "can't be read"), (tmp_path / "none.mp3", "No such file"),
                        (segments[0], "can't be read")):  # fmt: skip
        with pytest.raises(AudioError, match=words):
            join(segments, [3], fmt, tmp_path / "film.mp4", sound=Sound(path))
    assert not (tmp_path / "film.mp4").exists()


def test_media_reach_no_network(make_segments, small, tmp_path):
    fmt = small()
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(AudioError):
        join(make_segments(fmt, [3]), [3], fmt, tmp_path / "film.mp4", sound=Sound(tmp_path / "list.m3u8"))


def test_segments_of_other_codec_data_are_refused(make_segments, small, tmp_path):
    fmt = small()
    first, second = tmp_path / "1", tmp_path / "2"
    for changes in ({"preset": "ultrafast"}, {"width": 80}, {"subsampling": "444"}, {"fps": Fraction(24)}):
        for folder in (first, second):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        segments = [*make_segments(fmt, [4], folder=first), *make_segments(small(**changes), [4], folder=second)]
        with pytest.raises(RenderError, match="runs at 25 fps" if "fps" in changes else "codec data differ"):
            join(segments, [4, 4], fmt, tmp_path / "film.mp4")
    assert not (tmp_path / "film.mp4").exists()


def test_segments_that_are_not_what_was_said(make_segments, small, tmp_path):
    fmt = small()
    (path,) = make_segments(fmt, [4])
    with pytest.raises(RenderError, match="4 frames instead of 5"):
        join([path], [5], fmt, tmp_path / "film.mp4")
    with pytest.raises(RenderError, match="isn't whole"):
        join([tmp_path / "none.mp4"], [5], fmt, tmp_path / "film.mp4")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RenderError, match="isn't whole"):
        join([path], [4], fmt, tmp_path / "film.mp4")
    with pytest.raises(OutputError, match=r"can't be a \.txt"):
        join([path], [4], fmt, tmp_path / "film.txt")
    with pytest.raises(OutputError, match="can't write here"):
        join(make_segments(fmt, [4]), [4], fmt, tmp_path / "nowhere" / "film.mp4")
    assert [path for path in tmp_path.iterdir() if "film" in path.name] == []


AWKWARD = ["it's.mp4", 'a "b".mp4', "50%d %s.mp4", "-y.mp4", "żółć 🎹 日本.mp4", "a:b,c;d=e[0].mp4"]
AWKWARD += ["back\\slash $HOME `x`.mp4", " lead.mp4", "'''.mp4", "file:x.mp4", "#;=.MP4", "a|b&c.mov"]


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names(make_segments, small, tmp_path, name):
    fmt = small()
    folder = tmp_path / name.removesuffix(".mp4")
    folder.mkdir()
    segments = make_segments(fmt, [3, 1], folder=folder)
    sound = Sound(tone(folder / name.replace(".mp4", ".wav").replace(".MP4", ".wav").replace(".mov", ".wav"), 1))
    join(segments, [3, 1], fmt, folder / name, sound=sound, title=name, recipe_text=name)
    facts = read_back(folder / name)
    assert (facts.frames, facts.channels, facts.title) == (4, 2, name)
    assert recipe_of(folder / name) == name


RECIPES = {
    "plain": "gandream: 1\nmodel: dream\n",
    "special": "a = b; c # d \\ e \\n \\\\ 'q' \"Q\" [x] {y: 'z'} % %d $HOME `ls`\n[STREAM]\n;FFMETADATA1\n#\n=\n\\\n",
    "breaks": "\n\nfirst\r\nsecond\rthird\n\n\n",
    "spaces": "  two before\ttab and after  \n ",
    "unicode": "naïve 🎹 日本語 \u200bzero \u2028 line \x85 \ufeff\n",
    "controls": "a\x01b\x0bc\x0cd\x1be\x7f",
    "one": "x",
    "long": "".join(f"key_{i}: [{i}, 'ü'] # =;\\\n" for i in range(9000)),
}


COMES_BACK = [
    pytest.param(name, suffix, marks=[] if suffix == ".mp4" or name in ("special", "long") else pytest.mark.slow)
    for name in RECIPES
    for suffix in (".mp4", ".mov", ".mkv")
]


@pytest.mark.parametrize(("name", "suffix"), COMES_BACK)
def test_the_recipe_comes_back(make_segments, small, tmp_path, name, suffix):
    fmt = small()
    film = tmp_path / f"film{suffix}"
    text = RECIPES[name][: 256 * 1024]
    join(make_segments(fmt, [2]), [2], fmt, film, title="A; title = #1\\", recipe_text=text)
    assert recipe_of(film) == text
    assert read_metadata(film)["title"] == "A; title = #1\\"


def test_without_a_recipe(make_segments, small, tmp_path):
    fmt = small()
    join(make_segments(fmt, [2]), [2], fmt, tmp_path / "film.mp4")
    assert recipe_of(tmp_path / "film.mp4") is None
    with pytest.raises(ValueError, match="NUL"):
        join(make_segments(fmt, [2]), [2], fmt, tmp_path / "film.mp4", recipe_text="a\0b")


def test_the_index_comes_first(make_segments, small, tmp_path):
    """So that a browser starts to play before it has everything."""
    fmt = small()
    join(make_segments(fmt, [9]), [9], fmt, tmp_path / "film.mp4")
    data = (tmp_path / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_sound_that_was_encoded_before_makes_the_same_film(make_segments, small, tmp_path):
    """So that it is encoded while the pictures are made, and kept for the next render of the same music."""
    fmt = small(fps=Fraction(24000, 1001))
    segments = make_segments(fmt, [9, 4])
    sound = Sound(tone(tmp_path / "a.wav"), Fraction(1, 7))
    join(segments, [9, 4], fmt, tmp_path / "one.mp4", sound=sound)
    kept = encode_sound(sound, 13 / fmt.fps, tmp_path / "kept.m4a")
    join(segments, [9, 4], fmt, tmp_path / "two.mp4", sound=kept)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
