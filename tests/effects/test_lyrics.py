"""Lines with their times, from .srt and .lrc files."""

from __future__ import annotations

import pytest

from gandream.effects.lyrics import Cue, read_lyrics

SRT = """\ufeff1
00:00:01,000 --> 00:00:02,500
<i>First</i> line
and its second

2
00:00:02.000 --> 00:01:04.25 X1:40 X2:600
{\\an8}Later

3
01:00:00,000 --> 01:00:01,000

"""
LRC = """[ar:Somebody]
[offset:+500]
[00:12.50][01:02]Chorus
[00:20.00]<00:20.00>word <00:21.00>by word

[00:30.00]
"""


def read(tmp_path, name: str, text: str) -> list[Cue]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return read_lyrics(tmp_path / name)


def test_srt(tmp_path):
    """Each up to its end, or to the next; what has no text ends what is shown."""
    assert read(tmp_path, "a.srt", SRT) == [Cue(1, 2, "First line\nand its second"), Cue(2, 64.25, "Later")]
    assert read(tmp_path, "b.SRT", SRT.replace("\n", "\r\n")) == read(tmp_path, "a.srt", SRT)


def test_lrc(tmp_path):
    assert read(tmp_path, "a.lrc", LRC) == [Cue(12, 19.5, "Chorus"), Cue(19.5, 29.5, "word by word"),
                                            Cue(61.5, 66.5, "Chorus")]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.lrc", "", "no lines with times"),
        ("a.srt", "1\nhello\n", "no lines with times"),
        ("a.srt", "1\n00:01 --> 00:02\nhello\n", "line 2 has a time that can't be read"),
        ("a.srt", "1\n00:00:02,000 --> 00:00:01,000\nhello\n", "line 2 ends before it begins"),
        ("a.lrc", "[00:01]" + "x" * 1_000_000, "more than 1 MB"),
    ],
)
def test_mistakes(tmp_path, name, text, problem):
    with pytest.raises(ValueError, match=problem):
        read(tmp_path, name, text)
