"""Several outputs of one render, animations and folders of pictures: whole renders, read back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandream.base import ffmpeg
from gandream.base.errors import OutputError
from gandream.recipe.load import load_recipe
from gandream.run import prepare
from gandream.run.film import Film, render
from gandream.video.stamp import read_stamp, recipe_in

WALK = "walk: {through: [1, 2], every: 2s}\n"
TIME = "fps: 10, duration: 2.5"


def recipe_file(folder: Path, video: str, body: str = WALK, model: str | Path = "cppn#7") -> Path:
    path = folder / "x.yaml"
    path.write_text(f"model: {model}\n{body}video: {video}\n", encoding="utf-8")
    return path


def rendered(folder: Path, video: str, body: str = WALK, model: str | Path = "cppn#7", **options) -> Film:
    out = options.pop("out", None)
    return render(load_recipe(recipe_file(folder, video, body, model)), out, device="cpu", **options)


def pictures(path: Path, width: int) -> np.ndarray:
    raw = ffmpeg.run("-loglevel", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, 16, width, 3)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


class Counted:
    """A model that counts the pictures that it makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.pictures = self.loads = 0
        load = prepare.load_generator

        def counting(*arguments, **options):
            self.loads += 1
            model = load(*arguments, **options)
            make = model.synthesise

            def synthesise(inputs, **words):
                images = make(inputs, **words)
                self.pictures += len(images)
                return images

            model.synthesise = synthesise
            return model

        monkeypatch.setattr(prepare, "load_generator", counting)


LIST = [
    f"{{size: 64, {TIME}, crf: 0, subsampling: 444, preset: ultrafast}}",
    f"{{size: 36x64, {TIME}, name: tall}}",
    f"{{size: 48x16, fit: contain, {TIME}, file: gif}}",
    f"{{size: 24x16, {TIME}, file: png, depth: 16}}",
]


def test_several_outputs_are_of_the_same_pictures_and_equal_those_rendered_alone(
    here: Path, stylegan2_file, monkeypatch: pytest.MonkeyPatch
):
    """Of sizes that are made one to five at a time; with effects that remember, and that draw on the frame."""
    model, count = stylegan2_file(), Counted(monkeypatch)
    body = WALK + "effects: [{trails: 0.5}, {grain: 0.1}]\n"
    monkeypatch.setattr("gandream.rendering.plan.BATCH_PIXELS", {"cpu": 2048})
    film = rendered(here, f"[{', '.join(LIST)}]", body, model)
    assert (count.pictures, count.loads) == (25, 1)
    made = [film, *film.others]
    assert [one.path.as_posix() for one in made] == [
        "outputs/x.mp4",
        "outputs/x_tall.mp4",
        "outputs/x.gif",
        "outputs/x",
    ]
    assert [(one.frames, one.rendered) for one in made] == [(25, 25)] * 4
    for number, (video, together) in enumerate(zip(LIST, made, strict=True)):
        folder = here / str(number)
        folder.mkdir()
        alone = rendered(folder, video, body, model, out=folder / "out" / together.path.name)
        keys = [json.loads(one.manifest.read_text())["segments"] for one in (alone, together)]
        assert keys[0] == keys[1]
        if together.path.is_dir():
            ours, theirs = contents(together.path), contents(alone.path)
            assert sorted(ours) == sorted(theirs)
            assert {name for name in ours if ours[name] != theirs[name]} == {"000000.png"}, "which tells another recipe"
            continue
        store = [root / ".gandream" / "segments" for root in (Path("outputs"), folder / "out")]
        for key in keys[0]:
            ours, theirs = (next(place.glob(f"{key}-*")) for place in store)
            assert (ours.name, ours.read_bytes()) == (theirs.name, theirs.read_bytes())


@pytest.mark.slow
def test_scenes_that_fade_into_each_other_are_shared_too(here: Path, stylegan2_file, monkeypatch: pytest.MonkeyPatch):
    one, two = stylegan2_file(), stylegan2_file(seed=1)
    count = Counted(monkeypatch)
    body = f"scenes: [{{walk: {{through: [1, 2]}}}}, {{model: {two}, walk: {{through: [3]}}, at: 1s}}]\n"
    body += "transition: crossfade 0.6s\ncamera: {zoom: 1.2, rotate: 20*t}\n"
    sizes = [f"{{size: {size}, {TIME}, file: png}}" for size in ("16x48", "32x16")]
    film = rendered(here, f"[{', '.join(sizes)}]", body, one)
    shared = count.pictures
    assert shared == 25 + 6, "and both scenes while one fades into the other"
    for number, (size, together) in enumerate(zip(sizes, (film, *film.others), strict=True)):
        folder = here / str(number)
        folder.mkdir()
        count.pictures = 0
        alone = rendered(folder, size, body, one, out=folder / "out")
        assert count.pictures == shared
        ours, theirs = contents(together.path), contents(alone.path)
        assert {name for name in ours if ours[name] != theirs[name]} == {"000000.png"}


