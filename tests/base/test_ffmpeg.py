from __future__ import annotations

import subprocess

import pytest

from gandream.base import ffmpeg
from gandream.base.errors import RenderError


def test_which_ffmpeg():
    assert ffmpeg.build().startswith("ffmpeg version")
    assert ffmpeg.build() == ffmpeg.build()
    assert {"libx264", "aac"} <= ffmpeg.encoders()


def test_what_ffmpeg_says_is_the_error(tmp_path):
    with pytest.raises(RenderError) as caught:
        ffmpeg.run(*ffmpeg.QUIET, *ffmpeg.media(tmp_path / "none.wav"), "-f", "null", "-")
    assert caught.value.problem.endswith("No such file or directory")
    assert "0x" not in str(caught.value)
    assert caught.value.exit_code == 1


def test_last_words_are_the_cause_and_not_what_follows():
    said = b"""x264 [error]: invalid preset 'swift'
[libx264 @ 0x562d7bc94a80] Error setting preset/tune swift/(null).
[vost#0:0/libx264 @ 0x562] [enc:libx264 @ 0x562d] Error while opening encoder - maybe incorrect parameters
[vf#0:0 @ 0x562d7bc97900] Task finished with error code: -22 (Invalid argument)
[out#0/mp4 @ 0x562d7bc93e80] Nothing was written into output file
"""
    assert ffmpeg.last_words(said) == "x264 [error]: invalid preset 'swift' / Error setting preset/tune swift/(null)."
    assert ffmpeg.last_words(b"Conversion failed!\n") == "Conversion failed!"
    assert ffmpeg.last_words(b" \n\xff") == "\N{REPLACEMENT CHARACTER}"
    assert ffmpeg.last_words(b"") == "ffmpeg said nothing"


def test_an_end_by_a_signal_is_named():
    assert "SIGKILL" in str(ffmpeg.failure("here", -9, b""))
    assert "status 234" in str(ffmpeg.failure("here", 234, b"no\n"))


def test_out_of_room():
    assert ffmpeg.out_of_room(b"[out] Error muxing: No space left on device\n")
    assert not ffmpeg.out_of_room(b"Invalid argument\n")


def test_a_childs_pipes(tmp_path):
    process = ffmpeg.spawn(["-hide_banner", "-loglevel", "error", "-f", "s16le", "-ar", "8000", "-i", "pipe:0", "-f",
                            "s16le", "pipe:1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    out, said = process.communicate(b"\1\0" * 100)
    assert (process.returncode, out, said) == (0, b"\1\0" * 100, b"")


def test_media_are_files_and_nothing_else(tmp_path):
    (tmp_path / "list.ffconcat").write_text("ffconcat version 1.0\nfile http://127.0.0.1:9/x.wav\n")
    with pytest.raises(RenderError):
        ffmpeg.run(
            *ffmpeg.QUIET, "-f", "concat", "-safe", "0", *ffmpeg.media(tmp_path / "list.ffconcat"), "-f", "null", "-"
        )


@pytest.mark.parametrize("name", ["-y.wav", "http:x.wav", "%d.wav", "a'b\"c.wav", "ü 🎹.wav"])
def test_any_name_is_a_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    ffmpeg.run(*ffmpeg.QUIET, "-f", "lavfi", "-i", "anullsrc", "-t", "0.1", ffmpeg.file_url(name))
    assert (tmp_path / name).stat().st_size > 1000
    assert "pcm_s16le" in ffmpeg.describe(name)
