"""Files that want to run something, to fill the memory or never to end: every one is to be refused."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch
from small_files import Calls, Given, Made, Named, Pickler, nvidia_module, persistent, pickled, small_stylegan2

MAGIC = [pickled(0x1950A86A20F9469CFC6C, 2), pickled(1001, 2), pickled({"little_endian": True}, 2)]
FLOATS = Named("torch", "FloatStorage")


def attacks(marker: Path | str) -> dict:
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
        "dill attribute": Calls(Named("dill._dill", "_get_attr"), Named("torch", "os"), "system"),
        "dill code": Calls(Named("dill._dill", "_create_code"), b"\xe3"),
        "dill loads": Calls(Named("dill", "loads"), pickled(1)),
        "numpy.load": Calls(Named("numpy", "load"), str(marker), None, True),
        "state of an evil class": Made(Named("os", "_wrap_close"), {"_proc": None}),
        "main": Calls(Named("__main__", "main"), 1),
    }


def bombs() -> dict[str, bytes]:
    """Pickles that would take a long time or much memory."""
    million = 1_200_000
    doubled = b"\x80\x02]q\0" + b"".join(b"]q%c(h%ch%ce" % (n, n - 1, n - 1) for n in range(1, 60))
    key = b"((" + b"X\x07\0\0\0storagectorch\nFloatStorage\nh;X\x03\0\0\0cpuK\1t"
    array = Calls(Named("numpy.core.multiarray", "_reconstruct"), Named("numpy", "ndarray"), (0,), b"b")
    kind = Calls(Named("numpy", "dtype"), "f8", False, True)
    raw = b"\0" * 400_000
    long = b"".join([*MAGIC, b"\x80\x02" + b"N0" * 50_000 + b"N.", pickled([], 2)])
    return {
        "stack of lists": b"\x80\x02" + b"]" * million + b".",
        "stack of marks": b"\x80\x02" + b"(" * million + b"t.",
        "stack of copies": b"\x80\x02N" + b"2" * million + b".",
        "memo": b"\x80\x04N" + b"\x94" * million + b".",
        "memo by number": b"\x80\x02N" + b"".join(b"r" + struct.pack("<I", n) for n in range(300_000)) + b"0.",
        "deep lists": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
        "deep tuples": b"\x80\x02}X\1\0\0\0a)" + b"\x85" * 200_000 + b"s.",
        "doubled lists": doubled + b".",
        "doubled lists as a name of a storage": b"".join(MAGIC) + doubled + b"0" + key + b"Q.",
        "doubled lists as a class": pickled(None)[:2] + doubled[2:] + b"ctorch_utils.persistence\n"
        b"_reconstruct_persistent_obj\n}(X\x0a\0\0\0class_nameh;u\x85R.",
        "one number of much data": pickled(
            {"a": [Calls(Named("numpy.core.multiarray", "scalar"), Given(kind, (3, ">", None)), raw)] * 2}
        ),
        "small array of much data": pickled({"a": Given(array, (1, (1,), kind, False, raw))}),
        "array of very many sides": pickled(
            {"a": Calls(Named("numpy.core.numeric", "_frombuffer"), b"\0" * 8, kind, (1,) * 100_000)}
        ),
        "one stream again and again": b"\x80\x02B" + struct.pack("<I", len(long)) + long + b"q\0"
        b"0ctorch.storage\n_load_from_bytes\nq\1" + b"h\1h\0\x85R0" * 300 + b"N.",
    }  # fmt: skip


def repetitions() -> dict[str, bytes]:
    """Pickles that have long things copied, compared or read again and again."""
    name, length = b"z" * 1_000_000, struct.pack("<I", 1_000_000)
    text = b"X" + length + name
    kind = Calls(Named("numpy", "dtype"), "f4", False, True)

    def array(shape: tuple, raw: bytes) -> Given:
        made = Calls(Named("numpy.core.multiarray", "_reconstruct"), Named("numpy", "ndarray"), (0,), b"b")
        return Given(made, (1, shape, kind, False, raw))

    one = array((1,), b"\0" * 4)
    tensors = {f"p{number}": one for number in range(3000)}
    modules = {"_parameters": tensors, "_buffers": {}, "_modules": {}}
    tables: dict = dict.fromkeys(range(50_000))
    for _ in range(30):
        modules = {"_parameters": {}, "_buffers": {}, "_modules": {"x" * 200_000: persistent("M", modules)}}
        tables = {"x" * 200_000: tables}
    network, variables = Named("dnnlib.tflib.network", "Network"), {"build_func_name": "G", "static_kwargs": {}}
    part = Made(network, {**variables, "name": "a", "variables": [*tensors.items()]})
    whole = {**variables, "name": "Gs", "variables": [], "components": {"y" * 1_000_000: part}}
    arrays = {key: array(value.shape, value.tobytes()) for key, value in small_stylegan2().items()}
    count = 1_000_000
    sound, spoilt = (np.full(count, value, np.float32).tobytes() for value in (1, np.nan))
    many, again = {f"e.{number}": array((count,), sound) for number in range(2000)}, array((count,), spoilt)
    classes = {"mapping.embed.weight": array((1, count), sound), "mapping.embed.bias": array((1,), b"\0" * 4)}
    classes["mapping.fc0.weight"] = array((8, 9), b"\0" * 288)
    without = {key: value for key, value in arrays.items() if key != "mapping.w_avg"}
    # Python's hash of a whole number is its remainder by this prime: a table of them takes n squared steps.
    equal = [b"\x8a\x0c" + (number * (2**61 - 1)).to_bytes(12, "little") + b"N" for number in range(60_000)]
    return {
        "long names of modules": pickled({"G_ema": persistent("G", modules)}),
        "long names of tables": pickled(tables),
        "long name of a component": pickled(Made(network, whole)),
        "long key of many parts": pickled({("k" * 1_000_000,) * 5000: one}),
        "keys of one hash": b"\x80\x02}(" + b"".join(equal) + b"u.",
        "long name of code": b"\x80\x04" + text.replace(b"z", b".") + b"q\0" + b"h\0h\0\x930" * 100_000 + b"N.",
        "copies of a word": b"\x80\x02ctorch\ndevice\nq\0" + text + b"\x85q\1](" + b"h\0h\1R" * 60_000 + b"e.",
        "copies of arguments": b"\x80\x02cfoo\nBar\nq\0(" + b"N" * 99_000 + b"lq\1](" + b"h\0h\1\x81" * 60_000 + b"e.",
        "one array for many": pickled(arrays | many),
        "spoilt array of many names": pickled(arrays | {f"e.{number}": again for number in range(2000)}),
        "many networks": pickled([{f"mapping.{number}": one} for number in range(14_000)]),
        "a class for everyone": pickled(without | classes),
    }  # fmt: skip


def stream(value, *, head=None, keys=(), after=b"", protocol=3) -> bytes:
    """A torch stream of this content."""
    return b"".join([*(head or MAGIC), pickled(value, protocol), pickled(list(keys), 2), after])


def zipped(entries: dict[str, bytes], method=zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def npy(kind: str, shape: tuple, body: bytes = b"", header: str | None = None) -> bytes:
    text = header or str({"descr": kind, "fortran_order": False, "shape": shape})
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + body


def claims() -> dict[str, bytes]:
    """Small files of every container that say they hold a tensor of 100 GB."""
    count = 25_000_000_000
    numbers = np.zeros(4, np.float32).tobytes()
    rebuild = Named("torch._utils", "_rebuild_tensor_v2")

    class Reference:
        """Pickles as a reference out of the pickle, to a storage of 100 GB."""

    class Referring(Pickler):
        count = 0

        def persistent_id(self, obj):
            return ("storage", FLOATS, "0", "cpu", self.count) if isinstance(obj, Reference) else None

    def tensor(stored: int, size=(count,), stride=(1,), protocol=3) -> bytes:
        out = io.BytesIO()
        pickler = Referring(out, protocol)
        pickler.count = stored
        value = Calls(rebuild, Reference(), 0, size, stride, False, {})
        pickler.dump({"g_ema": {"main.0.weight": value, "main.1.weight": value}})
        return out.getvalue()

    def torch_stream(stored: int, size=(count,), stride=(1,)) -> bytes:
        return b"".join([*MAGIC, tensor(stored, size, stride), pickled(["0"], 2), struct.pack("<q", stored), numbers])

    inner = io.BytesIO()
    torch.save(torch.zeros(4).untyped_storage(), inner, _use_new_zipfile_serialization=False)
    load = Named("torch.storage", "_load_from_bytes")

    def nvidia(storage, size, stride=(1,)) -> bytes:
        weight = Calls(rebuild, storage, 0, size, stride, False, {})
        module = persistent("Generator", {"_parameters": {"weight": weight}, "_buffers": {}, "_modules": {}})
        return pickled({"G_ema": module})

    kind = Calls(Named("numpy", "dtype"), "f4", False, True)
    array = Calls(Named("numpy.core.multiarray", "_reconstruct"), Named("numpy", "ndarray"), (0,), b"b")

    def tensorflow(shape, raw) -> bytes:
        held = Given(array, (1, shape, kind, False, raw))
        state = {"build_func_name": "G_main", "name": "Gs", "variables": [("lod", held)], "static_kwargs": {}}
        state["components"], state["build_module_src"] = {}, "raise SystemExit"
        return pickled(Made(Named("dnnlib.tflib.network", "Network"), state))

    def table(shape, stop, body=b"\0" * 16) -> bytes:
        text = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, stop]}}).encode()
        return struct.pack("<Q", len(text)) + text + body

    arrays = {
        "stored": zipped({"a.b.npy": npy("<f4", (count,), numbers)}),
        "packed": zipped({"a.b.npy": npy("<f4", (count,), numbers)}, zipfile.ZIP_DEFLATED),
    }
    lying = bytearray(arrays["stored"])
    at = lying.index(b"PK\1\2")
    struct.pack_into("<II", lying, at + 20, 128 + 16, 2**32 - 2)
    return {
        "zip: no such storage": zipped({"m/data.pkl": tensor(count), "m/data/0": numbers}),
        "zip: beyond its storage": zipped({"m/data.pkl": tensor(4), "m/data/0": numbers}),
        "zip: repeated": zipped({"m/data.pkl": tensor(4, stride=(0,)), "m/data/0": numbers}),
        "stream: no such storage": torch_stream(count),
        "stream: beyond its storage": torch_stream(4),
        "stream: repeated": torch_stream(4, stride=(0,)),
        "nvidia: beyond its storage": nvidia(Calls(load, inner.getvalue()), (count,)),
        "nvidia: repeated": nvidia(Calls(load, inner.getvalue()), (count,), (0,)),
        "nvidia: no such storage": nvidia(Calls(load, torch_stream(count)), (count,)),
        "tensorflow": tensorflow((count,), numbers),
        "tensorflow: sides": tensorflow((2**40, 2**40, 2**40), numbers),
        "safetensors: beyond": table([count], 4 * count),
        "safetensors: shape": table([count], 16),
        "safetensors: endless sides": table([10**4000] * 2000, 16),
        "npz": arrays["stored"],
        "npz packed": arrays["packed"],
        "npz: lying directory": bytes(lying),
        "npz: bomb": zipped({"a.b.npy": npy("<f4", (5_000_000,), b"\0" * 20_000_000)}, zipfile.ZIP_DEFLATED),
    }


def archives(marker: Path | str) -> dict[str, bytes]:
    """Zip archives that are more than they should be."""
    evil = attacks(marker)["os.system"]
    data, numbers = pickled({}, 2), np.zeros(4, np.float32).tobytes()
    found = {
        "two entries of one name": zipped({"m/data.pkl": data, "m/data.pkX": pickled(evil)}).replace(b".pkX", b".pkl"),
        "two checkpoints": zipped({"m/data.pkl": data, "n/data.pkl": data}),
        "zip bomb": zipped({"m/data.pkl": b"\0" * 20_000_000}, zipfile.ZIP_DEFLATED),
        "zip bomb in a storage": zipped({"m/data.pkl": data, "m/data/0": b"\0" * 20_000_000}, zipfile.ZIP_DEFLATED),
        "packed with bzip2": zipped({"m/data.pkl": data}, zipfile.ZIP_BZIP2),
        "packed with lzma": zipped({"m/data.pkl": data}, zipfile.ZIP_LZMA),
        "huge directory": zipped({"m/data.pkl": data, **{f"m/data/{n:0100}": b"" for n in range(30_000)}}),
        "objects in an npz": zipped({"a.b.npy": npy("|O", (1,), pickled(evil))}),
        "objects in a record of an npz": zipped(
            {"a.b.npy": npy("", (), header="{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }")}
        ),
        "code in the header of an npz": zipped(
            {"a.b.npy": npy("", (), header=f"{{'descr': __import__('os').system('touch {marker}')}}")}
        ),
        "code after the header of an npz": zipped(
            {
                "a.b.npy": npy("", (), numbers, header="{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }")
                .replace(b"(4,), }", b"(4,), } or os")
            }
        ),
    }  # fmt: skip
    for name in ("../../evil", "/etc/evil", "m/../../evil", "..\\evil", "C:\\evil", "m/data/..", "\\\\host\\evil"):
        found[f"path {name}"] = zipped({"m/data.pkl": data, name: b"evil"})
        if not name.endswith(".."):
            more = {f"{name}.npy": npy("<f4", (0,))}
            found[f"path {name} in an npz"] = zipped({"a.b.npy": npy("<f4", (4,), numbers), **more})
    # What an entry says of itself: 16 bytes, which unfold to 20 MB.
    lying = bytearray(zipped({"m/data.pkl": b"N." + b"\0" * 20_000_000}, zipfile.ZIP_DEFLATED))
    struct.pack_into("<I", lying, lying.index(b"PK\1\2") + 24, 16)
    found["entry that is longer than it says"] = bytes(lying)
    return found


def corpus(marker: Path | str) -> dict[str, bytes]:
    """All of them, by name."""
    files = {**bombs(), **repetitions(), **claims(), **archives(marker)}
    nothing = {name: torch.zeros(2) for name in ("mapping.w_avg", "b.bias")}
    for name, evil in attacks(marker).items():
        if name == "state of an evil class":
            files[name] = pickled({"G_ema": evil})
            continue
        files[f"{name} in a pickle"] = pickled({"G_ema": evil})
        files[f"{name} in an archive"] = zipped({"m/data.pkl": pickled({"state_dict": evil}, 3)})
        files[f"{name} in a stream"] = stream({"g": evil})
        files[f"{name} in a module"] = pickled({"G_ema": nvidia_module(nothing, extra=evil)})
    evil = attacks(marker)["os.system"]
    load = Named("torch.storage", "_load_from_bytes")
    inside = stream(evil)
    network = Named("dnnlib.tflib.network", "Network")
    variables = {"build_func_name": "G_main", "variables": [("lod", evil)], "name": "Gs"}
    files |= {
        "in a storage": pickled({"G_ema": Calls(load, inside)}),
        "in a storage's header": pickled({"G_ema": Calls(load, b"".join([*MAGIC[:2], pickled(evil)]))}),
        "in a storage in a storage": pickled({"G_ema": Calls(load, stream(Calls(load, inside)))}),
        "in a stream's header": b"".join([*MAGIC[:2], pickled(evil)]),
        "in a stream's keys": b"".join([*MAGIC, pickled({}), pickled([evil])]),
        "in a TensorFlow network": pickled((1, 2, Made(network, variables))),
        "in a TensorFlow network's arguments": pickled(Made(network, {**variables, "static_kwargs": {"a": evil}})),
        "state of a table": pickled({"a": Made(Named("collections", "OrderedDict"), {"a": evil})}),
        "state of a function": b"\x80\x02ctorch.storage\n_load_from_bytes\n}X\1\0\0\0aNsb.",
        "state of a class": b"\x80\x02cnumpy\nndarray\n}X\1\0\0\0aNsb.",
        "extension code": b"\x80\x02\x82\1)R.",
        "extension code, 2 bytes": b"\x80\x02\x83\1\0)R.",
        "extension code, 4 bytes": b"\x80\x02\x84\1\0\0\0)R.",
    }
    return files
