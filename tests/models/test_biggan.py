"""BigGAN in Brock's layout: published numbers, a plain version in float64, files, and what is refused."""

from __future__ import annotations

import re
import shutil
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from biggan_reference import Kind, State, plain, random_state

from gandream.base.errors import CheckpointError, LatentError
from gandream.models import biggan
from gandream.models.biggan.network import BigGAN
from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import Storage, StoredTensor, contiguous
from gandream.models.convolution import Convolution
from gandream.models.families import Identity
from gandream.models.files import save_native
from gandream.models.registry import describe, load_generator
from gandream.models.spec import Spec

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
CASES = GOLDEN / "biggan_ajbrock"
DATA = Path(__file__).parent / "data" / "flat_embed_r32"
published = pytest.mark.skipif(not CASES.exists(), reason="the reference's numbers are not here")
KINDS = {
    "hierarchical": Kind(),
    "flat": Kind(hier=False),
    "a gain for each class": Kind(hier=False, shared=False, attention=()),
    "mybn": Kind(statistics="mybn", attention=(0, 1)),
    "synchronised": Kind(statistics="running"),
    "without spectral norm": Kind(normed=False, logs=False),
    "no logs": Kind(logs=False),
    "one class": Kind(classes=1),
    "odd sizes": Kind(widths=(8, 24, 16, 8), latent=20, embed=7, classes=3, attention=(), bottom=3, channels=1),
    "large enough for all ways of convolution": Kind(widths=(8, 8, 8, 8, 4), latent=10, attention=(2,)),
    "deep": Kind(widths=(16, 16, 8, 8), depth=2, attention=(3,)),
    "deep, three a stage": Kind(widths=(16, 8, 8), depth=3, attention=(2,), statistics="mybn"),
    "deep, equal widths": Kind(widths=(16, 16, 16, 16), depth=2, attention=()),
}


def written(folder: Path, held: State, config: dict[str, object] | None = None) -> str:
    """Files of the published code."""
    torch.save(held, folder / "G_ema.pth")
    if config is not None:
        torch.save({"itr": 5, "config": config}, folder / "state_dict.pth")
    return str(folder / "G_ema.pth")


def loaded(folder: Path, held: State, config: dict[str, object] | None = None) -> BigGAN:
    generator = load_generator(written(folder, held, config), device="cpu")
    assert isinstance(generator, BigGAN)
    return generator


def given(kind: Kind, held: State, count: int = 3) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
    """z, classes, and what the plain version takes for them."""
    random = torch.Generator().manual_seed(1)
    latent = kind.chunk * (len(kind.pairs) + 1) if kind.hier and not kind.depth else kind.latent
    z = torch.randn(count, latent, generator=random)
    classes = torch.arange(count) % kind.classes
    return z, classes if kind.classes > 1 else None, held["shared.weight"][classes] if kind.shared else classes


def close(made: torch.Tensor, wanted: torch.Tensor, allowed: float = 1e-4) -> bool:
    return made.shape == wanted.shape and bool((made - wanted).abs().max() < allowed * wanted.std())


@published
@pytest.mark.parametrize(
    "file", ["hier_shared_r128/G_ema.pth", "hier_shared_r128/tfhub_like.pth", "flat_embed_r32/G_ema.pth"]
)
@pytest.mark.parametrize("alone", [False, True])
def test_published_numbers(tmp_path, file, alone):
    path = CASES / file
    if alone:
        path = Path(shutil.copy(path, tmp_path))
    generator, io = load_generator(str(path), device="cpu"), np.load((CASES / file).parent / "io.npz")
    z, classes = torch.from_numpy(io["z"]), torch.from_numpy(io["class_index"])
    for name, psi in (("img", 1.0), ("img_z05", 0.5)):
        assert close(generator.synthesise(generator.map(z, classes, psi)), torch.from_numpy(io[name])), name
    if "img_mixed" in io:
        count = len(generator.spec.classes)
        first, second = F.one_hot(classes, count), F.one_hot((classes + 1) % count, count)
        inputs = generator.map(z, 0.3 * first + 0.7 * second)
        assert close(inputs.w[:, 0, -16:], torch.from_numpy(io["embed_mixed"]), 1e-5)
        assert close(generator.synthesise(inputs), torch.from_numpy(io["img_mixed"]))


