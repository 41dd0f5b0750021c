"""What is said of files that are no model, nearly a model, or a model of odd numbers."""

from __future__ import annotations

import io
import json
import pickle
import re
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from biggan_deep_reference import state
from hostile_corpus import zipped
from small_files import containers, small_stylegan2
from tensorflow_pickles import Networks, stylegan2, stylegan2_variables

from gandream.base.errors import CheckpointError
from gandream.models.checkpoint import read_checkpoint
from gandream.models.checkpoint.records import Storage, StoredTensor, contiguous
from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.checkpoint.values import BLOCK, odd_values
from gandream.models.registry import describe, load_generator

DATA = Path(__file__).parent / "data"


def npz(**arrays) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def said(data, folder: Path) -> str:
    """Problem and hint of the error for a file of these bytes, or of these pickled."""
    file = folder / "m.pkl"
    file.unlink(missing_ok=True)
    file.write_bytes(data if isinstance(data, bytes) else pickle.dumps(data))
    with pytest.raises(CheckpointError) as caught:
        describe(str(file))
    assert len(caught.value.problem.splitlines()) == 1
    assert len(caught.value.hint.splitlines()) <= 1
    return f"{caught.value.problem} | {caught.value.hint}"


SOME = np.zeros(3, np.float32)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x08\x07\x12\x07pytorch\x1a\x052.0.0:" + bytes(99), "an ONNX model"),
        (b"\x89HDF\r\n\x1a\n", "Keras"),
        (b'{"metadata": {"total_size": 12}, "weight_map": {}}', "an index of a model that lies in several files"),
        (b'{\n "weight_map": {"a": "b"}}', "an index of a model"),
        (b'{"class_embed_dim": 128, "layers": []}', "configuration without its weights"),
        (b'model_checkpoint_path: "model.ckpt-7"\n', "where its checkpoints are"),
        (zipped({"m/data.pkl": b"N.", "m/constants.pkl": b"N.", "m/code/a.py": b""}), "TorchScript.*state_dict"),
        (zipped({"config.json": b"{}", "model.weights.h5": b""}), "Keras"),
        (zipped({"a/saved_model.pb": b""}), "SavedModel"),
        (zipped({"a/network.pkl": b""}), "packed archive.*Unpack it"),
        (zipped({"readme.txt": b""}), "zip archive, but no checkpoint: it holds readme.txt"),
        ({"state": {0: {"exp_avg": SOME, "exp_avg_sq": SOME, "step": SOME}}, "param_groups": [{"lr": 1}]}, "optimizer"),
        ({"lora_unet_down_blocks_0_proj.lora_up.weight": SOME}, "LoRA"),
        ({"base_model.layers.0.self_attn.q_proj.lora_A.weight": SOME}, "LoRA"),
        ({"state_dict": {"model.diffusion_model.input_blocks.0.0.weight": SOME}}, "diffusion model"),
        ({"down_blocks.0.resnets.0.conv1.weight": SOME}, "diffusion model"),
        ({"encoder.down.0.block.0.conv1.weight": SOME, "quant_conv.weight": SOME}, "autoencoder"),
        ({"model.layers.0.self_attn.q_proj.weight": SOME}, "model of words"),
        ({"layer1.0.conv1.weight": SOME, "layer1.0.bn1.weight": SOME}, "recognises things"),
        ({"g": {"module.feat_8.1.weight_orig": SOME}}, "this is a FastGAN model, which can't be read yet"),
        ({"GAN": {"G.blocks.0.to_style1.weight": SOME}}, "lucidrains"),
        ({"state_dict": {"quantize.embedding.weight": SOME}}, "VQGAN"),
        ({"model.10.conv_block.1.weight": SOME}, "CycleGAN"),
        (npz(w=np.zeros((1, 18, 512))), r"saved latents \(w 1x18x512\), not a model.*walk"),
        (npz(arr_0=np.zeros((4, 512))), "saved latents"),
        (npz(mu=np.zeros(3), sigma=np.zeros((3, 3))), "2 tensors, no known family"),
        (npz(words=np.array(["a", "b"])), "NumPy archive without tensors"),
    ],
)
def test_what_a_file_is(data, words, tmp_path):
    assert re.search(words, said(data, tmp_path))


