"""A render run again: what didn't change isn't rendered, whatever was done to the store."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gandream.base import ffmpeg
from gandream.base.files import machine
from gandream.recipe.load import load_recipe
from gandream.run.film import Film, render

VIDEO = "{size: 64, fps: 10, duration: 20, preset: ultrafast}"
SEGMENTS = Path("outputs/.gandream/segments")


def film(folder: Path, body: str = "", video: str = VIDEO, **options) -> Film:
    (folder / "r.yaml").write_text(f"model: cppn#7\n{body}\nvideo: {video}\n", encoding="utf-8")
    return render(load_recipe(folder / "r.yaml"), device="cpu", **options)


def test_nothing_changed_is_quick_and_loads_nothing(here: Path, clicks: Path):
    body = f"audio: {clicks}\nsignals: {{hit: onset}}\npush: {{random: 1, by: hit}}"
    film(here, body, "{size: 64, fps: 10, preset: ultrafast}")
    program = (
        "import sys; sys.argv = ['gandream', 'render', 'r.yaml', '--device', 'cpu']\n"
        "from gandream.cli.main import main\n"
        "try: main()\n"
        "finally: print(sorted({'torch', 'librosa', 'numba'} & set(sys.modules)))"
    )
    before = os.times()
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    after = os.times()
    assert said.stdout.splitlines() == ["outputs/r.mp4", "[]"], "neither torch nor librosa is imported"
    # Seconds of the processor: those of the clock depend on who else is at work here.
    assert after.children_user + after.children_system - before.children_user - before.children_system < 2


WALK = "walk: {{through: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, {last}], every: 2, loop: false}}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (WALK.format(last=11), WALK.format(last=77)),
        *(
            pytest.param(*pair, marks=pytest.mark.slow)
            for pair in (
                ("push: {random: 3, by: {18.2s: 0, 20s: 1}}", "push: {random: 3, by: {18.2s: 0, 20s: 2}}"),
                ("mix: {from: 9, at: 18.5}", "mix: {from: 10, at: 18.5}"),
                ("effects: {contrast: {18s: 1, 20s: 1.5}}", "effects: {contrast: {18s: 1, 20s: 1.2}}"),
            )
        ),
    ],
    ids=["walk", "push", "mix", "effect"],
)
def test_an_edit_of_the_last_tenth_renders_an_eighth_at_most(here: Path, before: str, after: str):
    first = film(here, before)
    edited = film(here, after)
    assert first.rendered >= 180, "a walk that has come round gives a segment that is there already"
    assert 0 < edited.rendered <= 0.12 * first.frames


def test_another_container_renders_nothing(here: Path):
    video = VIDEO.replace("20", "4")
    film(here, video=video)
    other = film(here, video=video.replace("{", "{file: mov, "))
    assert (other.path.suffix, other.rendered) == (".mov", 0)


def test_another_gain_renders_nothing(here: Path, clicks: Path):
    video = "{size: 64, fps: 10, duration: 4, preset: ultrafast}"
    words = "signals: {{hit: onset}}\npush: {{random: 1, by: hit}}\naudio: {audio}"
    loudest = []
    for audio in (str(clicks), f"{{file: {clicks}, gain: -12}}"):
        made = film(here, words.format(audio=audio), video)
        raw = ffmpeg.run("-loglevel", "error", "-i", made.path, "-vn", "-f", "f32le", "-ac", "1", "-")
        loudest.append((made.rendered, np.abs(np.frombuffer(raw, np.float32)).max()))
    assert [frames for frames, _ in loudest] == [40, 0]
    assert 20 * np.log10(loudest[0][1] / loudest[1][1]) == pytest.approx(12, abs=0.3)


@pytest.mark.parametrize("what", ["join", "sound"])
def test_a_newer_way_to_join_or_to_code_sound_makes_the_film_anew(here: Path, clicks: Path, monkeypatch, what: str):
    """And renders nothing; a film without music doesn't care how sound is coded."""
    video = "{size: 32, fps: 10, duration: 0.5, preset: ultrafast}"
    stages: list[str] = []
    heard = {"body": f"audio: {clicks}", "video": video, "progress": lambda stage, done, total: stages.append(stage)}
    silent = heard | {"body": "", "out": "outputs/silent.mp4"}
    film(here, **heard)
    film(here, **silent)
    monkeypatch.setattr(f"gandream.video.{what}.REVISION", 2)
    for words, stage in ((heard, "joining"), (silent, "joining" if what == "join" else "there already")):
        made = film(here, **words)
        assert (made.rendered, stages[-1]) == (0, stage)
        assert film(here, **words).rendered == 0
        assert stages[-1] == "there already"


