"""Pictures that commands draw: none of somebody else's is overwritten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gandream.run.drawings import save_png, source_of
from gandream.video.stamp import read_stamp

RECIPE = "model: cppn#7\nwalk: {through: [1, 2], every: 1s}\nvideo: {size: 32, fps: 10, duration: 1}\n"
COMMANDS = {
    "still": (("still", "a.yaml"), "outputs/a_at_0s.png", "a.yaml"),
    "storyboard": (("sheet", "a.yaml", "--width", "480", "--columns", "4"), "outputs/a_storyboard.png", "a.yaml"),
    "model": (("sheet", "cppn#7", "--seeds", "1", "--size", "16"), "outputs/cppn_7_sheet.png", "cppn#7"),
    "recipe heard": (("listen", "a.yaml"), "outputs/a_heard.png", "a.yaml"),
    "sound heard": (("listen", "a.wav"), "outputs/a_heard.png", "a.wav"),
    "plot": (("explain", "a.yaml", "--plot", "outputs/a.png"), "outputs/a.png", "a.yaml"),
}


@pytest.fixture
def here(here: Path) -> Path:
    for name in ("a.yaml", "b.yaml", "deep/a.yaml"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text(RECIPE)
    soundfile.write(here / "a.wav", np.sin(np.arange(22050) / 7) / 2, 22050)
    (here / "outputs").mkdir()
    return here


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_somebody_elses_stays_unless_it_is_forced(gandream, here, name):
    words, place, subject = COMMANDS[name]
    Image.new("RGB", (3, 2), "red").save(place)
    before = Path(place).read_bytes()
    said = gandream(*words)
    assert (said.status, said.out) == (2, "")
    option = "--plot" if name == "plot" else "-o"
    message = f"{place} a picture is here already, and nothing in it says that gandream made it Choose another name"
    assert " ".join(said.err.split()) == f"{message} with {option}, or overwrite it with --force."
    assert Path(place).read_bytes() == before

    assert gandream(*words, "--force").status == 0
    first = Path(place).read_bytes()
    assert first != before
    assert read_stamp(Path(place)).source.split(" ")[0] == subject
    with Image.open(place) as picture:
        picture.load()
        assert picture.info["Software"] == "gandream"
    # Its own earlier one is overwritten without a question, and is the same again.
    assert gandream(*words).status == 0
    assert Path(place).read_bytes() == first


def test_a_picture_of_another_recipe_stays(gandream, here):
    assert gandream("still", "a.yaml", "-o", "x.png").status == 0
    before = Path("x.png").read_bytes()
    for words, whose in (
        (("still", "b.yaml"), "a.yaml"),
        (("sheet", "deep/a.yaml"), "another a.yaml"),
        (("sheet", "cppn#7"), "a.yaml"),
        (("listen", "a.wav"), "a.yaml"),
    ):
        said = gandream(*words, "-o", "x.png")
        assert said.status == 2
        assert f"it was made from {whose} Choose" in " ".join(said.err.split())
        assert Path("x.png").read_bytes() == before
    (here / "a.yaml").write_text(RECIPE.replace("[1, 2]", "[3, 4]"))  # an edit doesn't make it another recipe
    assert gandream("still", "a.yaml", "-o", "x.png").status == 0
    assert Path("x.png").read_bytes() != before


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n\x00\x00\xff\xffIHDR"])
def test_what_can_not_be_read_stays(gandream, here, content):
    Path("x.png").write_bytes(content)
    assert gandream("still", "a.yaml", "-o", "x.png").status == 2
    assert Path("x.png").read_bytes() == content


def test_the_text_of_another_program_is_not_ours(gandream, here):
    text = PngInfo()
    text.add_itxt("Source", source_of("a.yaml", Path("x.png")))
    Image.new("RGB", (3, 2)).save("x.png", pnginfo=text)
    assert gandream("still", "a.yaml", "-o", "x.png").status == 2


def test_a_source_names_no_folders_and_moves_with_its_project(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder / "in").mkdir(parents=True)
        (tmp_path / folder / "in" / "r.yaml").write_text("x")
    sources = [source_of(tmp_path / one / "in/r.yaml", tmp_path / one / "x.png") for one in ("one", "two")]
    assert sources[0] == sources[1] == f"r.yaml {sources[0][-8:]}"
    assert source_of(tmp_path / "one/in/r.yaml", tmp_path / "x.png") != sources[0]
    assert source_of("bundled:dream", tmp_path / "x.png") == source_of("dream", tmp_path / "x.png") == "dream"
    save_png(Image.new("RGB", (2, 2)), tmp_path / "x.png", "cppn#7", title="t", recipe="r: 1", moment="m")
    found = read_stamp(tmp_path / "x.png")
    assert (found.title, found.recipe, found.moment, found.source) == ("t", "r: 1", "m", "cppn#7")
