"""StyleGAN3: the published implementation's numbers, odd configurations, moved inputs, files there and back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from stylegan3_reference import Reference, random_network

from gandream.base.errors import CheckpointError, LatentError
from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.files import save_native
from gandream.models.registry import describe, load_generator
from gandream.models.stylegan3 import resample

HERE = Path(__file__).parent / "data"
GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
CASES = [HERE / "r_cond_r64_transform" / "network.pkl"]
CASES += [file for file in sorted(GOLDEN.glob("stylegan3/*/network.pkl")) if not file.parts[-2].startswith("sg2")]


def stds(ours: torch.Tensor, wanted: np.ndarray) -> float:
    assert ours.dtype == torch.float32
    assert list(ours.shape) == list(wanted.shape)
    return float(np.abs(ours.numpy() - np.asarray(wanted)).max() / np.asarray(wanted).std())


def native_file(path: Path, tensors: dict, attributes: dict | None = None, **more) -> Path:
    native = {"gandream": 1, "family": "stylegan3", "configuration": {"attributes": attributes or {}}, **more}
    write_safetensors(path, tensors, {"gandream": json.dumps(native)})
    return path


def loaded(path: Path, tensors: dict, attributes: dict | None = None):
    return load_generator(str(native_file(path, tensors, attributes)), device="cpu")


def random_w(generator, count=2):
    noise = torch.randn(count, *generator.w_avg.shape, generator=torch.Generator().manual_seed(0))
    return generator.w_avg + noise


@pytest.mark.parametrize("file", CASES, ids=lambda file: f"{file.parts[-3]}-{file.parts[-2]}")
def test_published_numbers(file):
    generator, io = load_generator(str(file), device="cpu"), np.load(file.parent / "io.npz")
    z = torch.from_numpy(io["z"])
    classes = torch.from_numpy(io["c"]) if io["c"].shape[1] else None
    for name, psi, cutoff in (("psi1", 1, None), ("psi07", 0.7, None), ("psi05cut", 0.5, 4), ("psineg", -0.4, None)):
        assert stds(generator.map(z, classes, psi, cutoff=cutoff).w, io[f"ws_{name}"]) < 1e-5
    for name, ws in (("psi1_const", "psi1"), ("psi07", "psi07"), ("psi05cut", "psi05cut"), ("wplus", "wplus")):
        assert stds(generator.synthesise(torch.from_numpy(io[f"ws_{ws}"])), io[f"img_{name}"]) < 1e-4
    w, transform = torch.from_numpy(io["ws_psi1"]), torch.from_numpy(io["transform_user"])
    assert stds(generator.synthesise(w, transform=transform), io["img_psi1_transform"]) < 1e-4


ODD = {
    "translation": {},
    "rotation": {"kernel": 1, "radial": True, "most": 9},
    "classes": {"classes": 3, "z": 7, "mapping": 1},
    "one mapping layer, no average": {"mapping": 1, "average": False},
    "odd channels": {"base": 40, "most": 23, "colours": 1},
    "alpha": {"colours": 4, "num_layers": 5, "critical": 1},
    "many channels": {"most": 100, "base": 400, "num_layers": 4},
    "deep": {"resolution": 32, "num_layers": 9, "critical": 3},
    "wide margin": {"margin": 10, "num_layers": 4},
    "no margin": {"margin": 0},
    "clamped": {"clamp": 0.6},
    "not clamped": {"clamp": None},
    "long filters": {"filter_size": 8},
    "short filters": {"filter_size": 3},
    "fine grid": {"upsampling": 4, "num_layers": 4},
    "coarse grid": {"upsampling": 1, "num_layers": 4, "first_cutoff": 1.5},
    "radial, short, odd": {"kernel": 1, "radial": True, "filter_size": 5, "margin": 5},
    "big kernel": {"kernel": 5, "num_layers": 4},
    "even kernel": {"kernel": 2, "num_layers": 4},
    "transform": {"transform": [[0.8, 0.3, 0.1], [-0.3, 0.8, -0.2], [0, 0, 1]]},
    "wide": {"shape": (1, 2), "num_layers": 4},
    "tall": {"shape": (2, 1), "num_layers": 4, "kernel": 1, "radial": True},
}


SLOW = ("fine grid", "many channels", "long filters", "deep")
SLOWER = pytest.mark.slow


@pytest.mark.parametrize(
    "options", [pytest.param(row, id=name, marks=[pytest.mark.slow] * (name in SLOW)) for name, row in ODD.items()]
)
def test_odd_configurations(options, tmp_path):
    tensors, attributes = random_network(**options)
    file = native_file(tmp_path / "model", tensors, attributes)
    spec, generator = describe(str(file)), load_generator(str(file), device="cpu")
    assert generator.spec == spec
    resolution = options.get("resolution", 16)
    assert spec.size == tuple(resolution * n for n in options.get("shape", (1, 1)))
    assert spec.transform
    assert (spec.latent_size, spec.channels) == (options.get("z", 12), options.get("colours", 3))
    assert len(spec.layers) == options.get("num_layers", 6) + 2 == generator.w_avg.shape[0]
    assert spec.classes == tuple(str(n) for n in range(options.get("classes", 0)))

    z, reference = generator.latents([1, 2]), Reference(tensors, attributes)
    classes = torch.tensor([1, 2]) if spec.classes else None
    weights = F.one_hot(classes, len(spec.classes)) if classes is not None else None
    wanted = reference.map(z, weights)
    assert float((generator.map(z, classes).w - wanted[:, None]).abs().max() / wanted.std()) < 1e-5
    w = random_w(generator)
    assert stds(generator.synthesise(w), reference.synthesise(w)) < 1e-4
    turned = torch.tensor([[[0.6, -0.8, 0.3], [0.8, 0.6, 0.1], [0, 0, 1]], [[1, 0, 7.25], [0, 2, -3.5], [0, 0, 1]]])
    assert stds(generator.synthesise(w, transform=turned), reference.synthesise(w, turned)) < 1e-4


@pytest.mark.parametrize(
    ("container", "filters"),
    [("zip", True), ("stream", True), ("safetensors", True), ("zip", False)],
    ids=["zip", "stream", "safetensors", "zip without filters"],
)
@pytest.mark.parametrize("radial", [True, False], ids=["r", "t"])
def test_bare_state_dict(container, filters, radial, tmp_path):
    """With the paper's own configuration, shapes and names say the rest."""
    options = {"kernel": 1, "radial": True} if radial else {}
    tensors, attributes = random_network(margin=10, num_layers=7, resolution=32, most=6, **options)
    state = {name: torch.from_numpy(np.array(array)) for name, array in tensors.items()
             if filters or not name.endswith("_filter")}  # fmt: skip
    if container == "safetensors":
        write_safetensors(tmp_path / "m", {name: value.numpy() for name, value in state.items()}, {})
    else:
        torch.save({"G_ema": state}, tmp_path / "m", _use_new_zipfile_serialization=container == "zip")
    generator = load_generator(str(tmp_path / "m"), device="cpu")
    w = random_w(generator, 1)
    assert stds(generator.synthesise(w), Reference(tensors, attributes).synthesise(w)) < 1e-4