def test_published_numbers_that_are_here():
    generator, io = load_generator(str(DATA / "G_ema.pth"), device="cpu"), np.load(DATA / "io.npz")
    z, classes = torch.from_numpy(io["z"]), torch.from_numpy(io["class_index"])
    for name, psi in (("img", 1.0), ("img_z05", 0.5)):
        assert close(generator.synthesise(generator.map(z, classes, psi)), torch.from_numpy(io[name])), name


@pytest.mark.parametrize("name", KINDS)
def test_like_the_plain_version(tmp_path, name):
    kind = KINDS[name]
    held = random_state(kind)
    generator = loaded(tmp_path, held)
    z, classes, y = given(kind, held)
    assert close(generator.synthesise(generator.map(z, classes)), plain(held, kind, z, y))
    assert close(generator.synthesise(generator.map(z, classes, 0.4)), plain(held, kind, z * 0.4, y))
    save_native(generator, tmp_path / "own.safetensors")
    again = load_generator(str(tmp_path / "own.safetensors"), device="cpu")
    assert torch.equal(generator.synthesise(generator.map(z, classes)), again.synthesise(again.map(z, classes)))
    one = generator.map(z[1:2], None if classes is None else classes[1:2])
    assert close(generator.synthesise(one), plain(held, kind, z[1:2], y[1:2]))


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize(("side", "kernel"), [(3, 3), (16, 3), (17, 3), (5, 1)])
def test_convolutions(side, kernel, up):
    up = up and kernel == 3
    x, weight, bias = torch.randn(2, 4, side, side), torch.randn(5, 4, kernel, kernel), torch.randn(5)
    wanted = F.conv2d(F.interpolate(x, scale_factor=2) if up else x, weight, bias, padding=kernel // 2)
    x = x.contiguous(memory_format=torch.channels_last)
    made = Convolution(weight, side, up=up, bias=bias)(x)
    assert torch.allclose(made, wanted, atol=1e-5)
    assert made.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("form", ["legacy", "module", "wrapped", "half"])
def test_other_files(tmp_path, form):
    kind = Kind()
    held = random_state(kind)
    generator = loaded(tmp_path, held)
    z, classes, _ = given(kind, held)
    wanted = generator.synthesise(generator.map(z, classes))
    if form == "legacy":
        torch.save(OrderedDict(held), tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    elif form == "module":
        torch.save({f"module.{name}": tensor for name, tensor in held.items()}, tmp_path / "x.pth")
    elif form == "wrapped":
        torch.save({"D": {}, "G_ema": held, "itr": 5}, tmp_path / "x.pth")
    else:
        held = {name: tensor.half() for name, tensor in held.items()}
        wanted = plain({name: tensor.float() for name, tensor in held.items()}, kind, z, held["shared.weight"][classes])
        torch.save(held, tmp_path / "x.pth")
    again = load_generator(str(tmp_path / "x.pth"), device="cpu")
    made = again.synthesise(again.map(z, classes))
    assert close(made, wanted, 1e-4 if form == "half" else 1e-12)


def test_only_one_step_of_the_power_iteration(tmp_path):
    kind = Kind()
    held = random_state(kind)
    z, classes, _ = given(kind, held)
    weight = held["blocks.0.0.conv1.weight"].flatten(1)
    least = torch.linalg.svd(weight)[0][:, -1:].T.contiguous()
    first, other = loaded(tmp_path, held), loaded(tmp_path, held | {"blocks.0.0.conv1.u0": least})
    a, b = (one.synthesise(one.map(z, classes)) for one in (first, other))
    assert not close(a, b, 1e-2), "the vector is not iterated until it is the greatest"
    logs = {name: tensor * 2 for name, tensor in held.items() if name.endswith("sv0")}
    assert torch.equal(loaded(tmp_path, held | logs).synthesise(first.map(z, classes)), a)


@published
def test_names_of_other_configurations():
    for name, size, latent in (("hier_mybn_r64", 64, 30), ("deep_r64", 64, 16)):
        network = listed(GOLDEN / "names" / f"biggan_ajbrock__{name}.txt")
        spec = biggan.describe_network(network, Identity("x", ""))
        assert (spec.size, spec.latent_size, len(spec.classes)) == ((size, size), latent, 10)
        own = {key for key in network.tensors if not key.endswith("sv0")}
        assert set(biggan.expected(network.tensors)) == own, "every tensor is read but the logs"


def unread(shape: tuple[int, ...]) -> StoredTensor:
    """A tensor whose numbers are not there."""

    def read() -> bytes:
        raise AssertionError("describing reads no numbers")

    return StoredTensor(Storage("float32", int(np.prod(shape, dtype=int)), read), shape, contiguous(shape))


def listed(path: Path) -> Network:
    """A network from a list of names and shapes."""
    found = re.findall(r"(?m)^(\S+) +\(([\d, ]*)\) +float32", path.read_text())
    return Network("", {name: unread(tuple(map(int, re.findall(r"\d+", shape)))) for name, shape in found})


def shapes_of(kind: Kind) -> Network:
    return Network("", {name: unread(tuple(tensor.shape)) for name, tensor in random_state(kind).items()})


@pytest.mark.parametrize(
    ("size", "widths"),
    [
        (32, (4, 4, 4, 4)),
        (64, (16, 16, 8, 4, 2)),
        (128, (16, 16, 8, 4, 2, 1)),
        (256, (16, 16, 8, 8, 4, 2, 1)),
        (512, (16, 16, 8, 8, 4, 2, 1, 1)),
    ],
)
@pytest.mark.parametrize("depth", [0, 2])
def test_published_sizes(size, widths, depth):
    kind = Kind(widths=tuple(8 * width for width in widths), depth=depth, attention=(3 * (depth or 1) - 1,))
    kind = kind.but(latent=120, hier=True)
    spec = biggan.describe_network(shapes_of(kind), Identity("x", ""))
    assert spec.size == (size, size)
    blocks = len(kind.pairs)
    assert spec.latent_size == (120 if depth else 120 // (blocks + 1) * (blocks + 1))
    assert [layer.resolution for layer in spec.layers][-1] == size
    assert len(spec.layers) == blocks + 1
    assert "non-local at 32" in spec.configuration


def test_facts(tmp_path):
    spec = describe(written(tmp_path, random_state(Kind(latent=14))))
    # 14 is no multiple of three layers: z shrinks
    assert (spec.family, spec.size, spec.latent_size, spec.w_size, spec.class_size) == ("biggan", (16, 16), 12, 9, 5)
    assert spec.truncated
    assert [layer.name for layer in spec.layers] == ["linear", "blocks.0.0", "blocks.1.0"]
    assert [layer.resolution for layer in spec.layers] == [4, 8, 16]
    flat = describe(written(tmp_path, random_state(KINDS["a gain for each class"])))
    assert (flat.latent_size, flat.w_size, flat.class_size) == (12, 16, 4)


def test_configuration_beside_the_file(tmp_path):
    kind = Kind()
    held = random_state(kind)
    z, classes, y = given(kind, held)
    config = {"BN_eps": 0.05, "SN_eps": 1e-8, "G_activation": torch.nn.ReLU(), "resolution": 16}
    generator = loaded(tmp_path, held, config)
    assert close(generator.synthesise(generator.map(z, classes)), plain(held, kind, z, y, eps=0.05))
    (tmp_path / "alone").mkdir()
    without = loaded(tmp_path / "alone", held)
    assert without.spec.fingerprint != generator.spec.fingerprint
    assert close(without.synthesise(without.map(z, classes)), plain(held, kind, z, y))
    save_native(generator, tmp_path / "own.safetensors")
    again = load_generator(str(tmp_path / "own.safetensors"), device="cpu")
    assert torch.equal(generator.synthesise(generator.map(z, classes)), again.synthesise(again.map(z, classes)))
    torch.save({"itr": 5}, tmp_path / "state_dict.pth")
    assert describe(str(tmp_path / "G_ema.pth")).fingerprint == without.spec.fingerprint, "no configuration, no change"


def test_epsilons_of_tensorflow_hub():
    """Their sizes without logs are their conversions; anything else is the published training."""
    kind = Kind(widths=(1536, 1), latent=3, embed=128, classes=1000, attention=())

    def epsilon(kind: Kind) -> float:
        from gandream.models.biggan.plan import plan

        return plan(shapes_of(kind)).epsilon

    assert epsilon(kind.but(logs=False)) == 1e-4
    assert epsilon(kind) == epsilon(kind.but(logs=False, classes=999)) == 1e-5


@pytest.mark.parametrize("depth", [0, 2])
def test_accumulated_statistics(tmp_path, depth):
    """Sums over batches are divided by their number; a number that was left behind is not."""
    kind = Kind(widths=(32, 16, 8), latent=12, statistics="mybn", depth=depth)
    held = random_state(kind)
    z, classes, y = given(kind, held)
    x = loaded(tmp_path, held)
    seen = x.synthesise(x.map(torch.randn(500, z.shape[1]), torch.arange(500) % 4), layer=0)
    held["blocks.0.0.bn1.bn.stored_var"] = seen.var(dim=(0, 2, 3)) * 0.9
    wanted = plain(held, kind, z, y)
    summed = {
        name: torch.full((1,), 16.0) if name.endswith("counter") else tensor * 16 if ".stored_" in name else tensor
        for name, tensor in held.items()
    }
    left = {name: torch.full((1,), 16.0) if name.endswith("counter") else one for name, one in held.items()}
    for state in (held, summed, left):
        generator = loaded(tmp_path, state)
        assert close(generator.synthesise(generator.map(z, classes)), wanted)


@pytest.mark.parametrize("name", ["hierarchical", "flat", "a gain for each class", "deep"])
def test_mixed_classes(tmp_path, name):
    kind = KINDS[name]
    held = random_state(kind)
    generator = loaded(tmp_path, held)
    z, _, _ = given(kind, held, 1)
    ends = [generator.map(z, torch.tensor([number])).w for number in (0, 2)]
    mixed = generator.map(z, torch.tensor([[0.5, 0, 0.5, 0]])).w
    assert torch.allclose(mixed, (ends[0] + ends[1]) / 2, atol=1e-6)
    if kind.shared:
        wanted = plain(held, kind, z, (held["shared.weight"][:1] + held["shared.weight"][2:3]) / 2)
    else:
        between = {n: (t[:1] + t[2:3]) / 2 for n, t in held.items() if re.search(r"(gain|bias)\.weight", n)}
        wanted = plain(held | between, kind, z, torch.tensor([0]))
    assert close(generator.synthesise(mixed), wanted)


def test_truncation_leaves_the_class(tmp_path):
    generator = loaded(tmp_path, random_state(Kind()))
    z, classes = torch.randn(2, 12), torch.tensor([1, 2])
    w = generator.map(z, classes, torch.tensor([0.0, 0.5])).w
    whole = generator.map(z, classes).w
    assert not w[0, :, :-5].any()
    assert torch.equal(w[1, :, :-5], whole[1, :, :-5] / 2)
    assert torch.equal(w[..., -5:], whole[..., -5:])
    assert not generator.w_avg[:, :-5].any()


@pytest.mark.parametrize("name", ["hierarchical", "flat", "a gain for each class", "deep"])
def test_each_layer_listens_to_its_row(tmp_path, name):
    kind = KINDS[name]
    generator = loaded(tmp_path, random_state(kind))
    w = generator.map(torch.randn(1, 12), torch.tensor([1])).w.contiguous()
    for row in range(w.shape[1]):
        other = w.clone()
        other[:, row] += 1
        for layer in range(w.shape[1]):
            same = torch.equal(generator.synthesise(other, layer=layer), generator.synthesise(w, layer=layer))
            assert same is (layer < row)


def test_activations(tmp_path):
    generator = loaded(tmp_path, random_state(Kind()))
    w = generator.map(torch.randn(2, 12), torch.tensor([1, 2])).w
    assert [tuple(generator.synthesise(w, layer=n).shape) for n in range(3)] == [
        (2, 16, 4, 4), (2, 16, 8, 8), (2, 8, 16, 16),
    ]  # fmt: skip
    assert [layer.name for layer in generator.spec.shown] == ["linear", "blocks.0.0", "blocks.1.0"]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("blocks.1.0.conv1.weight", (8, 15, 3, 3)),
        ("blocks.1.0.conv_sc.weight", (8, 16, 3, 3)),
        ("blocks.1.0.bn2.gain.weight", (8, 8)),
        ("blocks.0.0.bn2.stored_var", (15,)),
        ("blocks.1.1.o.weight", (8, 3, 1, 1)),
        ("blocks.0.0.conv2.u0", (1, 15)),
        ("blocks.1.1.gamma", (2,)),
        ("linear.weight", (257, 4)),
        ("output_layer.2.bias", (4,)),
    ],
)
def test_wrong_shape(tmp_path, name, shape):
    held = random_state(Kind()) | {name: torch.zeros(shape)}
    with pytest.raises(CheckpointError, match=re.escape(name)):
        describe(written(tmp_path, held))


def test_wrong_shape_of_a_deep_one(tmp_path):
    held = random_state(KINDS["deep"]) | {"blocks.1.0.conv3.weight": torch.zeros(4, 4, 1, 1)}
    with pytest.raises(CheckpointError, match=r"blocks\.1\.0\.conv3\.weight"):
        describe(written(tmp_path, held))
    four = Kind(widths=(16, 16, 16), depth=2, attention=())
    with pytest.raises(CheckpointError, match=r"which of its 4 blocks double.*state_dict\.pth"):
        describe(written(tmp_path, random_state(four)))
    assert describe(written(tmp_path, random_state(four), {"G_depth": 2})).size == (16, 16)


def test_missing_keys(tmp_path):
    held = random_state(Kind())
    del held["blocks.1.0.bn1.stored_mean"]
    with pytest.raises(CheckpointError) as error:
        describe(written(tmp_path, held))
    assert "nearest: biggan " in str(error.value)
    assert "blocks.1.0.bn1.stored_mean" in str(error.value)


def test_a_discriminator_is_told(tmp_path):
    held = {"blocks.0.0.conv1.weight": torch.zeros(4, 3, 3, 3), "linear.weight": torch.zeros(1, 8),
            "embed.weight": torch.zeros(10, 8)}  # fmt: skip
    torch.save(held, tmp_path / "D.pth")
    with pytest.raises(CheckpointError, match="this is a discriminator"):
        describe(str(tmp_path / "D.pth"))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"BN_eps": float("nan")}, "BN_eps"),
        ({"SN_eps": "x"}, "SN_eps"),
        ({"resolution": 128}, "16 x 16"),
        ({"norm_style": "gn"}, "norms"),
    ],
)
def test_wrong_configuration(tmp_path, config, said):
    with pytest.raises(CheckpointError, match=said):
        describe(written(tmp_path, random_state(Kind()), config))


def test_what_it_is_given(tmp_path):
    generator = loaded(tmp_path, random_state(Kind()))
    with pytest.raises(LatentError, match="class"):
        generator.map(torch.zeros(1, 12))
    with pytest.raises(LatentError, match="shape"):
        generator.map(torch.zeros(1, 13), torch.tensor([0]))
    with pytest.raises(LatentError, match="wanted"):
        generator.synthesise(torch.zeros(1, 2, 9))
    with pytest.raises(ValueError, match="linear"):
        generator.synthesise(generator.w_avg[None], layer=3)
    with pytest.raises(CheckpointError, match="float32"):
        load_generator(str(tmp_path / "G_ema.pth"), device="cpu", dtype=torch.float64)
    assert isinstance(generator.spec, Spec)
