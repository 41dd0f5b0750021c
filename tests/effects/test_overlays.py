"""Text, images and masks over the picture: where they are, how they are blended, when, and what is told of mistakes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import LOGO, READ, done, made_chain
from PIL import Image
from pydantic import ValidationError

from gandream.base.errors import RecipeError
from gandream.base.hashing import content_key
from gandream.effects.lettering import Style, draw

BLACK = torch.full((1, 3, 200, 400), -1.0)


def lit(images: torch.Tensor, level: float = 0.5) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is brighter than a level on black; ends as ranges have them."""
    light = (images[0].amax(0) + 1) / 2 > level
    rows, columns = light.any(1).nonzero()[:, 0], light.any(0).nonzero()[:, 0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def saved(path: Path, pixels: np.ndarray) -> str:
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return str(path)


# text


def test_text_stands_where_it_is_said():
    plain = {"text": "HHHH", "size": 0.2, "shadow": 0}
    left, top, right, bottom = lit(done(BLACK, plain))
    assert (left + right) / 2 == pytest.approx(200, abs=2)
    assert bottom - top == pytest.approx(0.72 * 40, abs=3)  # capitals are about 0.7 em
    wide = right - left
    for align, edge in (("left", 0), ("right", 2)):
        box = lit(done(BLACK, {**plain, "x": 0.2, "align": align}))
        assert box[edge] == pytest.approx(240, abs=5), "up to the room beside a letter"
        assert box[2] - box[0] == pytest.approx(wide, abs=1)
    up = lit(done(BLACK, {**plain, "y": 0.5}))
    assert (up[1], up[3]) == pytest.approx((top - 50, bottom - 50), abs=1)


def test_text_scales_and_turns():
    small, large = (lit(done(BLACK, {"text": "HH", "size": size, "shadow": 0})) for size in (0.2, 0.4))
    for axis in (0, 1):
        assert large[axis + 2] - large[axis] == pytest.approx(2 * (small[axis + 2] - small[axis]), abs=2)
    turned = lit(done(BLACK, {"text": "HH", "size": 0.2, "shadow": 0, "rotate": 90}))
    assert turned[2] - turned[0] == pytest.approx(small[3] - small[1], abs=2)
    assert turned[3] - turned[1] == pytest.approx(small[2] - small[0], abs=2)


def test_a_size_that_changes_is_drawn_once_and_shown_as_large_as_it_is(monkeypatch):
    calls = []
    monkeypatch.setattr("gandream.effects.overlay.draw", lambda *of: calls.append(of) or draw(*of))
    film = BLACK.expand(30, -1, -1, -1)
    grown = done(film, {"text": "HH", "size": "0.1 + 0.3*frame/29", "shadow": 0}, frames=30)
    assert len(calls) == 1
    for frame in (0, 14, 29):
        still = lit(done(BLACK, {"text": "HH", "size": 0.1 + 0.3 * frame / 29, "shadow": 0}))
        assert lit(grown[frame : frame + 1]) == pytest.approx(still, abs=2)


def test_lines_are_apart_by_what_is_said_and_long_ones_are_broken():
    film = done(BLACK, {"text": ["H", "H"], "size": 0.2, "line": 1.5, "shadow": 0})
    rows = (film[0, 0] > 0).any(1).int().diff().nonzero()[:, 0].tolist()
    assert len(rows) == 4, "two lines begin and end"
    assert rows[2] - rows[0] == pytest.approx(1.5 * 40, abs=1)
    assert torch.equal(film, done(BLACK, {"text": "H\nH", "size": 0.2, "line": 1.5, "shadow": 0}))
    wide = lit(done(BLACK, {"text": "many words in a line", "size": 0.2, "wrap": 0.5, "shadow": 0}))
    assert wide[2] - wide[0] <= 200
    assert wide[3] - wide[1] > 60


def test_track_outline_and_shadow():
    plain = lit(done(BLACK, {"text": "HHH", "size": 0.2, "shadow": 0}))
    apart = lit(done(BLACK, {"text": "HHH", "size": 0.2, "shadow": 0, "track": 0.5}))
    assert (apart[2] - apart[0]) - (plain[2] - plain[0]) == pytest.approx(2 * 0.5 * 40, abs=2)
    ringed = {"text": "HHH", "size": 0.2, "shadow": 0, "outline": 0.1, "outline_colour": "white"}
    assert lit(done(BLACK, ringed))[0] == pytest.approx(plain[0] - 4, abs=1)
    grey = torch.zeros(1, 3, 200, 400)
    for shadow, darkest in ((0, 0), (0.5, -0.2)):
        made = done(grey, {"text": "HHH", "size": 0.2, "shadow": shadow})
        assert made.amin() <= darkest
        assert (made.amin() < -1e-3) == bool(shadow)


def test_the_colour_is_that_of_the_letters():
    film = done(torch.zeros(1, 3, 100, 100), {"text": "I", "size": 1.2, "colour": "gold", "shadow": 0})
    inside = (film[0, :, :, 47:53].mean((1, 2)) + 1) / 2
    letter = (film[0, :, 50, 50] + 1) / 2
    assert letter.tolist() == pytest.approx([1, 200 / 255, 60 / 255], abs=1e-3)
    assert inside[0] > 0.6


def test_a_drawing_is_premultiplied_and_knows_its_box():
    made = draw("A word", Style(colour=(0.5, 1, 0), shadow=0.7, outline=0.05), 40)
    pixels = made.pixels
    assert pixels.min() >= 0
    assert (pixels[..., :3] <= pixels[..., 3:] + 1e-6).all()
    assert pixels[..., 3].max() == pytest.approx(1)
    assert (pixels[[0, -1]] < 0.02).all(), "nothing is cut off"
    assert (pixels[:, [0, -1]] < 0.02).all()
    left, top, right, bottom = made.box
    assert made.anchor == pytest.approx(((left + right) / 2, (top + bottom) / 2))


def test_letters_below_a_pixel_are_drawn_at_one():
    tiny, least = draw("A word or two", Style(), 0.2, 1.2), draw("A word or two", Style(), 1.0, 6.0)
    assert tiny.em_px == 1
    np.testing.assert_array_equal(tiny.pixels, least.pixels)


# pictures


FOUR = {"size": 0.5}


@pytest.fixture
def half(tmp_path) -> str:
    """Four pixels square, of one colour, opacity 128."""
    return saved(tmp_path / "half.png", np.full((4, 4, 4), (255, 51, 0, 128)))


@pytest.mark.parametrize("opacity", [1.0, 0.25])
@pytest.mark.parametrize("blend", ["normal", "add", "screen", "multiply"])
def test_blending_by_hand(half, blend, opacity):
    below = np.array([0.2, 0.6, 0.9])
    frame = (torch.tensor(below, dtype=torch.float32)[None, :, None, None] * 2 - 1).expand(1, 3, 8, 8)
    made = (done(frame, {"image": half, **FOUR, "blend": blend, "opacity": opacity})[0] + 1) / 2
    share, colour = 128 / 255 * opacity, np.array([1, 0.2, 0])
    mixed = {
        "normal": colour,
        "multiply": colour * below,
        "screen": colour + below - colour * below,
    }
    wanted = np.minimum(1, below + share * colour) if blend == "add" else (1 - share) * below + share * mixed[blend]
    assert made[:, 3, 3].tolist() == pytest.approx(wanted, abs=1e-5)
    assert made[:, 2:6, 2:6].std((1, 2)).max() < 1e-6
    beside = made.clone()
    beside[:, 2:6, 2:6] = beside[:, :1, :1]
    assert torch.allclose(beside, (frame[0] + 1) / 2), "beside it nothing is changed"


def test_a_picture_at_its_own_size_is_copied(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3))
    made = done(torch.zeros(1, 3, 20, 40), {"image": saved(tmp_path / "a.png", pixels), "size": 1})
    wanted = torch.from_numpy(pixels).permute(2, 0, 1) / 127.5 - 1
    assert torch.allclose(made[0, :, :, 5:35], wanted.float(), atol=1e-5)
    assert (made[..., :5] == 0).all()


