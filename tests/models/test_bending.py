"""Network bending: known operations on known activations, and what every family does with them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from biggan_reference import Kind, random_state
from stylegan1_reference import random_tensors as stylegan1_tensors
from stylegan3_reference import random_network

from gandream.models.bending import OPERATION, Bend, Bends, bent
from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.registry import load_generator
from gandream.models.spec import CONSTANT


def made(name, values, layers=(0,), amounts=None, active=None, **more) -> Bend:
    """A bend of as many pictures as there are values; `values` may be several by name."""
    values = values if isinstance(values, dict) else {name: values}
    values = {word: np.asarray(value, np.float64) for word, value in values.items()}
    count = len(next(iter(values.values())))
    amounts = np.ones(count) if amounts is None else np.asarray(amounts, float)
    active = np.ones(count, bool) if active is None else np.asarray(active)
    return Bend(name, frozenset(layers), values, amounts, active, **more)


def done(bend: Bend, x: torch.Tensor, side: int = 0, layer: int = 0) -> torch.Tensor:
    before = x.clone()
    out = Bends([bend], {layer: side})(layer, x)
    assert torch.equal(x, before), "what is given isn't overwritten"
    assert out.shape == x.shape
    return out


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(2, 5, 8, 8, generator=torch.Generator().manual_seed(0))


# operations


def test_each_picture_has_its_own_value_and_idle_ones_are_left_alone(x):
    out = done(made("multiply", [3, -1]), x)
    assert torch.equal(out, x * torch.tensor([3.0, -1])[:, None, None, None])
    out = done(made("multiply", [3, -1], active=[False, True]), x)
    assert torch.equal(out[0], x[0])
    assert torch.equal(out[1], -x[1])
    nothing = Bends([made("multiply", [3, 3], active=[False, False])], {})
    assert not nothing
    assert nothing(0, x) is x
    other = Bends([made("multiply", [3, 3], layers=(1, 2))], {})
    assert other(0, x) is x
    assert torch.equal(other(2, x), 3 * x)
    assert torch.equal(other.of(1)(1, x[1:]), 3 * x[1:])


def test_amount_is_a_lerp_from_what_is_there(x):
    out = done(made("multiply", [3, 3], amounts=[0.5, 1]), x)
    torch.testing.assert_close(out[0], 2 * x[0])
    assert torch.equal(out[1], 3 * x[1])


def test_ablate_and_invert(x):
    assert torch.equal(done(made("ablate", [1, 0.25]), x), torch.stack([0 * x[0], 0.75 * x[1]]))
    mean = x.mean(dim=(2, 3), keepdim=True)
    torch.testing.assert_close(done(made("invert", [1, 1]), x), 2 * mean - x)
    torch.testing.assert_close(done(made("invert", [0.5, 0.5]), x), mean.expand_as(x))


def test_threshold_has_two_values_for_each_channel(x):
    out = done(made("threshold", [0, 0.5]), x)
    for n, level in enumerate((0, 0.5)):
        for channel in range(5):
            one = x[n, channel]
            mean, deviation = one.mean(), one.std(correction=0)
            wanted = torch.where(one > mean + level * deviation, mean + deviation, mean - deviation)
            torch.testing.assert_close(out[n, channel], wanted)


@pytest.mark.parametrize(("right", "up"), [(0.25, 0), (0, 0.25), (-0.5, 0.125), (3, -2)])
def test_a_translation_by_whole_pixels(x, right, up):
    out = done(made("translate", {"x": [right] * 2, "y": [up] * 2}), x)
    across, down = round(8 * right), round(-8 * up)
    mirrored = torch.cat([x, x.flip(3)], 3)
    mirrored = torch.cat([mirrored, mirrored.flip(2)], 2)
    wanted = torch.roll(mirrored, (down, across), (2, 3))[:, :, :8, :8]
    torch.testing.assert_close(out, wanted, atol=2e-5, rtol=0)


def test_turns_zooms_and_flips(x):
    quarter = done(made("rotate", [90, 180]), x)
    torch.testing.assert_close(quarter[0], torch.rot90(x[0], -1, (1, 2)), atol=2e-5, rtol=0)  # clockwise
    torch.testing.assert_close(quarter[1], x[1].flip(1, 2), atol=2e-5, rtol=0)
    smooth = torch.linspace(-1, 1, 8).expand(1, 1, 8, 8)
    large = done(made("zoom", [2]), smooth)
    inner = (torch.arange(8) + 0.5 - 4) / 2 / 4 * (8 / 7)
    torch.testing.assert_close(large[0, 0, 0], inner, atol=1e-5, rtol=0)
    for word, dims in (("horizontal", (3,)), ("vertical", (2,)), ("both", (2, 3))):
        flipped = done(made("flip", {"_": [0, 0]}, choices={"flip": word}), x)
        assert torch.equal(flipped, x.flip(dims))


def test_turning_keeps_squares_square_in_wide_layers():
    wide = torch.zeros(1, 1, 8, 16)
    wide[0, 0, 1, 8] = 1  # above the middle
    out = done(made("rotate", [90]), wide)
    assert out[0, 0, 4, 10] > 0.99, "3 up of the middle is 3 to the right after a quarter turn"


@pytest.mark.parametrize("radius", [1, 2])
def test_erode_and_dilate(x, radius):
    wanted = torch.empty_like(x)
    for i in range(8):
        for j in range(8):
            part = x[:, :, max(0, i - radius) : i + radius + 1, max(0, j - radius) : j + radius + 1]
            wanted[:, :, i, j] = part.amax(dim=(2, 3))
    assert torch.equal(done(made("dilate", [radius / 8] * 2), x), wanted)
    assert torch.equal(-done(made("erode", [radius / 8] * 2), -x), wanted)
    between = done(made("dilate", [(radius - 0.5) / 8] * 2), x)
    less = x if radius == 1 else done(made("dilate", [(radius - 1) / 8] * 2), x)
    torch.testing.assert_close(between, (less + wanted) / 2)


def test_blur_is_a_gaussian_with_mirrored_edges_and_sharpen_its_opposite(x):
    out = done(made("blur", [1 / 8, 0.01 / 8]), x)
    weights = torch.exp(-0.5 * torch.arange(-4.0, 5) ** 2)
    kernel = torch.outer(weights, weights) / weights.sum() ** 2
    mirrored = torch.cat([x[..., :4].flip(3), x, x[..., 4:].flip(3)], 3)
    mirrored = torch.cat([mirrored[:, :, :4].flip(2), mirrored, mirrored[:, :, 4:].flip(2)], 2)
    wanted = F.conv2d(mirrored, kernel.expand(5, 1, 9, 9), groups=5)
    torch.testing.assert_close(out[0], wanted[0], atol=1e-5, rtol=0)
    assert torch.equal(out[1], x[1])
    crisp = done(made("sharpen", {"sharpen": [2, 2], "radius": [1 / 8] * 2}), x)
    torch.testing.assert_close(crisp[0], x[0] + 2 * (x[0] - wanted[0]), atol=1e-5, rtol=0)


def test_edges():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    assert torch.equal(done(made("edges", [1]), ramp)[0, 0, :, 1:-1], torch.ones(8, 6))
    both = ramp * 3 + 4 * ramp.transpose(2, 3)
    torch.testing.assert_close(done(made("edges", [1]), both)[0, 0, 1:-1, 1:-1], torch.full((6, 6), 5.0))


def test_noise_is_in_rms_moves_smoothly_and_comes_again():
    x = 3 * torch.randn(4, 64, 8, 8, generator=torch.Generator().manual_seed(0))
    values = {"noise": [0.5] * 4, "phase": [0, 0.01, 1.5, 5]}
    added = done(made("noise", values, seed=7, choices={"period": 5}), x) - x
    assert abs(float(added.std() / x.square().mean().sqrt()) - 0.5) < 0.02
    assert 0 < float((added[0] - added[1]).abs().max()) < 0.2
    assert float((added[0] - added[2]).std()) > 1
    torch.testing.assert_close(added[3] / x[3].square().mean().sqrt(), added[0] / x[0].square().mean().sqrt())
    assert abs(float(torch.corrcoef(added[0, :2].flatten(1))[0, 1])) < 0.4, "channels have their own"
    other = done(made("noise", values, seed=8, choices={"period": 5}), x) - x
    assert float((other - added).std()) > 1
    coarse = done(made("noise", values, seed=7, choices={"size": 0.5}), x) - x
    assert coarse.diff(dim=3).std() < added.diff(dim=3).std() / 2


def test_lengths_are_in_sides_of_the_picture_whatever_margins_a_layer_has(x):
    whole = done(made("translate", {"x": [0.25] * 2, "y": [0] * 2}), x, side=8)
    assert torch.equal(whole, done(made("translate", {"x": [0.5] * 2, "y": [0] * 2}), x, side=4))


@pytest.mark.parametrize("channels_last", [True, False])
def test_channels(x, channels_last):
    x = x.contiguous(memory_format=torch.channels_last) if channels_last else x
    out = done(made("multiply", [2, 2], channels=((1, 2), (4, None))), x)
    wanted = x.clone()
    wanted[:, [1, 2, 4]] *= 2
    assert torch.equal(out, wanted)
    assert done(made("multiply", [2, 2], channels=((9, 12),)), x) is x, "this layer has none of them"
    whole = done(made("multiply", [2, 2]), x)
    assert whole.stride() == x.stride()


def test_a_random_share_belongs_to_its_seed_and_layer():
    x = torch.ones(1, 100, 2, 2)

    def which(share, seed, layer=0):
        bend = made("multiply", [2], layers=(0, 1, -1), channels=share, seed=seed)
        return set(np.flatnonzero(done(bend, x, layer=layer)[0, :, 0, 0].numpy() == 2))

    assert len(which(0.25, 1)) == 25
    assert which(0.25, 1) == which(0.25, 1)
    assert which(0.25, 1) < which(0.5, 1), "a larger share holds the smaller"
    assert len({frozenset(which(0.25, seed, layer)) for seed in (1, 2) for layer in (-1, 0, 1)}) == 6
    assert len(which(1.0, 1)) == 100
    assert len(which(0.001, 1)) == 1


# families


def stylegan3(tmp_path: Path) -> str:
    tensors, attributes = random_network()
    native = {"gandream": 1, "family": "stylegan3", "configuration": {"attributes": attributes}}
    write_safetensors(tmp_path / "sg3.safetensors", tensors, {"gandream": json.dumps(native)})
    return str(tmp_path / "sg3.safetensors")


def stylegan1(tmp_path: Path) -> str:
    from test_stylegan1 import tensorflow_file

    return str(tensorflow_file(tmp_path / "sg1.pkl", stylegan1_tensors()))


def dcgan(tmp_path: Path) -> str:
    torch.manual_seed(0)
    state = {}
    for number, (inputs, outputs) in enumerate(((12, 16), (16, 8), (8, 3))):
        state[f"main.{3 * number}.weight"] = torch.randn(inputs, outputs, 4, 4)
        if outputs > 3:
            state |= {f"main.{3 * number + 1}.{part}": torch.randn(outputs) for part in ("weight", "bias")}
            state |= {f"main.{3 * number + 1}.running_mean": torch.randn(outputs)}
            state |= {f"main.{3 * number + 1}.running_var": torch.rand(outputs) + 0.5}
    torch.save(state, tmp_path / "net.pt")
    return str(tmp_path / "net.pt")


def progan(tmp_path: Path) -> str:
    torch.manual_seed(0)
    shapes = {"formatLayer": (96, 7), "groupScale0.0": (6, 6, 3, 3), "toRGBLayers.0": (3, 6, 1, 1)}
    for scale, (old, new) in enumerate(((6, 5), (5, 4))):
        shapes |= {f"scaleLayers.{scale}.0": (new, old, 3, 3), f"scaleLayers.{scale}.1": (new, new, 3, 3)}
        shapes[f"toRGBLayers.{scale + 1}"] = (3, new, 1, 1)
    state = {f"{layer}.module.weight": torch.randn(shape) for layer, shape in shapes.items()}
    state |= {f"{layer}.module.bias": torch.randn(shape[0]) for layer, shape in shapes.items()}
    torch.save(state, tmp_path / "net.pt")
    return str(tmp_path / "net.pt")


def biggan(tmp_path: Path) -> str:
    torch.save(random_state(Kind()), tmp_path / "G_ema.pth")
    return str(tmp_path / "G_ema.pth")


FAMILIES = {
    "cppn": lambda *_: "cppn#7",
    **{make.__name__: lambda path, *_, make=make: make(path) for make in (stylegan1, stylegan3, dcgan, progan, biggan)},
    "biggan_deep": lambda _path, _make, file: str(file),
    "stylegan2": lambda _path, make, _file: str(make()),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_of_every_family_bends(family, tmp_path, stylegan2_file, biggan_deep_file):
    make = FAMILIES[family]
    generator = load_generator(make(tmp_path, stylegan2_file, biggan_deep_file), "cpu")
    spec = generator.spec
    classes = torch.zeros(2, dtype=torch.int64) if spec.classes else None
    inputs = generator.map(generator.latents([1, 2]), classes)
    size = None if spec.size else (24, 40)

    def pictures(*bends: Bend, layer: int | None = None):
        return generator.synthesise(inputs, bend=bends, layer=layer, size=size)

    plain = pictures()
    everywhere = range(len(spec.shown))
    idle = made("rotate", [0, 0], layers=everywhere, active=[False, False])
    assert torch.equal(pictures(idle), plain), "what does nothing changes nothing, to the bit"
    same = pictures(made("multiply", [1, 1], layers=everywhere))
    torch.testing.assert_close(same, plain, atol=1e-4 * float(plain.abs().max()), rtol=1e-4)
    for number in everywhere:
        tap = pictures(layer=number)
        assert torch.equal(pictures(made("multiply", [2, -3], layers=[number]), layer=number)[1], -3 * tap[1])
        out = pictures(made("multiply", [2, -3], layers=[number], active=[False, True]))
        torch.testing.assert_close(out[0], plain[0], atol=1e-5, rtol=1e-4)
        assert (out[1] - plain[1]).abs().max() > 1e-3 * plain.abs().max(), f"layer {number} is seen"
    turned = pictures(made("rotate", [30, 30], layers=[0]))
    assert torch.isfinite(turned).all()
    there = {*everywhere, CONSTANT} if spec.constant else set(everywhere)
    assert spec.constant == family.startswith(("stylegan1", "stylegan2"))
    if spec.constant:
        assert not torch.equal(pictures(made("multiply", [2, 2], layers=[CONSTANT])), plain)
    for beyond in {CONSTANT, len(spec.shown)} - there:
        with pytest.raises(ValueError, match="no layer"):
            pictures(made("multiply", [2, 2], layers=[beyond]))


def test_a_bend_goes_through_to_the_next_layer(tmp_path):
    file = dcgan(tmp_path)
    generator = load_generator(file, "cpu")
    w = generator.map(generator.latents([1])).w
    tap = generator.synthesise(w, layer=1).flip(3)
    out = generator.synthesise(w, bend=[made("flip", {"_": [0]}, layers=[1], choices={"flip": "horizontal"})])
    state = torch.load(file)
    torch.testing.assert_close(out, F.conv_transpose2d(tap, state["main.6.weight"], stride=2, padding=1).tanh())


def test_a_fading_progan_bends_both_resolutions(tmp_path):
    import dataclasses

    generator = load_generator(progan(tmp_path), "cpu")
    faded = type(generator)(
        generator.spec, dataclasses.replace(generator.plan, fading=0.3), generator.tensors, {}, generator.device
    )
    w = faded.map(faded.latents([1])).w
    same = faded.synthesise(w, bend=[made("multiply", [1], layers=[0, 1, 2])])
    torch.testing.assert_close(same, faded.synthesise(w), atol=1e-5, rtol=1e-4)


def test_the_last_layer_that_fades_out_of_the_picture_of_a_residual_stylegan2(stylegan2_file):
    for architecture in ("orig", "skip", "resnet"):
        generator = load_generator(str(stylegan2_file(architecture=architecture)), "cpu")
        w = generator.map(generator.latents([1, 2])).w
        plain = generator.synthesise(w)
        out = generator.synthesise(w, bend=[made("ablate", [1, 1], layers=[4])])
        assert not torch.allclose(out, plain)


def test_what_is_no_bend_is_refused():
    generator = load_generator("cppn#7", "cpu")
    with pytest.raises(ValueError, match="no bend"):
        bent(generator.spec, ["rotate"], 1)
    with pytest.raises(ValueError, match="3 pictures"):
        bent(generator.spec, [made("multiply", [1, 1])], 3)


def test_words_and_meanings_are_the_same_set():
    from gandream.recipe.bend import BENDS

    assert list(BENDS) == list(OPERATION)
