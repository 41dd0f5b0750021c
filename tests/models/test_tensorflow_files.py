"""Pickles of TensorFlow days: StyleGAN2s of all kinds, which network is read, and that no code runs."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from stylegan2_reference import Reference, random_tensors
from tensorflow_pickles import Networks, stds, stylegan2, stylegan2_variables, there_and_back

from gandream.base.errors import CheckpointError
from gandream.models.checkpoint import read_checkpoint
from gandream.models.registry import describe, load_generator

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("tf_legacy/*/network_tf.pkl")), ids=lambda file: file.parts[-2])
def test_names_and_shapes(file):
    networks = read_checkpoint(file).networks
    assert [network.where for network in networks] == ["Gs", "G", "D"]
    wanted = json.loads((file.parent / "variables_Gs.json").read_text())
    wanted = wanted if isinstance(wanted, dict) else {name: shape for name, shape, *_ in wanted}
    text = GOLDEN / "names" / f"tf_legacy__{file.parts[-2]}.txt"
    lines = [line.split(maxsplit=1) for line in text.read_text().splitlines() if line and line[0] != "#"]
    found = {name: str(tensor.shape) for name, tensor in networks[0].tensors.items()}
    assert found == {name: shape.strip() for name, shape in lines}
    assert networks[0].class_name.startswith("G_")
    assert networks[0].attributes[""]["func_name"] == networks[0].class_name
    assert networks[0].attributes[""]["resolution"] == 32


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("tf_legacy/sg2*/network_tf.pkl")), ids=lambda f: f.parts[-2])
def test_published_numbers_of_stylegan2(file, tmp_path):
    generator, io = load_generator(str(file), device="cpu"), np.load(file.parent / "io.npz")
    z = torch.from_numpy(io["z"])
    classes = torch.from_numpy(io["c"]) if io["c"].shape[1] else None
    assert stds(generator.map(z, classes, 0.7).w, io["ws_psi07"]) < 1e-5
    for name, psi, noise in (("psi1_const", 1, "fixed"), ("psi07_const", 0.7, "fixed"), ("psi1_none", 1, "off")):
        assert stds(generator.synthesise(generator.map(z, classes, psi), noise=noise), io[f"img_{name}"]) < 1e-4
    there_and_back(generator, tmp_path)


STYLEGAN2 = {
    "skip": ({}, {}),
    "plain": ({"architecture": "orig", "z": 24, "layers": 5}, {}),
    "residual": ({"architecture": "resnet", "channels": (5, 7, 3)}, {}),
    "alpha": ({"colours": 4, "channels": (8, 8)}, {}),
    "wide": ({"const": (4, 7), "channels": (6, 4, 4, 3)}, {}),
    "classes": ({"classes": 5, "z": 10, "w": 12, "architecture": "resnet"}, {}),
    "without noise": ({"noise": False}, {}),
    "without average": ({"average": False}, {}),
    "big kernel": ({"kernel": 5, "architecture": "resnet"}, {}),
    "odd filter": ({"taps": (1, 2, 4), "architecture": "resnet"}, {"resample_kernel": [1, 2, 4]}),
    "no filter": ({"taps": (1, 1)}, {"resample_kernel": None}),
}


@pytest.mark.parametrize(("options", "arguments"), STYLEGAN2.values(), ids=STYLEGAN2.keys())
def test_stylegan2(options, arguments, tmp_path):
    tensors = random_tensors(**options)
    networks = (stylegan2(random_tensors(**options, seed=1), "G"), Networks()("D", "D_stylegan2", {}, {}),
                stylegan2(tensors, **arguments))  # fmt: skip
    file, reference = Networks().save(networks, tmp_path / "m.pkl"), Reference(tensors)
    spec, generator = describe(str(file)), load_generator(str(file), device="cpu")
    assert generator.spec == spec
    assert spec.size == tuple(
        n * 2 ** (len(options.get("channels", (1, 2, 3))) - 1) for n in options.get("const", (4, 4))
    )
    z, classes = generator.latents([1, 2]), torch.tensor([0, 1]) if options.get("classes") else None
    weights = F.one_hot(classes, options["classes"]) if classes is not None else None
    w, wanted = generator.map(z, classes).w, reference.map(z, weights)
    assert float((w - wanted[:, None]).abs().max() / wanted.std()) < 1e-5
    for noise in ("fixed", "off"):
        assert stds(generator.synthesise(w, noise=noise), reference.synthesise(w, noise == "fixed")) < 2e-5
    there_and_back(generator, tmp_path)


def test_arguments_of_stylegan2(tmp_path):
    """What shapes do not tell: activations, the clamp of the ADA version, the learning rate of the mapping."""
    tensors = random_tensors()
    arguments = {"nonlinearity": "swish", "conv_clamp": 1.1, "mapping_lrmul": 0.1, "mapping_nonlinearity": "tanh"}
    file = Networks().save(stylegan2(tensors, **arguments), tmp_path / "m.pkl")
    generator, z = load_generator(str(file), device="cpu"), torch.randn(2, 16)
    reference = Reference(tensors, 1.1, (F.silu, math.sqrt(2)))
    w = generator.map(z).w
    assert stds(generator.synthesise(w), reference.synthesise(w)) < 2e-5
    x = (z / z.square().mean(dim=1, keepdim=True).sqrt()).double()
    for n in (0, 1):
        weight, bias = (torch.from_numpy(tensors[f"mapping.fc{n}.{part}"]).double() for part in ("weight", "bias"))
        x = torch.tanh(0.1 * (x @ weight.T / 4 + bias))
    assert float((w[:, 0] - x).abs().max()) < 1e-5
    there_and_back(generator, tmp_path)


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("classes", [0, 3])
def test_stylegan2_before_ada(classes, normalised, tmp_path):
    """Embeddings of classes are as wide as z and have no bias; z is normalised together with them."""
    tensors, network = random_tensors(classes=classes), Networks()
    whole, synthesis, mapping = stylegan2_variables(tensors)
    if classes:
        mapping["LabelConcat/weight"] = mapping.pop("LabelEmbed/weight")
        del mapping["LabelEmbed/bias"]
    parts = {"synthesis": network("G_synthesis", "G_synthesis_stylegan2", synthesis, {}),
             "mapping": network("G_mapping", "G_mapping", mapping, {}, normalize_latents=normalised)}  # fmt: skip
    file = network.save(network("Gs", "G_main", whole, parts, label_size=classes), tmp_path / "m.pkl")
    generator = load_generator(str(file), device="cpu")
    z = generator.latents([1, 2])
    chosen = torch.tensor([2, 0]) if classes else None
    x = torch.cat([z, torch.from_numpy(mapping["LabelConcat/weight"])[chosen]], dim=1) if classes else z
    x = (x / x.square().mean(dim=1, keepdim=True).sqrt() if normalised else x).double()
    for n in (0, 1):
        weight, bias = (torch.from_numpy(mapping[f"Dense{n}/{part}"]).double() for part in ("weight", "bias"))
        x = F.leaky_relu(0.01 * (x @ weight / math.sqrt(len(weight)) + bias), 0.2) * math.sqrt(2)
    w = generator.map(z, chosen).w
    assert float((w - x[:, None]).abs().max() / x.std()) < 1e-5
    assert stds(generator.synthesise(w), Reference(tensors).synthesise(w)) < 2e-5
    there_and_back(generator, tmp_path)


def test_a_stylegan2_that_grew(tmp_path):
    """Configurations B to D of the paper: ToRGB_lod0 is at the last resolution; it can't be read while it grows."""
    tensors = random_tensors(architecture="orig")
    whole, synthesis, mapping = stylegan2_variables(tensors)
    synthesis = {name.replace("16x16/ToRGB", "ToRGB_lod0"): array for name, array in synthesis.items()}
    assert "ToRGB_lod0/mod_bias" in synthesis
    network = Networks()
    for lod in (0, 0.5):
        parts = {"synthesis": network("G_synthesis", "G_synthesis_stylegan_revised", synthesis | {"lod": lod}, {}),
                 "mapping": network("G_mapping", "G_mapping", mapping, {})}  # fmt: skip
        file = network.save(network("Gs", "G_main", whole | {"lod": np.float32(lod)}, parts), tmp_path / f"{lod}.pkl")
    generator = load_generator(str(tmp_path / "0.pkl"), device="cpu")
    w = generator.map(generator.latents([3])).w
    assert stds(generator.synthesise(w), Reference(tensors).synthesise(w)) < 2e-5
    with pytest.raises(CheckpointError, match="not fully grown"):
        describe(str(file))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["tuple", "alone", "pair", "table", "list"])
