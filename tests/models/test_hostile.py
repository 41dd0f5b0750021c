"""Files that want to run something: all are refused with one line or read as data, and nothing ever runs."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile_corpus import attacks, corpus, stream
from small_files import Calls, Named, containers, pickled

from gandream.base.errors import CheckpointError
from gandream.models.checkpoint import container, read_checkpoint
from gandream.models.checkpoint.records import DamagedError, Global, RefusedError
from gandream.models.checkpoint.vocabulary import check_name
from gandream.models.registry import describe, load_generator

DATA = Path(__file__).parent / "data"


@pytest.fixture
def marker(tmp_path):
    path = tmp_path / "marker"
    yield path
    assert not path.exists(), "something in the file was run"


def refused(path: Path, words: str = "refused: it wants to call") -> str:
    for way in (describe, lambda source: load_generator(source, device="cpu"), read_checkpoint):
        with pytest.raises(CheckpointError, match=words) as caught:
            way(str(path))
    assert len(caught.value.problem.splitlines()) == 1
    return caught.value.problem


WITH_BYTES = {"marshal", "dill function", "dill code", "dill loads", "pickle in pickle"}
"""Attacks with bytes in them, which have an opcode of their own from protocol 3 on."""


@pytest.mark.parametrize(
    ("name", "protocol"),
    [(name, protocol) for name in attacks(Path("x")) for protocol in range(3 if name in WITH_BYTES else 0, 6)],
)
def test_calls(name, protocol, marker, tmp_path):
    evil = attacks(marker)[name]
    for value in (evil, {"G_ema": evil}, {"a": [1, {"b": evil}]}):
        (tmp_path / "m.pkl").write_bytes(pickled(value, protocol))
        refused(tmp_path / "m.pkl")


def test_a_storage_within_a_storage_is_no_format(tmp_path):
    inner = io.BytesIO()
    torch.save(torch.zeros(3).untyped_storage(), inner, _use_new_zipfile_serialization=False)
    load = Named("torch.storage", "_load_from_bytes")
    outer = stream(Calls(load, inner.getvalue()))
    (tmp_path / "m.pkl").write_bytes(pickled({"G_ema": Calls(load, outer)}))
    refused(tmp_path / "m.pkl")


def test_evil_source_in_a_real_network_never_runs(marker, tmp_path):
    data = (DATA / "resnet_r32" / "network.pkl").read_bytes()
    code = f"open({str(marker)!r}, 'w').close()\n".encode()
    old = b"# source withheld: a non-executing reader never looks at this\n"
    assert old in data
    # The source is a short string; keep the length of the opcode's one-byte count right by padding or cutting.
    assert data.count(b"\x8c" + bytes([len(old)]) + old) >= 1
    code = code[:255].ljust(len(old), b" ")
    changed = data.replace(b"\x8c" + bytes([len(old)]) + old, b"\x8c" + bytes([len(code)]) + code)
    # Frames are only hints to read ahead, but their lengths are checked: drop them.
    position = changed.index(b"\x95")
    changed = changed[:position] + changed[position + 9 :]
    (tmp_path / "m.pkl").write_bytes(changed)
    generator = load_generator(str(tmp_path / "m.pkl"), device="cpu")
    wanted = load_generator(str(DATA / "resnet_r32" / "network.pkl"), device="cpu")
    z = wanted.latents([1])
    assert torch.equal(generator.synthesise(generator.map(z)), wanted.synthesise(wanted.map(z)))


def test_a_network_with_an_attack_beside_it_is_refused(marker, tmp_path):
    """Even in D, which nobody wants, the standard library is refused; other people's code there is only a record."""
    data = (DATA / "resnet_r32" / "network.pkl").read_bytes()
    assert data[-2:] == b"u."
    name = Calls(Named("os", "system"), f"touch {marker}")
    (tmp_path / "m.pkl").write_bytes(data[:-2] + pickled("D")[11:-2] + pickled(name)[11:-1] + b"u.")
    refused(tmp_path / "m.pkl")
    harmless = Calls(Named("timm.models", "create_model"), "resnet50")
    (tmp_path / "m.pkl").write_bytes(data[:-2] + pickled("D")[11:-2] + pickled(harmless)[11:-1] + b"u.")
    assert describe(str(tmp_path / "m.pkl")).family == "stylegan2"
    (tmp_path / "m.pkl").write_bytes(data[:-2] + pickled("x")[11:-2] + pickled(harmless)[11:-1] + b"u.")
    refused(tmp_path / "m.pkl", "to call timm.models.create_model")