def test_what_is_transparent_lends_no_colour(tmp_path):
    pixels = np.zeros((64, 64, 4))
    pixels[..., 0] = 255  # red that is not to be seen
    pixels[16:48, 16:48] = 255
    made = done(BLACK, {"image": saved(tmp_path / "a.png", pixels), "size": 0.1, "rotate": 30})
    assert torch.allclose(made[0, 0], made[0, 1], atol=1e-5)
    assert made.max() == pytest.approx(1, abs=1e-4)


def test_fractions_of_a_pixel(tmp_path):
    white = saved(tmp_path / "white.png", np.full((8, 8, 3), 255))
    frame = torch.full((1, 3, 32, 32), -1.0)
    quarter = (done(frame, {"image": white, "size": 0.25, "x": 2 * 0.25 / 32})[0, 0, 16] + 1) / 2
    assert quarter[11:22].tolist() == pytest.approx([0, 0.75, *[1] * 7, 0.25, 0])
    for shift in np.linspace(0, 2, 21):
        light = (done(frame, {"image": white, "size": 0.25, "x": 2 * shift / 32, "y": shift / 32})[0, 0] + 1) / 2
        assert light.sum().item() == pytest.approx(64, abs=1e-3)
        middles = [(light.sum(dim) * (torch.arange(32) + 0.5)).sum().item() / 64 for dim in (0, 1)]
        assert middles == pytest.approx([16 + shift, 16 - shift / 2], abs=1e-3)