def test_which_network_is_read(kind, protocol, tmp_path):
    """Gs, wherever it is; by its place in a triple, whatever it is called."""
    average, other = random_tensors(), random_tensors(seed=1)
    network = Networks()
    D = network("D", "D_stylegan2", {"4x4/Conv/weight": np.zeros((3, 3, 4, 4), np.float32)}, {})
    contents = {
        "tuple": (stylegan2(other, "G"), D, stylegan2(average, "Gs")),
        "list": [stylegan2(other, "Gs"), D, stylegan2(average, "G")],
        "alone": stylegan2(average, "Gs"),
        "pair": (stylegan2(other, "G"), stylegan2(average, "Gs")),
        "table": {"G": stylegan2(other, "x"), "D": D, "G_ema": stylegan2(average, "y")},
    }[kind]
    file = network.save(contents, tmp_path / "m.pkl", protocol)
    w = torch.randn(1, 6, 16)
    assert stds(load_generator(str(file), device="cpu").synthesise(w), Reference(average).synthesise(w)) < 2e-5


def test_code_in_a_file_never_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_generator(str(Networks().save(stylegan2(random_tensors()), tmp_path / "m.pkl")), device="cpu")
    assert os.listdir(tmp_path) == ["m.pkl"]

    class Hostile:
        def __reduce__(self):
            return os.system, ("touch executed",)

    network = Networks()
    made = stylegan2(random_tensors())
    made.build_module_src = Hostile()
    with pytest.raises(CheckpointError, match="refused"):
        describe(str(network.save(made, tmp_path / "m.pkl")))
    assert os.listdir(tmp_path) == ["m.pkl"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"16x16/Conv1/weight": (3, 3, 4)}, "synthesis/16x16/Conv1/weight: .* 3 dimensions"),
        ({"8x8/Conv0_up/weight": (3, 3, 9, 6)}, r"b8\.conv0\.weight has shape"),
        ({"noise1": (1, 1, 9, 8)}, "noise_const has shape"),
        ({"noise1": (2, 1, 8, 8)}, "synthesis/noise1: "),
        ({"8x8/Conv1/bias": None}, r"nearest: stylegan2 .* missing synthesis\.b8\.conv1\.bias"),
    ],
)
def test_variables_that_do_not_fit(change, words, tmp_path):
    network = Networks()
    made = stylegan2(random_tensors())
    synthesis = made.components["synthesis"]
    kept = dict(synthesis.variables) | {name: np.zeros(shape or (), np.float32) for name, shape in change.items()}
    synthesis.variables = [(name, array) for name, array in kept.items() if change.get(name, 0) is not None]
    with pytest.raises(CheckpointError, match=words):
        describe(str(network.save(made, tmp_path / "m.pkl")))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"resample_kernel": "soft"}, "no filter"),
        ({"resample_kernel": [1, -1]}, "no filter"),
        ({"nonlinearity": "sine"}, "'sine', which is not known"),
        ({"mapping_lrmul": float("nan")}, "not finite"),
    ],
)
def test_arguments_that_can_not_be(arguments, words, tmp_path):
    network = Networks()
    with pytest.raises(CheckpointError, match=words):
        describe(str(network.save(stylegan2(random_tensors(), **arguments), tmp_path / "m.pkl")))


def test_networks_that_contain_themselves(tmp_path):
    network = Networks()
    made = stylegan2(random_tensors())
    made.components["again"] = made
    with pytest.raises(CheckpointError, match="nested too deeply"):
        describe(str(network.save(made, tmp_path / "m.pkl")))
    many = network("Gs", "G_main", {}, {})
    for _ in range(7):
        many = network("Gs", "G_main", {}, {str(n): many for n in range(12)})
    with pytest.raises(CheckpointError, match="nested too deeply"):
        describe(str(network.save(many, tmp_path / "m.pkl")))
