from __future__ import annotations

import numpy as np
import pytest
import torch

from gandream.base import ffmpeg
from gandream.video import colour
from gandream.video.colour import _convert, display_bytes, planar_yuv
from gandream.video.facts import read_back

BARS = [(r, g, b) for level in (1.0, 0.75) for r in (0, level) for g in (0, level) for b in (0, level)]
COLOURS = [*BARS, *((v / 10,) * 3 for v in range(11)), (1, 0.5, 0), (0.2, 0.7, 0.4), (0.02, 0, 0.03), (0.9, 0.6, 0.55)]


def reference(rgb: np.ndarray) -> np.ndarray:
    """BT.709-6 tables 3.2 to 3.4 in float64, from R'G'B' in 0..1, [..., 3] -> exact (not rounded) codes [..., 3]."""
    y = rgb @ [0.2126, 0.7152, 0.0722]
    return np.stack(
        [219 * y + 16, 224 * (rgb[..., 2] - y) / 1.8556 + 128, 224 * (rgb[..., 0] - y) / 1.5748 + 128], axis=-1
    )


def patches(size: int) -> tuple[np.ndarray, torch.Tensor]:
    """All colours side by side: display values [K, 3] in 0..255, and the picture [1, 3, size, K * size] in [-1, 1]."""
    colours = np.array(COLOURS, np.float64)
    picture = torch.tensor(colours.T * 2 - 1, dtype=torch.float32)[:, None, :].expand(3, size, -1)
    return colours * 255, picture.repeat_interleave(size, dim=2)[None]


