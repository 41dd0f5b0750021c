"""``gandream train`` as a person uses it: what it says, what it leaves behind, and what it makes of bad input."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandream.models.registry import describe

SHORT = ("--resolution", "16", "--images", "160", "--every", "64", "--family", "dcgan")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of forty small pictures in two classes, and one that is broken."""
    folder = tmp_path / "pictures"
    random = np.random.default_rng(0)
    for kind in ("red", "blue"):
        (folder / kind).mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, 80, (24, 20, 3), dtype=np.uint8)
            pixels[..., 0 if kind == "red" else 2] += 150
            Image.fromarray(pixels).save(folder / kind / f"{number}.png")
    (folder / "red" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return folder


def test_a_training_leaves_a_model_sheets_and_a_log(gandream, here: Path, pictures: Path):
    said = gandream("train", pictures, "--out", "mine.safetensors", *SHORT, "--licence", "mine alone")
    assert said.status == 0, said.err
    assert said.out == "mine.safetensors\n"
    assert "broken.png" in said.err
    spec = describe("mine.safetensors", here)
    assert (spec.family, spec.size, spec.licence) == ("dcgan", (16, 16), "mine alone")
    folder = here / "outputs/training/mine"
    names = {path.name for path in folder.iterdir() if not path.name.startswith(("pictures", "."))}
    assert {"state.safetensors", "log.jsonl"} <= names
    sheets = sorted(name for name in names if name.startswith("sheet-"))
    assert [int(re.findall(r"\d+", name)[0]) for name in sheets] == [64, 128, 160]
    with Image.open(folder / sheets[-1]) as sheet:
        assert min(sheet.size) >= 128
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [64, 128, 160]
    assert all(line["swd"] is None for line in lines), "two held-out pictures say nothing"
    assert gandream("models", "info", "mine.safetensors").status == 0


@pytest.mark.slow
def test_the_best_so_far_is_the_model(gandream, here: Path):
    said = gandream("train", "procedural:dreams", "--out", "mine.safetensors", *SHORT, "--samples", "64")
    assert said.status == 0, said.err
    lines = [json.loads(line) for line in (here / "outputs/training/mine/log.jsonl").read_text().splitlines()]
    assert all(line["swd"] > 0 for line in lines)
    best = min(lines, key=lambda line: (line["swd"], -line["images"]))
    assert lines[-1]["best"] == best["images"]
    raw = (here / "mine.safetensors").read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert json.loads(header["__metadata__"]["gandream"])["training"]["images"] == best["images"]


@pytest.mark.slow
def test_metadata_say_where_a_model_comes_from(gandream, here: Path, pictures: Path):
    assert gandream("train", pictures, "--out", "mine.safetensors", *SHORT, "--seed", "3").status == 0
    raw = (here / "mine.safetensors").read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    training = json.loads(header["__metadata__"]["gandream"])["training"]
    assert training["seed"] == 3
    assert training["images"] == 160
    assert training["settings"]["family"] == "dcgan"
    assert str(training["data"]) != "{}"


def test_dry_run_trains_nothing(gandream, here: Path, pictures: Path):
    said = gandream("train", pictures, "--out", "mine.safetensors", *SHORT, "--dry-run")
    assert said.status == 0, said.err
    for word in ("dcgan", "parameters", "16x16", "images/s", "memory", "in all"):
        assert word in said.out
    assert not (here / "mine.safetensors").exists()
    assert not list(here.rglob("state.safetensors"))


def test_resume_goes_on_and_only_with_the_same_settings(gandream, here: Path, pictures: Path):
    assert gandream("train", pictures, "--out", "mine.safetensors", *SHORT).status == 0
    more = [*SHORT[:3], "224", *SHORT[4:]]
    said = gandream("train", pictures, "--out", "mine.safetensors", *more, "--resume")
    assert said.status == 0, said.err
    assert (here / "outputs/training/mine/sheet-000000224.png").exists()
    before = (here / "mine.safetensors").read_bytes()
    said = gandream("train", pictures, "--out", "mine.safetensors", *more, "--resume", "--seed", "9")
    assert said.status == 2
    assert "another configuration" in said.err
    assert "seed: 0 there, 9 here" in said.err
    assert (here / "mine.safetensors").read_bytes() == before


@pytest.mark.slow
def test_resume_begins_where_there_is_nothing_yet(gandream, here: Path):
    said = gandream("train", "procedural:dreams", "--out", "x.safetensors", *SHORT, "--samples", "0", "--resume")
    assert said.status == 0, said.err
    assert "there is no training" in said.err
    assert (here / "x.safetensors").exists()


def test_a_training_is_not_begun_anew_over_another(gandream, here: Path, pictures: Path):
    assert gandream("train", pictures, "--out", "mine.safetensors", *SHORT).status == 0
    said = gandream("train", pictures, "--out", "mine.safetensors", *SHORT)
    assert said.status == 2
    assert "--resume" in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resolution", "48"], "power of two"),
        (["--resolution", "4096"], "power of two"),
        (["--family", "stylegan"], "Did you mean 'stylegan2'"),
        (["--config", "big"], "auto, small"),
        (["--images", "lots"], "no count of images"),
        (["--precision", "int8"], "bfloat16"),
        (["--augment", "adda"], "Did you mean 'ada'"),
        (["--family", "dcgan", "--resolution", "256"], "stylegan2"),
    ],
)
def test_wrong_words(gandream, here: Path, arguments: list[str], words: str):
    said = gandream("train", "procedural:dreams", "--out", "x.safetensors", *arguments)
    assert said.status == 2
    assert words in " ".join(said.err.split())
    assert "Traceback" not in said.err
    assert not (here / "x.safetensors").exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [("nowhere", "no such"), ("procedural:dream", "Did you mean 'procedural:dreams'"), ("empty", "no picture")],
)
def test_wrong_data(gandream, here: Path, data: str, words: str):
    (here / "empty").mkdir()
    said = gandream("train", data, "--out", "x.safetensors")
    assert said.status == 2
    assert words in said.err
    assert "Traceback" not in said.err


