"""Any file as gandream's own: the same pictures, published whole; and the facts about a file."""

from __future__ import annotations

import itertools
import struct
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.numpy

from gandream.base.errors import CheckpointError, OutputError
from gandream.models import registry
from gandream.models.convert import Halved, convert, difference, display, displays
from gandream.models.files import write_native
from gandream.models.registry import describe, facts, load_generator, training_of
from gandream.models.timing import LEAST, timed

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def conditional(stylegan2_file) -> Path:
    return stylegan2_file(classes=3, seed=5)


def pickled(file: Path, out: Path) -> Path:
    """The tensors of a file as torch.save writes them, among others that nobody wants."""
    tensors = {name: torch.from_numpy(array.copy()) for name, array in safetensors.numpy.load_file(file).items()}
    torch.save({"G": {"x": torch.ones(9)}, "D": {"y": torch.ones(9)}, "G_ema": tensors}, out)
    return out


def test_the_pictures_stay_the_same(conditional: Path, tmp_path: Path):
    source, out = pickled(conditional, tmp_path / "net.pt"), tmp_path / "new" / "mine.safetensors"
    first = convert(str(source), out)
    second = load_generator(str(out), "cpu")
    assert difference(first, second) == 0
    for seed in (0, 3, 9):
        z, kind = first.latents([seed]), torch.tensor([seed % 3])
        assert torch.equal(first.synthesise(first.map(z, kind)), second.synthesise(second.map(z, kind)))
    spec = describe(str(out))
    assert (spec.family, spec.name, spec.classes) == ("stylegan2", "net", ("0", "1", "2"))
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_half_precision_is_half_the_size_and_looks_the_same(stylegan2_file, tmp_path: Path):
    source = stylegan2_file(channels=(64, 48, 16), seed=2)
    sizes = []
    for precision in ("float32", "float16"):
        first = convert(str(source), tmp_path / f"{precision}.safetensors", precision=precision)
        sizes.append((tmp_path / f"{precision}.safetensors").stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]
    assert 0 < difference(first, load_generator(str(tmp_path / "float16.safetensors"), "cpu")) <= 3
    known = facts(str(tmp_path / "float16.safetensors"))
    assert known is not None
    assert list(known.precision) == ["float16", "float32"]


def test_what_half_precision_cannot_hold_is_refused(stylegan2_file, tmp_path: Path):
    tensors = safetensors.numpy.load_file(stylegan2_file())
    tensors["synthesis.b8.conv0.weight"] *= 1e6
    safetensors.numpy.save_file(tensors, tmp_path / "net.safetensors")
    with pytest.raises(CheckpointError, match=r"synthesis\.b8\.conv0\.weight holds numbers up to .*65504"):
        convert(str(tmp_path / "net.safetensors"), tmp_path / "o.safetensors", precision="float16")
    assert not (tmp_path / "o.safetensors").exists()


def test_what_stays_whole_in_half_precision():
    tensors = {
        "conv.weight": np.ones((2, 2), np.float32),
        "conv.bias": np.ones(2, np.float32),
        "bn.running_means": np.ones((3, 2), np.float32),
        "synthesis.input.freqs": np.ones((3, 2), np.float32),
        "counts": np.ones((2, 2), np.int64),
    }
    kept = {name: array.dtype.name for name, array in Halved(tensors, "x").items()}
    assert kept == {
        "conv.weight": "float16",
        "conv.bias": "float32",
        "bn.running_means": "float32",
        "synthesis.input.freqs": "float32",
        "counts": "int64",
    }


def test_how_it_was_trained_goes_along(stylegan2_file, tmp_path: Path):
    source = tmp_path / "mine.safetensors"
    write_native(
        source,
        safetensors.numpy.load_file(stylegan2_file()),
        family="stylegan2",
        name="mine",
        licence="CC0-1.0",
        classes=(),
        size=(16, 16),
        configuration={"attributes": {}},
        training={"data": {"data": "photos"}, "images": 1000},
    )
    convert(str(source), tmp_path / "half.safetensors", precision="float16")
    assert training_of(str(tmp_path / "half.safetensors")) == {"data": {"data": "photos"}, "images": 1000}
    assert describe(str(tmp_path / "half.safetensors")).licence == "CC0-1.0"