@pytest.mark.slow
def test_a_part_of_a_song_is_in_every_output(here: Path, clicks: Path):
    """Clicks are at 0.5 s, 1 s and so on; the film begins at 1.2 s."""
    film = rendered(here, "[{size: 16, fps: 10, duration: 2, start: 1.2}, {file: mov}]", f"audio: {clicks}\n{WALK}")
    for path in (film.path, film.others[0].path):
        raw = ffmpeg.run("-loglevel", "error", "-i", path, "-f", "f32le", "-ac", "1", "-ar", "44100", "-")
        loud = np.flatnonzero(np.abs(np.frombuffer(raw, np.float32)) > 0.3)
        assert abs(loud[0] / 44_100 - 0.3) < 0.02
        assert abs(len(raw) / 4 / 44_100 - 2) < 0.03


def test_only_the_output_that_is_missing_is_rendered(here: Path, monkeypatch: pytest.MonkeyPatch):
    count = Counted(monkeypatch)
    one, two = f"{{size: 16, {TIME}}}", "{size: 32x16}"
    rendered(here, f"[{one}, {two}]")
    assert count.pictures == 50, "a model of any size paints each for itself"
    again = rendered(here, f"[{one}, {two}]")
    assert (again.rendered, again.others[0].rendered, count.pictures) == (0, 0, 50)
    again.others[0].path.unlink()
    for segment in json.loads(again.others[0].manifest.read_text())["segments"]:
        next(Path("outputs/.gandream/segments").glob(f"{segment}-*")).unlink()
    third = rendered(here, f"[{one}, {two}, {{file: gif, size: 32x16}}]")
    assert [third.rendered, *(other.rendered for other in third.others)] == [0, 25, 25]
    assert len(pictures(third.others[0].path, 32)) == 25


def test_the_command_says_every_output_and_what_is_dropped(here: Path, gandream):
    recipe_file(here, "[{size: 16, fps: 60, duration: 0.1}, {file: gif}, {file: jpg, name: b}]")
    said = gandream("render", "x.yaml")
    assert (said.status, said.out.split()) == (0, ["outputs/x.mp4", "outputs/x.gif", "outputs/x_b"])
    assert "every 2nd of the 60 is kept" in said.err


def test_names_tell_outputs_apart(here: Path):
    from gandream.run.targets import targets

    def named(video: str, out: str | None = None, frames=None) -> list[str]:
        return [path.as_posix() for path in targets(load_recipe(recipe_file(here, video)), out, frames)]

    assert named("[{size: 16}, {size: 32x16}, {size: 32x16, crf: 40}, {file: gif}, {file: png}]") == [
        *("outputs/x.mp4", "outputs/x_32x16.mp4", "outputs/x_32x16_3.mp4", "outputs/x.gif", "outputs/x"),
    ]
    assert named("[{}, {}, {name: b}]") == ["outputs/x.mp4", "outputs/x_2.mp4", "outputs/x_b.mp4"]
    assert named("[{name: a}, {name: b, file: exr}]") == ["outputs/x_a.mp4", "outputs/x_b"]
    assert named("[{}, {file: mov}, {size: 16}]", "o/y.mp4") == ["o/y.mp4", "o/y.mov", "o/y_16x16.mp4"]
    assert named("[{}, {file: png}]", None, (3, 9)) == ["outputs/x.3-9.mp4", "outputs/x.3-9"]
    assert named("{file: png}", None, (3, 9)) == ["outputs/x"], "numbered in the whole film"
    assert named("{file: png}", "some/frames") == ["some/frames"]
    with pytest.raises(OutputError, match="makes a folder"):
        named("{file: png}", "x.png")
    with pytest.raises(OutputError, match=r"should end in \.apng"):
        named("{file: apng}", "x.png")


def test_a_list_tells_its_time_once(here: Path):
    recipe = load_recipe(recipe_file(here, "[{size: 16}, {fps: 24000/1001, duration: 3s, loop: true}]"))
    assert [(video.fps, str(video.duration), video.loop) for video in recipe.outputs] == [
        (Fraction(24000, 1001), "3s", True)
    ] * 2
    assert recipe.as_output(1).where(("video", "fps")).endswith("video[1].fps = 24000/1001")


