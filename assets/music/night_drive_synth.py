"""Oscillators, filters, space and mastering for make_night_drive.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import butter, lfilter, oaconvolve, resample_poly, sosfilt

Audio = NDArray[np.float64]  # shape (n,) when mono, (n, 2) when stereo
SR = 48_000


def hz(note: float) -> float:
    return float(440.0 * 2.0 ** ((note - 69) / 12))


def db(gain: float) -> float:
    return float(10.0 ** (gain / 20))


def saw(freq: Audio, phase: float = 0.0) -> Audio:
    """Sawtooth with its steps band-limited by PolyBLEP."""
    inc = freq / SR
    t = (phase + np.cumsum(inc)) % 1.0
    out = 2 * t - 1
    after, before = t < inc, t > 1 - inc
    a, b = t[after] / inc[after], (t[before] - 1) / inc[before]
    out[after] -= 2 * a - a * a - 1
    out[before] -= b * b + 2 * b + 1
    return out


def pulse(freq: Audio, width: float, phase: float = 0.0) -> Audio:
    return 0.5 * (saw(freq, phase) - saw(freq, phase + width))


def envelope(hold: int, attack: float, decay: float, sustain: float, release: float) -> Audio:
    """ADSR held for `hold` samples; exponential decay and release, seconds."""
    t = np.arange(hold + int(4 * release * SR)) / SR
    env = sustain + (1 - sustain) * np.exp(-np.maximum(t - attack, 0) / decay)
    env *= np.clip(t / attack, 0, 1)
    env[hold:] = env[hold - 1] * np.exp(-(t[hold:] - t[hold]) / release)
    fade = min(len(env), SR // 100)
    env[-fade:] *= np.linspace(1, 0, fade)
    return env


def lowpass(x: Audio, cutoff: Audio, q: float = 0.9, poles: int = 4, block: int = 32) -> Audio:
    """Resonant low-pass whose cutoff (Hz, a value a sample) moves every `block` samples."""
    w = 2 * np.pi * np.clip(cutoff[: len(x) : block], 20, 0.42 * SR) / SR
    alpha, cos = np.sin(w) / (2 * q), np.cos(w)
    gain = (1 - cos) / 2
    row = np.stack([gain, 2 * gain, gain, 1 + alpha, -2 * cos, 1 - alpha], 1)
    row /= row[:, 3:4]
    stages = poles // 2
    state = np.zeros((stages, 2, *x.shape[1:]))
    out = np.empty_like(x)
    for i, coefs in enumerate(row):
        part = slice(i * block, (i + 1) * block)
        sos = np.repeat(coefs[None], stages, 0)
        out[part], state = sosfilt(sos, x[part], axis=0, zi=state)
    return out


def fixed(x: Audio, kind: str, freq: float | tuple[float, float], order: int = 2) -> Audio:
    out: Audio = sosfilt(butter(order, freq, kind, fs=SR, output="sos"), x, axis=0)
    return out


def pan(x: Audio, position: float) -> Audio:
    """Equal-power pan of a mono signal, -1 left to 1 right."""
    angle = (position + 1) * np.pi / 4
    return np.stack([x * np.cos(angle), x * np.sin(angle)], 1)


def add(bus: Audio, x: Audio, at: float, gain: float = 1.0) -> None:
    start = max(round(at), 0)
    n = min(len(x), len(bus) - start)
    if n > 0:
        bus[start : start + n] += gain * (x[:n] if x.ndim == 2 else x[:n, None])


def chorus(x: Audio, depth: float = 0.0022, rate: float = 0.55, mix: float = 0.5) -> Audio:
    t = np.arange(len(x))
    wet = np.zeros_like(x)
    for voice in range(3):
        for ch in range(2):
            lfo = np.sin(2 * np.pi * (rate * (1 + 0.23 * voice) * t / SR + voice / 3 + ch / 4))
            wet[:, ch] += np.interp(t - SR * (0.011 + depth * lfo), t, x[:, ch], left=0) / 1.8
    return (1 - mix) * x + mix * wet


def ping_pong(x: Audio, delay: int, feedback: float = 0.42, taps: int = 7) -> Audio:
    """Echoes every `delay` samples, each darker and on the other side each time."""
    out, echo = np.zeros_like(x), x.mean(1)
    for tap in range(1, taps + 1):
        echo = fixed(fixed(echo, "lowpass", 4200, 1), "highpass", 220, 1) * feedback
        add(out, pan(echo, 0.75 if tap % 2 else -0.75), tap * delay)
    return out


def hall(rng: np.random.Generator, seconds: float = 2.4) -> Audio:
    """A stereo room: pre-delay, sparse early reflections, a tail whose treble dies first."""
    n = int(1.3 * seconds * SR)
    t = np.arange(n) / SR
    ir = np.zeros((n, 2))
    edges = (150, 500, 1500, 4500, 11000)
    for low, high, rt in zip(edges, edges[1:], (0.85, 1.0, 0.8, 0.45), strict=False):
        band = fixed(rng.standard_normal((n, 2)), "bandpass", (low, high), 1)
        ir += band * np.exp(-6.9 * t / (rt * seconds))[:, None] * np.clip(t / 0.03, 0, 1)[:, None]
    for ch in range(2):
        ir[rng.integers(SR // 200, SR // 16, 9), ch] += rng.uniform(-1, 1, 9) * 3
    ir = np.concatenate([np.zeros((int(0.018 * SR), 2)), ir])
    ir /= np.sqrt((ir**2).sum(0))
    return ir


def convolve(x: Audio, ir: Audio) -> Audio:
    out: Audio = oaconvolve(x, ir, axes=0)[: len(x)]
    return out


def clap(rng: np.random.Generator) -> Audio:
    """Three noise bursts 11 ms apart, the last with a tail, in stereo."""
    t = np.arange(int(0.35 * SR)) / SR
    noise = fixed(rng.standard_normal((len(t), 2)), "bandpass", (900, 6500), 1)
    env = 0.6 * np.exp(-t / 0.07) * (t >= 0.022)
    for at in (0.0, 0.011, 0.022):
        env = np.maximum(env, np.exp(-np.maximum(t - at, 0) / 0.005) * (t >= at))
    return 0.5 * noise * env[:, None]


def sidechain(hits: list[int], length: int, depth: float, recovery: float) -> Audio:
    """Gain over `length` samples that ducks at each hit and swells back."""
    t = np.arange(SR // 2) / SR
    lead_in = SR // 200  # eases down over 5 ms so that it never clicks
    dip = 1 - depth * np.exp(-((t / recovery) ** 2))
    shape = np.concatenate([np.linspace(1, 1 - depth, lead_in), dip])
    gain = np.ones((length, 1))
    for hit in hits:
        part = gain[hit - lead_in : hit - lead_in + len(shape), 0]
        np.minimum(part, shape[: len(part)], out=part)
    return gain


def load(folder: Path, name: str) -> Audio:
    """A one-shot in mono at SR, trimmed to its attack, peak 1."""
    data, rate = sf.read(folder / f"{name}.flac", always_2d=True)
    mono: Audio = resample_poly(data.mean(1), SR, rate) if rate != SR else data.mean(1)
    mono = mono[max(int(np.argmax(np.abs(mono) > 0.05 * np.abs(mono).max())) - 24, 0) :]
    mono[-256:] *= np.linspace(1, 0, min(256, len(mono)))
    mono /= np.abs(mono).max()
    return mono


def loudness(x: Audio) -> float:
    """Integrated loudness by ITU-R BS.1770 with its two gates, in LUFS (48 kHz)."""
    shelf = ([1.53512485958697, -2.69169618940638, 1.19839281085285],
             [1.0, -1.69065929318241, 0.73248077421585])  # fmt: skip
    rumble = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])
    y = lfilter(*rumble, lfilter(*shelf, x, axis=0), axis=0) ** 2
    total = np.concatenate([[0.0], np.cumsum(y.sum(1))])
    block, hop = int(0.4 * SR), int(0.1 * SR)
    starts = np.arange(0, len(x) - block, hop)
    power = (total[starts + block] - total[starts]) / block
    power = power[power > 10 ** ((-70 + 0.691) / 10)]
    return float(-0.691 + 10 * np.log10(power[power > 0.1 * power.mean()].mean()))


def limit(x: Audio, ceiling: float) -> Audio:
    """Soft clip, then a look-ahead limiter that cannot overshoot."""
    knee = 1.25 * ceiling
    x = knee * np.tanh(x / knee)
    window = SR // 250
    need = np.minimum(1.0, ceiling / np.maximum(np.abs(x).max(1), 1e-9))
    gain: Audio = uniform_filter1d(minimum_filter1d(need, 2 * window + 1), window)
    return x * gain[:, None]


def save(path: Path, audio: Audio) -> None:
    """Write Ogg Vorbis, in short pieces: long writes can overflow the encoder's stack."""
    with sf.SoundFile(path, "w", SR, 2, format="OGG", subtype="VORBIS", compression_level=0.3) as file:
        for start in range(0, len(audio), 4096):
            file.write(audio[start : start + 4096])