def test_a_picture_that_moves_changes_smoothly():
    film = done(BLACK.expand(41, -1, -1, -1), {"image": LOGO, "size": 0.3, "x": "0.01*frame/40"}, frames=41)
    steps = (film[1:] - film[:-1]).abs().amax((1, 2, 3))
    assert steps.max() < 0.2, "a twentieth of a pixel is a step"
    assert steps.min() > 0.005


def test_made_smaller_nothing_flickers(tmp_path):
    checks = (np.indices((128, 128)).sum(0) % 2 * 255)[..., None].repeat(3, 2)
    file = saved(tmp_path / "checks.png", checks)
    made = done(torch.full((1, 3, 64, 64), -1.0), {"image": file, "size": 0.23, "x": 0.013})
    inner = made[0, 0, 29:35, 29:35]
    assert inner.abs().max() < 0.02


def test_other_modes_of_files(tmp_path):
    grey = np.full((4, 4), 77 * 257, np.uint16)
    Image.fromarray(grey).save(tmp_path / "deep.png")
    made = done(torch.zeros(1, 3, 8, 8), {"image": str(tmp_path / "deep.png"), **FOUR})
    assert (made[0, :, 3, 3] + 1).tolist() == pytest.approx([77 / 127.5] * 3, abs=1e-5)
    Image.fromarray(np.full((4, 4, 3), 200, np.uint8)).quantize(4).save(tmp_path / "palette.gif")
    made = done(torch.zeros(1, 3, 8, 8), {"image": str(tmp_path / "palette.gif"), **FOUR})
    assert made[0, 0, 3, 3].item() == pytest.approx(200 / 127.5 - 1, abs=1e-3)


# masks


@pytest.fixture
def left(tmp_path) -> str:
    """White on the left, black on the right."""
    pixels = np.zeros((16, 32, 3))
    pixels[:, :16] = 255
    return saved(tmp_path / "left.png", pixels)


def test_a_mask_shows_where_it_is_white(left, tmp_path):
    frame = torch.full((1, 3, 32, 64), 0.5)
    made = done(frame, {"mask": left, "colour": "red"})
    assert made[0, :, 16, 5].tolist() == pytest.approx([1, -1, -1])
    assert torch.equal(made[..., 40:], frame[..., 40:])
    other = done(frame, {"mask": left, "colour": "red", "inverted": True})
    assert torch.equal(other[..., :25], frame[..., :25])
    assert other[0, :, 16, 60].tolist() == pytest.approx([1, -1, -1])
    paint = saved(tmp_path / "paint.png", np.full((4, 4, 3), (0, 255, 0)))
    assert done(frame, {"mask": left, "image": paint})[0, :, 16, 5].tolist() == pytest.approx([-1, 1, -1])


