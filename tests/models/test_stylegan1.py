"""StyleGAN, the first: published numbers, odd configurations, everybody's layouts, files there and back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from stylegan1_reference import Reference, genforce, lernapparat, random_tensors, rosinality
from tensorflow_pickles import Networks

from gandream.base.errors import CheckpointError, LatentError
from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.files import save_native
from gandream.models.registry import describe, load_generator
from gandream.models.stylegan1.adain import AdaIN

HERE = Path(__file__).parent / "data"
GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
CASES = [*HERE.glob("sg1*/network_tf.pkl"), *sorted(GOLDEN.glob("tf_legacy/sg1*/network_tf.pkl"))]


def stds(ours: torch.Tensor, wanted: np.ndarray | torch.Tensor) -> float:
    wanted = torch.as_tensor(wanted)
    assert ours.dtype == torch.float32
    assert list(ours.shape) == list(wanted.shape)
    return float((ours - wanted).abs().max() / wanted.std())


def network(tensors: dict[str, np.ndarray], name: str = "Gs", **arguments):
    """A network of TensorFlow's of tensors by their full names."""
    networks, parts = Networks(), {"synthesis": {}, "mapping": {}, "": {}}
    for key, array in tensors.items():
        part, _, rest = key.partition("/")
        parts[part if rest else ""][rest or key] = array
    components = {part: networks(part, f"G_{part}", parts[part], {}, **arguments) for part in ("synthesis", "mapping")}
    return networks(name, "G_style", parts[""], components, **arguments)


def tensorflow_file(path: Path, tensors: dict[str, np.ndarray], **arguments) -> Path:
    """The three networks of a training state; only the last is the one that is wanted."""
    other = {key: array + 1 for key, array in tensors.items()}
    judge = Networks()("D", "D_basic", {"4x4/Dense0/weight": np.zeros((8, 1), np.float32)}, {})
    return Networks().save((network(other, "G", **arguments), judge, network(tensors, **arguments)), path)


def torch_file(path: Path, tensors: dict[str, np.ndarray], wrap: str = "") -> Path:
    state = {name: torch.from_numpy(np.array(array)) for name, array in tensors.items()}
    torch.save(
        {"generator": {name: tensor + 1 for name, tensor in state.items()}, wrap: state} if wrap else state, path
    )
    return path


def there_and_back(generator, folder: Path):
    """The same pictures after a conversion to gandream's own format."""
    file = folder / "native.safetensors"
    save_native(generator, file, name="faces", licence="CC0")
    again = load_generator(str(file), device="cpu")
    assert (again.spec.name, again.spec.licence, again.spec.layers) == ("faces", "CC0", generator.spec.layers)
    assert again.configuration == generator.configuration
    z = generator.latents([1, 2])
    classes = torch.tensor([0, 1]) if generator.spec.classes else None
    inputs = generator.map(z, classes, 0.7)
    assert torch.equal(again.map(z, classes, 0.7).w, inputs.w)
    assert torch.equal(again.synthesise(inputs), generator.synthesise(inputs))
    before = file.read_bytes()
    save_native(again, file)
    assert file.read_bytes() == before


def compare(generator, reference: Reference, pictures: float = 5e-5, noises=("fixed", "off"), count: int = 3):
    """Every stage against the slow reference."""
    z, spec = generator.latents(range(count)), generator.spec
    classes = torch.arange(count) % len(spec.classes) if spec.classes else None
    weights = torch.nn.functional.one_hot(classes, len(spec.classes)) if classes is not None else None
    w = generator.map(z, classes).w
    wanted = reference.map(z, weights)
    assert float((w - wanted[:, None]).abs().max() / wanted.std()) < 1e-5
    w = w + torch.randn(w.shape, generator=torch.Generator().manual_seed(0))
    for noise in noises:
        assert stds(generator.synthesise(w, noise=noise), reference.synthesise(w, noise == "fixed")) < pictures