@pytest.mark.parametrize("separator", ["foo.", "a.b.", "decoder/"])
def test_a_prefix_is_named(separator, tmp_path):
    words = said({f"{separator}{name}": array for name, array in small_stylegan2().items()}, tmp_path)
    assert f"names begin with `{separator}`" in words
    assert "a stylegan2 network" in words


def test_what_is_missing_is_named_with_the_family_and_the_layout(tmp_path):
    arrays = small_stylegan2()
    del arrays["synthesis.b8.conv1.bias"]
    assert "nearest: stylegan2 — 28 of 29 keys; missing synthesis.b8.conv1.bias" in said(arrays, tmp_path)
    whole, synthesis, mapping = stylegan2_variables(small_stylegan2())
    variables = whole | {f"synthesis/{name}": array for name, array in synthesis.items()}
    variables |= {f"mapping/{name}": array for name, array in mapping.items()}
    del variables["synthesis/8x8/Conv1/bias"]
    assert "nearest: stylegan2 in TensorFlow's layout — 28 of 29 keys; missing" in said(npz(**variables), tmp_path)
    variables["synthesis/8x8/Conv1/bias"] = SOME
    assert "synthesis.b8.conv1.bias has shape [3], and [4] is wanted" in said(npz(**variables), tmp_path)
    variables |= {"synthesis/8x8/Conv1/bias": np.zeros(4, "f4"), "synthesis/8x8/Conv1/weight": np.zeros((4, 4), "f4")}
    words = said(npz(**variables), tmp_path)
    assert "this is stylegan2 in TensorFlow's layout, but synthesis/8x8/Conv1/weight" in words


def test_what_is_odd_is_named(tmp_path):
    arrays = small_stylegan2()
    arrays["synthesis.b4.const"] = arrays["synthesis.b4.const"][None]
    assert "synthesis.b4.const has shape [1, 4, 4, 4], and 3 dimensions are wanted" in said(arrays, tmp_path)
    arrays = small_stylegan2()
    del arrays["synthesis.b4.const"]
    assert "odd: mapping.extra" in said({**arrays, "mapping.extra": SOME}, tmp_path)


def test_several_networks_are_listed(tmp_path):
    arrays = small_stylegan2()
    del arrays["mapping.fc0.bias"]
    judge = {"b4.out.weight": SOME, "b8.fromrgb.weight": SOME}
    words = said({"G": arrays, "D": judge, "G_ema": dict(arrays)}, tmp_path)
    assert "28 of 29 keys in G_ema; missing mapping.fc0.bias" in words
    assert "The file holds D, G, G_ema." in words
    assert "judges pictures and makes none" not in words
    assert "this is a discriminator, which judges pictures" in said({"D": judge}, tmp_path)


@pytest.mark.parametrize("name", ["x{}", "g.g.g.g.{}", "blocks.{}.0.conv1.weight"])
def test_more_tensors_than_any_model_has(name, tmp_path):
    entries = {name.format(n): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(16_000)}
    text = json.dumps(entries).encode()
    assert "16000 tensors" in said(struct.pack("<Q", len(text)) + text, tmp_path)
    began = time.process_time()
    del entries[name.format(0)]
    some = json.dumps(dict(list(entries.items())[:3_000])).encode()
    assert said(struct.pack("<Q", len(some)) + some, tmp_path)
    assert time.process_time() - began < 1


def as_npz(tensors: dict[str, np.ndarray], path: Path) -> Path:
    with path.open("wb") as file:
        np.savez(file, **tensors)
    return path