def test_masks_fit_the_frame(left):
    high = torch.full((1, 3, 64, 64), 1.0)
    shown = {fit: (done(high, {"mask": left, "fit": fit})[0, 0] < 0) for fit in ("cover", "contain", "stretch")}
    assert shown["cover"][2, :30].all()
    assert not shown["contain"][:15].any()
    assert shown["contain"][18:46, :30].all()
    assert shown["stretch"][1, :30].all()
    beside = done(high, {"mask": left, "fit": "contain", "inverted": True})[0, 0] < 0
    assert beside[:15].all(), "beside a mask is no white"


# times and keys


def test_times_and_fades_by_hand():
    chain = made_chain({"text": "A", "at": "1s", "until": "3s", "fade": "0.5s", "opacity": 0.8}, frames=120)
    (link,) = chain.links
    t = np.arange(120) / 30
    rise = np.clip((t - 1) / 0.5, 0, 1)
    fall = np.clip((3 - t) / 0.5, 0, 1)
    wanted = 0.8 * (rise**2 * (3 - 2 * rise)) * (fall**2 * (3 - 2 * fall))
    np.testing.assert_allclose(link.values["opacity"], wanted, atol=1e-6)
    hard = made_chain({"image": LOGO, "at": "1s", "until": "2s", "fade": 0}, frames=120).links[0]
    assert np.flatnonzero(hard.active).tolist() == list(range(30, 60))
    assert made_chain({"mask": LOGO, "at": "50%"}, frames=120).links[0].active.tolist() == [False] * 61 + [True] * 59


def keys(*written, frames=120) -> list[str]:
    chain = made_chain(*written, frames=frames)
    return [content_key(chain.key(start, start + 30)) for start in range(0, frames, 30)]


def test_keys_hold_what_is_seen(tmp_path):
    nothing = keys()
    titled = keys({"text": "A", "until": "1s"})
    assert [one == two for one, two in zip(nothing, titled, strict=True)] == [False, True, True, True]
    for word, value in (("text", "B"), ("colour", "red"), ("track", 0.1), ("wrap", 0.5), ("blend", "add"), ("x", 0.1)):
        assert keys({"text": "A", "until": "1s", word: value})[0] != titled[0]
    logo, other = tmp_path / "logo.png", tmp_path / "other.png"
    saved(logo, np.full((4, 4, 3), 10))
    other.write_bytes(logo.read_bytes())
    before = keys({"image": str(logo)}, {"mask": str(logo)})
    assert before == keys({"image": str(other)}, {"mask": str(other)}), "what counts is the content, not the name"
    saved(logo, np.full((4, 4, 3), 11))
    assert all(one != two for one, two in zip(before, keys({"image": str(logo)}, {"mask": str(logo)}), strict=True))


def test_a_line_of_lyrics_changes_what_it_is_seen_in(tmp_path):
    song = tmp_path / "song.lrc"
    song.write_text("[00:00.50]one\n[00:02.10]two\n[00:02.90]three\n")
    before = keys({"text": {"file": str(song)}})
    song.write_text("[00:00.50]one\n[00:02.10]zwei\n[00:02.90]three\n")
    assert [a == b for a, b in zip(before, keys({"text": {"file": str(song)}}), strict=True)] == [1, 1, 0, 1]


def test_lyrics_are_shown_in_time(tmp_path, monkeypatch):
    song = tmp_path / "song.srt"
    song.write_text("1\n00:00:01,000 --> 00:00:02,000\nHH\n\n2\n00:00:03,000 --> 00:00:03,500\nH\n")
    calls = []
    monkeypatch.setattr("gandream.effects.overlay.draw", lambda *of: calls.append(of[0]) or draw(*of))
    film = torch.full((120, 3, 60, 90), -1.0)
    light = done(film, {"text": {"file": str(song)}, "size": 0.4, "shadow": 0}, frames=120).amax((1, 2, 3)) > -1
    assert light[31:60].all()
    assert light[91:105].all()
    assert light.sum() == 29 + 14, "at their very ends lines are just coming or gone"
    assert calls == ["HH", "H"]


# mistakes


def told(written: object) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        READ.validate_python([written])
    mistake = caught.value.errors()[0]
    return mistake["msg"], (mistake.get("ctx") or {}).get("hint", "")