@pytest.mark.parametrize("options", [{"margin": 6}, {"critical": 3, "margin": 10}, {"margin": 2, "filter_size": 4}])
def test_bare_state_dict_of_another_plan(options, tmp_path):
    """Other margins and numbers of critical layers follow from sizes, lengths of filters from the filters."""
    tensors, attributes = random_network(resolution=32, num_layers=7, most=4, **options)
    write_safetensors(tmp_path / "m", tensors, {})
    generator = load_generator(str(tmp_path / "m"), device="cpu")
    w = random_w(generator, 1)
    assert stds(generator.synthesise(w), Reference(tensors, attributes).synthesise(w)) < 1e-4


STRIPS = [
    pytest.param(tile, channels, cache, marks=[] if (tile == 2) == (channels == 3) == (cache != 20_000) else SLOWER)
    for tile in (2, 16)
    for channels in (3, 16)
    for cache in (1, 20_000, 1 << 30)
]


@pytest.mark.parametrize(("tile", "channels", "cache"), STRIPS)
def test_strips_change_nothing(cache, channels, tile, tmp_path, monkeypatch):
    """However little of a layer is worked on at a time, and in whatever tiles."""
    monkeypatch.setattr(resample, "CACHE", cache)
    monkeypatch.setattr(resample, "CHANNELS", channels)
    monkeypatch.setattr(resample, "TILE", tile)
    tensors, attributes = random_network(radial=True, kernel=1, most=37, base=300, num_layers=4, margin=5)
    generator = loaded(tmp_path / "m", tensors, attributes)
    w = random_w(generator)
    assert stds(generator.synthesise(w), Reference(tensors, attributes).synthesise(w)) < 1e-4


