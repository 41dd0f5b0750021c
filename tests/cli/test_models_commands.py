"""``gandream models`` from outside: info, convert, and the forms of ``model:`` in a recipe."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gandream.base.hashing import file_fingerprint
from gandream.models.precision import chosen
from gandream.rendering.plan import MAX_BATCH


@pytest.fixture
def net(here: Path, stylegan2_file, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small conditional StyleGAN2 in the working directory, and an empty shelf."""
    monkeypatch.setenv("GANDREAM_MODELS", str(here / "shelf"))
    return Path(shutil.copyfile(stylegan2_file(classes=2), here / "net.safetensors"))


def test_info(gandream, net: Path):
    said = gandream("models", "info", "net.safetensors").out
    assert "net.safetensors: stylegan2, 16x16, 3 channels" in said
    assert re.search(r"safetensors of 0\.\d MB", said)
    assert re.search(r"[\d,]+ parameters, in float32", said)
    assert "2 classes: 0 0, 1 1" in said
    assert file_fingerprint(net) in said


def test_info_for_programs(gandream, net: Path):
    found = json.loads(gandream("models", "info", "net.safetensors", "--json", "--time", "--device", "cpu").out)
    assert (found["family"], found["height"], found["classes"]) == ("stylegan2", 16, ["0", "1"])
    assert found["sha256"] == file_fingerprint(net)
    assert found["time"]["pictures_per_second"] == pytest.approx(1 / found["time"]["seconds_per_picture"])
    assert found["time"]["device"] == "cpu"
    assert (found["time"]["precision"], found["time"]["batch"]) == ("float32", MAX_BATCH["cpu"])
    drawn = json.loads(gandream("models", "info", "cppn#3", "--json").out)
    assert drawn["family"] == "cppn"
    assert "sha256" not in drawn
    assert "time" not in drawn


def test_times_are_those_of_a_render(gandream, stylegan2_file, here: Path):
    (here / "wide.safetensors").write_bytes(stylegan2_file(channels=(128, 128, 128)).read_bytes())
    said = gandream("models", "info", "wide.safetensors", "--time", "--device", "cpu").out
    precision = chosen("auto", "cpu", reducible=True)
    assert re.search(rf"pictures/s on the CPU, \d+ threads?, in {precision}, {MAX_BATCH['cpu']} at a time\n", said)


def test_convert(gandream, net: Path, here: Path):
    said = gandream("models", "convert", "net.safetensors", "mine.safetensors", "--check")
    assert said.status == 0
    assert "over 4 seeds: 0\n" in said.out
    again = gandream("models", "convert", "net.safetensors", "mine.safetensors")
    assert again.status == 2
    assert "--force" in again.err
    assert gandream("models", "convert", "net.safetensors", "h.safetensors", "--precision", "float8").status == 2
    assert not (here / "h.safetensors").exists()
    assert gandream("models", "convert", "net.safetensors", "mine.safetensors", "--force").status == 0


def test_names_of_added_models_take_a_sum_and_a_class(gandream, net: Path, here: Path):
    assert gandream("models", "add", "small", "net.safetensors").status == 0
    right = file_fingerprint(net)
    (here / "r.yaml").write_text(
        f"model: {{file: small, sha256: {right.upper()}, precision: exact, class: 1}}\n"
        "walk: {through: [1, 2], every: 1s}\nvideo: {duration: 0.1, size: 32x32}\n"
    )
    assert gandream("validate", "r.yaml").out == "r.yaml: good\n"
    still = gandream("still", "r.yaml", "-o", "s.png")
    assert still.status == 0, still.err
    wrong = gandream("validate", "r.yaml", "--set", f"model.sha256={'ab' * 32}")
    assert wrong.status == 2
    assert right in wrong.err
    assert "ab" * 32 in wrong.err
    assert "model.sha256" in wrong.err
    assert "wanted a precision: auto, exact" in gandream("validate", "r.yaml", "--set", "model.precision=half").err


def test_validate_reads_headers_without_torch(net: Path, here: Path):
    (here / "r.yaml").write_text("model: {file: net.safetensors, class: 0}\n")
    code = (
        "import sys; sys.argv = ['gandream', 'validate', 'r.yaml']\n"
        "from gandream.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=here)
    assert done.stdout == "r.yaml: good\nFalse\n", done.stderr
    net.write_bytes(net.read_bytes()[:-100])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=here)
    assert "it is truncated" in done.stderr


def test_names_and_sources_in_any_order_are_understood(gandream, net: Path):
    turned = gandream("models", "add", "net.safetensors", "mine")
    assert turned.status == 2
    assert "gandream models add mine net.safetensors" in turned.err
    twice = gandream("models", "add", "one", "net.safetensors", "--name", "two")
    assert twice.status == 2
    assert "two names" in twice.err
    assert gandream("models", "add", "net.safetensors").out.startswith("net: added")
    assert "Did you mean 'faces64'" in gandream("models", "add", "faces46").err
