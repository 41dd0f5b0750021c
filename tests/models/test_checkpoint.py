"""The reader: pickles as Python reads them, all of torch's containers, and files that are no models."""

from __future__ import annotations

import collections
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.base.errors import CheckpointError
from gandream.models.checkpoint import read_checkpoint
from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.checkpoint.torch_files import read_pickle
from gandream.models.registry import describe

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**200), 2**200) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.tuples(inner)
        | st.dictionaries(st.text() | st.integers(-(2**60), 2**60), inner)
        | st.dictionaries(st.text(), inner).map(collections.OrderedDict)
    ),
    max_leaves=20,
)


def thawed(value):
    """Views of bytes as bytes, OrderedDicts as dicts."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, dict):
        return {key: thawed(part) for key, part in value.items()}
    return type(value)(thawed(part) for part in value) if isinstance(value, list | tuple) else value


@settings(deadline=None, max_examples=150)
@given(plain, st.integers(0, 5))
def test_plain_values_as_python_reads_them(value, protocol):
    data = pickle.dumps(value, protocol)
    assert thawed(read_pickle(memoryview(data))[1]) == thawed(pickle.loads(data))


TYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8,
         torch.uint8, torch.bool]  # fmt: skip


def awkward() -> dict[str, torch.Tensor]:
    """Tensors that don't lie plainly in their storage."""
    base = torch.arange(240, dtype=torch.float32).reshape(2, 4, 5, 6)
    shared = torch.randn(10)
    return {
        "transposed": base.transpose(1, 3),
        "channels_last": base.contiguous(memory_format=torch.channels_last),
        "strided": base[:, ::2, 1:, ::3],
        "expanded": torch.randn(3, 1).expand(3, 7),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
        "head": shared[:4],
        "tail": shared[4:],
        "parameter": torch.nn.Parameter(torch.randn(3)),
        **{str(kind).removeprefix("torch."): torch.tensor([0, 1, 1, 0, 100], dtype=kind) for kind in TYPES},
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("container", ["zip", "stream", "pickle"])
def test_tensors_of_torch(container, protocol, tmp_path):
    tensors, file = awkward(), tmp_path / "m"
    if container == "pickle":
        file.write_bytes(pickle.dumps(tensors, protocol))
    else:
        zipped = container == "zip"
        torch.save(tensors, file, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(file).networks[0].tensors
    assert set(found) == set(tensors)
    for name, tensor in tensors.items():
        assert found[name].dtype == str(tensor.dtype).removeprefix("torch.")
        array = found[name].array()
        assert array.shape == tuple(tensor.shape)
        np.testing.assert_array_equal(array, (tensor.float() if name == "bfloat16" else tensor).detach().numpy())


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_arrays_of_numpy(protocol, tmp_path):
    arrays = {
        "a": np.random.rand(3, 4, 5),
        "fortran": np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4)),
        "big_endian": np.arange(5, dtype=">f4"),
        "bool": np.array([True, False]),
        "number": np.float32(2.5),
        "yes": np.bool_(True),
        "words": np.array(["a", "b"]),
        "objects": np.array([{}, None], dtype=object),
        "long": np.arange(3000, dtype=np.int16),
    }
    (tmp_path / "m").write_bytes(pickle.dumps(arrays, protocol))
    network = read_checkpoint(tmp_path / "m").networks[0]
    assert set(network.tensors) == {"a", "fortran", "big_endian", "bool", "long"}
    for name, tensor in network.tensors.items():
        np.testing.assert_array_equal(tensor.array(), arrays[name])
    assert network.attributes[""] == {"number": 2.5, "yes": True}


def test_a_pickled_module_gives_names_and_attributes(tmp_path):
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 5, stride=2), torch.nn.Sequential(torch.nn.BatchNorm2d(4)))
    torch.save({"netG": module}, tmp_path / "m")
    network = read_checkpoint(tmp_path / "m").networks[0]
    assert (network.where, network.class_name) == ("netG", "Sequential")
    assert set(network.tensors) == set(module.state_dict())
    assert network.attributes["0"]["stride"] == [2, 2]
    assert network.attributes["1.0"]["eps"] == 1e-5


def test_safetensors_of_the_library(tmp_path):
    arrays = {"a": np.random.rand(3, 4).astype(np.float32), "b": np.arange(5), "c": np.float16([[1.5]])}
    safetensors.numpy.save_file(arrays, tmp_path / "m", {"note": "hello"})
    found = read_checkpoint(tmp_path / "m")
    assert found.metadata == {"note": "hello"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.networks[0].tensors[name].array(), array)
    write_safetensors(tmp_path / "n", arrays, {"note": "ü"})
    for name, array in safetensors.numpy.load_file(tmp_path / "n").items():
        np.testing.assert_array_equal(array, arrays[name])


def header(entries: dict, body: bytes = b"\0" * 8) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + body


F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "data",
    [
        header({"a": F32}, b"\0" * 7),
        header({"a": F32}, b"\0" * 9),
        header({"a": F32, "b": F32}),
        header({"a": {**F32, "shape": [3]}}),
        header({"a": {**F32, "shape": [-1, -2]}}),
        header({"a": {**F32, "data_offsets": [8, 0]}}),
        header({"a": {**F32, "data_offsets": [0.0, 8.0]}}),
        header({"a": {**F32, "dtype": ["F32"]}}),
        header({"a": {"dtype": "F32"}}),
        header({"a": 3}),
        header({"a": F32, "__metadata__": {"a": 1}}),
        header({"a": F32, "__metadata__": {"gandream": "{"}}),
        header({"a": F32, "__metadata__": {"gandream": "[" * 100_000}}),
        header({"a": F32, "__metadata__": {"gandream": '{"gandream": 2, "family": "stylegan2"}'}}),
        header({"a": F32, "__metadata__": {"gandream": '{"gandream": 1, "family": "x"}'}}),
        header({"a": F32, "__metadata__": {"gandream": '{"gandream": 1, "family": "dcgan", "configuration": 3}'}}),
        struct.pack("<Q", 40) + b'{"a":' + b"[" * 35,
        struct.pack("<Q", 100_000) + b'{"a":' + b"[" * 99_995,
        struct.pack("<Q", 20) + b'{"a":1,"a":2}       ',
    ],
)
def test_broken_safetensors(data, tmp_path):
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(CheckpointError):
        describe(str(tmp_path / "m"))