@pytest.fixture(scope="module")
def conditional():
    return load_generator(str(CASES[0]), device="cpu")


def test_native_file_there_and_back(conditional, tmp_path):
    file = tmp_path / "native.safetensors"
    save_native(conditional, file, name="faces", licence="CC0")
    again = load_generator(str(file), device="cpu")
    assert (again.spec.name, again.spec.licence) == ("faces", "CC0")
    assert again.spec.layers == conditional.spec.layers
    assert again.configuration == conditional.configuration
    inputs = conditional.map(conditional.latents([1, 2]), torch.tensor([0, 3]), psi=0.7)
    assert torch.equal(inputs.w, again.map(again.latents([1, 2]), torch.tensor([0, 3]), psi=0.7).w)
    assert torch.equal(conditional.synthesise(inputs), again.synthesise(inputs))
    before = file.read_bytes()
    save_native(again, file)
    assert file.read_bytes() == before


@pytest.mark.slow
def test_native_file_keeps_what_follows_no_rule(tmp_path):
    tensors, attributes = random_network(upsampling=4, num_layers=4, margin=3, clamp=0.8)
    tensors = {name: array for name, array in tensors.items() if not name.endswith("down_filter")}
    attributes["synthesis"]["output_scale"] = 0.5
    attributes["synthesis.input"]["sampling_rate"] *= 1.25
    first = loaded(tmp_path / "m", tensors, attributes)
    save_native(first, tmp_path / "n")
    again = load_generator(str(tmp_path / "n"), device="cpu")
    w = random_w(first)
    assert torch.equal(first.synthesise(w), again.synthesise(w))
    full, _ = random_network(upsampling=4, num_layers=4, margin=3, clamp=0.8)
    assert stds(first.synthesise(w), Reference(full, attributes).synthesise(w)) < 1e-4


def test_pictures_of_a_batch_are_independent(conditional):
    inputs = conditional.map(conditional.latents(range(5)), torch.arange(5) % 4).w
    inputs[1] *= 30
    whole = conditional.synthesise(inputs)
    for n in range(5):
        alone = conditional.synthesise(inputs[n : n + 1])[0]
        assert float((whole[n] - alone).abs().max() / whole[n].std()) < 1e-4
    assert conditional.synthesise(inputs[:0]).shape == (0, 3, 64, 64)
    assert torch.equal(whole, conditional.synthesise(inputs))
    assert torch.isfinite(conditional.synthesise(torch.zeros_like(inputs))).all()


