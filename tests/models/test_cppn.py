"""The pattern networks: same bytes however they are made, smooth in their latents, and fit to be looked at."""

import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gandream.base.errors import CheckpointError, LatentError
from gandream.models import cppn
from gandream.models.cppn import network
from gandream.models.spec import Inputs

SMALL = (96, 96)


@pytest.fixture(scope="module")
def net():
    return cppn.load("7")


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def picture(net, seed=1, size=SMALL, psi=1.0, **options):
    return net.synthesise(net.map(net.latents([seed]), psi=psi), size=size, **options)


def change(a, b):
    """Mean absolute difference in display values."""
    return (a - b).abs().mean().item() * 127.5


def test_describe_loads_no_torch():
    code = "import sys; from gandream.models import cppn; cppn.describe('7'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_spec(net):
    spec = cppn.describe("7")
    assert net.spec == spec
    assert spec.name == "cppn#7"
    assert spec.size is None
    assert [layer.name for layer in spec.layers] == [*(f"hidden{k}" for k in range(7)), "light", "palette"]
    assert spec.fingerprint == cppn.describe(" 7 ").fingerprint != cppn.describe("8").fingerprint
    assert cppn.describe() == cppn.describe("0")
    np.testing.assert_array_equal(spec.latents([5])[0], np.random.RandomState(5).randn(1, 64)[0])
    torch.testing.assert_close(net.latents([5, 6]).double().numpy(), spec.latents([5, 6]), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("word", ["-1", "x", "1.5", str(2**32), "²", "7 8"])
def test_seeds_that_are_none(word):
    with pytest.raises(CheckpointError, match="not a seed"):
        cppn.describe(word)


def test_largest_seed():
    assert picture(cppn.load(str(2**32 - 1)), size=(8, 8)).isfinite().all()


def test_same_seed_same_bytes(net):
    a = picture(net)
    assert a.shape == (1, 3, *SMALL)
    assert a.dtype == torch.float32
    assert a.min() >= -1
    assert a.max() <= 1
    assert torch.equal(a, picture(cppn.load("7")))


def test_pictures_can_be_changed_in_place(net):
    inputs = net.map(net.latents([1]))
    inputs.w.mul_(1.0)
    net.synthesise(inputs, size=(8, 8)).mul_(0.5)


def test_batch_and_threads_change_no_byte(net, threads):
    size = (130, 250)  # several tiles, the last of them cut
    z, psi = net.latents(range(5)), torch.linspace(-0.5, 1.5, 5)
    turn = torch.eye(3).repeat(5, 1, 1) + 0.1 * torch.arange(5)[:, None, None]
    turn[:, 2] = torch.tensor([0.0, 0.0, 1.0])
    threads(1)
    whole = net.synthesise(net.map(z, psi=psi), size=size, transform=turn)
    threads(2)
    assert torch.equal(whole, net.synthesise(net.map(z, psi=psi), size=size, transform=turn))
    threads(3)
    for n in range(5):
        one = net.synthesise(net.map(z[n : n + 1], psi=psi[n]), size=size, transform=turn[n : n + 1])
        assert torch.equal(whole[n : n + 1], one)
    assert torch.get_num_threads() == 3


def test_mapping_rows_are_independent(net):
    z = net.latents(range(600))
    w = net.map(z).w
    for n in (0, 255, 256, 599):
        assert torch.equal(w[n : n + 1], net.map(z[n : n + 1]).w)


def test_threads_are_left_as_they_were_after_an_error(net, threads, monkeypatch):
    threads(2)
    monkeypatch.setattr(network, "develop", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        picture(net)
    assert torch.get_num_threads() == 2


def test_tile_size_changes_nothing_visible(net, monkeypatch):
    a = picture(net, size=(100, 130))
    for tile in (1, 1000, 1 << 20):
        monkeypatch.setattr(network, "TILE_CPU", tile)
        torch.testing.assert_close(picture(net, size=(100, 130)), a, rtol=0, atol=1e-4)
        assert change(picture(net, size=(100, 130)), a) < 127.5e-5


def test_size_changes_only_sharpness(net):
    small, large = picture(net, size=(128, 128)), picture(net, size=(256, 256))
    assert change(F.avg_pool2d(large, 2), small) < 1


def test_wide_pictures_show_more(net):
    wide = picture(net, size=(96, 160))
    torch.testing.assert_close(wide[..., 32:128], picture(net, size=(96, 96)), rtol=0, atol=1e-3)
    tall = picture(net, size=(160, 96))
    torch.testing.assert_close(tall[..., 32:128, :], picture(net, size=(96, 96)), rtol=0, atol=1e-3)


def test_camera(net):
    still = picture(net)
    torch.testing.assert_close(picture(net, transform=torch.eye(3)), still, rtol=0, atol=1e-4)
    step = torch.eye(3)
    step[0, 2] = 2 / 96 * 10  # look 10 pixels further to the right
    torch.testing.assert_close(picture(net, transform=step)[..., :-10], still[..., 10:], rtol=0, atol=2e-3)
    flip = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
    torch.testing.assert_close(picture(net, transform=flip[None]), still.flip(-1), rtol=0, atol=2e-3)
    with pytest.raises(ValueError, match="transform has shape"):
        picture(net, transform=torch.eye(3).repeat(2, 1, 1))


def test_truncation(net):
    z = net.latents([1, 2])
    w = net.map(z).w
    assert w.shape == (2, 9, 64)
    torch.testing.assert_close(net.map(z, psi=0).w, net.w_avg.expand(2, -1, -1))
    torch.testing.assert_close(net.map(z, psi=0.5).w, net.w_avg + 0.5 * (w - net.w_avg))
    torch.testing.assert_close(net.map(z, psi=-1).w, net.map(-z).w, rtol=1e-5, atol=1e-5)
    each = net.map(z, psi=torch.tensor([0.3, 1.4]))
    assert torch.equal(each.psi, torch.tensor([0.3, 1.4]))
    torch.testing.assert_close(each.w[1], net.map(z, psi=1.4).w[1])
    mean = picture(net, seed=1, psi=0)
    assert torch.equal(mean, picture(net, seed=2, psi=0))

    def detail(p):
        return p.diff(dim=-1).abs().mean().item()

    calm, typical = detail(mean), np.mean([detail(picture(net, seed=s)) for s in range(4)])
    assert calm < typical


def test_w_avg_is_the_mean(net):
    w = net.map(net.latents(range(2000))).w[:, 0]
    assert (w.mean(dim=0) - net.w_avg[0]).abs().max() < 0.1
    assert 0.9 < w.std(dim=0).mean() < 1.1


@pytest.mark.parametrize("seed", [0, 3, 7])
def test_steps_in_z_change_the_picture_in_proportion(seed):
    net = cppn.load(str(seed))
    z, along = net.latents([1]), net.latents([77])
    still = net.synthesise(net.map(z), size=SMALL)
    steps = [change(net.synthesise(net.map(z + e * along), size=SMALL), still) for e in (0.01, 0.005, 0.0025)]
    assert 1.7 < steps[0] / steps[1] < 2.2
    assert 1.8 < steps[1] / steps[2] < 2.2
    assert steps[0] < 4
    assert change(net.synthesise(net.map(z + 0.3 * along), size=SMALL), still) > 10


def test_a_line_through_zero_has_no_jump(net):
    z = net.latents([1])
    line = torch.cat([z * t for t in torch.linspace(-0.02, 0.02, 5)])
    pictures = net.synthesise(net.map(line), size=SMALL)
    assert (pictures.diff(dim=0).abs().mean(dim=(1, 2, 3)) * 127.5).max() < 4


def test_every_layer_changes_the_picture(net):
    w = net.map(net.latents([1, 2])).w
    still = net.synthesise(w[:1], size=SMALL)
    for layer in range(w.shape[1]):
        mixed = w[:1].clone()
        mixed[:, layer] = w[1:, layer]
        assert change(net.synthesise(mixed, size=SMALL), still) > 0.5, layer


def test_fine_layers_are_colour(net):
    """The palette layer changes hues, and leaves where it's light and dark mostly alone."""
    w = net.map(net.latents([1, 4])).w
    mixed = w[:1].clone()
    mixed[:, -1] = w[1:, -1]
    a, b = (net.synthesise(x, size=SMALL).mean(dim=1).flatten() for x in (w[:1], mixed))
    assert torch.corrcoef(torch.stack([a, b]))[0, 1] > 0.7


def test_seeds_differ(net):
    assert change(picture(net, 1), picture(net, 2)) > 10
    assert change(picture(net, 1), picture(cppn.load("8"), 1)) > 10


def test_sixteen_networks_are_fit_to_be_seen():
    luma = torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]
    for seed in range(16):
        net = cppn.load(str(seed))
        shown = (net.synthesise(net.map(net.latents([1, 2])), size=SMALL) + 1) / 2
        light = (shown * luma).sum(dim=1).flatten(1)
        assert 0.1 < light.mean() < 0.5, seed  # neither night nor fog
        assert (light.std(dim=1) > 0.09).all(), seed  # not flat
        dark, bright = light.quantile(0.05, dim=1), light.quantile(0.99, dim=1)
        assert (dark < 0.15).all(), seed
        assert (bright > 0.4).all(), seed
        assert hue_spread(shown[0]) < 0.9, seed


def hue_spread(shown):
    """1 where hues are spread evenly over the circle, 0 where there is one: circular variance, weighted by chroma."""
    r, g, b = shown.double()
    alpha, beta = r - (g + b) / 2, (g - b) * 3**0.5 / 2
    chroma = (alpha**2 + beta**2).sqrt()
    return 1 - (torch.hypot(alpha.sum(), beta.sum()) / chroma.sum()).item()


def test_no_pixel_noise():
    """Neighbouring pixels of a 512-pixel picture are close nearly everywhere: nothing to shimmer when it moves."""
    for seed in (0, 7, 12):
        p = picture(cppn.load(str(seed)), size=(512, 512)) * 127.5
        step = p.diff(dim=-1).abs()
        second = p.diff(n=2, dim=-1).abs()
        assert step.mean() < 5
        assert (step > 40).float().mean() < 0.01
        assert second.mean() < 0.5 * step.mean() + 0.5


def test_bare_w_and_inputs_are_the_same(net):
    inputs = net.map(net.latents([3]))
    assert torch.equal(net.synthesise(inputs, size=(16, 16)), net.synthesise(inputs.w, size=(16, 16)))
    assert torch.equal(
        net.synthesise(inputs, size=(16, 16)), net.synthesise(Inputs(inputs.w), size=(16, 16), noise="off")
    )


def test_default_size_and_odd_sizes(net):
    assert picture(net, size=None).shape == (1, 3, 512, 512)
    for size in ((1, 1), (3, 7), (1, 40000)):
        assert picture(net, size=size).shape == (1, 3, *size)
    assert net.synthesise(net.map(net.latents([])), size=(4, 4)).shape == (0, 3, 4, 4)


def test_what_it_does_not_take(net):
    inputs = net.map(net.latents([1]))
    with pytest.raises(LatentError, match="no classes"):
        net.map(net.latents([1]), classes=torch.tensor([0]))
    with pytest.raises(LatentError, match="z has shape"):
        net.map(torch.zeros(1, 63))
    with pytest.raises(LatentError, match="w has shape"):
        net.synthesise(torch.zeros(1, 8, 64))
    with pytest.raises(ValueError, match="no bend"):
        net.synthesise(inputs, bend=(object(),))
    with pytest.raises(ValueError, match="noise"):
        net.synthesise(inputs, noise="loud")
    with pytest.raises(ValueError, match="size"):
        net.synthesise(inputs, size=(0, 4))
    with pytest.raises(CheckpointError, match="float32"):
        cppn.load("7", dtype=torch.float16)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_gives_the_same_picture(net):
    there = cppn.load("7", torch.device("cuda"))
    assert change(picture(there).cpu(), picture(net)) < 0.05
