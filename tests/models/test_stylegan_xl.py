"""StyleGAN-XL: the published implementation's numbers, odd configurations, centres of classes, files there and back."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import safetensors.numpy
import torch
import torch.nn.functional as F
from stylegan_xl_reference import Model, Reference, random_model

from gandream.base.errors import CheckpointError, LatentError
from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.files import save_native
from gandream.models.registry import describe, load_generator

HERE = Path(__file__).parent / "data" / "stylegan_xl"
GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "stylegan_xl"
CASES = [*sorted(HERE.glob("*/network.pkl")), *sorted(GOLDEN.glob("*/network.pkl"))]
GROWN = HERE / "superres_x2_r32" / "network.pkl"


def stds(ours: torch.Tensor, wanted: np.ndarray) -> float:
    assert ours.dtype == torch.float32
    assert list(ours.shape) == list(wanted.shape)
    return float(np.abs(ours.numpy() - wanted).max() / wanted.std())


def native_file(path: Path, model: Model) -> Path:
    native = {"gandream": 1, "family": "stylegan_xl", "configuration": {"attributes": model.attributes}}
    write_safetensors(path, model.tensors, {"gandream": json.dumps(native)})
    return path


@pytest.mark.parametrize("file", CASES, ids=lambda file: f"{file.parts[-4]}-{file.parts[-2]}")
def test_published_numbers(file):
    generator, io = load_generator(str(file), device="cpu"), np.load(file.parent / "io.npz")
    z, classes = torch.from_numpy(io["z"]), torch.from_numpy(io["c"])
    numbers = torch.from_numpy(io["class_index"])
    for name, psi, cutoff in (("psi1", 1, None), ("psi07", 0.7, None), ("psi05cut", 0.5, 3)):
        for given in (classes, numbers):
            assert stds(generator.map(z, given, psi, cutoff=cutoff).w, io[f"ws_{name}"]) < 1e-5
    for name in ("psi1", "psi07", "psi05cut", "wplus"):
        assert stds(generator.synthesise(torch.from_numpy(io[f"ws_{name}"])), io[f"img_{name}"]) < 1e-4


ODD = {
    "stem": {},
    "grown x2": {"heads": [(4, 2)]},
    "grown x4": {"heads": [(3, 4)], "count": 5},
    "grown twice": {"heads": [(4, 2), (5, 2)], "channels": 5},
    "turning": {"kernel": 1, "heads": [(4, 2)], "channels": 8},
    "no classes": {"classes": 0, "heads": [(4, 2)]},
    "more rows than classes": {"classes": 2, "rows": 9, "features": 4},
    "without averages": {"average": False},
    "grey, clamped low": {"colours": 1, "clamp": 0.9, "depth": 3, "heads": [(4, 2)]},
    "no clamp": {"clamp": None, "z": 5, "w": 20},
    "more layers": {"size": 32, "count": 9, "channels": 5},
}


@pytest.mark.parametrize("options", ODD.values(), ids=ODD.keys())
def test_odd_configurations(options, tmp_path):
    model = random_model(**options)
    file = native_file(tmp_path / "model", model)
    spec, generator, reference = describe(str(file)), load_generator(str(file), device="cpu"), Reference(model)
    assert generator.spec == spec
    assert (spec.family, spec.size, spec.latent_size) == ("stylegan_xl", (model.size, model.size), model.latent)
    assert [layer.name for layer in spec.layers] == ["input", *model.layers]
    assert spec.classes == tuple(str(n) for n in range(model.classes))
    assert spec.class_centres == (options.get("classes", 1) > 0 and options.get("average", True))
    z = generator.latents([1, 2])
    classes = torch.tensor([1, 0]) if model.classes else None
    weights = F.one_hot(classes, model.classes) if classes is not None else None
    w = generator.map(z, classes).w
    wanted = reference.map(z, weights)
    assert float((w - wanted[:, None]).abs().max() / wanted.std()) < 1e-5
    w = generator.w_avg + torch.randn(2, *generator.w_avg.shape, generator=torch.Generator().manual_seed(0))
    wanted = reference.synthesise(w)
    assert float((generator.synthesise(w) - wanted).abs().max() / wanted.std()) < 5e-5


@pytest.mark.parametrize("options", [ODD["stem"], ODD["grown x4"], ODD["grown twice"], ODD["turning"]])
def test_state_dicts_say_enough(options, tmp_path):
    """Without attributes, lengths of filters and sizes in names give what the layers don't say."""
    model = random_model(**options)
    safetensors.numpy.save_file(model.tensors, tmp_path / "m")
    torch.save({"G_ema": {name: torch.from_numpy(a) for name, a in model.tensors.items()}}, tmp_path / "n")
    whole = load_generator(str(native_file(tmp_path / "o", model)), device="cpu")
    w = whole.map(whole.latents([1]), torch.tensor([2]), 0.7)
    for name in "mn":
        generator = load_generator(str(tmp_path / name), device="cpu")
        assert generator.spec.family == "stylegan_xl"
        assert torch.equal(generator.map(generator.latents([1]), torch.tensor([2]), 0.7).w, w.w)
        assert torch.equal(generator.synthesise(w), whole.synthesise(w))
    save_native(generator, tmp_path / "p")
    assert torch.equal(load_generator(str(tmp_path / "p"), device="cpu").synthesise(w), whole.synthesise(w))