@pytest.mark.parametrize("kind", ["gif", "apng", "webp"])
def test_an_animation_from_a_recipe(here: Path, kind: str):
    film = rendered(here, f"{{size: 16, fps: 60, duration: 0.5, file: {kind}}}", "title: Nacht\n" + WALK)
    stamp = read_stamp(film.path)
    assert (film.path.as_posix(), film.frames) == (f"outputs/x.{kind}", 30)
    assert (stamp.title, recipe_in(film.path)) == ("Nacht", Path("x.yaml").read_text())
    assert len(stamp.delays_s) == (15 if kind == "gif" else 30)
    assert abs(sum(stamp.delays_s) - Fraction(1, 2)) <= Fraction(1, 100)
    assert [words for words in film.warnings if "every 2nd of the 60" in words] == list(film.warnings) * (kind == "gif")
    retitled = rendered(here, f"{{size: 16, fps: 60, duration: 0.5, file: {kind}}}", "title: Tag\n" + WALK)
    assert (retitled.rendered, read_stamp(retitled.path).title) == (0, "Tag")


def test_quality_of_webp_renders_nothing_anew(here: Path):
    sizes = []
    for crf in (10, 50):
        film = rendered(here, f"{{size: 32, {TIME}, file: webp, crf: {crf}}}")
        sizes.append((film.rendered, film.path.stat().st_size))
    assert [count for count, _ in sizes] == [25, 0]
    assert sizes[1][1] < sizes[0][1]


def test_pictures_of_a_part_stand_among_the_others(here: Path):
    video = f"{{size: 16, {TIME}, file: png}}"
    part = rendered(here, video, frames=(18, 22))
    assert (part.frames, part.rendered) == (4, 4)
    assert sorted(contents(part.path)) == [f"{at:06d}.png" for at in range(18, 22)]
    before = contents(part.path)
    whole = rendered(here, video)
    assert whole.frames == 25
    assert sorted(contents(whole.path)) == [f"{at:06d}.png" for at in range(25)]
    changed = {name for name, data in before.items() if contents(whole.path)[name] != data}
    assert changed <= {"000018.png"}, "which said the recipe, and still may"
    assert rendered(here, video).rendered == 0
    assert json.loads(whole.manifest.read_text())["video"]["frames"] == 25


def test_pictures_of_segments_that_are_the_same(here: Path):
    film = rendered(here, "{size: 16, fps: 2, duration: 12, file: png}", "walk: {through: [1]}\n")
    assert film.rendered == film.frames == len(contents(film.path)) == 24
    assert not list((here / "outputs/.gandream/locks").iterdir())


def test_a_damaged_or_missing_picture_is_made_anew_and_a_shorter_film_has_fewer(here: Path):
    video = f"{{size: 16, {TIME}, file: exr}}"
    film = rendered(here, video)
    before = contents(film.path)
    (film.path / "000007.exr").write_bytes(before["000007.exr"][:-9])
    (film.path / "000009.exr").unlink()
    again = rendered(here, video)
    assert 2 <= again.rendered <= 3
    assert contents(again.path) == before
    shorter = rendered(here, video.replace("2.5", "1.2"))
    assert len(contents(shorter.path)) == 12
    assert rendered(here, video.replace("2.5", "1.2")).rendered == 0


def test_a_folder_in_the_place_of_a_film_is_told_before_it_is_rendered(here: Path):
    (here / "outputs/x.gif").mkdir(parents=True)
    with pytest.raises(OutputError, match="a folder is where the film should be"):
        rendered(here, f"[{{size: 16, {TIME}, file: png}}, {{file: gif}}]", force=True)
    assert [path.name for path in (here / "outputs").iterdir()] == ["x.gif"]


def test_a_folder_of_others_is_not_touched_without_force(here: Path):
    Path("outputs/x").mkdir(parents=True)
    Path("outputs/x/000000.png").write_bytes(b"mine")
    video = f"{{size: 16, {TIME}, file: png}}"
    with pytest.raises(OutputError, match="a folder is here already"):
        rendered(here, video)
    rendered(here, video, force=True)
    other = here / "other"
    other.mkdir()
    with pytest.raises(OutputError, match=r"made from \.\./x\.yaml"):
        render(load_recipe(recipe_file(other, video)), "outputs/x", device="cpu")


