"""The shelf of models that a person added."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import types
import zipfile
from pathlib import Path

import pytest

from gandream.base.errors import CheckpointError
from gandream.base.hashing import file_fingerprint
from gandream.models import catalogue
from gandream.models.catalogue import sources
from gandream.models.registry import FROM_FILES, describe, load_generator

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
    with pytest.raises(CheckpointError, match=r"has the SHA-256 .*, and 0000"):
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
        ("ftp://a/b.pkl", "nothing is fetched from such addresses"),
        ("textures", "Known are progan-textures"),
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


def test_known_models_are_written_with_care():
    for name, entry in catalogue.KNOWN.items():
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", name)
        assert entry.family in FROM_FILES
        assert entry.licence
        assert entry.about
        assert entry.seen
        assert entry.sha256 is None or re.fullmatch("[0-9a-f]{64}", entry.sha256)
        assert all(sources.remote(source) for source in (entry.source, *entry.beside.values()))
        assert sources.name_of(entry.source)
    assert len({entry.source for entry in catalogue.KNOWN.values()}) == len(catalogue.KNOWN)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("https://example.org/a/faces%201.pkl?download=1#x", "faces_1"),
        ("hf://me/my-zoo/sub/cats.pkl", "cats"),
        ("hf://me/my-zoo/pytorch_model.bin@v1.0", "my-zoo"),
        ("pypi:tiny-gan==1.0#a/b.tar", "tiny-gan"),
        ("../models/.hidden one.pt", "hidden_one"),
        ("C:\\models\\net.pkl", "net"),
    ],
)
def test_what_a_model_is_called_if_nobody_says(source: str, name: str):
    assert sources.name_of(source) == name


@pytest.mark.parametrize(
    "source", ["hf://me/x", "hf://me", "hf://me/repo/../../x", "hf://me/repo/f@a b", "hf://a b/c/d"]
)
def test_addresses_on_hugging_face_that_are_none(shelf: Path, source: str):
    with pytest.raises(CheckpointError, match="can't read this source"):
        catalogue.add(source)


def test_a_folder_is_no_model(shelf: Path, tmp_path: Path):
    with pytest.raises(CheckpointError, match="this is a folder"):
        catalogue.add(str(tmp_path))


def test_names_of_classes_come_along(shelf: Path, tmp_path: Path, stylegan2_file):
    file = tmp_path / "zoo.safetensors"
    file.write_bytes(stylegan2_file(classes=3).read_bytes())
    (tmp_path / "zoo.labels.txt").write_text("cat\ndog\nfox\n", "utf-8")
    (tmp_path / "config.json").write_text("{}", "utf-8")
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    found = catalogue.add(str(file), "zoo")
    assert describe("zoo").classes == ("cat", "dog", "fox")
    assert sorted(path.name for path in found.path.parent.iterdir()) == [
        *("model.json", "model.labels.txt", "model.safetensors"),
    ]
    found.path.with_name("model.labels.txt").write_text("cat\nfox\ndog\n", "utf-8")
    with pytest.raises(CheckpointError, match=r"changed since it was added: .*model\.labels\.txt"):
        describe("zoo")


def test_a_configuration_beside_a_file_comes_along_and_counts(shelf: Path, biggan_deep_file: Path):
    found = catalogue.add(str(biggan_deep_file), "big")
    assert found.beside == {"config.json": file_fingerprint(biggan_deep_file.with_name("config.json"))}
    assert describe("big").fingerprint == describe(str(biggan_deep_file)).fingerprint
    config = biggan_deep_file.with_name("config.json")
    config.write_text(json.dumps(json.loads(config.read_text("utf-8")) | {"note": "another"}), "utf-8")
    assert describe(str(biggan_deep_file)).fingerprint != describe("big").fingerprint
    found.path.with_name("config.json").unlink()
    with pytest.raises(CheckpointError, match="is gone"):
        describe("big")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, biggan_deep_file: Path) -> list[tuple[str, str, str | None]]:
    """A huggingface_hub that has one repository; what was asked of it."""
    asked = []
    gone = type("EntryNotFoundError", (Exception,), {})

    def hf_hub_download(repository: str, path: str, *, revision: str | None, local_dir: Path) -> str:
        asked.append((repository, path, revision))
        if repository == "me/gated":
            raise type("GatedRepoError", (Exception,), {})("403")
        if repository != "me/biggan" or not biggan_deep_file.with_name(path).is_file():
            raise gone("404")
        local_dir.mkdir(parents=True, exist_ok=True)
        return str(shutil.copyfile(biggan_deep_file.with_name(path), local_dir / path))

    for name in ("GANDREAM_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    fake = types.ModuleType("huggingface_hub")
    fake.hf_hub_download = hf_hub_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    return asked


def test_a_model_of_hugging_face_with_what_lies_beside_it(shelf: Path, hub: list, biggan_deep_file: Path):
    found = catalogue.add("hf://me/biggan/pytorch_model.bin@v1")
    assert found.name == "biggan"
    assert found.path.read_bytes() == biggan_deep_file.read_bytes()
    assert list(found.beside) == ["config.json"]
    assert hub[:2] == [("me/biggan", "pytorch_model.bin", "v1"), ("me/biggan", "config.json", "v1")]
    assert [path.name for path in shelf.iterdir()] == ["biggan"]
    assert describe("hf://me/biggan/pytorch_model.bin@v1").family == "biggan_deep"


@pytest.mark.parametrize(
    ("source", "words"),
    [("hf://me/gated/x.pkl", "wants to be asked first"), ("hf://me/biggan/x.pkl", "no such file")],
)
def test_what_hugging_face_refuses(shelf: Path, hub: list, source: str, words: str):
    with pytest.raises(CheckpointError, match=words):
        catalogue.add(source)
    assert list(shelf.iterdir()) == []


def test_without_huggingface_hub(shelf: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with pytest.raises(CheckpointError, match=r"pip install 'gandream\[hub\]'"):
        catalogue.add("hf://me/biggan/pytorch_model.bin")


@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("hf://me/zoo/cats.pkl", "gandream models add cats hf://me/zoo/cats.pkl"),
        ("https://example.org/a.pkl?x=1&y=2", "gandream models add a 'https://example.org/a.pkl?x=1&y=2'"),
        (
            "pypi:tiny-gan==1.0#tiny_gan/weights.tar",
            "gandream models add tiny-gan 'pypi:tiny-gan==1.0#tiny_gan/weights.tar'",
        ),
        (catalogue.KNOWN["stylegan2-ffhq"].source, "gandream models add stylegan2-ffhq"),
    ],
)
def test_an_address_in_a_recipe_is_never_fetched(
    shelf: Path, here: Path, gandream, source: str, command: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a render fetched something"))
    (here / "r.yaml").write_text(f"model: {source!r}\n", "utf-8")
    for verb in ("validate", "still"):
        said = gandream(verb, "r.yaml")
        assert said.status == 2
        assert "this model isn't here yet" in said.err
        assert f"Fetch it with: {command}\n" in said.err


def test_the_commands(shelf: Path, dcgan: Path, gandream):
    assert gandream("models", "add", dcgan, "--name", "tiny").status == 0
    listed = gandream("models", "list")
    assert "tiny" in listed.out
    assert "faces64" not in listed.out
    assert "gandream models list --known" in listed.err
    known = gandream("models", "list", "--known").out
    assert all(name in known and entry.licence in known for name, entry in catalogue.KNOWN.items())
    said = gandream("models", "info", "tiny").out
    assert "dcgan, 8x8, 3 channels" in said
    assert "2 convolutions, channels 8 3" in said
    assert "z [6]" in said
    assert gandream("models", "remove", "tny").err.endswith("Did you mean 'tiny'?\n")
    assert gandream("models", "remove", "tiny").status == 0
    assert gandream("models", "info", "tiny").status == 2
