"""From a model's name to its family."""

import subprocess
import sys

import pytest
import torch

from gandream.base.errors import CheckpointError
from gandream.models.registry import BUILT_IN, describe, load_generator


def test_import_and_describe_load_no_torch():
    code = "import sys, gandream.models.registry as r; r.describe('cppn#7'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_built_in_families():
    for name in BUILT_IN:
        assert describe(name).family == name
        assert describe(name) == describe(f"{name}#0")
        assert load_generator(f"{name}#3", device="cpu").spec == describe(f"{name}#3")


def test_device():
    default = load_generator("cppn").device.type
    assert default == ("cuda" if torch.cuda.is_available() else "cpu")
    assert load_generator("cppn", device=torch.device("cpu")).device.type == "cpu"


@pytest.mark.parametrize("source", ["cppm#7", "CPPN#7", "cpn"])
def test_misspelt_family(source):
    with pytest.raises(CheckpointError, match="Did you mean 'cppn'"):
        describe(source)


@pytest.mark.parametrize("source", ["cppn#x", "cppn#-1", "cppn#4294967296", "cppn#1.5"])
def test_bad_seed(source):
    with pytest.raises(CheckpointError) as caught:
        describe(source)
    assert caught.value.where == source
    assert "seed" in caught.value.problem
    assert caught.value.hint


def test_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match="no such file") as caught:
        load_generator("faces.pkl", base=tmp_path)
    assert str(tmp_path / "faces.pkl") in str(caught.value)
    with pytest.raises(CheckpointError, match="no such file"):
        describe("a#b/faces#2.pkl", tmp_path)


def test_file_of_no_family(tmp_path):
    (tmp_path / "faces.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(CheckpointError, match="no known family") as caught:
        describe("faces.pkl", tmp_path)
    assert "cppn" in caught.value.hint
    with pytest.raises(CheckpointError, match="folder"):
        describe(str(tmp_path))


def test_empty_name():
    with pytest.raises(CheckpointError):
        describe("")