def test_a_grown_state_dict_without_filters_is_refused(tmp_path):
    model = random_model(heads=[(4, 2)])
    kept = {name: array for name, array in model.tensors.items() if not name.endswith("_filter")}
    safetensors.numpy.save_file(kept, tmp_path / "m")
    with pytest.raises(CheckpointError, match="follow no rule"):
        describe(str(tmp_path / "m"))
    plain = {name: array for name, array in random_model().tensors.items() if not name.endswith("_filter")}
    safetensors.numpy.save_file(plain, tmp_path / "m")
    assert describe(str(tmp_path / "m")).size == (16, 16)


@pytest.fixture(scope="module")
def model():
    return random_model(heads=[(4, 2)])


@pytest.fixture(scope="module")
def generator(model, tmp_path_factory):
    return load_generator(str(native_file(tmp_path_factory.mktemp("m") / "m", model)), device="cpu")


def test_truncation_goes_to_the_row_of_the_class(model, generator):
    rows = torch.from_numpy(model.tensors["mapping.w_avg"])
    assert torch.equal(generator.class_centres, rows)
    torch.testing.assert_close(generator.w_avg, rows.mean(dim=0).expand_as(generator.w_avg))
    z, classes = generator.latents([1, 2, 3]), torch.tensor([4, 0, 4])
    full = generator.map(z, classes).w
    for psi in (0.7, -0.5, 1.5):
        cut = generator.map(z, classes, psi, cutoff=4).w
        torch.testing.assert_close(cut[:, :4], rows[classes][:, None] + psi * (full - rows[classes][:, None])[:, :4])
        assert torch.equal(cut[:, 4:], full[:, 4:])
    assert torch.equal(generator.map(z, classes, 0).w, rows[classes][:, None].expand_as(full))


def test_mixtures_of_classes_are_weights_on_rows(model, generator):
    z, weights = generator.latents([1, 2]), torch.tensor([[0.25, 0, 0, 0.75, 0], [0, 0.5, 0.5, 0, 0]])
    wanted = Reference(model).map(z, weights)
    assert float((generator.map(z, weights).w - wanted[:, None]).abs().max() / wanted.std()) < 1e-5
    rows = torch.from_numpy(model.tensors["mapping.w_avg"])
    torch.testing.assert_close(generator.map(z, weights, 0).w[:, 0], weights @ rows)
    with pytest.raises(LatentError, match="0, 1, 2, 3"):
        generator.map(z)
    with pytest.raises(LatentError, match="class 5"):
        generator.map(z, torch.tensor([5, 0]))


@pytest.mark.parametrize("grown", [True, False], ids=["pickle", "turning"])
def test_native_file_there_and_back(grown, tmp_path):
    source = GROWN if grown else native_file(tmp_path / "m", random_model(kernel=1, heads=[(4, 2)]))
    first = load_generator(str(source), device="cpu")
    file = tmp_path / "native.safetensors"
    save_native(first, file, name="things")
    again = load_generator(str(file), device="cpu")
    assert again.spec.name == "things"
    assert again.spec.layers == first.spec.layers
    assert again.spec.class_centres
    assert again.configuration == first.configuration
    padded = again.configuration["attributes"][f"synthesis.{first.spec.layers[-3].name}"]["padding"]
    assert padded != [0, 0, 0, 0]
    inputs = first.map(first.latents([1, 2]), torch.tensor([0, 3]), psi=0.7)
    assert torch.equal(inputs.w, again.map(again.latents([1, 2]), torch.tensor([0, 3]), psi=0.7).w)
    assert torch.equal(first.synthesise(inputs), again.synthesise(inputs))
    assert sorted(again.tensors) == sorted(first.tensors)
    before = file.read_bytes()
    save_native(again, file)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mapping.embed_proj.weight": (8, 6)}, r"embed_proj\.weight has shape \[8, 6\], and \[any, 7\] is wanted"),
        ({"mapping.embed_proj.bias": (7,)}, r"embed_proj\.bias has shape \[7\]"),
        ({"mapping.embed.weight": (4, 7)}, r"embed\.weight has 4 rows for 5 classes"),
        ({"mapping.w_avg": (5, 13)}, r"w_avg has shape \[5, 13\]"),
        ({"mapping.w_avg": (1, 5, 12)}, r"w_avg has shape \[1, 5, 12\]"),
        ({"mapping.fc0.weight": (12, 15)}, r"fc0\.weight has shape \[12, 15\], and \[any, 16\]"),
        ({"mapping.embed_proj.weight": None}, "missing mapping.embed_proj.weight"),
        (dict.fromkeys(("mapping.embed_proj.weight", "mapping.embed_proj.bias")), r"embed_proj\.weight is missing"),
        ({"synthesis.input.freqs": (6, 3)}, r"freqs has shape"),
        ({"synthesis.L1_36_6.affine.bias": (8,)}, r"L1_36_6\.affine\.bias has shape"),
        ({"synthesis.L1_36_6.magnitude_ema": None}, "missing synthesis.L1_36_6.magnitude_ema"),
    ],
)
def test_tensors_that_do_not_fit(change, words, tmp_path):
    model = random_model()
    for name, shape in change.items():
        if shape is None:
            del model.tensors[name]
        else:
            model.tensors[name] = np.zeros(shape, np.float32)
    with pytest.raises(CheckpointError, match=words):
        describe(str(native_file(tmp_path / "m", model)))