def planes_of(frame: np.ndarray, height: int, width: int, sub: str) -> list[np.ndarray]:
    h, w = (height, width) if sub == "444" else (height // 2, width // 2)
    y, cb, cr = np.split(frame, [height * width, height * width + h * w])
    return [y.reshape(height, width), cb.reshape(h, w), cr.reshape(h, w)]


def test_444_is_bt709():
    rng = np.random.default_rng(1)
    rgb = rng.uniform(-0.1, 1.1, (2, 3, 38, 52))
    got = planar_yuv(torch.tensor(rgb * 2 - 1, dtype=torch.float32), "444").numpy().reshape(2, 3, 38, 52)
    exact = np.moveaxis(reference(np.moveaxis(np.clip(rgb, 0, 1), 1, -1)), -1, 1)
    # Equal to the rounded reference; only what lies within float32's error of a half may fall to either side.
    assert np.abs(got - exact).max() < 0.5 + 1e-4
    assert got[:, 0].min() >= 16
    assert got[:, 0].max() <= 235


def test_420_is_bt709_and_chroma_lies_left():
    rng = np.random.default_rng(2)
    rgb = rng.uniform(0, 1, (3, 36, 44))
    got = planes_of(planar_yuv(torch.tensor(rgb * 2 - 1, dtype=torch.float32)[None]).numpy()[0], 36, 44, "420")
    exact = reference(np.moveaxis(rgb, 0, -1))
    assert np.abs(got[0] - exact[..., 0]).max() < 0.5 + 1e-4
    for plane, full in zip(got[1:], np.moveaxis(exact[..., 1:], -1, 0), strict=True):
        rows = (full[0::2] + full[1::2]) / 2
        wide = np.pad(rows, ((0, 0), (1, 1)), mode="edge")
        left, centre, right = wide[:, 0:-2:2], wide[:, 1:-1:2], wide[:, 2::2]
        assert np.abs(plane - (left + 2 * centre + right) / 4).max() < 0.5 + 1e-4


def test_a_ramp_of_colour_is_sampled_where_the_sample_lies():
    """Were chroma taken between two columns (as in JPEG), a ramp of one code a column would be off by half a code."""
    codes = np.arange(40, 140)
    blue = ((codes - 128) / 224 * 1.8556).astype(np.float32)  # luma 0.5 everywhere, so B' - Y' is the ramp
    y = 0.5
    b, r = y + blue * 0.4, np.full_like(blue, y)
    g = (y - 0.2126 * r - 0.0722 * b) / 0.7152
    picture = torch.tensor(np.stack([r, g, b]) * 2 - 1)[None, :, None, :].expand(1, 3, 2, 100)
    cb = planes_of(planar_yuv(picture).numpy()[0], 2, 100, "420")[1][0]
    wanted = (codes - 128) * 0.4 + 128
    assert np.abs(cb[1:-1] - wanted[2:-2:2]).max() <= 0.51


@pytest.mark.parametrize("strip", [1, 1000, 32_768])
@pytest.mark.parametrize("sub", ["420", "444"])
def test_bytes_depend_on_neither_batch_nor_threads_nor_strips(sub, strip, monkeypatch):
    monkeypatch.setattr(colour, "STRIP", strip)
    pictures = torch.rand(5, 3, 66, 130, generator=torch.Generator().manual_seed(3)) * 2.4 - 1.2
    threads = torch.get_num_threads()
    try:
        together = planar_yuv(pictures, sub)
        torch.set_num_threads(1)
        alone = torch.cat([planar_yuv(picture[None], sub) for picture in pictures])
        # What a GPU takes: the whole batch at once.
        whole = torch.empty_like(together)
        luma, chroma = whole[:, : 66 * 130].view(5, 66, 130), whole[:, 66 * 130 :]
        size = (5, 2, 33, 65) if sub == "420" else (5, 2, 66, 130)
        _convert(pictures, [luma, *chroma.view(size).unbind(1)], sub, 8, range(5), 0)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(together, alone)
    assert torch.equal(together, whole)


def test_the_pictures_are_left_alone():
    pictures = torch.rand(1, 3, 4, 4) * 4 - 2
    before = pictures.clone()
    planar_yuv(pictures)
    display_bytes(pictures)
    assert torch.equal(pictures, before)


def test_half_precision_and_views():
    pictures = torch.rand(2, 8, 10, 3) * 2 - 1
    channels_last = pictures.permute(0, 3, 1, 2)
    assert torch.equal(planar_yuv(channels_last), planar_yuv(channels_last.contiguous()))
    half = channels_last.half()
    assert torch.equal(planar_yuv(half), planar_yuv(half.float()))


def test_display_bytes():
    values = torch.tensor([-1.5, -1.0, -0.9999, 0.0, 0.9, 1.0, 7.0]).view(1, 1, 1, 7)
    assert display_bytes(values).flatten().tolist() == [0, 0, 0, 128, 242, 255, 255]
    assert display_bytes(torch.zeros(2, 3, 4, 6)).shape == (2, 4, 6, 3)


def test_what_is_refused():
    with pytest.raises(ValueError, match="even sizes"):
        planar_yuv(torch.zeros(1, 3, 5, 4))
    with pytest.raises(ValueError, match="made of three"):
        planar_yuv(torch.zeros(1, 4, 4, 4))
    assert planar_yuv(torch.zeros(1, 3, 5, 3), "444").shape == (1, 45)
    assert planar_yuv(torch.zeros(0, 3, 4, 4)).shape == (0, 24)


ACCURATE = ("-sws_flags", "accurate_rnd+full_chroma_int+full_chroma_inp")
READINGS = {
    "by its tags": ("-pix_fmt", "rgb24", *ACCURATE),
    "as bt709": ("-vf", "scale=in_color_matrix=bt709:in_range=tv:out_range=pc", "-pix_fmt", "rgb24", *ACCURATE),
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(("sub", "crf"), [("444", 0), ("420", 18)])
def test_bars_come_back(make_segments, small, decode, reading, sub, crf):
    size = 64  # nearer to an edge than 16, the codec is off by up to 4
    wanted, picture = patches(size)
    width = picture.shape[-1]
    fmt = small(width=width, height=size, subsampling=sub, crf=crf)
    planes = planar_yuv(picture, sub).expand(6, -1).numpy()
    (path,) = make_segments(fmt, [6], planes)
    rgb = decode(path, fmt, *READINGS[reading], frame_bytes=size * width * 3).reshape(6, size, len(wanted), size, 3)
    middle = rgb[:, 16:48, :, 16:48].astype(int)
    assert np.abs(middle - wanted[None, None, :, None]).max() <= 2
    if crf == 0:
        assert np.array_equal(decode(path, fmt), planes)


@pytest.mark.parametrize("sub", ["444", "420"])
def test_tags_are_in_the_stream_and_in_the_container(make_segments, small, tmp_path, sub):
    (path,) = make_segments(small(subsampling=sub), [2])
    facts = read_back(path)
    assert (facts.pix_fmt, facts.colours) == (f"yuv{sub}p", "tv, bt709")
    assert b"colrnclx\0\1\0\1\0\1\0" in path.read_bytes()
    # The bare stream says so too, where no container helps.
    bare = tmp_path / "bare.h264"
    ffmpeg.run(*ffmpeg.QUIET, "-i", path, "-c:v", "copy", bare)
    assert f"yuv{sub}p(tv, bt709" in ffmpeg.describe(bare)