def move(x: float, y: float) -> torch.Tensor:
    """T that has the picture show at p what was at p + (x, y)."""
    return torch.tensor([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


@pytest.mark.parametrize("radial", [False, True])
def test_a_moved_input_moves_the_picture(radial, tmp_path):
    """By whole pixels of the input's grid, which are two of the picture's here: the same, but for what the edges do."""
    options = {"kernel": 1, "radial": True} if radial else {}
    tensors, attributes = random_network(resolution=32, num_layers=4, margin=10, **options)
    generator = loaded(tmp_path / "m", tensors, attributes)
    w = random_w(generator)
    still, right, down = (generator.synthesise(w, transform=move(*by)) for by in ((0, 0), (-1 / 16, 0), (0, -1 / 16)))
    assert attributes["synthesis.input"]["sampling_rate"] == 16
    assert torch.equal(still, generator.synthesise(w))
    inner = slice(12, 20)
    near = {"atol": 0.03 * float(still.std()), "rtol": 0}
    torch.testing.assert_close(right[..., inner, 14:22], still[..., inner, 12:20], **near)
    torch.testing.assert_close(down[..., 14:22, inner], still[..., 12:20, inner], **near)
    assert float((right - still).abs().max() / still.std()) > 0.3


def test_a_turned_input_turns_the_picture(tmp_path):
    """By a quarter, configuration R: filters are symmetric, and 1 x 1 convolutions see no direction."""
    tensors, attributes = random_network(resolution=32, num_layers=4, margin=10, kernel=1, radial=True)
    generator = loaded(tmp_path / "m", tensors, attributes)
    w = random_w(generator)
    quarter = torch.tensor([[0, 1, 0], [-1, 0, 0], [0, 0, 1.0]])
    turned = generator.synthesise(w, transform=quarter)
    torch.testing.assert_close(turned, torch.rot90(generator.synthesise(w), -1, (2, 3)), atol=1e-3, rtol=1e-3)


def test_transforms_are_each_picture_s_own(conditional):
    w = conditional.map(conditional.latents([1, 2]), torch.tensor([0, 1])).w
    both = torch.stack([move(0.1, 0), move(0, -0.2)])
    together = conditional.synthesise(w, transform=both)
    for n in range(2):
        alone = conditional.synthesise(w[n : n + 1], transform=both[n])
        assert stds(together[n : n + 1], alone.numpy()) < 1e-4
    assert torch.equal(conditional.synthesise(w, transform=both[0]), conditional.synthesise(w, transform=both[:1]))
    for wrong in (torch.eye(2), torch.eye(3).expand(3, 3, 3), torch.full((3, 3), float("nan"))):
        with pytest.raises(ValueError, match="transform"):
            conditional.synthesise(w, transform=wrong)


def test_what_it_refuses(conditional):
    w = conditional.map(conditional.latents([1]), torch.tensor([0])).w
    assert conditional.synthesise(w, size=(64, 64), noise="off").shape == (1, 3, 64, 64)
    with pytest.raises(ValueError, match="size"):
        conditional.synthesise(w, size=(0, 64))
    with pytest.raises(ValueError, match="noise"):
        conditional.synthesise(w, noise="loud")
    with pytest.raises(LatentError, match=r"\[1, 3, 48\]"):
        conditional.synthesise(w[:, :3])
    with pytest.raises(LatentError, match="needs a class"):
        conditional.map(conditional.latents([1]))


def test_the_configuration_is_told(conditional, tmp_path):
    assert conditional.spec.configuration == (
        "equivariant to rotation, 2 mapping layers, kernels 1, channels 24 24 24 24 24 23 16 11 8 8, clamped at 256"
    )
    tensors, attributes = random_network(clamp=None, num_layers=4)
    told = describe(str(native_file(tmp_path / "m", tensors, attributes))).configuration
    assert told == "equivariant to translation, 2 mapping layers, kernels 3, channels 8 8 4 4"


def test_describe_loads_no_torch():
    code = (
        "import sys, gandream.models.registry as r; "
        f"assert r.describe({str(CASES[0])!r}).family == 'stylegan3'; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


L1 = "synthesis.L1_24_8"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({f"{L1}.weight": (8, 9, 3, 3)}, r"L1_24_8\.weight has shape"),
        ({f"{L1}.weight": (8, 8, 3, 2)}, r"L1_24_8\.weight has shape"),
        ({f"{L1}.bias": (7,)}, r"L1_24_8\.bias has shape"),
        ({f"{L1}.affine.weight": (8, 11)}, r"L1_24_8\.affine\.weight has shape"),
        ({f"{L1}.magnitude_ema": (2,)}, r"L1_24_8\.magnitude_ema has shape"),
        ({f"{L1}.up_filter": (2, 3, 4)}, r"L1_24_8\.up_filter has shape .* no filter"),
        ({f"{L1}.down_filter": (900,)}, r"L1_24_8\.down_filter has shape .* no filter"),
        ({"synthesis.input.freqs": (8, 3)}, r"input\.freqs has shape"),
        ({"synthesis.input.phases": (9,)}, r"input\.phases has shape"),
        ({"synthesis.input.transform": (2, 3)}, r"input\.transform has shape"),
        ({"mapping.fc1.weight": (10, 17)}, r"mapping\.fc1\.weight has shape"),
        ({f"{L1}.affine.bias": None}, r"nearest: stylegan3 — .* keys; missing synthesis\.L1_24_8\.affine\.bias"),
    ],
)
def test_tensors_that_do_not_fit(change, words, tmp_path):
    tensors, attributes = random_network(num_layers=4)
    assert f"{L1}.weight" in tensors
    for name, shape in change.items():
        if shape is None:
            del tensors[name]
        else:
            tensors[name] = np.zeros(shape, np.float32)
    with pytest.raises(CheckpointError, match=words):
        describe(str(native_file(tmp_path / "m", tensors, attributes)))


@pytest.mark.parametrize(
    ("module", "change", "words"),
    [
        (L1, {"up_factor": 0}, "scales up by 0"),
        (L1, {"up_factor": 1.5}, "no whole numbers"),
        (L1, {"down_factor": 10**9}, "and down by 1000000000"),
        (L1, {"padding": [1, 2, 3]}, "no list of 4"),
        (L1, {"padding": [-(10**9)] * 4}, "pads"),
        (L1, {"padding": [10**9] * 4}, "pads"),
        (L1, {"is_torgb": True}, "colours"),
        (L1, {"conv_clamp": -1}, "conv_clamp"),
        (L1, {"conv_clamp": "much"}, "conv_clamp is no number"),
        ("synthesis.input", {"size": [10**9, 10**9]}, "size"),
        ("synthesis.input", {"size": "big"}, "size"),
        ("synthesis.input", {"sampling_rate": 1.0}, "bandwidth"),
        ("synthesis.L4_16_3", {"up_factor": 2}, "colours"),
    ],
)
def test_attributes_that_make_no_sense(module, change, words, tmp_path):
    tensors, attributes = random_network(num_layers=4)
    attributes[module] |= change
    with pytest.raises(CheckpointError, match=words):
        describe(str(native_file(tmp_path / "m", tensors, attributes)))


def test_a_filter_that_can_t_be_made(tmp_path):
    tensors, attributes = random_network(num_layers=4)
    del tensors[f"{L1}.up_filter"]
    attributes[L1]["in_cutoff"] = 1000.0
    with pytest.raises(CheckpointError, match="up_filter is missing, and can't be made"):
        describe(str(native_file(tmp_path / "m", tensors, attributes)))


def test_sizes_that_follow_no_rule(tmp_path):
    tensors, _ = random_network(num_layers=4)
    tensors = {name.replace("L1_24_8", "L1_25_8"): array for name, array in tensors.items()}
    write_safetensors(tmp_path / "m", tensors, {})
    with pytest.raises(CheckpointError, match="follow no rule, and it has no attributes"):
        describe(str(tmp_path / "m"))


def test_weights_that_are_not_finite(tmp_path):
    tensors, attributes = random_network(num_layers=4)
    tensors[f"{L1}.weight"][0, 0] = np.nan
    (warning,) = loaded(tmp_path / "m", tensors, attributes).spec.warnings
    assert f"infinite or no numbers, in {L1}.weight" in warning
    tensors[f"{L1}.down_filter"][3] = np.inf
    with pytest.raises(CheckpointError, match=r"L1_24_8\.down_filter holds values that are not finite"):
        loaded(tmp_path / "m", tensors, attributes)