@pytest.mark.parametrize("order", ["C", "F", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_arrays_of_an_npz(order, packed, tmp_path):
    rng = np.random.RandomState(0)
    arrays = {f"a.{kind}": rng.randint(0, 2, (3, 4, 5)).astype(kind) for kind in ("f2", "f4", "f8", "i8", "u1", "?")}
    arrays |= {"a.scalar": np.float32(2.5), "a.empty": np.zeros((0, 3)), "a.words": np.array(["x"])}
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    if order == ">":
        arrays = {name: array.astype(array.dtype.newbyteorder(">")) for name, array in arrays.items()}
    elif order == "F":
        arrays = {name: np.asfortranarray(array) for name, array in arrays.items()}
    with (tmp_path / "m").open("wb") as file:
        (np.savez_compressed if packed else np.savez)(file, **arrays)
    found = read_checkpoint(tmp_path / "m")
    assert found.container == "NumPy archive"
    assert set(found.networks[0].tensors) == set(arrays) - {"a.words"}
    for name, tensor in found.networks[0].tensors.items():
        np.testing.assert_array_equal(tensor.array(), arrays[name])


@pytest.mark.parametrize("names", ["plain", "networks", "scopes"])
def test_tensorflow_names_in_an_npz(names, tmp_path):
    arrays = small_stylegan2()
    Networks().save(stylegan2(arrays), tmp_path / "m.pkl")
    whole, synthesis, mapping = stylegan2_variables(arrays)
    parts = {"scopes": ("G_synthesis_2/", "G_mapping/")}.get(names, ("synthesis/", "mapping/"))
    variables = whole | {f"{parts[0]}{name}": array for name, array in synthesis.items()}
    variables |= {f"{parts[1]}{name}": array for name, array in mapping.items()}
    if names == "networks":
        spoilt = {f"G/{name}": array + 1 for name, array in variables.items()}
        variables = spoilt | {f"Gs/{name}": array for name, array in variables.items()}
    generator = load_generator(str(as_npz(variables, tmp_path / "m.npz")), device="cpu")
    wanted = load_generator(str(tmp_path / "m.pkl"), device="cpu")
    z = wanted.latents([1])
    assert torch.equal(generator.synthesise(generator.map(z)), wanted.synthesise(wanted.map(z)))


def saved(tensors: dict[str, torch.Tensor], path: Path, kind: str) -> str:
    if kind == "safetensors":
        import safetensors.torch

        safetensors.torch.save_file(tensors, path)
    else:
        torch.save({"g_ema": tensors}, path, _use_new_zipfile_serialization=kind == "zip")
    return str(path)


@pytest.mark.parametrize("kind", ["zip", "stream", "safetensors"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(kind, dtype, tmp_path):
    tensors = {name: torch.from_numpy(array.copy()).to(dtype) for name, array in small_stylegan2().items()}
    generator = load_generator(saved(tensors, tmp_path / "m", kind), device="cpu")
    rounded = {name: tensor.float() for name, tensor in tensors.items()}
    wanted = load_generator(saved(rounded, tmp_path / "n", kind), device="cpu")
    z = wanted.latents([1, 2])
    picture = generator.synthesise(generator.map(z))
    assert picture.dtype == torch.float32
    assert torch.equal(picture, wanted.synthesise(wanted.map(z)))
    assert generator.spec.warnings == ()


@pytest.mark.parametrize("kind", ["zip", "stream", "safetensors"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_are_told_once(kind, dtype, value, tmp_path):
    tensors = {name: torch.from_numpy(array.copy()).to(dtype) for name, array in small_stylegan2().items()}
    tensors["synthesis.b8.conv1.weight"][0, 0, 0, :2] = value
    file = saved(tensors, tmp_path / "m", kind)
    (warning,) = describe(file).warnings
    assert "m has 2 values" in warning
    assert "in synthesis.b8.conv1.weight:" in warning
    tensors["mapping.fc0.bias"][3] = value
    generator = load_generator(saved(tensors, tmp_path / "n", kind), device="cpu")
    (warning,) = generator.spec.warnings
    assert "3 values" in warning
    assert "2 tensors, the first of which is mapping.fc0.bias" in warning
    assert generator.synthesise(generator.map(generator.latents([1]))).shape == (1, 3, 8, 8)


def test_what_is_too_large_for_float32_is_told(tmp_path):
    tensors = {name: torch.from_numpy(array.copy()).double() for name, array in small_stylegan2().items()}
    tensors["mapping.fc0.weight"][0, 0] = 1e39
    file = saved(tensors, tmp_path / "m", "zip")
    assert "1 values" in describe(file).warnings[0]
    load_generator(file, device="cpu")


def test_odd_values_in_every_block():
    values = np.zeros(3 * BLOCK + 5, np.float32)
    values[[0, BLOCK, 3 * BLOCK + 4]] = np.nan
    storage = Storage("float32", values.size, values.tobytes)
    whole = StoredTensor(storage, values.shape, (1,))
    part = StoredTensor(storage, (10,), contiguous((10,)), 1)
    odd = odd_values({"part": part, "whole": whole}, 1 << 30)
    assert odd is not None
    assert (odd.first, odd.tensors, odd.values) == ("whole", 1, 3)
    assert odd_values({"part": part}, 1 << 30) is None


def test_the_commands_tell_of_odd_values_once(gandream, here):
    arrays = small_stylegan2()
    arrays["mapping.fc0.bias"][0] = np.nan
    write_safetensors(here / "m.safetensors", arrays, {})
    (here / "r.yaml").write_text("model: m.safetensors\nvideo: {duration: 1, fps: 4}\nwalk: {through: [1, 2]}\n")
    for command in (("models", "info", "m.safetensors"), ("still", "r.yaml", "--out", "a.png")):
        told = gandream(*command)
        assert told.status == 0, told
        assert " ".join(told.err.split()).count("infinite or no numbers") == 1, told


WRONG = {
    "stylegan2": ("synthesis.b8.conv1.weight", (4, 3, 3, 3)),
    "dcgan": ("main.1.running_var", (7,)),
    "biggan_deep": ("generator.layers.1.conv_1.bias", (5,)),
    "progan": ("toRGBLayers.1.module.weight", (3, 9, 1, 1)),
}


def a_file_of(family: str) -> dict[str, np.ndarray]:
    if family == "dcgan":
        arrays = {"main.0.weight": np.ones((4, 4, 4, 4), "f4"), "main.3.weight": np.ones((4, 3, 4, 4), "f4")}
        return arrays | {
            f"main.1.{part}": np.ones(4, "f4") for part in ("weight", "bias", "running_mean", "running_var")
        }
    if family == "biggan_deep":
        return {name: tensor.numpy() for name, tensor in state().items()}
    if family == "progan":
        network = read_checkpoint(next((DATA / "acgan_r16").glob("*.pt"))).networks[0]
        return {name: tensor.array() for name, tensor in network.tensors.items()}
    return small_stylegan2()


@pytest.mark.parametrize("family", WRONG)
def test_one_tensor_of_a_wrong_shape_is_named(family, tmp_path):
    arrays, (name, shape) = a_file_of(family), WRONG[family]
    assert name in arrays
    words = said({**arrays, name: np.zeros(shape, np.float32)}, tmp_path)
    assert f"{name} has shape {list(shape)}" in words
    assert "wanted" in words
    assert f"taken for {family}" in words


def test_every_container_is_told_by_its_contents(tmp_path):
    """Whatever it is called."""
    pictures = []
    for data in containers(tmp_path).values():
        (tmp_path / "model.txt").unlink(missing_ok=True)
        (tmp_path / "model.txt").write_bytes(data)
        generator = load_generator(str(tmp_path / "model.txt"), device="cpu")
        pictures.append(generator.synthesise(generator.map(generator.latents([3]))))
    assert len(pictures) == 9
    assert all((picture - pictures[0]).abs().max() < 1e-4 for picture in pictures)
