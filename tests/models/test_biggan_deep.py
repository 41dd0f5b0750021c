"""BigGAN-deep: the published conversion's numbers, a plain version in float64, files, and what is refused."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from biggan_deep_reference import BLOCKS, LATENT, WIDTH, plain, state, written

from gandream.base.errors import CheckpointError, LatentError
from gandream.models import biggan_deep
from gandream.models.biggan_deep.network import BigGANDeep
from gandream.models.biggan_deep.plan import plan
from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import Storage, StoredTensor, contiguous
from gandream.models.families import Identity
from gandream.models.files import save_native
from gandream.models.registry import describe, load_generator
from gandream.models.spec import Inputs, Spec

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "biggan_deep_hf" / "tiny_r64"
PICTURES = {
    "img_t1.0": 1.0, "img_t0.995": 0.995, "img_t0.5": 0.5, "img_t0.43": 0.43, "img_t0.4": 0.4, "img_t0.02": 0.02,
    "img_mixed_t0.7": 0.7,
}  # fmt: skip


@pytest.mark.skipif(not GOLDEN.exists(), reason="the reference's numbers are not here")
@pytest.mark.parametrize("file", ["pytorch_model.bin", "pytorch_model_legacy.bin"])
def test_published_numbers(file):
    generator, io = load_generator(str(GOLDEN / file), device="cpu"), np.load(GOLDEN / "io.npz")
    z = torch.from_numpy(io["z_trunc1"])
    for name, psi in PICTURES.items():
        classes = torch.from_numpy(io["class_mixed" if "mixed" in name else "class_index"])
        made = generator.synthesise(generator.map(z, classes, psi)).numpy()
        # at 0.02 the network amplifies rounding: the reference is 8e-4 from its own network in float64
        allowed = 3e-3 if psi == 0.02 else 1e-4
        assert np.abs(made - io[name]).max() < allowed * io[name].std(), name
    whole = generator.map(z, torch.from_numpy(io["class_index"])).w
    made = generator.synthesise(Inputs(whole, torch.full((len(z),), 0.5))).numpy()
    assert np.abs(made - io["img_z1_t0.5"]).max() < 1e-4 * io["img_z1_t0.5"].std(), "z and statistics are two things"


@pytest.mark.parametrize("attention", [1, 3, None])
def test_like_the_plain_version(tmp_path, attention):
    held = state(1, attention)
    generator = load_generator(written(tmp_path, held), device="cpu")
    z, classes = torch.randn(3, LATENT), torch.tensor([0, 3, 1])
    # between two rows the published code swaps their weights
    for psi, rows in ((1.0, {5: 1}), (0.4, {2: 1}), (0.45, {2: 0.25, 3: 0.75})):
        wanted = plain(held, z * psi, held["embeddings.weight"].T[classes], rows)
        made = generator.synthesise(generator.map(z, classes, psi))
        assert made.shape == (3, 3, 16, 16)
        assert (made - wanted).abs().max() < 1e-4 * wanted.std()
    configuration = {"layers": BLOCKS, "eps": 1e-3, "interpolation": "linear"}
    linear = load_generator(written(tmp_path, held, configuration), device="cpu")
    wanted = plain(held, z * 0.45, held["embeddings.weight"].T[classes], {2: 0.75, 3: 0.25})
    made = linear.synthesise(linear.map(z, classes, 0.45))
    assert (made - wanted).abs().max() < 1e-4 * wanted.std()


def test_psi_of_each_picture(tmp_path):
    generator = load_generator(written(tmp_path), device="cpu")
    z, classes, psi = torch.randn(3, LATENT), torch.tensor([0, 3, 1]), torch.tensor([1.0, -0.5, 0.0])
    together = generator.synthesise(generator.map(z, classes, psi))
    alone = [generator.synthesise(generator.map(z[n : n + 1], classes[n : n + 1], psi[n : n + 1])) for n in range(3)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)
    # a negative psi turns z round and takes the statistics of its amount; 0 those of 0.02
    turned = generator.synthesise(generator.map(-z, classes, 0.5))
    assert torch.allclose(together[1], turned[1], atol=1e-5)
    centre = Inputs(generator.map(torch.zeros_like(z), classes).w, torch.full((3,), 0.02))
    assert torch.allclose(together[2], generator.synthesise(centre)[2], atol=1e-5)


def test_facts(tmp_path):
    spec = describe(written(tmp_path))
    assert (spec.family, spec.size, spec.latent_size, spec.w_size, spec.class_size) == (
        "biggan_deep",
        (16, 16),
        5,
        8,
        3,
    )
    assert spec.classes == ("0", "1", "2", "3")
    assert [layer.name for layer in spec.layers] == ["gen_z", "layers.0", "layers.1", "layers.3", "layers.4"]
    assert [layer.resolution for layer in spec.layers] == [4, 4, 8, 8, 16]


def test_without_its_configuration_every_second_block_doubles(tmp_path):
    held = state()
    with_it = load_generator(written(tmp_path, held, {"layers": BLOCKS}), device="cpu")
    (tmp_path / "config.json").unlink()
    without = load_generator(str(tmp_path / "pytorch_model.bin"), device="cpu")
    inputs = with_it.map(torch.randn(2, LATENT), torch.tensor([1, 2]))
    assert torch.equal(with_it.synthesise(inputs), without.synthesise(inputs))


def test_configuration_decides_which_blocks_double(tmp_path):
    other = [[True, 2, 2], [False, 2, 2], [False, 2, 2], [True, 2, 1]]
    first = describe(written(tmp_path))
    second = describe(written(tmp_path, config={"layers": other}))
    assert [layer.resolution for layer in second.layers] == [4, 8, 8, 8, 16]
    assert first.fingerprint != second.fingerprint


def test_there_and_back(tmp_path):
    generator = load_generator(written(tmp_path), device="cpu")
    assert isinstance(generator, BigGANDeep)
    save_native(generator, tmp_path / "own.safetensors")
    again = load_generator(str(tmp_path / "own.safetensors"), device="cpu")
    assert (again.spec.size, again.spec.classes) == (generator.spec.size, generator.spec.classes)
    inputs = generator.map(torch.randn(2, LATENT), torch.tensor([1, 2]), 0.7)
    assert torch.equal(generator.synthesise(inputs), again.synthesise(inputs))


def test_mixed_classes(tmp_path):
    generator = load_generator(written(tmp_path), device="cpu")
    z = torch.randn(1, LATENT)
    ends = [generator.map(z, torch.tensor([number])).w for number in (0, 2)]
    half = generator.map(z, torch.tensor([[0.5, 0, 0.5, 0]])).w
    assert torch.allclose(half, (ends[0] + ends[1]) / 2, atol=1e-6)


def test_truncation_leaves_the_class(tmp_path):
    generator = load_generator(written(tmp_path), device="cpu")
    w = generator.map(torch.randn(2, LATENT), torch.tensor([1, 2]), 0.0).w
    assert not w[..., :LATENT].any()
    assert torch.equal(w[:, 0, LATENT:], generator.map(torch.randn(2, LATENT), torch.tensor([1, 2])).w[:, 0, LATENT:])
    assert not generator.w_avg[:, :LATENT].any()


def test_each_layer_listens_to_its_row(tmp_path):
    generator = load_generator(written(tmp_path), device="cpu")
    w = generator.map(torch.randn(1, LATENT), torch.tensor([1])).w
    before = generator.synthesise(w)
    for row in range(w.shape[1]):
        other = w.clone()
        other[:, row] += 1
        assert not torch.allclose(generator.synthesise(other), before, atol=1e-4)


def test_latents_are_truncated_normal():
    z = Spec("x", "x", "x", 2000, (), truncated=True).latents([5])[0]
    # scipy.stats.truncnorm.rvs(-2, 2, size=(1, 6), random_state=RandomState(5)), float32
    wanted = [-0.7236427068710327, 1.0531500577926636, -0.7719787359237671, 1.2790712118148804,
              -0.02773066610097885, 0.27062296867370605]  # fmt: skip
    assert z[:6].astype(np.float32).tolist() == wanted
    assert np.abs(z).max() <= 2
    assert abs(z.std() - 0.8796) < 0.03


def test_wrong_shape(tmp_path):
    held = state()
    held["generator.layers.1.conv_1.weight_orig"] = torch.zeros(4, 5, 3, 3)
    with pytest.raises(CheckpointError, match=r"layers\.1\.conv_1\.weight_orig has shape \[4, 5, 3, 3\]"):
        describe(written(tmp_path, held))


def test_missing_keys(tmp_path):
    held = state()
    del held["generator.layers.1.bn_2.offset.weight_v"]
    with pytest.raises(CheckpointError) as error:
        describe(written(tmp_path, held))
    assert "nearest: biggan_deep" in str(error.value)
    assert "generator.layers.1.bn_2.offset.weight_v" in str(error.value)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("[]", "no configuration"),
        ("{", "no configuration"),
        ("[" * 100_000, "no configuration"),
        ({"layers": BLOCKS[:3]}, "of 4 blocks"),
        ({"layers": [[1, 2, 2]] * 4}, "of 4 blocks"),
        ({"layers": BLOCKS, "eps": "x"}, "eps"),
        ({"layers": BLOCKS, "eps": float("nan")}, "eps"),
        ({"layers": BLOCKS, "output_dim": 128}, "16 x 16"),
    ],
)
def test_wrong_configuration(tmp_path, config, said):
    with pytest.raises(CheckpointError, match=said):
        describe(written(tmp_path, config=config))


def test_what_it_is_given(tmp_path):
    generator = load_generator(written(tmp_path), device="cpu")
    with pytest.raises(LatentError, match="class"):
        generator.map(torch.zeros(1, LATENT))
    with pytest.raises(LatentError, match="shape"):
        generator.map(torch.zeros(1, LATENT + 1), torch.tensor([0]))
    with pytest.raises(LatentError, match="wanted"):
        generator.synthesise(torch.zeros(1, 2, 8))
    with pytest.raises(CheckpointError, match="float32"):
        load_generator(written(tmp_path), device="cpu", dtype=torch.float64)


def test_blocks_that_do_not_alternate_need_their_configuration(tmp_path):
    blocks = [[False, 2, 2], [True, 2, 1], [True, 1, 1], [False, 1, 1]]
    assert describe(written(tmp_path, state(blocks=blocks), None)).size == (16, 16), "as the published ones do"
    blocks = [[True, 4, 2], [True, 2, 1]]
    held = state(attention=None, blocks=blocks)
    with pytest.raises(CheckpointError, match=r"which of its 2 blocks double the size.*config\.json"):
        describe(written(tmp_path, held, None))
    assert describe(written(tmp_path, held, {"layers": blocks})).size == (16, 16)


@pytest.mark.parametrize("size", [128, 256, 512])
def test_published_sizes(size):
    """The three published configurations, at a sixteenth of their width, and with no configuration beside them."""
    widths = {128: (16, 16, 8, 4, 2, 1), 256: (16, 16, 8, 8, 4, 2, 1), 512: (16, 16, 8, 8, 4, 2, 1, 1)}[size]
    blocks = [[up, a, b if up else a] for a, b in pairwise(widths) for up in (False, True)]
    held = state(attention=8, blocks=blocks)
    network = Network("", {name: stored(tuple(tensor.shape)) for name, tensor in held.items()})
    spec = biggan_deep.describe_network(network, Identity("x", ""))
    assert spec.size == (size, size)
    sides = [4, *[4 << (n + up) for n in range(len(widths) - 1) for up in (0, 1)]]
    assert [layer.resolution for layer in spec.layers] == sides
    assert [layer.name for layer in spec.layers][8:11] == ["layers.7", "layers.9", "layers.10"]
    # the non-local block sits at the size of the eighth block
    assert f"{16 * WIDTH} to {WIDTH} channels, non-local at 64" in spec.configuration
    assert plan(network).configuration["layers"] == blocks


@pytest.mark.skipif(not GOLDEN.exists(), reason="the lists of names are not here")
def test_published_names():
    text = (GOLDEN.parents[1] / "names" / "biggan_deep_hf__std128_cw8.txt").read_text()
    found = re.findall(r"(?m)^(\S+) +\(([\d, ]*)\) +float32", text)
    shapes = {name: tuple(map(int, re.findall(r"\d+", shape))) for name, shape in found}
    network = Network("", {name: stored(shape) for name, shape in shapes.items()})
    spec = biggan_deep.describe_network(network, Identity("x", ""))
    assert (spec.size, spec.latent_size, len(spec.classes)) == ((128, 128), 16, 12)
    assert set(biggan_deep.expected(shapes)) == set(shapes), "every tensor is read"
    config = json.loads(re.findall(r"# config: (.*)", text)[0])
    described = plan(network).configuration
    assert (described["layers"], described["channel_width"], described["eps"]) == (
        config["layers"],
        config["channel_width"],
        config["eps"],
    )


def stored(shape: tuple[int, ...]) -> StoredTensor:
    """A tensor whose numbers are not there."""

    def read() -> bytes:
        raise AssertionError("describing reads no numbers")

    return StoredTensor(Storage("float32", int(np.prod(shape, dtype=int)), read), shape, contiguous(shape))