@pytest.mark.parametrize(
    ("written", "problem", "hint"),
    [
        ({"text": 2026}, "wanted text, a list of lines", "'2026'"),
        ({"text": "  "}, "nothing to show", ""),
        ({"text": "x" * 2001}, "2000 at most", ""),
        ({"text": {"fil": "a.lrc"}}, "Field required", ""),
        ({"text": {"file": "nowhere.lrc"}}, "no such file", ""),
        ({"text": {"file": LOGO}}, "wanted lyrics: .srt, .lrc", ""),
        ({"text": "a", "font": LOGO}, "wanted a font: .ttf, .otf, .ttc", ""),
        ({"text": "a", "font": "Arial"}, "no such file", ""),
        ({"text": "a", "align": "center"}, "wanted an alignment: left, centre, right", "Did you mean 'centre'?"),
        ({"text": "a", "fade": 1}, "`fade` goes with `at` or `until`", "all the time"),
        ({"text": "a", "colour": "whit"}, "wanted a colour", "white"),
        ({"text": "a", "sise": 1}, "no such word here", "Did you mean 'size'?"),
        ({"image": "nowhere.png"}, "no such file", ""),
        ({"image": LOGO, "blend": "multiplied"}, "wanted a blend: normal, add", "Did you mean 'multiply'?"),
        ({"image": LOGO, "size": 0}, "must be from 0.002 to 20", ""),
        ({"image": str(Path(__file__))}, "wanted a picture: .png", ""),
        ({"mask": LOGO, "image": LOGO, "colour": "red"}, "either an image or a colour", "Keep one"),
        ({"image": LOGO, "flash": 1}, "one effect to an entry", ""),
    ],
)
def test_mistakes_in_words(written, problem, hint):
    found = told(written)
    assert problem in found[0]
    assert hint in found[1]


def test_mistakes_in_files_and_times(tmp_path):
    def refused(entry: dict, problem: str) -> None:
        with pytest.raises(RecipeError, match=re.escape(problem)) as caught:
            made_chain(entry)
        assert caught.value.where.strip()

    empty, torn, text = (tmp_path / name for name in ("empty.png", "torn.png", "text.lrc"))
    empty.write_bytes(b"")
    torn.write_bytes(Path(LOGO).read_bytes()[:200])
    refused({"image": str(empty)}, "no picture that can be read")
    refused({"image": str(torn)}, "the picture is damaged")
    refused({"mask": LOGO, "image": str(empty)}, "no picture that can be read")
    text.write_text("no times here\n")
    refused({"text": {"file": str(text)}}, "no lines with times")
    text.write_bytes(b"[00:01.00]\xff\xfe")
    refused({"text": {"file": str(text)}}, "it isn't in UTF-8")
    text.write_text("[00:01.00]Żółć\n")
    refused({"text": {"file": str(text)}}, "the built-in font has no Ż ó ł ć")
    refused({"text": "日本"}, "the built-in font has no 日 本")
    font = tmp_path / "broken.ttf"
    font.write_bytes(b"no font")
    refused({"text": "a", "font": str(font)}, "this font can't be read")
    refused({"image": LOGO, "at": "2s", "until": "2s"}, "it ends after it begins")


def test_a_font_of_ones_own(tmp_path):
    import io

    from PIL import ImageFont

    built_in = ImageFont.load_default(10)
    assert isinstance(built_in, ImageFont.FreeTypeFont)
    file = tmp_path / "own.ttf"
    source = built_in.path
    assert isinstance(source, io.BytesIO)
    file.write_bytes(source.getvalue())
    assert torch.equal(done(BLACK, {"text": "Own"}), done(BLACK, {"text": "Own", "font": str(file)}))
    assert keys({"text": "Own"}) != keys({"text": "Own", "font": str(file)})


def test_what_is_written_comes_back(tmp_path):
    song = tmp_path / "song.lrc"
    song.write_text("[00:01]a\n")
    written = [
        {"text": ["a", "b"], "at": "2 bars", "fade": "1 beat"},
        {"text": {"file": str(song)}, "fade": 0.2},
        {"image": LOGO, "rotate": "90*t"},
        {"mask": LOGO, "colour": "gold"},
    ]
    plain = READ.dump_python(READ.validate_python(written), mode="json")
    assert plain[0]["text"] == "a\nb"
    assert plain[1]["text"] == {"file": str(song)}
    assert READ.dump_python(READ.validate_python(plain), mode="json") == plain