class Given(BaseException):
    """Somebody stops the render."""


def test_a_stopped_folder_goes_on_with_the_next_picture(here: Path):
    """With an effect that remembers, in batches of four, stopped within a segment and within a batch."""
    video, body = f"{{size: 16, {TIME}, file: png}}", WALK + "effects: [{echo: 0.6, delay: 2 frames}, {trails: 0.7}]\n"

    def stop(stage: str, done: int, total: int) -> None:
        if done >= 10:
            raise Given

    with pytest.raises(Given):
        rendered(here, video, body, progress=stop)
    there = contents(Path("outputs/x"))
    assert 0 < len(there) < 20
    again = rendered(here, video, body)
    assert again.rendered == 25 - len(there)
    (here / "b").mkdir()
    undisturbed = rendered(here / "b", video, body, out=here / "b" / "out")
    assert contents(undisturbed.path) == contents(again.path)


@pytest.mark.slow
def test_a_killed_folder_goes_on_with_the_next_picture(here: Path):
    recipe_file(here, "{size: 256, fps: 25, duration: 6, file: png, depth: 16}")
    program = "from gandream.recipe.load import load_recipe; from gandream.run.film import render;"
    program += "print(render(load_recipe('x.yaml')).rendered)"
    folder, counts = Path("outputs/x"), []
    for wanted in (3, 30, 70):
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 120
        while len(list(folder.glob("[0-9]*.png"))) < wanted and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        counts.append(len(list(folder.glob("[0-9]*.png"))))
    assert counts == sorted(counts)
    assert counts[-1] < 150
    stamps = {path.name: path.stat().st_mtime_ns for path in folder.glob("[0-9]*.png")}
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert 150 - counts[-1] <= int(said) <= 150 - counts[-1] + 1, "one may have lost its line"
    kept = [name for name, at in stamps.items() if (folder / name).stat().st_mtime_ns == at]
    assert len(kept) >= counts[-1] - 2, "the first tells the recipe, and one may have lost its line"
    assert not list(folder.glob(".*.part*"))
    (here / "b").mkdir()
    whole = render(load_recipe("x.yaml"), here / "b" / "out", device="cpu")
    assert contents(whole.path) == contents(folder)


def test_nothing_changed_loads_no_torch(here: Path):
    rendered(here, f"[{{size: 16, {TIME}, file: gif}}, {{size: 16, file: png, depth: 16}}]")
    program = (
        "import sys, gandream.run.film as film; from gandream.recipe.load import load_recipe;"
        "made = film.render(load_recipe('x.yaml'));"
        "print(made.rendered, made.others[0].rendered, 'torch' in sys.modules, 'librosa' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["0", "0", "False", "False"]


def test_what_is_transparent_stays_so(here: Path, stylegan2_file):
    """A model with opacity: the same pictures as PNG of 8 and 16 bits, as EXR, and as APNG."""
    model = stylegan2_file(colours=4)
    kinds = "[{file: png, name: a}, {file: png, depth: 16, name: b}, {file: exr, name: c}, {file: apng}]"
    video = kinds.replace("{file", "{fps: 10, duration: 0.3, size: 16, alpha: true, file")
    film = rendered(here, video, "walk: {through: [1, 2], every: 1s}\n", model)
    eight = np.array(Image.open(film.path / "000001.png"))
    assert eight.shape == (16, 16, 4)
    assert eight[..., 3].std() > 10, "partly transparent"

    def read(path: Path, pix_fmt: str, kind: str) -> np.ndarray:
        raw = ffmpeg.run("-loglevel", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", pix_fmt, "-")
        return np.frombuffer(raw, kind)

    sixteen = read(film.others[0].path / "000001.png", "rgba64le", "<u2").reshape(16, 16, 4)
    assert np.abs(sixteen / 257 - eight).max() <= 0.51
    green, _, _, opacity = (
        read(film.others[1].path / "000001.exr", "gbrapf16le", "<f2").astype(float).reshape(4, 16, 16)
    )
    shown = sixteen[..., 1] / 65535
    light = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    assert np.allclose(opacity, sixteen[..., 3] / 65535, atol=1e-3)
    assert np.allclose(green, light * opacity, atol=1e-3)
    with Image.open(film.others[2].path) as animation:
        animation.seek(1)
        assert np.array_equal(np.array(animation.convert("RGBA")), eight)
    with pytest.raises(Exception, match="no alpha channel"):
        rendered(here, "{file: apng, alpha: true, size: 16}")