def test_tensorboard_is_an_extra(gandream, here: Path):
    said = gandream("train", "procedural:dreams", "--out", "x.safetensors", *SHORT, "--samples", "0", "--tensorboard")
    if importlib.util.find_spec("tensorboard"):
        assert said.status == 0, said.err
        assert list((here / "outputs/training/x/tensorboard").iterdir())
    else:
        assert said.status == 2
        assert "pip install tensorboard" in said.err


def test_another_ending_is_told_at_once(gandream, here: Path):
    said = gandream("train", "procedural:dreams", "--out", "x.pt")
    assert said.status == 2
    assert "x.safetensors" in said.err


def run(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "gandream", "train", "procedural:dreams", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


LONG = ("--out", "x.safetensors", "--resolution", "16", "--family", "dcgan", "--every", "320", "--samples", "0")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_at_any_time_it_goes_on(tmp_path: Path, number: signal.Signals):
    process = run(tmp_path, *LONG, "--images", "10M")
    until, state = time.monotonic() + 60, tmp_path / "outputs/training/x/state.safetensors"
    while not state.exists() and time.monotonic() < until and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(number)
    _, words = process.communicate(timeout=60)
    assert state.exists(), words
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
        reached = 320
    else:
        assert process.returncode == 130
        assert "--resume goes on" in words
        reached = int(re.findall(r"after (\d+) images", words)[0])
        assert reached >= 320
    assert not [path for path in state.parent.iterdir() if ".part" in path.name and number != signal.SIGKILL]
    again = run(tmp_path, *LONG, "--images", str(reached + 64), "--resume")
    _, words = again.communicate(timeout=60)
    assert again.returncode == 0, words
    sheets = sorted((tmp_path / "outputs/training/x").glob("sheet-*.png"))
    assert sheets[-1].name >= f"sheet-{reached:09d}.png"


@pytest.mark.slow
def test_a_full_disk_leaves_the_last_good_state(tmp_path: Path):
    small = tmp_path / "small"
    small.mkdir()
    if not shutil.which("mount"):
        pytest.skip("no mount here")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk isn't allowed here")
    try:
        process = run(small, *LONG, "--images", "320")
        _, words = process.communicate(timeout=60)
        assert process.returncode == 0, words
        state = small / "outputs/training/x/state.safetensors"
        good = state.read_bytes()
        room = os.statvfs(small)
        (small / "filler").write_bytes(b"0" * (room.f_bavail * room.f_frsize - 100_000))
        process = run(small, *LONG, "--images", "640", "--resume")
        _, words = process.communicate(timeout=60)
        assert process.returncode == 1, words
        assert "the disk is full" in words
        assert "Traceback" not in words
        assert state.read_bytes() == good
        assert not list(small.rglob("*.part*"))
    finally:
        subprocess.run(["umount", "-l", small], check=True)