HANDMADE = {
    "extension code": (b"\x80\x02\x82\x01)R.", "extension code"),
    "big extension code": (b"\x80\x02\x84\x01\0\0\0)R.", "extension code"),
    "state for a function": (b"\x80\x02cos.path\njoin\n}b.", "to call os.path.join"),
    "state for a class": (b"\x80\x02ctorch\nTensor\n}X\x01\0\0\0aK\x01sb.", "change an object"),
    "state for our own table": (b"\x80\x02ccollections\nOrderedDict\n}X\x08\0\0\0__call__K\x01sb.", "change an object"),
    "slots state": (b"\x80\x02ccollections\nOrderedDict\nN}X\x01\0\0\0aK\x01s\x86b.", "change an object"),
    "inst": (b"(S'true'\nios\nsystem\n.", "to call os.system"),
    "obj": (b"\x80\x02(cos\nsystem\nX\x04\0\0\0trueo.", "to call os.system"),
    "call of a string": (b"\x80\x02X\x02\0\0\0os)R.", "no name"),
    "call of a number": (b"\x80\x02K\x01)R.", "no name"),
    "name that is no word": (b"\x80\x04K\x01K\x02\x93.", "other than words"),
    "name by memo": (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\0h\x01\x93(\x8c\x04truetR.", "to call os.system"),
    "persistent name": (b"\x80\x02Pos.system\n.", "outside"),
    "persistent object": (b"\x80\x02K\x01Q.", "outside"),
    "buffers": (b"\x80\x05\x97.", "buffers outside"),
    "protocol": (b"\x80\x02\x80\x09.", "protocol 9"),
    "endless integer": (b"\x80\x02\x8b" + struct.pack("<i", 10**8) + b"\1" * 1000 + b".", "whole number"),
    "endless digits": (b"\x80\x02I" + b"9" * 3000 + b"\n.", "whole number"),
    "huge string": (b"\x80\x04\x8d" + struct.pack("<Q", 2**60) + b"x.", "truncated"),
    "huge bytes": (b"\x80\x05\x96" + struct.pack("<Q", 2**62) + b"x.", "truncated"),
    "huge frame": (b"\x80\x04\x95" + struct.pack("<Q", 2**63) + b"N.", "truncated"),
    "huge memo": (b"\x80\x02N" + b"r\xff\xff\xff\x7f" + b"j\xff\xff\xff\x7f.", "no known family"),
    "unknown memo": (b"\x80\x02h\x05.", "never kept"),
    "empty stack": (b"\x80\x02.", "runs empty"),
    "pop of nothing": (b"\x80\x020000.", "runs empty"),
    "no mark": (b"\x80\x02t.", "no mark"),
    "odd items": (b"\x80\x02}(K\x01u.", "no value"),
    "item of a number": (b"\x80\x02K\x01K\x02K\x03s.", "sets an item"),
    "append to a number": (b"\x80\x02K\x01K\x02a.", "no list"),
    "deep tuple as a key": (b"\x80\x02})" + b"\x85" * 60_000 + b"K\x01s.", "no known family"),
    "deep lists": (b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b".", "deeply"),
    "list in itself": (b"\x80\x02]q\0h\0a.", "no known family"),
    "dict in itself": (b"\x80\x02}q\0X\x01\0\0\0ah\0s.", "no known family"),
    "self as its own state": (b"\x80\x02cmodels\nThing\n)\x81q\0h\0b.", "no known family"),
}


@pytest.mark.parametrize(("data", "words"), HANDMADE.values(), ids=HANDMADE.keys())
def test_handmade_pickles(data, words, tmp_path):
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(CheckpointError, match=words):
        describe(str(tmp_path / "m"))


def test_doubling_by_copies_is_bounded(tmp_path):
    """OrderedDict of OrderedDict of ... a big list, again and again: each copy is charged for."""
    body = b"\x80\x02ccollections\nOrderedDict\nq\1](" + b"K\1K\2\x86" * 20_000 + b"eq\2"
    (tmp_path / "m").write_bytes(body + b"h\1h\2\x85R0" * 5_000 + b"N.")
    with pytest.raises(CheckpointError, match="fill the memory"):
        read_checkpoint(tmp_path / "m")


def test_lists_that_hold_each_other_many_times_over(tmp_path):
    """2^60 paths through 60 lists, and an attribute of 200^6 numbers: found out, not walked."""
    deep, wide = [], [1] * 200
    for _ in range(60):
        deep = [deep, deep]
    for _ in range(5):
        wide = [wide] * 200
    for bomb_ in (deep, wide):
        (tmp_path / "m").write_bytes(pickle.dumps({"a": bomb_, "b": np.zeros(3)}))
        with pytest.raises(CheckpointError, match="nested too deeply"):
            describe(str(tmp_path / "m"))


def test_old_strings_as_data_again_and_again(tmp_path):
    """Python 2's bytes are characters; one string as the data of many arrays is encoded only when it is read."""
    text = "x" * 4_000_000
    arrays = [Calls(Named("numpy._core.numeric", "_frombuffer"), text, Calls(Named("numpy", "dtype"), "u1"), 4_000_000)]
    data = pickled({"a": arrays * 2000})
    (tmp_path / "m").write_bytes(data)
    assert len(read_checkpoint(tmp_path / "m").networks[0].tensors) == 2000


def test_millions_of_opcodes_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("gandream.models.checkpoint.machine.MAX_STEPS", 1000)
    (tmp_path / "m").write_bytes(b"\x80\x02" + b"]" * 2000 + b".")
    refused(tmp_path / "m", "more than 1000 pickle opcodes")


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [((5,), (1,), 0), ((4,), (2,), 0), ((2, 2), (3, 1), 0), ((1,), (1,), 4), ((4,), (1,), -1), ((4,), (-1,), 3),
     ((2**40,), (1,), 0), ((2**31, 2**31), (0, 0), 0), ((4,), (1, 1), 0), ((4, 2**62), (0, 0), 0), ((-1,), (1,), 0),
     ((1.0,), (1,), 0), (("4",), (1,), 0)],
)  # fmt: skip
def test_tensors_beyond_their_data(size, stride, offset, tmp_path):
    typed = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        typed_storage = torch.zeros(4).storage()
    torch.save(typed_storage, typed, _use_new_zipfile_serialization=False)
    storage = Calls(Named("torch.storage", "_load_from_bytes"), typed.getvalue())
    tensor = Calls(Named("torch._utils", "_rebuild_tensor_v2"), storage, offset, size, stride, False, {})
    (tmp_path / "m").write_bytes(pickled({"a": tensor}))
    with pytest.raises(CheckpointError, match="not a readable model"):
        read_checkpoint(tmp_path / "m")


def test_overlapping_zip_entries(tmp_path):
    file = tmp_path / "m"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("m/data.pkl", pickled({}, 2))
        archive.writestr("m/data/0", os.urandom(100_000))
    data = file.read_bytes()
    start = data.index(b"PK\1\2")
    entry_end = data.index(b"PK\1\2", start + 4)
    second, end = data[entry_end : data.index(b"PK\5\6")], bytearray(data[data.index(b"PK\5\6") :])
    copies = b"".join(second.replace(b"m/data/0", b"m/data/%d" % n) for n in range(1, 9))
    directory = data[start:entry_end] + second + copies
    struct.pack_into("<HHI", end, 8, 10, 10, len(directory))
    file.write_bytes(data[:start] + directory + end)
    refused(file, "zip bomb")


def test_names_of_the_standard_library():
    for name in ("os.system", "sys.exit", "shutil.rmtree", "ctypes.CDLL", "asyncio.run", "webbrowser.open"):
        with pytest.raises(RefusedError, match=f"to call {name}"):
            check_name(Global(*name.split(".")))
    check_name(Global("torch.nn.modules.linear", "Linear"))


@pytest.fixture(scope="module")
def genuine(tmp_path_factory) -> dict[str, bytes]:
    """One file of each container, small."""
    return containers(tmp_path_factory.mktemp("genuine"))


KINDS = ["arrays", "arrays0", "npz", "npz_packed", "nvidia", "safetensors", "stream", "tensorflow", "zip"]


def outcome(file: Path, data: bytes) -> str:
    """What is wrong with a file of these bytes; empty if nothing is. One line, and never for long."""
    file.unlink(missing_ok=True)  # A mapped file must not change under those who still look at it.
    file.write_bytes(data)
    began = time.process_time()
    try:
        generator = load_generator(str(file), device="cpu")
        assert generator.spec.size
        said = ""
    except CheckpointError as error:
        said = error.problem
    assert time.process_time() - began < 1
    assert len(said.splitlines()) <= 1
    return said


@pytest.mark.parametrize("kind", KINDS)
def test_cut_at_every_hundredth(kind, genuine, tmp_path):
    data, file = genuine[kind], tmp_path / "m"
    assert outcome(file, data) == ""
    for place in {*range(12), *(len(data) * part // 100 for part in range(100)), len(data) - 1}:
        assert outcome(file, data[:place]), place


def flipped(data: bytes, seed: int) -> bytes:
    """A file with one to three of its bytes changed, mostly where its structure is."""
    rng, changed = np.random.RandomState(seed), bytearray(data)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randint(len(data))] ^= 1 << rng.randint(8)
    return bytes(changed)


def fuzz(data: bytes, file: Path, seeds: range) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # Numbers may become huge.
        refusals = sum(bool(outcome(file, flipped(data, seed))) for seed in seeds)
    assert 0 < refusals < len(seeds)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_changed_anywhere(kind, genuine, tmp_path):
    """It loads, or it is one CheckpointError; nothing else, and never for long."""
    fuzz(genuine[kind], tmp_path / "m", range(40))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_bytes_changed_anywhere(kind, genuine, tmp_path):
    fuzz(genuine[kind], tmp_path / "m", range(1000, 1400))


WATCHED = """
import gc, json, resource, sys, time
from pathlib import Path
from gandream.base.errors import CheckpointError
from gandream.models.registry import describe, load_generator

folder, happened, said = Path(sys.argv[1]), [], {}
for genuine in sorted(folder.glob("genuine/*")):  # Whatever is imported late is imported now.
    load_generator(str(genuine), device="cpu")
try:
    describe(str(folder / "none"))
except CheckpointError:
    pass
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
PLAIN = ("builtins.id", "mmap.", "object.", "os.scandir", "os.listdir", "pathlib.Path.glob", "sys._getframe")

def watch(event, arguments):
    if event == "open" and (isinstance(arguments[0], int) or arguments[0].startswith(str(folder))):
        return
    if event == "import" and arguments[0].startswith("gandream."):
        return
    if not event.startswith(PLAIN):
        happened.append([event, str(arguments)[:200]])

sys.addaudithook(watch)
for file in sorted(folder.glob("hostile/*")):
    began, way = time.process_time(), describe if len(said) % 2 else lambda file: load_generator(file, device="cpu")
    try:
        way(str(file))
        problem = ""
    except CheckpointError as error:
        problem = error.problem
    said[file.name] = [problem, time.process_time() - began]
for file in sorted(folder.glob("evil/*")):
    load_generator(str(file), device="cpu")
seen, grown = list(happened), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"happened": seen, "said": said, "grown": grown}))
"""


@pytest.mark.parametrize("share", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_nothing_of_the_corpus_is_run(genuine, tmp_path, marker, share):
    """In a process that notes whatever Python compiles, runs, imports, opens and starts; one in so many files."""
    files = dict(list(corpus(marker).items())[::share])
    for kind in ("genuine", "hostile", "evil"):
        (tmp_path / kind).mkdir()
    for number, data in enumerate(files.values()):
        (tmp_path / "hostile" / f"{number:04}").write_bytes(data)
    for name, data in genuine.items():
        (tmp_path / "genuine" / name).write_bytes(data)
    # The source in NVIDIA's files, changed to something that would be noticed.
    code = f"import os; os.system('touch {marker}')".encode()
    for kind, source in (
        ("nvidia", b"raise SystemExit('this was run')"),
        ("tensorflow", b"import os\nos.system('touch"),
    ):
        assert source in genuine[kind]
        (tmp_path / "evil" / kind).write_bytes(genuine[kind].replace(source, code[: len(source)].ljust(len(source))))
    result = subprocess.run(
        [sys.executable, "-c", WATCHED, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    seen = json.loads(result.stdout)
    assert seen["happened"] == []
    assert len(seen["said"]) == len(files)
    for (problem, seconds), name in zip(seen["said"].values(), files, strict=True):
        assert problem, name
        assert len(problem.splitlines()) == 1, name
        assert len(problem) < 400, name
        assert seconds < 1, name
    assert seen["grown"] < 300_000  # kB


def test_whoever_watches_would_see(tmp_path):
    """The same hook notes a call of os.system, so that its silence means something."""
    watch = WATCHED[WATCHED.index("PLAIN =") : WATCHED.index("sys.addaudithook")]
    code = f"import os, sys; happened, folder = [], '/nowhere'\n{watch}\nsys.addaudithook(watch)\n"
    code += "os.system('true'); exec('1'); compile('1', '', 'eval'); import wave; open('/dev/null')\n"
    code += "seen = [event for event, _ in happened]; print(*seen)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"os.system", "exec", "compile", "import", "open"} <= set(said)


def test_what_breaks_is_known_to_be_caught():
    assert DamagedError in container.BROKEN
