"""The presets against the formulas of the tools whose look they are, written down once more and on their own.

What is heard is the input of both: the signals as the film has them at each frame. What is drawn by chance (latents,
coins) is drawn by the film, and taken from there.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from gandream.base.errors import RecipeError
from gandream.models.registry import describe, load_generator
from gandream.models.spec import Layer, Spec
from gandream.recipe.load import recipe_from
from gandream.recipe.presets.parts import Preset
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import Feed
from gandream.trajectory.misfits import misfits
from gandream.trajectory.swings import coins

SPEC = describe("cppn#7")
CLASSY = replace(SPEC, classes=tuple(f"class {number}" for number in range(20)))
FPS = Fraction(22050, 512)
RATE = 22050


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """9 s of clicks over chords that change every two seconds, with a silence of a second at the start."""
    import soundfile

    random, time = np.random.RandomState(3), np.arange(9 * RATE) / RATE
    sound = 1e-4 * random.randn(len(time))
    for start, notes in ((1, (60, 64, 67)), (3, (57, 60, 64)), (5, (62, 65, 69)), (7, (55, 59, 62))):
        part = (time >= start) & (time < start + 2)
        sound += sum(np.where(part, np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * time), 0) for note in notes) / 9
    burst = random.randn(1500) * np.exp(-np.arange(1500) / 250)
    for strike in np.arange(1.2, 8.8, 0.5):
        at = round(strike * RATE)
        sound[at : at + 1500] += burst * random.uniform(0.2, 0.6)
    file = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(file, sound / np.abs(sound).max() * 0.9, RATE)
    return file


@pytest.fixture(scope="module")
def recipe(song):
    """The recipe of a film with a preset."""

    def make(use, fps=FPS, seconds=9, **words):
        video = {"fps": str(fps), "duration": f"{round(seconds * fps)} frames"}
        return recipe_from({"model": "x", "audio": str(song), "use": use, "video": video, **words})

    return make


@pytest.fixture(scope="module")
def made(recipe, song):
    """A film with a preset: what it is fed with, and what was heard."""
    cache = song.parent / "heard"

    def make(use, spec=SPEC, fps=FPS, seconds=9, **words):
        return compose(recipe(use, fps, seconds, **words), spec, cache)

    return make


def minmax(x):
    return (x - x.min()) / (x.max() - x.min())


# REACTIVE.md, section 1


def lucid(keys, pulses, motions, signs, rand, fps, *, t=1.0, pulse_react=0.5, motion_react=0.5):
    """z [F, D] of lucid-sonic-dreams; ``keys`` [K, D] are t * truncnorm, ``rand`` [F, D] is 1 or less."""
    N, K = len(pulses), len(keys)
    base = []
    for k in range(K - 1):
        frames = int(N / K)
        base += [keys[k] + (keys[k + 1] - keys[k]) * j / (frames - 1) for j in range(frames)]
    base = np.array(base + [keys[-1]] * (N - len(base)))
    e_pulse, e_motion = minmax(pulses), minmax(motions)
    pulse, motion, acc, out = 0.0, np.zeros(keys.shape[1]), np.zeros(keys.shape[1]), []
    signs = signs.copy()
    for i in range(N):
        pulse = 0.75 * pulse + 0.25 * pulse_react * e_pulse[i]
        motion = 0.75 * motion + 0.25 * (motion_react * 20 / fps) * e_motion[i] * signs * rand[i]
        acc = acc + motion
        z = base[i] + pulse + acc
        for d in range(len(z)):
            if z[d] - motion_react < -2 * t:
                signs[d] = 1
            if z[d] + motion_react >= 2 * t:
                signs[d] = -1
        out.append(z)
    return np.array(out)


def draws(seed, frames, width, randomness, size):
    return np.array([1 - randomness * coins(seed, i // width, size) for i in range(frames)])


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"truncation": 0.6, "motion_react": 0.9, "pulse_react": 1.5, "speed_fpm": 47},
        {"speed_fpm": 0, "motion_randomness": 0.9, "pulse_harmonic": True, "seed": 5},
    ],
)
def test_the_latents_of_lucid_sonic_dreams(made, words):
    score = made({"preset": "lucid_sonic", **words})
    N, fps, seed, t = score.trajectory.frames, float(FPS), words.get("seed", 0), words.get("truncation", 1.0)
    K = max(1, round(N / fps / 60 * words.get("speed_fpm", 12)))
    heard = {name: values.astype(float) for name, values in score.trajectory.signals.items()}
    z = lucid(
        t * SPEC.latents(range(seed, seed + K)),
        heard["lucid_pulse"],
        heard["lucid_motion"],
        np.where(coins(seed, None, SPEC.latent_size), 1.0, -1.0),
        draws(seed, N, round(4 * fps), words.get("motion_randomness", 0.5), SPEC.latent_size),
        fps,
        t=t,
        **{name: words[name] for name in ("pulse_react", "motion_react") if name in words},
    )
    made_z = score.trajectory.track.at(0, N)
    for shove in score.trajectory.shoves:
        made_z = shove.moved(made_z, 0, N)
    np.testing.assert_allclose(made_z, z, atol=1e-6, rtol=0)
    np.testing.assert_array_equal(score.trajectory.latents(0, N), made_z.astype(np.float32))
    assert np.abs(z - z[0]).max() > 1


def test_what_lucid_hears_is_the_loudest_of_its_mel_bands(made, song):
    import librosa

    heard = made({"preset": "lucid_sonic", "pulse_harmonic": True}).trajectory.signals["lucid_pulse"]
    sound, _ = librosa.load(song, sr=RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mel = librosa.feature.melspectrogram(y=sound, sr=RATE, hop_length=512, n_mels=512)
    loudest = minmax(mel.max(axis=0))[: len(heard)]
    assert np.corrcoef(minmax(heard), loudest)[0, 1] > 0.95


def lucid_classes(chroma, fps, react=0.5, complexity=1.0, seconds=1.0, order=None, every=None, strength=0.5):
    names, vectors = np.arange(12) if order is None else order.copy(), []
    for i, row in enumerate(chroma):
        if every is not None and i and i % round(every * fps) == 0:
            names = np.roll(names, round(strength * 12))
        told = row[names]
        c = vectors[-1] + react * 43 / fps * told if i else chroma[np.argmax(chroma.sum(axis=1) > 0)][names]
        c = np.where(c < 0, c[c >= 0].min(), c)
        flat = c.max() - c.min() < 1e-7
        c = np.zeros(12) if flat else (c - c.min()) / (c.max() - c.min())
        c[0] += 0.1 * flat
        vectors.append(complexity * c)
    return bins(np.array(vectors), int(seconds * fps))


def bins(vectors, width):
    means = [vectors[at : at + width].mean(axis=0) for at in range(0, len(vectors), width)]
    out = []
    for number, mean in enumerate(means):
        after = means[min(number + 1, len(means) - 1)]
        out += [mean + (after - mean) * j / (width - 1) for j in range(width)]
    return np.array(out[: len(vectors)])


@pytest.mark.parametrize(
    "words", [{}, {"class_pitch_react": 0.1, "class_complexity": 0.7}, {"class_smooth_seconds": 2}]
)
def test_the_classes_of_lucid_sonic_dreams(made, words):
    trajectory = made({"preset": "lucid_sonic", "classes": list(range(12)), **words}, CLASSY).trajectory
    names = {"class_pitch_react": "react", "class_complexity": "complexity", "class_smooth_seconds": "seconds"}
    said = {names[name]: value for name, value in words.items()}
    expected = lucid_classes(trajectory.signals["lucid_notes"].astype(float), float(FPS), **said)
    weights = trajectory.track.classes(0, trajectory.frames, 20)
    np.testing.assert_allclose(weights[:, :12], expected, atol=1e-6)
    assert not weights[:, 12:].any()


# REACTIVE.md, section 2


def deep(z0, m, jit, *, t=1.0, ts=0.25):
    p, g = minmax(m), np.gradient(m)
    g = np.maximum(g / g.max(), 0)
    z, u, direction, out = z0.copy(), np.zeros(len(z0)), np.where(z0 < 0, 1.0, -1.0), []
    for i in range(len(m)):
        u = (ts * (g[i] + p[i]) * direction * jit[i] + 3 * u) / 4
        z = z + u
        direction = np.where(z >= 2 * t - ts, -1.0, direction)
        direction = np.where(z < -2 * t + ts, 1.0, direction)
        out.append(z)
    return np.array(out)


@pytest.mark.parametrize("words", [{}, {"truncation": 0.5, "tempo_sensitivity": 0.4, "jitter": 1}, {"seed": 9}])
def test_the_latents_of_deep_music_visualizer(made, words):
    score = made({"preset": "deep_music", **words})
    trajectory, t, seed = score.trajectory, words.get("truncation", 1.0), words.get("seed", 0)
    N = trajectory.frames
    jit = draws(seed, N, 200, words.get("jitter", 0.5), SPEC.latent_size)
    m = trajectory.signals["deep_power"].astype(float)
    z = deep(t * SPEC.latents([seed])[0], m, jit, t=t, ts=words.get("tempo_sensitivity", 0.25))
    np.testing.assert_array_equal(trajectory.psi, t)  # which is times z, in BigGAN
    (swing,) = trajectory.shoves
    np.testing.assert_allclose(t * swing.moved(trajectory.track.at(0, N), 0, N), z, atol=1e-6, rtol=0)
    assert np.abs(z - z[0]).max() > 1


def deep_classes(chroma, v=220, depth=1.0, factor=20, few=False):
    ps, vectors = 300 - v, []
    order = np.argsort(-chroma.mean(axis=0))
    for row in chroma:
        told = row[order]
        c = (vectors[-1] + told / ps) / (1 + 1 / ps) if vectors else chroma[np.argmax(chroma.any(axis=1))][order]
        flat = np.ptp(c) < 1e-7
        c = np.zeros(12) if flat else (c - c.min()) / (c.max() - c.min())
        c[0] += 0.01 * flat
        vectors.append(depth * c)
    return bins(np.array(vectors), factor)


@pytest.mark.parametrize("words", [{}, {"pitch_sensitivity": 290, "depth": 0.5, "smooth_factor": 7}])
def test_the_classes_of_deep_music_visualizer(made, words):
    trajectory = made({"preset": "deep_music", "classes": list(range(12)), **words}, CLASSY).trajectory
    names = {"pitch_sensitivity": "v", "depth": "depth", "smooth_factor": "factor"}
    said = {names[name]: value for name, value in words.items()}
    expected = deep_classes(trajectory.signals["deep_notes"].astype(float), **said)
    np.testing.assert_allclose(trajectory.track.classes(0, trajectory.frames, 20)[:, :12], expected, atol=1e-6)


# REACTIVE.md, section 3


def blurred(x, sigma, causal=1.0):
    """Along frames, over those that there are; what is still to come counts ``causal``."""
    radius, out = int(4 * sigma), []
    for i in range(len(x)):
        weights = [
            (np.exp(-(((i - j) / sigma) ** 2) / 2) * (causal if j > i else 1), x[j])
            for j in range(max(0, i - radius), min(len(x), i + radius + 1))
        ]
        out.append(sum(w * value for w, value in weights) / sum(w for w, _ in weights))
    return np.array(out)


@pytest.mark.parametrize("count", [12, 8])
def test_the_latents_of_wavefunk(made, count):
    generator = load_generator("cppn#7", "cpu")
    trajectory = made({"preset": "wavefunk", "latent_count": count, "seed": 3}, fps=Fraction(30), seconds=6).trajectory
    heard = {name: values.astype(float) for name, values in trajectory.signals.items()}
    N = trajectory.frames
    selected = generator.map(generator.latents(range(3, 3 + count))).w.double().numpy()  # [count, L, D]
    chroma = heard["wave_notes"]
    total = chroma.sum(axis=1)
    sounding = total > 0.25
    chroma = chroma[:, np.argsort(np.median(chroma, axis=0), kind="stable")][:, :count]
    sums = chroma.sum(axis=1, keepdims=True)
    shares = np.where(sums > 1e-9, chroma / np.maximum(sums, 1e-9), 1 / count)
    L = np.einsum("fn,nld->fld", blurred(shares, 4), selected)
    L = np.where(sounding[:, None, None], L, selected[0])
    for source, amount in ((selected[-4], heard["wave_high"]), (selected[-7], heard["wave_low"])):
        L = L + amount[:, None, None] * (source - L)
    L = blurred(L, 2, 0.2)
    faint = (total > 1e-9) & ~sounding  # there, a film fades to its walk; the tool has noise
    near = np.convolve(faint, np.ones(17), "same") > 0
    w = Feed(trajectory, generator).inputs(0, N).w.double().numpy()
    assert near.mean() < 0.5
    np.testing.assert_allclose(w[~near], L[~near], atol=2e-6 * np.abs(L).max(), rtol=0)
    assert np.abs(np.diff(L, axis=0)).max() > 0.05


def test_wavefunks_smoothing_strikes_at_once_and_falls_slowly(made):
    trajectory = made({"preset": "wavefunk"}, fps=Fraction(30)).trajectory
    kernel = trajectory.smoothing.kernel
    assert len(kernel) == 17
    before, at, after = kernel[:8].sum(), kernel[8], kernel[9:].sum()  # of what is past, and what is to come
    assert before == pytest.approx(after / 0.2)
    assert before + at + after == pytest.approx(1)


@pytest.mark.parametrize("preset", ["lucid_sonic", "deep_music", "wavefunk"])
@pytest.mark.parametrize("size", [4, 8, 16, 32, 64])
def test_a_preset_fits_the_smallest_models(made, recipe, preset, size):
    """Their style layers end before the fine ones begin, or even the middle ones."""
    count = 2 * int(np.log2(size)) - 2
    small = Spec("stylegan2", "small", "0", 64, tuple(Layer(f"L{n}") for n in range(count)), (size, size), noise=True)
    score = made(preset, small, fps=Fraction(10), seconds=2)
    assert score.warnings == ()
    assert list(misfits(recipe(preset), small)) == []
    animated = [one for one in score.trajectory.noises if one.layers.any()]
    assert len(animated) == (0 if preset != "wavefunk" else 1 if count <= 8 else 2)
    assert preset != "wavefunk" or np.logical_or.reduce([one.layers for one in animated]).all()


def test_a_small_model_is_fed_with_the_noise_that_it_has(made, stylegan2_file):
    file = str(stylegan2_file())
    score = made("wavefunk", describe(file), fps=Fraction(10), seconds=2)
    noise = Feed(score.trajectory, load_generator(file, "cpu")).noise(0, 4)
    assert not isinstance(noise, str)
    maps = [noise(layer, 4, 4, torch.zeros(4, 4)) for layer in range(len(score.trajectory.spec.layers))]
    assert all(one is not None and one.std() > 0.1 for one in maps)


def test_what_has_no_noise_maps_is_told_of_noise_that_it_was_asked_for_alone(made):
    assert made("wavefunk", seconds=2).warnings == ()
    (said,) = made("wavefunk", seconds=2, noise="animate").warnings
    assert said == "noise: cppn#7 has no noise maps, so this changes nothing"


def test_what_presets_have_in_common_is_no_preset():
    with pytest.raises(TypeError, match="abstract"):
        Preset()  # type: ignore[abstract]


# on films


@pytest.mark.parametrize("preset", ["lucid_sonic", "deep_music", "wavefunk"])
def test_any_range_of_a_preset_expands_alone(made, preset):
    whole = made(preset, fps=Fraction(30), seconds=8).trajectory
    generator = load_generator("cppn#7", "cpu")
    every = Feed(whole, generator).inputs(0, 240).w
    for start, stop in ((200, 240), (17, 40), (0, 3)):
        fresh = made(preset, fps=Fraction(30), seconds=8).trajectory
        assert fresh.key(start, stop) == whole.key(start, stop)
        torch.testing.assert_close(
            Feed(fresh, generator).inputs(start, stop).w, every[start:stop], rtol=1e-5, atol=1e-5
        )
    if preset != "wavefunk":
        np.testing.assert_array_equal(made(preset, fps=Fraction(30), seconds=8).trajectory.latents(150, 190),
                                      whole.latents(150, 190))  # fmt: skip


def test_a_preset_looks_the_same_at_every_frame_rate(made):
    slow, fast = (made("lucid_sonic", fps=Fraction(fps)).trajectory.latents(0, 9 * fps) for fps in (43, 86))
    assert np.corrcoef(slow.ravel(), fast[::2].ravel())[0, 1] > 0.97


def test_a_later_change_leaves_what_was_before_it_alone(made):
    one, two = (
        made("lucid_sonic", push={"bounce": 2, "by": by, "inertia": 0.1}).trajectory
        for by in ("4", "where(t < 6, 4, 9)")
    )
    assert one.key(0, 200) == two.key(0, 200)
    assert one.key(290, 380) != two.key(290, 380)


def test_it_stays_in_the_box_whatever_the_speed(made):
    trajectory = made(
        "deep_music", push={"bounce": {"box": 1.2, "margin": 0.2}, "by": 3}, walk={"through": [4]}
    ).trajectory
    z = trajectory.latents(0, 380)
    inside = np.abs(z[0]) < 1.2
    assert np.abs(z[:, inside]).max() < 1.2 + 3 / 43
    assert (np.ptp(z[:, inside], axis=0) > 1.5).all()


def test_the_recipe_wins_and_signals_are_joined(made):
    score = made(
        "lucid_sonic", walk={"through": [4, 5]}, push=[], signals={"mine": "rms", "lucid_notes": "rms"}, classes=None
    )
    assert score.trajectory.shoves == ()
    assert score.trajectory.track.count == 2
    assert set(score.trajectory.signals) == {"mine", "lucid_pulse", "lucid_motion", "lucid_notes"}
    assert score.trajectory.signals["lucid_notes"].ndim == 1


def test_effects_of_lucid_only_where_they_have_a_sound(made, song):
    assert made("lucid_sonic").effects.links == ()
    recipe = recipe_from(
        {
            "model": "x",
            "audio": str(song),
            "use": {"preset": "lucid_sonic", "contrast_audio": True, "flash_audio": str(song), "flash_strength": 0.25},
        }
    )
    assert [str(getattr(effect, effect.words()[0])) for effect in recipe.effects] == [
        "1 + 0.5*unit(lucid_contrast)",
        "0.25*unit(lucid_flash)",
    ]


@pytest.mark.parametrize(
    ("use", "place", "hint"),
    [
        ("lucid_sonik", "use", "lucid_sonic"),
        ({"pulse_react": 1}, "use", "There is"),
        ({"preset": "wavefunk", "pulse_react": 1}, "use.pulse_react", "Words here"),
        ({"preset": "lucid_sonic", "pulse_reakt": 1}, "use.pulse_reakt", "pulse_react"),
        ({"preset": "lucid_sonic", "pulse_react": 11}, "use.pulse_react", ""),
        ({"preset": "lucid_sonic", "motion_randomness": "much"}, "use.motion_randomness", ""),
        ({"preset": "lucid_sonic", "class_shuffle_seconds": [1, -2]}, "use.class_shuffle_seconds", ""),
        ({"preset": "lucid_sonic", "contrast_audio": "none.wav"}, "use.contrast_audio", ""),
        ({"preset": "deep_music", "frame_length": 100}, "use.frame_length", ""),
        ({"preset": "deep_music", "pitch_sensitivity": 300}, "use.pitch_sensitivity", ""),
        ({"preset": "wavefunk", "latent_count": 3}, "use.latent_count", ""),
    ],
)
def test_mistakes_in_presets_are_told(song, use, place, hint):
    with pytest.raises(RecipeError) as caught:
        recipe_from({"model": "x", "audio": str(song), "use": use})
    assert place in caught.value.where
    assert hint in caught.value.hint


def test_a_preset_wants_music():
    with pytest.raises(RecipeError, match="music"):
        recipe_from({"model": "x", "use": "lucid_sonic"})


@pytest.mark.parametrize(
    ("push", "problem"),
    [
        ({"along": "ones", "random": 3}, "one push goes one way"),
        ({"along": "twos"}, "direction"),
        ({"along": "ones", "layers": "fine"}, "is in z"),
        ({"bounce": 2, "space": "w"}, "is in z"),
        ({"bounce": {"box": 1, "margin": 1}}, "smaller than the box"),
        ({"bounce": {"begin": "up"}}, "begin"),
    ],
)
def test_mistakes_in_pushes_are_told(push, problem):
    with pytest.raises(RecipeError, match=problem):
        recipe_from({"model": "x", "push": push})


@pytest.mark.parametrize("push", [{"along": "ones"}, {"bounce": 2}])
def test_a_walk_in_w_has_no_z_to_push(push):
    recipe = recipe_from({"model": "x", "push": push, "walk": {"through": [1, 2], "space": "w"}})
    with pytest.raises(RecipeError, match="no z to push"):
        compose(recipe, SPEC)


def test_films_that_close_are_told_that_a_bounce_does_not():
    recipe = recipe_from({"model": "x", "push": {"bounce": 2}, "video": {"loop": True, "duration": 3}})
    assert any("bounce" in warning for warning in compose(recipe, SPEC).warnings)


def test_a_smooth_film_that_closes_is_smooth_over_its_end():
    generator = load_generator("cppn#7", "cpu")
    jumps = {"walk": {"through": [1, 2, 3], "every": "1s", "path": "step"}, "smooth": "100ms"}
    recipe = recipe_from({"model": "x", **jumps, "video": {"loop": True, "duration": 3, "fps": 20}})
    w = Feed(compose(recipe, SPEC).trajectory, generator).inputs(0, 60).w.numpy()
    steps = np.abs(np.roll(w, -1, axis=0) - w).max(axis=(1, 2))
    jump = np.abs(np.diff(generator.map(generator.latents([1, 2, 3])).w.numpy(), axis=0)).max()
    assert steps.max() < 0.3 * jump
    assert steps[59] > 0.1 * steps.max()  # in the middle of the way back


# the words that the presets are made of


def test_a_push_along_ones_with_inertia_follows_step_by_step():
    push = {"along": "ones", "by": "where(t < 1, 0, 2)", "inertia": "300ms"}
    recipe = recipe_from({"model": "x", "walk": {"through": [4]}, "push": push, "video": {"duration": 4, "fps": 30}})
    z = compose(recipe, SPEC).trajectory.latents(0, 120)
    offsets = z - SPEC.latents([4])[0]
    np.testing.assert_allclose(offsets, offsets[:, :1].repeat(SPEC.latent_size, axis=1), atol=1e-6)
    assert np.abs(offsets[:29]).max() < 1e-6
    assert offsets[39, 0] == pytest.approx(2 * (1 - np.exp(-1)), abs=0.1)
    assert offsets[119, 0] == pytest.approx(2, abs=1e-3)


def test_a_straight_plane_is_the_mixture_of_its_seeds():
    walk = {"plane": {"x": "t", "seed": 5, "way": "straight", "amount": "0.5 + t"}}
    recipe = recipe_from({"model": "x", "walk": walk, "video": {"duration": 2, "fps": 4}})
    z = compose(recipe, SPEC).trajectory.latents(0, 8)
    first, second = SPEC.latents([5, 6])
    np.testing.assert_allclose(z[1], 0.75 * (0.75 * first + 0.25 * second), atol=1e-6)
    np.testing.assert_allclose(z[4], 1.5 * second, atol=1e-6)


def test_classes_that_are_optional_are_left_out():
    words = {"model": "x", "classes": {"through": [0, 1]}}
    with pytest.raises(RecipeError, match="has no classes"):
        compose(recipe_from(words), SPEC)
    score = compose(recipe_from({**words, "classes": {"through": [0, 1], "optional": True}}), SPEC)
    assert score.warnings == ()


def test_joined_bands_are_one_curve(song):
    words = {"model": "x", "audio": str(song), "truncation": "0.5 + m", "video": {"duration": 5}}
    joined = [
        compose(recipe_from({**words, "signals": {"m": {"from": "mel", "join": join}}}), SPEC).trajectory.signals["m"]
        for join in ("max", "mean")
    ]
    assert [one.shape for one in joined] == [(150,), (150,)]
    assert np.abs(joined[0] - joined[1]).max() > 0.05
    with pytest.raises(RecipeError, match="2 to 64 bands"):
        recipe_from({**words, "signals": {"m": {"from": "mel", "bands": 65}}})
    with pytest.raises(RecipeError, match="`join` doesn't apply"):
        recipe_from({**words, "signals": {"m": {"from": "rms", "join": "max"}}})


def test_only_an_order_by_medians_may_have_fewer_latents(song):
    blend = {"by": "n", "latents": [1, 2, 3]}
    words = {"model": "x", "audio": str(song), "signals": {"n": "chroma"}}
    with pytest.raises(RecipeError, match="12 bands, and here are 3 latents"):
        recipe_from({**words, "blend": blend})
    assert recipe_from({**words, "blend": {**blend, "order": "median"}}).blend[0].order == "median"


def test_unit_is_from_0_to_1(value):
    np.testing.assert_allclose(value("unit(3 - 2*progress)"), 1 - np.arange(90) / 89, atol=1e-9)
    assert not value("unit(7)").any()