READS = {"unpack": struct.unpack, "unpack_from": struct.unpack_from}


def test_what_is_not_converted(conditional: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    out = tmp_path / "o.safetensors"
    with pytest.raises(OutputError, match=r"\.safetensors files"):
        convert(str(conditional), tmp_path / "o.pkl")
    with pytest.raises(CheckpointError, match="drawn from a seed"):
        convert("cppn#3", out)
    out.write_bytes(b"mine")
    with pytest.raises(OutputError, match="--force"):
        convert(str(conditional), out)
    assert out.read_bytes() == b"mine"
    with monkeypatch.context() as broken:
        # The module's own name of it alone: struct itself is everybody's.
        broken.setattr(
            "gandream.models.checkpoint.safe_tensors.struct", SimpleNamespace(pack=lambda *_: 1 / 0, **READS)
        )
        with pytest.raises(ZeroDivisionError):
            convert(str(conditional), out, force=True)
    assert out.read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_a_file_may_replace_itself(conditional: Path, tmp_path: Path):
    file = tmp_path / "net.safetensors"
    file.write_bytes(conditional.read_bytes())
    first = convert(str(file), file, force=True)
    assert difference(first, load_generator(str(file), "cpu")) == 0


def test_facts(conditional: Path, tmp_path: Path):
    tensors = safetensors.numpy.load_file(conditional)
    source = pickled(conditional, tmp_path / "net.pt")
    known = facts(str(source))
    assert known is not None
    made = ("w_avg", "noise_const", "resample_filter")
    learned = {name: array for name, array in tensors.items() if not name.endswith(made)}
    assert known.parameters == sum(array.size for array in learned.values())
    assert known.precision.keys() == {"float32"}
    assert (known.container, known.layout, known.size) == ("torch zip", "", source.stat().st_size)
    assert known.training == {}
    assert known.spec == describe(str(source))
    assert facts("cppn#3") is None


def test_time_is_that_of_one_picture(conditional: Path, monkeypatch: pytest.MonkeyPatch):
    generator = load_generator(str(conditional), "cpu")
    for batch, seconds in ((1, 3.0), (2, 1.5)):
        clock = iter([0.0, 5.0, 10.0, 11.0, 20.0, 23.0])
        monkeypatch.setattr("gandream.models.timing.time.perf_counter", partial(next, clock))
        found = timed(generator, batch, most=3)
        assert (found.seconds, found.batch) == (seconds, batch)


def test_slow_models_are_not_timed_for_ever(conditional: Path, monkeypatch: pytest.MonkeyPatch):
    clock = itertools.chain.from_iterable((10.0 * n, 10.0 * n + 6) for n in range(LEAST))
    generator = load_generator(str(conditional), "cpu")
    monkeypatch.setattr("gandream.models.timing.time.perf_counter", partial(next, clock))
    assert timed(generator).seconds == 6.0  # and asks the clock no more often


def test_a_batch_has_the_same_pictures_as_one_by_one(conditional: Path):
    generator = load_generator(str(conditional), "cpu")
    together, alone = displays(generator, [3, 0]), [display(generator, seed) for seed in (3, 0)]
    assert np.abs(together - np.stack(alone)).max() <= 1


def test_pictures_of_models_of_any_size():
    assert display(load_generator("cppn#3", "cpu"), 1).shape == (3, 256, 256)


def test_describing_and_facts_load_no_torch(conditional: Path):
    import subprocess
    import sys

    code = "import sys; from gandream.models.registry import facts; facts(sys.argv[1]); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(conditional)], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
    assert registry.sha256_of("cppn#3") is None
