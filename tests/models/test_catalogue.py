"""The shelf of models that a person added."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from gandream.base.errors import CheckpointError
from gandream.models import catalogue
from gandream.models.registry import describe, load_generator

torch = pytest.importorskip("torch")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANDREAM_MODELS", str(tmp_path / "shelf"))
    return tmp_path / "shelf"


@pytest.fixture
def dcgan(tmp_path: Path) -> Path:
    """A tiny generator in the layout of PyTorch's DCGAN example, wrapped as the known one is."""
    layers = torch.nn.Sequential(
        torch.nn.ConvTranspose2d(6, 8, 4, 1, 0, bias=False),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.ConvTranspose2d(8, 3, 4, 2, 1, bias=False),
        torch.nn.Tanh(),
    )
    state = {f"main.{name}": value for name, value in layers.state_dict().items()}
    torch.save({"netG_state_dict": state, "epoch": 3}, tmp_path / "weights.tar")
    return tmp_path / "weights.tar"


def wheel(folder: Path, content: bytes) -> None:
    """A wheel called tiny-gan 1.0 that carries a file."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny_gan-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("tiny_gan/weights.tar", content)
        archive.writestr("tiny_gan/__init__.py", "raise SystemExit('this must never run')")
        archive.writestr("tiny_gan-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-gan\nVersion: 1.0\n")
        archive.writestr(
            "tiny_gan-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny_gan-1.0.dist-info/RECORD", "")


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip sees nothing but one folder."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path / "links"


def test_a_file_is_added_used_and_removed(shelf: Path, dcgan: Path):
    found = catalogue.add(str(dcgan), "tiny")
    assert found.sha256 == hashlib.sha256(dcgan.read_bytes()).hexdigest()
    assert [one.name for one in catalogue.added()] == ["tiny"]
    spec = describe("tiny")
    assert (spec.name, spec.family, spec.size) == ("tiny", "dcgan", (8, 8))
    generator = load_generator("tiny", "cpu")
    assert generator.synthesise(generator.map(generator.latents([1]))).shape == (1, 3, 8, 8)
    catalogue.remove("tiny")
    assert catalogue.added() == []
    assert list(shelf.iterdir()) == []


def test_a_wheel_is_fetched_and_never_installed(shelf: Path, dcgan: Path, offline: Path):
    wheel(offline, dcgan.read_bytes())
    found = catalogue.add("pypi:tiny-gan==1.0#tiny_gan/weights.tar")
    assert found.name == "tiny-gan"
    assert found.path.read_bytes() == dcgan.read_bytes()
    assert describe("tiny-gan").family == "dcgan"


def test_a_known_model_must_be_what_it_was(shelf: Path, dcgan: Path, offline: Path, monkeypatch: pytest.MonkeyPatch):
    wheel(offline, dcgan.read_bytes())
    entry = catalogue.Entry("pypi:tiny-gan==1.0#tiny_gan/weights.tar", "0" * 64, "tiny", "none")
    monkeypatch.setitem(catalogue.KNOWN, "known", entry)
    with pytest.raises(CheckpointError, match=r"has the SHA-256 .*known model has 0000"):
        catalogue.add("known")
    assert not (shelf / "known").exists()
    assert not list(shelf.glob(".adding-*"))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("pypi:tiny-gan==2.0#tiny_gan/weights.tar", "can't be fetched"),
        ("pypi:tiny-gan==1.0#tiny_gan/other.tar", "holds no tiny_gan/other.tar"),
        ("pypi:tiny-gan#x", "can't read this source"),
        ("pypi:--index-url==1#x", "can't read this source"),
        ("nowhere.pkl", "no such file"),
    ],
)
def test_what_cannot_be_fetched_is_told_and_adds_nothing(
    shelf: Path, dcgan: Path, offline: Path, source: str, words: str
):
    wheel(offline, dcgan.read_bytes())
    with pytest.raises(CheckpointError, match=words):
        catalogue.add(source)
    assert not list(shelf.glob("*"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html><body>Sign in to download</body></html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git-lfs"),
        (b"only words\n" * 20, "this is text"),
        (b"", "empty"),
    ],
)
def test_what_is_no_model_is_not_added(shelf: Path, tmp_path: Path, content: bytes, words: str):
    (tmp_path / "faces.pkl").write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{words}.*\n.*Nothing was added") as refused:
        catalogue.add(str(tmp_path / "faces.pkl"))
    assert refused.value.where == str(tmp_path / "faces.pkl")
    assert not list(shelf.iterdir())


def test_a_name_that_a_built_in_model_has_is_not_given(shelf: Path, dcgan: Path):
    with pytest.raises(CheckpointError, match="always here"):
        catalogue.add(str(dcgan), "cppn")


def test_a_changed_file_is_not_used(shelf: Path, dcgan: Path):
    found = catalogue.add(str(dcgan), "tiny")
    found.path.write_bytes(found.path.read_bytes() + b"x")
    with pytest.raises(CheckpointError, match="changed since it was added"):
        describe("tiny")


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "x" * 65])
def test_names_stay_on_the_shelf(shelf: Path, dcgan: Path, name: str):
    with pytest.raises(CheckpointError):
        catalogue.add(str(dcgan), name or " ")
    with pytest.raises(CheckpointError):
        catalogue.remove(name)
    assert catalogue.find(name) is None


def test_a_name_is_taken_once(shelf: Path, dcgan: Path):
    catalogue.add(str(dcgan), "tiny")
    with pytest.raises(CheckpointError, match="is here already"):
        catalogue.add(str(dcgan), "tiny")


def test_a_render_says_which_command_would_fetch(shelf: Path):
    with pytest.raises(CheckpointError, match="gandream models add faces64"):
        describe("faces64")
    with pytest.raises(CheckpointError, match="Did you mean 'faces64'"):
        describe("face64")


def test_the_commands(shelf: Path, dcgan: Path, gandream):
    assert gandream("models", "add", dcgan, "--name", "tiny").status == 0
    listed = gandream("models", "list").out
    assert "tiny" in listed
    assert "gandream models add faces64" in listed
    said = gandream("models", "info", "tiny").out
    assert "dcgan, 8x8, 3 channels" in said
    assert "2 convolutions, channels 8 3" in said
    assert "z [6]" in said
    assert gandream("models", "remove", "tny").err.endswith("Did you mean 'tiny'?\n")
    assert gandream("models", "remove", "tiny").status == 0
    assert gandream("models", "info", "tiny").status == 2