@pytest.mark.parametrize("file", CASES, ids=lambda file: f"{file.parts[-3]}-{file.parts[-2]}")
def test_published_numbers(file, tmp_path):
    generator, io = load_generator(str(file), device="cpu"), np.load(file.parent / "io.npz")
    z = torch.from_numpy(io["z"])
    for name, psi, cutoff in (("psi1", 1, None), ("psi07_cut8", 0.7, 8), ("psi05_cut3", 0.5, 3)):
        assert stds(generator.map(z, None, psi, cutoff=cutoff).w, io[f"ws_{name}"]) < 1e-5
        assert stds(generator.synthesise(torch.from_numpy(io[f"ws_{name}"])), io[f"img_{name}"]) < 1e-4
    there_and_back(generator, tmp_path)


ODD = {
    "plain": ({}, {}),
    "classes": ({"classes": 5, "z": 10, "w": 12, "hidden": 14}, {}),
    "half grown": ({"lod": 0.3}, {}),
    "two resolutions short": ({"lod": 1.75, "channels": (5, 7, 6, 4)}, {}),
    "exactly one short": ({"lod": 1.0}, {}),
    "only the first": ({"lod": 9.0}, {}),
    "grey, odd channels": ({"colours": 1, "channels": (5, 7, 3)}, {}),
    "alpha": ({"colours": 4, "layers": 1}, {}),
    "one block": ({"channels": (6,)}, {}),
    "many channels": ({"channels": (70, 70, 4)}, {}),
    "wide": ({"const": (4, 7)}, {}),
    "without noise": ({"noise": False}, {}),
    "all fused": ({}, {"fused_scale": True}),
    "never fused": ({"channels": (4, 4, 4, 3, 3, 2)}, {"fused_scale": False}),
    "fused from 128": ({"channels": (4, 4, 4, 3, 3, 2)}, {"fused_scale": "auto"}),
    "no scaling": ({"classes": 2}, {"use_wscale": False, "mapping_use_wscale": False, "mapping_lrmul": 0.02}),
    "other rate": ({}, {"mapping_lrmul": 0.001}),
    "relu": ({}, {"nonlinearity": "relu", "mapping_nonlinearity": "relu"}),
    "raw latents": ({"classes": 3}, {"normalize_latents": False}),
    "pixels normalised": ({}, {"use_pixel_norm": True, "use_instance_norm": False}),
    "twice normalised": ({}, {"use_pixel_norm": True}),
    "not blurred": ({}, {"blur_filter": None}),
    "other blur": ({}, {"blur_filter": [1, 3, 4]}),
    "even blur": ({}, {"blur_filter": [1, 3, 3, 2]}),
}


@pytest.mark.parametrize(("options", "arguments"), ODD.values(), ids=ODD.keys())
def test_odd_configurations(options, arguments, tmp_path):
    tensors = random_tensors(**options)
    file = tensorflow_file(tmp_path / "m.pkl", tensors, **arguments)
    spec, generator = describe(str(file)), load_generator(str(file), device="cpu")
    assert generator.spec == spec
    const, channels = options.get("const", (4, 4)), options.get("channels", (8, 6, 4))
    assert spec.size == (const[0] << len(channels) - 1, const[1] << len(channels) - 1)
    assert (spec.latent_size, spec.channels) == (options.get("z", 16), options.get("colours", 3))
    names = [f"b{4 << n}.conv{half}" for n in range(len(channels)) for half in (0, 1)]
    assert [layer.name for layer in spec.layers] == names
    assert spec.classes == tuple(str(n) for n in range(options.get("classes", 0)))
    assert spec.noise is options.get("noise", True)
    compare(generator, Reference(tensors, **arguments))
    there_and_back(generator, tmp_path)


def test_the_average_alone(tmp_path):
    """A file of one network, and of a level of detail that only its synthesis knows."""
    tensors = random_tensors() | {"lod": np.float32(0), "synthesis/lod": np.float32(0.4)}
    file = Networks().save(network(tensors), tmp_path / "m.pkl")
    compare(load_generator(str(file), device="cpu"), Reference(tensors | {"lod": np.float32(0.4)}))