def packed(name: str, content: bytes = b"hello") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "git-lfs pointer(.|\n)*git lfs pull"),
        (b"<!DOCTYPE html><html><title>Sign in</title>", "web page"),
        (b"\n  <HTML lang=en>", "web page"),
        (b"Not Found", "text \\('Not Found'\\)"),
        (b"model: dream\nwalk: 3\n", "text"),
        (b'{"error": "no access"}', "text"),
        (b"\x89PNG\r\n\x1a\n0000", "picture"),
        (b"\xff\xd8\xff\xe0JFIF", "picture"),
        (b"RIFF\0\0\0\0WAVEfmt ", "sound or video"),
        (b"\0\0\0 ftypisom", "sound or video"),
        (b"\x1f\x8b\x08\0\0", "packed archive"),
        (tarred(), "packed archive"),
        (b"\x93NUMPY\1\0", "NumPy array"),
        (packed("readme.txt"), "no checkpoint: it holds readme.txt"),
        (packed("arr_0.npy"), "arr_0.npy in it is no array"),
        (packed("m/data.pkl", b"hello"), "not a readable model"),
        (packed("m/data.pkl", pickle.dumps({"a": 1}, 2)), "without tensors"),
        (b"PK\5\6" + b"\0" * 18, "no checkpoint"),
        (b"PK\3\4hello", "not a readable model"),
        (pickle.dumps([1, 2, 3]), "without tensors"),
        (pickle.dumps({"a": np.zeros(3)}), "1 tensors, no known family"),
        (bytes(range(128, 256)), "no kind of file"),
        (b"\x80", "no kind of file|not a readable"),
        (b"\x80\x04", "truncated"),
        (b"\0" * 1000, "no kind of file"),
    ],
)
def test_files_that_are_no_models(data, words, tmp_path):
    (tmp_path / "m.pkl").write_bytes(data)
    with pytest.raises(CheckpointError, match=words) as caught:
        describe(str(tmp_path / "m.pkl"))
    assert caught.value.where == str(tmp_path / "m.pkl")
    assert len(caught.value.problem.splitlines()) == 1


def test_places_that_are_no_files(tmp_path):
    with pytest.raises(CheckpointError, match="folder"):
        read_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="no such file"):
        read_checkpoint(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="no regular file"):
        read_checkpoint(tmp_path / "pipe")


def test_reading_loads_no_torch(tmp_path):
    torch.save({"a": torch.zeros(3)}, tmp_path / "m")
    code = (
        "import sys; from gandream.models.checkpoint import read_checkpoint as r; "
        f"r({str(tmp_path / 'm')!r}).networks[0].tensors['a'].array(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("length", [0x0280, 0x0380, 0x4B50], ids=hex)
def test_safetensors_that_begin_like_something_else(length, tmp_path):
    """The length of the header is what these files begin with: it may spell a pickle's beginning, or a zip's."""
    write_safetensors(tmp_path / "m", {"a": np.ones(3, np.float32)}, {"words": ""})
    least = struct.unpack("<Q", (tmp_path / "m").read_bytes()[:8])[0]
    write_safetensors(tmp_path / "m", {"a": np.ones(3, np.float32)}, {"words": (length - least) * "x"})
    assert (tmp_path / "m").read_bytes()[:2] in (b"\x80\x02", b"\x80\x03", b"PK")
    assert read_checkpoint(tmp_path / "m").networks[0].tensors["a"].array().tolist() == [1, 1, 1]


def test_arrays_of_protocol_5(tmp_path):
    arrays = {"plain": np.arange(6.0).reshape(2, 3), "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
              "turned": np.arange(24, dtype="f4").reshape(2, 3, 4).transpose(1, 0, 2)}  # fmt: skip
    (tmp_path / "m").write_bytes(pickle.dumps(arrays, 5))
    found = read_checkpoint(tmp_path / "m").networks[0].tensors
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name].array(), array)


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("stylegan*/*/manifest*.json")), ids=lambda file: file.parts[-2])
def test_every_tensor_of_every_published_case(file):
    import hashlib

    wanted = json.loads(file.read_text())
    found = {network.where: network.tensors for network in read_checkpoint(file.with_name("network.pkl")).networks}
    told = {where for where in wanted if where in found or where == "G_ema"}
    assert "G_ema" in told
    for where in told:
        hashes = {name: facts["sha256"] for name, facts in wanted[where]["tensors"].items()}
        assert len(hashes) > 2
        assert hashes == {
            name: hashlib.sha256(tensor.array().tobytes()).hexdigest()
            for name, tensor in found.get(where, found["G"]).items()  # pickled as one object, it has one name
        }


@pytest.mark.parametrize(
    ("name", "content"), [("m.safetensors", b"\x40\0\0\0\0\0\0\0{"), ("m.pt", b"PK\x03\x04\x14\0")]
)
def test_a_download_that_stopped_is_told_as_one(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match="truncated or damaged") as refused:
        read_checkpoint(tmp_path / name)
    assert "download" in refused.value.hint
