"""What goes together in ``video``: files, codecs, rate factors, bits, subsampling, alpha, encoders."""

from __future__ import annotations

import pytest

from gandream.base.errors import RecipeError
from gandream.recipe.codecs import CODECS, FILES, SUBSAMPLINGS, Coding, codecs_of, settle

USUAL = [
    ("{}", Coding("mp4", "h264", 17, 8, "420", False)),
    ("{file: webm}", Coding("webm", "vp9", 24, 8, "420", False)),
    ("{file: mov, codec: prores}", Coding("mov", "prores", None, 10, "422", False)),
    ("{file: mkv, codec: prores_4444, alpha: true}", Coding("mkv", "prores_4444", None, 10, "444", True)),
    ("{file: mkv, codec: ffv1, depth: 10}", Coding("mkv", "ffv1", None, 10, "420", False)),
    ("{codec: av1, crf: 0, depth: 10, subsampling: 444}", Coding("mp4", "av1", 0, 10, "444", False)),
    ("{file: gif}", Coding("gif", "", None, 8, "rgb", False)),
    ("{file: png, depth: 16, alpha: true}", Coding("png", "", None, 16, "rgb", True)),
    ("{file: exr}", Coding("exr", "", None, 16, "rgb", False)),
]


@pytest.mark.parametrize(("written", "coding"), USUAL, ids=[written for written, _ in USUAL])
def test_what_is_silent_is_usual(load, written, coding):
    assert load(f"video: {written}").video.coding == coding


MISTAKES = [
    (
        "{file: webm, codec: h264}",
        "codec = h264",
        "webm files hold vp9 or av1, not h264",
        "h264 goes in mp4, mov or mkv",
    ),
    ("{codec: prores}", "codec = prores", "mp4 files hold h264, h265, vp9 or av1", "prores goes in mov or mkv"),
    ("{file: mov, codec: vp9}", "codec = vp9", "mov files hold", "vp9 goes in webm, mp4 or mkv"),
    ("{crf: 52}", "crf = 52", "from 0 to 51 for h264", ""),
    ("{file: webm, crf: 64}", "crf = 64", "63", ""),
    ("{file: mov, codec: prores, crf: 3}", "crf = 3", "prores has no rate factor", "Leave `crf` out"),
    ("{depth: 16}", "depth = 16", "h264 has 8 or 10 bits, not 16", "16 bits: png, exr"),
    ("{depth: 12}", "depth = 12", "8, 10 or 16", ""),
    ("{depth: true}", "depth = true", "8, 10 or 16", ""),
    ("{file: mov, codec: prores, depth: 8}", "depth = 8", "prores has 10 bits", "8 bits: h264, h265"),
    ("{file: jpg, depth: 16}", "depth = 16", "jpg files have 8 bits, not 16", "png"),
    ("{codec: av1, subsampling: 422}", "subsampling = 422", "av1 has 420 or 444, not 422", ""),
    ("{file: gif, subsampling: 420}", "subsampling = 420", "gif files have no subsampling", "Leave"),
    ("{file: png, codec: h264}", "codec = h264", "png files have no codec", "Leave"),
    ("{alpha: true}", "alpha = true", "h264 in mp4 files has no alpha channel", "prores_4444 or ffv1 in mov or mkv"),
    ("{codec: vp9, alpha: true}", "alpha = true", "vp9 in mp4 files has no alpha", "vp9 in webm or mkv"),
    ("{file: webm, alpha: true, depth: 10}", "alpha = true", "vp9 has alpha with 8 bits and 4:2:0", "ffv1"),
    ("{file: jpg, alpha: true}", "alpha = true", "jpg files have no alpha channel", "webp"),
    ("{alpha: on}", "alpha = on", "wanted true or false", "write true"),
    ("{file: png, encoder: hardware}", "encoder = hardware", "no hardware writes png", "Leave"),
    ("{file: webm, alpha: true, encoder: hardware}", "encoder = hardware", "codes vp9 with alpha", "Leave"),
    ("{encoder: gpu}", "encoder = gpu", "software, hardware, auto", ""),
    ("{file: avi}", "file = avi", "mp4, mov, mkv", ""),
    ("{codec: hevc}", "codec = hevc", "h264, h265", ""),
]


@pytest.mark.parametrize(("written", "place", "problem", "hint"), MISTAKES, ids=[one[0] for one in MISTAKES])
def test_what_does_not_go_together(load, written, place, problem, hint):
    with pytest.raises(RecipeError) as caught:
        load(f"video: {written}")
    said = str(caught.value)
    assert f"video.{place}" in said
    assert problem in said
    assert hint in said


def test_every_file_takes_what_it_says():
    """Whatever is usual goes together, and what is said to go together does."""
    for file in FILES:
        assert settle(file).codec == (codecs_of(file) or [""])[0]
        for codec in codecs_of(file):
            row = CODECS[codec]
            assert set(row.subsamplings) <= set(SUBSAMPLINGS)
            assert set(row.alpha) <= set(row.files) <= set(FILES)
            for depth in row.depths:
                for subsampling in row.subsamplings:
                    assert settle(file, codec, None, depth, subsampling).depth == depth
            for alpha in {False, file in row.alpha}:
                assert settle(file, codec, alpha=alpha).alpha is alpha
    assert {"mp4", "mkv", "webm"} >= {file for file in FILES if "av1" in codecs_of(file)}