def test_without_average(tmp_path):
    file = tensorflow_file(tmp_path / "m.pkl", random_tensors(average=False, classes=3))
    generator = load_generator(str(file), device="cpu")
    z = torch.randn(6000, 16, generator=torch.Generator().manual_seed(0))
    w = generator.map(z, torch.arange(6000) % 3).w[:, 0]
    assert float((w.mean(dim=0) - generator.w_avg[0]).abs().max() / w.std()) < 0.1


BIG = {"channels": (4, 5, 4, 3, 3, 2)}


@pytest.mark.parametrize("options", [{}, BIG, {"classes": 4, "lod": 0.6, "colours": 1}], ids=["plain", "128", "odd"])
@pytest.mark.parametrize("wrap", ["", "generator_smooth"])
def test_genforce(options, wrap, tmp_path):
    tensors = random_tensors(**options)
    generator = load_generator(str(torch_file(tmp_path / "m.pth", genforce(tensors), wrap)), device="cpu")
    compare(generator, Reference(tensors))
    torch.testing.assert_close(generator.w_avg[1], torch.from_numpy(tensors["dlatent_avg"]))
    there_and_back(generator, tmp_path)


def with_noise(tensors: dict[str, np.ndarray], generator) -> dict[str, np.ndarray]:
    """The tensors with the noise that a generator has drawn for itself."""
    maps = [generator.tensors[f"synthesis.{layer.name}.noise_const"] for layer in generator.spec.layers]
    assert all(abs(one.std() - 1) < 0.5 for one in maps)
    assert len({one.tobytes() for one in maps}) == len(maps)
    return tensors | {f"synthesis/noise{row}": one[None, None] for row, one in enumerate(maps)}


@pytest.mark.parametrize("options", [{}, BIG, {"colours": 1, "channels": (7, 3)}], ids=["plain", "128", "odd"])
def test_lernapparat(options, tmp_path):
    tensors = random_tensors(**options)
    generator = load_generator(str(torch_file(tmp_path / "m.pt", lernapparat(tensors))), device="cpu")
    compare(generator, Reference(with_noise(tensors, generator), epsilon=1e-5))
    assert generator.w_avg.abs().max() > 0.01
    there_and_back(generator, tmp_path)


@pytest.mark.parametrize("untrained", [0, 2])
@pytest.mark.parametrize("options", [{}, BIG, {"channels": (7, 3)}], ids=["plain", "128", "odd"])
@pytest.mark.parametrize("wrap", ["", "g_running"])
def test_rosinality(options, wrap, untrained, tmp_path):
    tensors = random_tensors(**options)
    tensors["synthesis/4x4/Const/bias"][:] = 0
    file = torch_file(tmp_path / "m.model", rosinality(tensors, untrained), wrap)
    generator = load_generator(str(file), device="cpu")
    compare(generator, Reference(with_noise(tensors, generator), epsilon=1e-5, bias_first=True))
    there_and_back(generator, tmp_path)


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    file = tensorflow_file(tmp_path_factory.mktemp("m") / "m.pkl", random_tensors(classes=4, channels=(24, 12, 6, 4)))
    return load_generator(str(file), device="cpu")


def test_pictures_of_a_batch_are_independent(conditional):
    seeds = list(range(5))
    inputs = conditional.map(conditional.latents(seeds), torch.arange(5) % 4)
    whole = conditional.synthesise(inputs)
    for n in seeds:
        alone = conditional.synthesise(inputs.w[n : n + 1])[0]
        assert float((whole[n] - alone).abs().max() / whole.std()) < 1e-5
    assert conditional.synthesise(inputs.w[:0]).shape == (0, 3, 32, 32)
    assert torch.equal(whole, conditional.synthesise(inputs))