def test_describe_loads_no_torch():
    code = (
        "import sys, gandream.models.registry as r; "
        f"assert r.describe({str(GROWN)!r}).family == 'stylegan_xl'; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


class _Made:
    """Pickled as a call of a function of some module, with a state or without."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.call


@pytest.fixture
def elsewhere(monkeypatch):
    """Functions and classes of modules that aren't installed, so that pickles can name them."""

    def make(module: str, name: str, kind: str = "function"):
        for end in range(1, module.count(".") + 2):
            above = ".".join(module.split(".")[:end])
            if above not in sys.modules:
                monkeypatch.setitem(sys.modules, above, ModuleType(above))
        made = type(name, (), {}) if kind == "class" else lambda *_: None
        made.__module__, made.__qualname__, made.__name__ = module, name, name
        setattr(sys.modules[module], name, made)
        return made

    return make


def test_foreign_classes_in_the_discriminator(model, tmp_path, elsewhere):
    """A dill pickle whose D holds other people's modules, hooks and functions by value; G is in the published form."""
    persistent = elsewhere("torch_utils.persistence", "_reconstruct_persistent_obj")
    parts: dict[str, dict] = {"": {"_parameters": {}, "_buffers": {}, "_modules": {}}}

    def module(key: str) -> dict:
        if key not in parts:
            parts[key] = {"_parameters": {}, "_buffers": {}, "_modules": {}} | model.attributes.get(key, {})
            above, _, name = key.rpartition(".")
            module(above)["_modules"][name] = key
        return parts[key]

    for name, array in model.tensors.items():
        above, _, last = name.rpartition(".")
        module(above)["_parameters"][last] = array

    def built(key: str):
        state = parts[key]
        state["_modules"] = {name: built(child) for name, child in state["_modules"].items()}
        return _Made(persistent, {"type": "class", "version": 6, "module_src": "", "class_name": "X", "state": state})

    hook = _Made(
        elsewhere("dill._dill", "_create_function"),
        _Made(elsewhere("dill._dill", "_create_code"), 1, b"d\x01S\x00", "hook"),
        {"__name__": "pg_modules.vit"},
        "hook",
        None,
        (_Made(elsewhere("dill._dill", "_create_cell"), "activations"),),
    )
    vit = elsewhere("timm.models.vision_transformer", "VisionTransformer", "class")()
    vit.__dict__ |= {
        "_parameters": {"cls_token": np.zeros(3, np.float32)},
        "_modules": {},
        "_forward_hooks": {1: hook},
        "kinds": _Made(elsewhere("dill._dill", "_load_type"), "set"),
        "forward": _Made(elsewhere("pg_modules.vit", "forward_flex"), 1, state={"a": 1}),
        "imported": _Made(elsewhere("dill._dill", "_import_module"), "torch.nn.functional"),
    }
    file, whole = tmp_path / "network.pkl", built("")
    file.write_bytes(pickle.dumps({"G": None, "D": vit, "G_ema": whole, "progress": {"best_fid": 9999.0}}, 4))
    loaded = load_generator(str(file), device="cpu")
    assert loaded.spec.family == "stylegan_xl"
    w = loaded.map(loaded.latents([1]), torch.tensor([2])).w
    wanted = Reference(model).synthesise(w)
    assert float((loaded.synthesise(w) - wanted).abs().max() / wanted.std()) < 5e-5
    file.write_bytes(pickle.dumps({"G_ema": {"a": whole, "hook": hook}}, 4))
    with pytest.raises(CheckpointError, match="_create_function"):
        describe(str(file))
