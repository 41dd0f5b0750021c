"""Files that want to run something: all are refused with one line or read as data, and nothing ever runs."""

from __future__ import annotations

import io
import os
import pickle
import struct
import warnings
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from gandream.base.errors import CheckpointError
from gandream.models.checkpoint import container, read_checkpoint
from gandream.models.checkpoint.records import DamagedError, Global, RefusedError
from gandream.models.checkpoint.vocabulary import check_name
from gandream.models.registry import describe, load_generator

DATA = Path(__file__).parent / "data"


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class Named:
    """Stands for a function by its module and name, even where it can't be imported."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Pickler(pickle._Pickler):
    """Writes ``Named`` as the global that it names."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_named(self, named):
        if self.proto >= 4:
            self.save(named.module)
            self.save(named.name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{named.module}\n{named.name}\n".encode())

    def reducer_override(self, value):
        return NotImplemented

    dispatch[Named] = save_named

    def save_calls(self, calls):
        self.save(calls.function)
        self.save(tuple(calls.arguments))
        self.write(pickle.REDUCE)

    dispatch[Calls] = save_calls


def pickled(value, protocol=4) -> bytes:
    out = io.BytesIO()
    Pickler(out, protocol).dump(value)
    return out.getvalue()


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


def attacks(marker: Path) -> dict:
    touch, code = f"touch {marker}", f"open({str(marker)!r}, 'w')"
    getattr_ = Named("builtins", "getattr")
    return {
        "os.system": Calls(Named("os", "system"), touch),
        "posix.system": Calls(Named("posix", "system"), touch),
        "nt.system": Calls(Named("nt", "system"), touch),
        "subprocess": Calls(Named("subprocess", "check_output"), ["touch", str(marker)]),
        "Popen": Calls(Named("subprocess", "Popen"), ["touch", str(marker)]),
        "eval": Calls(Named("builtins", "eval"), code),
        "eval of Python 2": Calls(Named("__builtin__", "eval"), code),
        "exec": Calls(Named("builtins", "exec"), code),
        "import": Calls(Named("builtins", "__import__"), "os"),
        "getattr chain": Calls(Calls(getattr_, Named("builtins", "object"), "__subclasses__")),
        "exec by getattr": Calls(Calls(getattr_, Calls(Named("importlib", "import_module"), "builtins"), "exec"), code),
        "runpy": Calls(Named("runpy", "run_path"), str(marker)),
        "dotted": Calls(Named("torch", "os.system"), touch),
        "dotted builtins": Calls(Named("numpy", "f2py.builtins.exec"), code),
        "numpy": Calls(Named("numpy.testing._private.utils", "runstring"), code, {}),
        "torch.load": Calls(Named("torch", "load"), str(marker)),
        "torch.hub": Calls(Named("torch.hub", "load"), "a/b", "c"),
        "jit": Calls(Named("torch.jit.unsupported_tensor_ops", "execWrapper"), code, {}, {}),
        "unknown function": Calls(Named("evil", "run"), touch),
        "copyreg": Calls(Named("copyreg", "add_extension"), "os", "system", 1),
        "reconstructor": Calls(Named("copyreg", "__newobj__"), Named("subprocess", "Popen"), touch),
        "operator": Calls(Calls(Named("operator", "attrgetter"), "system"), Named("os", "path")),
        "code": Calls(Named("types", "FunctionType"), Calls(Named("types", "CodeType"), 0)),
        "marshal": Calls(Named("marshal", "loads"), b"\xe3"),
        "pickle in pickle": Calls(Named("pickle", "loads"), pickled(Calls(Named("os", "system"), touch))),
        "dill": Calls(Named("dill._dill", "_import_module"), "os"),
        "dill function": Calls(Named("dill._dill", "_create_function"), b"\xe3", {}),
        "main": Calls(Named("__main__", "main"), 1),
    }


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("name", attacks(Path("x")))
def test_calls(name, protocol, marker, tmp_path):
    if protocol < 3 and name in ("marshal", "dill function", "pickle in pickle"):
        pytest.skip("no bytes in this protocol")
    evil = attacks(marker)[name]
    for value in (evil, {"G_ema": evil}, {"a": [1, {"b": evil}]}):
        (tmp_path / "m.pkl").write_bytes(pickled(value, protocol))
        refused(tmp_path / "m.pkl")


@pytest.mark.parametrize("name", attacks(Path("x")))
def test_calls_in_torch_files(name, marker, tmp_path):
    evil = attacks(marker)[name]
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        archive.writestr("m/data.pkl", pickled({"state_dict": evil}, 2 if b"marshal" not in name.encode() else 3))
        archive.writestr("m/version", "3\n")
    refused(tmp_path / "m.pt")
    head = [pickled(0x1950A86A20F9469CFC6C, 2), pickled(1001, 2), pickled({"little_endian": True}, 2)]
    (tmp_path / "m.pth").write_bytes(b"".join([*head, pickled({"g": evil}, 3), pickled([], 2)]))
    refused(tmp_path / "m.pth")
    # In the header of a stream, and in a storage within a pickle.
    (tmp_path / "m.pth").write_bytes(b"".join([*head[:2], pickled(evil, 3)]))
    refused(tmp_path / "m.pth", "refused: it wants to call|not a readable model")
    inner = b"".join([*head, pickled(evil, 3), pickled([], 2)])
    (tmp_path / "m.pkl").write_bytes(pickled({"G_ema": Calls(Named("torch.storage", "_load_from_bytes"), inner)}))
    refused(tmp_path / "m.pkl")


def test_a_storage_within_a_storage_is_no_format(tmp_path):
    inner = io.BytesIO()
    torch.save(torch.zeros(3).untyped_storage(), inner, _use_new_zipfile_serialization=False)
    load = Named("torch.storage", "_load_from_bytes")
    head = [pickled(0x1950A86A20F9469CFC6C, 2), pickled(1001, 2), pickled({"little_endian": True}, 2)]
    outer = b"".join([*head, pickled(Calls(load, inner.getvalue()), 4), pickled([], 2)])
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
    "deep tuple as a key": (b"\x80\x02})" + b"\x85" * 200_000 + b"K\x01s.", "no known family"),
    "deep lists": (b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".", "deeply"),
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
    refused(tmp_path / "m", "fill the memory")


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


def bomb(path: Path, sizes: list[int]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number, size in enumerate(sizes):
            archive.writestr("m/data.pkl" if number == 0 else f"m/data/{number}", b"\0" * size)


def test_zip_bombs(tmp_path):
    bomb(tmp_path / "m", [200_000_000])
    refused(tmp_path / "m", "zip bomb")
    bomb(tmp_path / "m", [10, *[30_000_000] * 4])
    refused(tmp_path / "m", "zip bomb")


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
    folder = tmp_path_factory.mktemp("genuine")
    state = {"main.0.weight": torch.randn(4, 4, 4, 4), "main.3.weight": torch.randn(4, 3, 4, 4)}
    state |= {f"main.1.{part}": torch.rand(4) for part in ("weight", "bias", "running_mean", "running_var")}
    torch.save({"netG_state_dict": state}, folder / "zip")
    torch.save({"netG_state_dict": state}, folder / "stream", _use_new_zipfile_serialization=False)
    from gandream.models.checkpoint.safe_tensors import write_safetensors

    write_safetensors(folder / "safetensors", {name: t.numpy() for name, t in state.items()}, {})
    (folder / "pickle").write_bytes(pickle.dumps({name: t.numpy() for name, t in state.items()}, protocol=4))
    found = {file.name: file.read_bytes() for file in folder.iterdir()}
    return {"nvidia": (DATA / "clamp_chlast_r32" / "network.pkl").read_bytes(), **found}


def outcome(file: Path) -> str:
    """What is wrong with a file; empty if nothing is."""
    try:
        load_generator(str(file), device="cpu")
    except CheckpointError as error:
        return error.problem
    return ""


@pytest.mark.parametrize("name", ["nvidia", "zip", "stream", "safetensors", "pickle"])
def test_cut_or_flipped_anywhere(name, genuine, tmp_path):
    """It loads, or it is one CheckpointError; nothing else, and never for long."""
    data, file, rng = genuine[name], tmp_path / "m", np.random.RandomState(0)
    file.write_bytes(data)
    assert load_generator(str(file), device="cpu").spec.size
    outcomes = {"loaded": 0, "refused": 0}
    structure = min(len(data), 30_000)
    cuts = sorted({*range(20), *rng.randint(0, len(data), 180)})
    places = [*rng.randint(0, structure, 200), *rng.randint(0, len(data), 100)]
    for kind, place in [("cut", cut) for cut in cuts] + [("flip", place) for place in places]:
        changed = bytearray(data[:place] if kind == "cut" else data)
        if kind == "flip":
            changed[place] ^= 1 << rng.randint(8)
        file.unlink()  # A mapped file must not change under those who still look at it.
        file.write_bytes(changed)
        said = outcome(file)
        outcomes["refused" if said else "loaded"] += 1
        assert said or kind == "flip"
        assert "\n" not in said
    assert outcomes["refused"] >= 200


def test_what_breaks_is_known_to_be_caught():
    assert DamagedError in container.BROKEN