def test_truncation_and_classes(conditional):
    z, some = conditional.latents([1, 2]), torch.tensor([0, 1])
    full, centre = conditional.map(z, some).w, conditional.w_avg
    half = conditional.map(z, some, 0.5, cutoff=3).w
    torch.testing.assert_close(half[:, :3], centre[:3] + 0.5 * (full[:, :3] - centre[:3]))
    assert torch.equal(half[:, 3:], full[:, 3:])
    weights = conditional.map(z, torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0]])).w
    assert torch.equal(weights, full)
    with pytest.raises(LatentError, match="needs a class"):
        conditional.map(z)


def test_noise_as_a_function(conditional):
    """What a function gives for each layer comes in the place of the model's own maps, picture by picture."""
    w = conditional.map(conditional.latents([1, 2, 3]), torch.tensor([0, 1, 2])).w
    fixed, off = conditional.synthesise(w), conditional.synthesise(w, noise="off")
    asked = []

    def same(layer, height, width, own):
        asked.append((layer, height, width, tuple(own.shape)))
        return own[None, None]

    assert torch.equal(conditional.synthesise(w, noise=same), fixed)
    sides = [layer.resolution for layer in conditional.spec.layers]
    assert asked == [(row, side, side, (side, side)) for row, side in enumerate(sides)]
    assert torch.equal(conditional.synthesise(w, noise=lambda *_: None), off)
    strengths = torch.tensor([0.0, 1.0, 0.5])[:, None, None, None]
    mixed = conditional.synthesise(w, noise=lambda layer, height, width, own: own * strengths)
    torch.testing.assert_close(mixed[0], off[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(mixed[1], fixed[1], atol=1e-4, rtol=1e-4)
    assert (mixed[2] - fixed[2]).abs().max() > 0.01


@pytest.mark.parametrize("arguments", [{}, {"pixel_norm": True}, {"instance_norm": False}], ids=str)
@pytest.mark.parametrize("shape", [(3, 5, 4, 4), (2, 3, 200, 210), (1, 70000, 2, 3)], ids=str)
def test_adain_in_strips_and_whole(shape, arguments):
    """A CPU works in strips, other devices on the whole batch; both give what the definition says."""
    random = torch.Generator().manual_seed(0)
    x, style, noise = (torch.randn(size, generator=random) for size in (shape, (shape[0], 2 * shape[1]), shape))
    noise, strength = noise[:, :1], torch.linspace(-1, 1, shape[1])
    given = {"pixel_norm": False, "instance_norm": True} | arguments
    adain = AdaIN(SimpleNamespace(activation="lrelu", epsilon=1e-8, **given), strength)
    wanted = torch.nn.functional.leaky_relu((x + noise * strength[:, None, None]).double(), 0.2)
    if given["pixel_norm"]:
        wanted = wanted / (wanted.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()
    if given["instance_norm"]:
        wanted = wanted - wanted.mean(dim=(2, 3), keepdim=True)
        wanted = wanted / (wanted.square().mean(dim=(2, 3), keepdim=True) + 1e-8).sqrt()
    scale, shift = style.double()[:, :, None, None].chunk(2, dim=1)
    wanted = wanted * scale + shift
    whole = x.clone()
    factor, offset = adain._measured(whole, style, noise)
    assert stds(whole * factor + offset, wanted) < 1e-5
    assert stds(adain(x.clone(), style, noise), wanted) < 1e-5


def test_large_means_cost_no_digits(tmp_path):
    """A channel whose mean is a thousand times its deviation, as blobs of trained networks come near to."""
    tensors = random_tensors(channels=(4, 4, 3))
    for name in list(tensors):
        if name.endswith("Conv1/bias"):
            tensors[name] = np.abs(tensors[name]) * 3000
    generator = load_generator(str(tensorflow_file(tmp_path / "m.pkl", tensors)), device="cpu")
    compare(generator, Reference(tensors), pictures=1e-3)


def test_what_it_refuses(conditional):
    w = conditional.map(conditional.latents([1]), torch.tensor([0])).w
    assert conditional.synthesise(w, size=(32, 32)).shape == (1, 3, 32, 32)
    with pytest.raises(ValueError, match="size"):
        conditional.synthesise(w, size=(0, 64))
    with pytest.raises(ValueError, match="transform"):
        conditional.synthesise(w, transform=torch.eye(3))
    with pytest.raises(ValueError, match="noise"):
        conditional.synthesise(w, noise="loud")
    with pytest.raises(LatentError, match=r"\[1, 3, 16\]"):
        conditional.synthesise(w[:, :3])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"synthesis/8x8/Conv0_up/weight": (3, 3, 9, 6)}, r"synthesis\.b8\.conv0\.weight has shape \[6, 9, 3, 3\]"),
        ({"synthesis/8x8/Conv0_up/weight": (3, 3)}, r"synthesis/8x8/Conv0_up/weight: a tensor has 2 dimensions"),
        ({"synthesis/noise3": (1, 1, 9, 8)}, r"b8\.conv1\.noise_const has shape"),
        ({"synthesis/8x8/Conv1/StyleMod/bias": (5,)}, r"b8\.conv1\.affine\.bias has shape"),
        ({"mapping/Dense1/weight": (17, 16)}, r"mapping\.fc1\.weight has shape"),
        ({"synthesis/ToRGB_lod0/weight": (1, 1, 5, 3)}, r"b16\.torgb\.weight has shape"),
        ({"dlatent_avg": (15,)}, r"mapping\.w_avg has shape"),
        ({"mapping/Dense2/bias": None}, r"mapping\.fc2\.bias|mapping/Dense2/bias"),
        ({"synthesis/8x8/Conv1/weight": None}, r"b8\.conv1\.weight|8x8/Conv1/weight"),
    ],
)
def test_tensors_that_do_not_fit(change, words, tmp_path):
    tensors = random_tensors()
    for name, shape in change.items():
        if shape is None:
            del tensors[name]
        else:
            tensors[name] = np.zeros(shape, np.float32)
    file = Networks().save(network(tensors), tmp_path / "m.pkl")
    with pytest.raises(CheckpointError, match=words):
        describe(str(file))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"nonlinearity": "elu"}, "no rectifier"),
        ({"blur_filter": [1, -1]}, "no filter"),
        ({"blur_filter": "soft"}, "no filter"),
        ({"nonlinearity": ["relu"]}, "which is not known"),
        ({"mapping_lrmul": "low"}, "mapping_lrmul is low"),
    ],
)
def test_arguments_that_can_not_be(arguments, words, tmp_path):
    file = tensorflow_file(tmp_path / "m.pkl", random_tensors(), **arguments)
    with pytest.raises(CheckpointError, match=words):
        describe(str(file))


def test_a_level_of_detail_without_its_colours(tmp_path):
    tensors = genforce(random_tensors(lod=0.5))
    del tensors["synthesis.output1.weight"], tensors["synthesis.output1.bias"]
    file = torch_file(tmp_path / "m.pth", tensors)
    with pytest.raises(CheckpointError, match=r"b8\.torgb is missing"):
        load_generator(str(file), device="cpu")


def test_own_names_without_metadata(tmp_path):
    """A bare table of the family's own names is no StyleGAN2."""
    first = load_generator(str(tensorflow_file(tmp_path / "m.pkl", random_tensors())), device="cpu")
    write_safetensors(tmp_path / "bare.safetensors", first.tensors, {})
    again = load_generator(str(tmp_path / "bare.safetensors"), device="cpu")
    assert again.spec.family == "stylegan1"
    z = first.latents([1])
    assert torch.equal(again.synthesise(again.map(z)), first.synthesise(first.map(z)))


def test_describe_loads_no_torch(tmp_path):
    file = torch_file(tmp_path / "m.model", rosinality(random_tensors()))
    code = (
        "import sys, gandream.models.registry as r; "
        f"assert r.describe({str(file)!r}).family == 'stylegan1'; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
