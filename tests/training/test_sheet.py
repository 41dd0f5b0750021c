"""Contact sheets: every picture is where it belongs, pixel for pixel, and names and captions don't cover it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from gandream.training.sheet import save_sheet, sheet


def pictures(count: int, side: int) -> torch.Tensor:
    return torch.randint(60, 256, (count, 3, side, side), generator=torch.Generator().manual_seed(1)).to(torch.uint8)


def found(page: Image.Image, picture: torch.Tensor, times: int) -> list[tuple[int, int]]:
    """Upper left corners (row, column) where the page shows the picture enlarged."""
    pixels = np.asarray(page)
    wanted = picture.permute(1, 2, 0).numpy().repeat(times, 0).repeat(times, 1)
    side = len(wanted)
    corners = np.argwhere((pixels[: len(pixels) - side + 1, : pixels.shape[1] - side + 1] == wanted[0, 0]).all(2))
    return [(y, x) for y, x in corners.tolist() if np.array_equal(pixels[y : y + side, x : x + side], wanted)]


def test_pictures_in_rows_enlarged_by_a_whole_number():
    images = pictures(7, 16)
    page = sheet(images, 4)
    places = [found(page, image, 24) for image in images]  # 4 * (16 * 24 + 2) = 1544
    assert all(len(place) == 1 for place in places)
    (first,), (second,), (fifth,) = places[0], places[1], places[4]
    assert second == (first[0], first[1] + 16 * 24 + 2)
    assert fifth == (first[0] + 16 * 24 + 2, first[1])
    assert 1024 <= page.width <= 1600


@pytest.mark.parametrize(
    ("count", "columns", "side"), [(64, 8, 64), (64, 8, 128), (96, 12, 32), (30, 10, 64), (4, 2, 256)]
)
def test_pages_of_usual_sizes_fill_a_screen(count, columns, side):
    assert 1024 <= sheet(torch.zeros(count, 3, side, side, dtype=torch.uint8), columns).width <= 1600


def test_large_pictures_stay_as_they_are():
    images = pictures(2, 1000)
    page = sheet(images, 2)
    assert len(found(page, images[1], 1)) == 1
    assert page.width >= 2000


def test_names_and_captions_have_their_own_room():
    images = pictures(6, 32)
    plain, named = sheet(images, 3), sheet(images, 3, labels=["cats", "a longer name"], caption="step 12 " * 60)
    assert all(len(found(named, image, 13)) == 1 for image in images)
    assert named.width <= 1600
    top, left = found(named, images[0], 13)[0]
    assert left > found(plain, images[0], 16)[0][1] + 80
    assert named.height > top + 2 * (13 * 32 + 2) + 40
    beside = np.asarray(named)[:, : left - 1]
    assert beside.max() > 150, "something is written beside the rows"
    assert (np.asarray(named)[:, -12:] == np.asarray(named)[0, 0]).all(), "the caption keeps to the page"


def test_letters_that_the_font_lacks_become_others():
    images = pictures(1, 64)
    written = [np.asarray(sheet(images, 1, labels=[name])) for name in ("Käfer – über", "Kafer - uber", "Kafer ? uber")]
    assert np.array_equal(written[0], written[1])
    assert not np.array_equal(written[0], written[2])
    assert np.array_equal(np.asarray(sheet(images, 1, caption="猫")), np.asarray(sheet(images, 1, caption="?")))


def test_saved_as_it_was(tmp_path):
    images = pictures(4, 16)
    save_sheet(tmp_path / "a.png", images, 2, caption="x")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), np.asarray(sheet(images, 2, caption="x")))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_what_makes_no_sheet():
    with pytest.raises(ValueError, match="2 rows have 1 names"):
        sheet(pictures(4, 16), 2, labels=["one"])
    with pytest.raises(ValueError, match="are wanted"):
        sheet(pictures(0, 16), 2)