@pytest.mark.slow
def test_segments_that_begin_in_the_middle_equal_those_of_the_whole(here: Path):
    """Effects that remember see the frames before."""
    lossless = VIDEO.replace("{", "{crf: 0, ")
    body = "effects: [{trails: 0.9, zoom: 1.02, turn: 1}, {echo: 0.5, delay: 3 frames}, grain]"
    whole = film(here, body, lossless)
    kept = {path.name: path.read_bytes() for path in SEGMENTS.iterdir()}
    before = whole.path.read_bytes()
    for path in random.Random(3).sample(sorted(SEGMENTS.iterdir()), 4):
        path.unlink()
    whole.path.unlink()
    again = film(here, body, lossless)
    assert again.rendered == 80
    assert again.path.read_bytes() == before
    assert {path.name: path.read_bytes() for path in SEGMENTS.iterdir()} == kept


# damage


def truncated(path: Path, draw: random.Random, others: list[Path]) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: draw.randrange(len(data))])


def flipped(path: Path, draw: random.Random, others: list[Path]) -> None:
    data = bytearray(path.read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def longer(path: Path, draw: random.Random, others: list[Path]) -> None:
    path.write_bytes(path.read_bytes() + draw.randbytes(draw.randrange(1, 9)))


def empty(path: Path, draw: random.Random, others: list[Path]) -> None:
    path.write_bytes(b"")


def swapped(path: Path, draw: random.Random, others: list[Path]) -> None:
    other = draw.choice(others)
    mine = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(mine)


def renamed(path: Path, draw: random.Random, others: list[Path]) -> None:
    """Another segment, whole, under this one's key."""
    other = draw.choice(others)
    key, digest = path.name.split("-")[0], other.name.split("-")[1]
    shutil.copy(other, path.with_name(f"{key}-{digest}"))
    path.unlink()


def folder(path: Path, draw: random.Random, others: list[Path]) -> None:
    path.unlink()
    path.mkdir()
    (path / "mine.txt").write_text("mine")


def dangling(path: Path, draw: random.Random, others: list[Path]) -> None:
    path.unlink()
    path.symlink_to("nowhere.mp4")


def linked(path: Path, draw: random.Random, others: list[Path]) -> None:
    path.unlink()
    path.symlink_to(draw.choice([Path("/dev/zero"), Path("/dev/null"), others[0].absolute(), Path("/")]))


def pipe(path: Path, draw: random.Random, others: list[Path]) -> None:
    path.unlink()
    os.mkfifo(path)


def unreadable(path: Path, draw: random.Random, others: list[Path]) -> None:
    path.write_bytes(b"secret")
    path.chmod(0)


def gone(path: Path, draw: random.Random, others: list[Path]) -> None:
    path.unlink()


DAMAGES: list[Callable[[Path, random.Random, list[Path]], None]] = [
    *(truncated, flipped, longer, empty, swapped, renamed, folder, dangling, linked, pipe, unreadable, gone)
]
ROUNDS = [pytest.param(seed, marks=[] if seed == 0 else pytest.mark.slow) for seed in range(10)]


@pytest.mark.parametrize("seed", ROUNDS)
def test_whatever_happens_to_the_store_the_film_stays_the_same(here: Path, seed: int):
    """Three random damages a round, and foreign things wherever the store keeps something."""
    video = VIDEO.replace("20", "10")
    first = film(here, video=video)
    before = first.path.read_bytes()
    draw, whole = random.Random(seed), sorted(SEGMENTS.iterdir())
    assert len(whole) == 5
    for damage, path in zip(draw.sample(DAMAGES, 3), draw.sample(whole, 3), strict=True):
        others = [other for other in whole if other != path and other.is_file() and not other.is_symlink()]
        damage(path, draw, others)
    store = SEGMENTS.parent
    for note in (store / "films").iterdir():
        note.write_bytes(draw.randbytes(20))
    (store / "films/other.json").write_text('{"film": 3}')
    (SEGMENTS / "readme.txt").write_text("what is this folder?")
    (SEGMENTS / f".segment.{machine()}-{2**22 + 1}-00000000.part.mp4").write_bytes(b"left by a killed one")
    for path in whole:
        (store / "locks" / path.name.split("-")[0]).with_suffix(".lock").write_text("left by a killed one")
    first.path.unlink()
    again = film(here, video=video)
    assert again.path.read_bytes() == before
    assert 20 <= again.rendered <= 100
    third = film(here, video=video, force=True)
    assert (third.rendered, third.path.read_bytes()) == (0, before)
    assert not list(SEGMENTS.glob(".*.part.*"))


def test_a_store_that_may_be_written_but_not_read(here: Path):
    """Nothing of it is used, and nothing fails."""
    video = VIDEO.replace("20", "4")
    first = film(here, video=video)
    before, segments = first.path.read_bytes(), sorted(SEGMENTS.iterdir())
    assert len(segments) == 2
    for path in segments:
        path.chmod(0)
        if os.access(path, os.R_OK):  # the superuser may read everything but what can't be read
            path.unlink()
            path.symlink_to("/proc/self/mem")  # a file like any other until it is read from its beginning
    with pytest.raises(OSError, match=r"error|denied"):
        segments[0].read_bytes()
    first.path.unlink()
    again = film(here, video=video)
    assert (again.rendered, again.path.read_bytes()) == (40, before)
