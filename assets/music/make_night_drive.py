#!/usr/bin/env python3
"""Compose and render "Night Drive", a 32-second synthwave piece.

Sixteen bars of 4/4 at 120 BPM in F sharp minor.  Drums are one-shot CC0
samples, everything else is synthesised here.  The seed is fixed, so two runs
give the same samples.

    python make_night_drive.py --samples /usr/share/sonic-pi/samples
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from night_drive_synth import (
    SR,
    Audio,
    add,
    chorus,
    clap,
    convolve,
    db,
    envelope,
    fixed,
    hall,
    hz,
    limit,
    load,
    loudness,
    lowpass,
    pan,
    ping_pong,
    pulse,
    save,
    saw,
    sidechain,
)

BPM = 120
STEP = SR * 60 // BPM // 4  # one sixteenth note: 6000 samples, exactly
BAR = 16 * STEP
BARS = 16
LENGTH = BARS * BAR
WORK = LENGTH + 2 * SR  # room for tails, cut at the end
TARGET_LUFS = -12.0
CEILING_DB = -1.9  # before encoding, so that the decoded peak stays below -1
rng = np.random.default_rng(1984)


# ----------------------------------------------------------------- score ---
@dataclass(frozen=True)
class Chord:
    """A chord from `step` (sixteenths from the start): bass and pad voices, in MIDI."""

    step: int
    bass: int
    voices: tuple[int, ...]


CHORDS = (
    # intro: F#m(add9) | D | A(add9)/C# | E(add9)
    Chord(0, 42, (54, 57, 61, 68)),
    Chord(16, 38, (54, 57, 62, 66)),
    Chord(32, 37, (52, 57, 61, 71)),
    Chord(48, 40, (52, 56, 59, 66)),
    # build: Bm7 | C#7sus4 C#7
    Chord(64, 47, (54, 59, 62, 69)),
    Chord(80, 37, (54, 59, 61, 68)),
    Chord(88, 37, (53, 59, 61, 68)),
    # drop one: Dmaj7 | E | C#m7 | F#m A/E
    Chord(96, 38, (57, 62, 66, 73)),
    Chord(112, 40, (56, 59, 64, 71)),
    Chord(128, 37, (56, 61, 64, 71)),
    Chord(144, 42, (57, 61, 66, 69)),
    Chord(152, 40, (57, 61, 64, 69)),
    # breakdown: Bm7 | C#7sus4 C#7
    Chord(160, 35, (54, 57, 62, 69)),
    Chord(176, 37, (54, 59, 61, 68)),
    Chord(184, 37, (53, 59, 61, 68)),
    # drop two: Dmaj7 | E | C#7 | F#m(add9)
    Chord(192, 38, (57, 62, 66, 73)),
    Chord(208, 40, (56, 59, 64, 71)),
    Chord(224, 37, (56, 61, 65, 71)),
    Chord(240, 42, (57, 61, 66, 68)),
)
DROPS = (96, 192)
FINAL = 240

# (step, length, MIDI note)
HOOK = (
    (0, 3, 69), (3, 3, 73), (6, 6, 78), (12, 2, 76), (14, 2, 73),
    (16, 3, 71), (19, 3, 76), (22, 6, 80), (28, 2, 78), (30, 2, 76),
    (32, 3, 76), (35, 3, 80), (38, 4, 83), (42, 2, 81), (44, 2, 80), (46, 2, 76),
)  # fmt: skip
HOOK_TURN = ((48, 6, 78), (54, 2, 73), (56, 2, 69), (58, 2, 71), (60, 4, 73))
HOOK_END = (
    (32, 3, 77), (35, 3, 80), (38, 4, 83), (42, 2, 85), (44, 2, 83), (46, 2, 77), (48, 14, 78),
)  # fmt: skip
LEAD = tuple((96 + s, n, p) for s, n, p in HOOK + HOOK_TURN) + tuple(
    (192 + s, n, p) for s, n, p in HOOK[:10] + HOOK_END
)
BELL = (
    (32, 3, 69), (35, 3, 73), (38, 8, 76), (48, 3, 71), (51, 3, 76), (54, 8, 78),
    (160, 3, 69), (163, 3, 73), (166, 6, 78), (172, 2, 76), (174, 2, 73),
    (176, 3, 71), (179, 3, 73), (182, 2, 78), (184, 8, 77),
)  # fmt: skip

# One character a sixteenth: "." rests, 1 to 9 is the velocity.
GROOVES: dict[str, dict[str, str]] = {
    "none": {},
    "pulse": {"kick": "4...3...4...3...", "hat": "2...3...2...3.1."},
    "build1": {
        "kick": "8...8...8...8...",
        "hat": "3.2.4.2.3.2.4.23",
        "snare": "........2.2.3.3.",
    },
    "build2": {
        "kick": "8...8...8.......",
        "snare": "3.3.4.4.45566...",
        "tom_hi": "............9...",
        "tom_mid": ".............89.",
        "tom_lo": "...............9",
    },
    "drop": {
        "kick": "9...9...9...9...",
        "snare": "....9.......9...",
        "clap": "....9.......9...",
        "hat": "7.337.337.337.34",
        "open": "..7...7...7...7.",
    },
    "drop_fill": {
        "kick": "9...9...9...9...",
        "snare": "....9......39.57",
        "clap": "....9.......9...",
        "hat": "7.337.337.33....",
        "open": "..7...7...7.....",
        "tom_hi": "..........8.....",
        "tom_mid": ".............8..",
        "tom_lo": "...............8",
    },
    "lift": {"hat": "........2.2.2.3.", "snare": "........1.2.2345", "tom_lo": "..............57"},
    "last": {"kick": "9...............", "clap": "8..............."},
}
DROP = ["drop", "drop", "drop"]
BAR_GROOVES = ["none", "none", "pulse", "pulse", "build1", "build2", *DROP, "drop_fill"]
BAR_GROOVES += ["none", "lift", *DROP[:2], "drop_fill", "last"]


def spans() -> Iterator[tuple[Chord, int]]:
    """Every chord with the number of sixteenths it lasts."""
    ends = [c.step for c in CHORDS[1:]] + [BARS * 16]
    for chord, end in zip(CHORDS, ends, strict=True):
        yield chord, end - chord.step


# ------------------------------------------------------------ instruments ---
def curve(points: Sequence[tuple[float, float]], log: bool = False) -> Audio:
    """Automation through (bar, value) points over the whole piece, bars from 0."""
    bars, values = np.array(points, dtype=float).T
    at = np.arange(WORK) / BAR
    out: Audio = np.interp(at, bars, np.log(values) if log else values)
    return np.exp(out) if log else out


def pads() -> Audio:
    bus = np.zeros((WORK, 2))
    for chord, steps in spans():
        env = envelope(steps * STEP, 0.06, 1.0, 0.85, 0.16)
        for note in (*chord.voices, chord.bass + 12):
            for spread in np.linspace(-1, 1, 6):
                cents = 11 * spread + rng.normal(0, 1.5)
                freq = np.full(len(env), hz(note + cents / 100))
                voice = saw(freq, rng.random()) * env
                add(bus, pan(voice, 0.85 * spread * rng.choice([-1, 1])), chord.step * STEP, 0.1)
    points = [(0, 420), (2, 750), (4, 1000), (5.8, 3800), (6, 7500), (8, 5500), (10, 8500)]
    points += [(10.01, 700), (11, 900), (11.9, 3000), (12, 8000), (15, 10500), (16, 900)]
    cutoff = curve(points, log=True)
    wobble = 2 ** (0.22 * np.sin(2 * np.pi * np.arange(WORK) / (2 * BAR)))
    out = chorus(fixed(lowpass(bus, cutoff * wobble, 0.8, poles=2), "highpass", 130))
    side = (out[:, 0] - out[:, 1]) / 2
    return out + 0.35 * np.stack([side, -side], 1)  # wider


def bass() -> Audio:
    """Rolling sixteenths that leave the kick its own step."""
    bus = np.zeros(WORK)
    pattern = ((0, 0), (0.75, 0), (1.0, 12), (0.8, 0)) * 3 + ((0, 0), (0.8, 0), (1.0, 12), (0.9, 7))
    for chord, steps in spans():
        for i in range(steps):
            step = chord.step + i
            accent, up = pattern[step % 16]
            playing = 64 <= step < 92 or 96 <= step < 160 or 192 <= step < FINAL
            if not playing or not accent:
                continue
            if step < 96:  # the build only hints at the octaves
                up = 0
            vel = accent * rng.uniform(0.92, 1.05) * (0.65 if step < 96 else 1.0)
            env = envelope(int(0.85 * STEP), 0.004, 0.14, 0.55, 0.02)
            freq = np.full(len(env), hz(chord.bass + up))
            tone = 0.7 * saw(freq) + 0.45 * pulse(freq * 1.003, 0.42, 0.3)
            t = np.arange(len(env)) / SR
            opening = 0.55 if step < 96 else 1.0 + 0.4 * np.sin(2 * np.pi * step / 64)
            tone = lowpass(tone, 150 + 1500 * vel * opening * np.exp(-t / 0.06), 1.5, block=16)
            tone += 0.8 * np.sin(2 * np.pi * np.cumsum(freq) / SR)
            add(bus[:, None], np.tanh(1.4 * tone * env * vel), step * STEP)
    env = envelope(6 * STEP, 0.01, 0.8, 0.6, 0.24)  # the last note rings
    freq = np.full(len(env), hz(42))
    ring = lowpass(saw(freq), np.linspace(900, 120, len(env)))
    ring += 0.5 * np.sin(2 * np.pi * np.cumsum(freq) / SR)
    add(bus[:, None], ring * env, FINAL * STEP, 0.6)
    return np.repeat(fixed(bus, "highpass", 45)[:, None], 2, 1)


def arpeggio() -> Audio:
    bus = np.zeros((WORK, 2))
    order = (0, 2, 1, 3, 2, 4, 3, 5, 1, 3, 2, 4, 3, 5, 4, 2)
    accents = (1.0, 0.45, 0.55, 0.5, 0.9, 0.45, 0.6, 0.5) * 2
    points = [(0, 900), (4, 2400), (6, 9000), (10, 7500), (10.01, 1800), (12, 8000), (16, 9000)]
    bright = curve(points)
    for chord, steps in spans():
        tones = [*chord.voices, *(v + 12 for v in chord.voices)]
        for i in range(0, steps if chord.step < FINAL else 1):
            step = chord.step + i
            if (step < 32 and step % 2) or (160 <= step < 176 and step % 2):
                continue  # eighths while it is quiet
            vel = accents[step % 16] * rng.uniform(0.88, 1.06)
            env = envelope(int(0.6 * STEP), 0.003, 0.12, 0.25, 0.07)
            freq = np.full(len(env), hz(tones[order[step % 16]] + 12))
            t = np.arange(len(env)) / SR
            tone = pulse(freq, 0.3 + 0.15 * np.sin(step / 11)) + 0.5 * saw(freq * 1.004, 0.4)
            cutoff = 350 + bright[step * STEP] * vel * np.exp(-t / 0.07)
            tone = lowpass(tone, cutoff, 1.3, poles=2) * env * vel
            late = 0 if step % 4 == 0 else rng.normal(0, 0.002) * SR
            add(bus, pan(tone, 0.4 * np.sin(step * 2.4)), step * STEP + late)
    return fixed(bus, "highpass", 240)


def lead() -> Audio:
    bus = np.zeros((WORK, 2))
    previous = 69.0
    for step, steps, note in LEAD:
        env = envelope(int(steps * STEP * 0.94), 0.008, 0.5, 0.72, 0.05 if step < 238 else 0.25)
        t = np.arange(len(env)) / SR
        glide = (previous - note) * np.exp(-t / 0.022)
        vibrato = 0.16 * np.clip((t - 0.22) / 0.25, 0, 1) * np.sin(2 * np.pi * 5.6 * t)
        for side, cents in ((-0.5, -6), (0.5, 6), (0.0, 0)):
            freq = hz(0) * 2 ** ((note + glide + vibrato + cents / 100) / 12)
            tone = saw(freq, rng.random()) if cents else 1.1 * pulse(freq / 2, 0.35)
            if step >= 192 and cents:  # an octave above, the second time
                tone += 0.35 * saw(freq * 2, rng.random())
            cutoff = 2600 + 5200 * np.exp(-t / 0.25)
            tone = lowpass(tone, cutoff, 1.0) * env * rng.uniform(0.94, 1.04)
            add(bus, pan(tone, side), step * STEP)
        previous = note
    return fixed(bus, "highpass", 220)


def bell() -> Audio:
    bus = np.zeros((WORK, 2))
    for step, steps, note in BELL:
        env = envelope(steps * STEP, 0.004, 0.7, 0.15, 0.35)
        t = np.arange(len(env)) / SR
        turn = 2 * np.pi * hz(note) * t
        tine = 1.1 * np.exp(-t / 0.35) * np.sin(turn) + 0.35 * np.exp(-t / 0.06) * np.sin(7 * turn)
        tremolo = 0.35 * np.sin(2 * np.pi * 4.0 * t + step)
        tone = np.sin(turn + tine) * env * rng.uniform(0.85, 1.0)
        add(bus, np.stack([tone * (1 - tremolo), tone * (1 + tremolo)], 1), step * STEP)
    return bus


def effects(splash: Audio) -> Audio:
    """Risers into both drops, reversed cymbals, impacts and crashes on arrival."""
    bus = np.zeros((WORK, 2))
    for start, end, gain in ((64, 96, 0.85), (172, 192, 0.75)):
        n = (end - start) * STEP
        x = np.linspace(0, 1, n)
        air = lowpass(rng.standard_normal((n, 2)), 300 * 40**x, 1.6, poles=2)
        air = fixed(air, "highpass", 300)
        sweep = hz(54) * 2 ** (2 * x**1.5)
        tone = saw(sweep * 0.994) + saw(sweep, 0.3) + saw(sweep * 1.006, 0.6)
        tone = pan(lowpass(tone, 500 * 12**x), 0)
        add(bus, (0.16 * air + 0.09 * tone) * (x**2.2 * np.clip((1 - x) * n / 500, 0, 1))[:, None],
            start * STEP, gain)  # fmt: skip
    swell = splash[::-1] * np.linspace(0, 1, len(splash)) ** 2
    for at in (*DROPS, FINAL):
        add(bus, pan(swell, -0.25), at * STEP - len(swell), 0.28)
        add(bus, pan(splash, 0.2), at * STEP, 0.55)
        add(bus, np.roll(pan(splash, -0.3), 300, 0), at * STEP, 0.3)
        t = np.arange(int(0.5 * SR)) / SR
        boom = np.sin(2 * np.pi * (38 * t - 4 * np.exp(-t / 0.09))) * np.exp(-t / 0.11)
        add(bus, boom[:, None] * np.clip(t / 0.004, 0, 1)[:, None], at * STEP, 0.3)
    add(bus, pan(splash, 0.3), 160 * STEP, 0.22)
    return bus


# ------------------------------------------------------------------ drums ---
def drums(folder: Path) -> tuple[Audio, Audio, list[int]]:
    """The kick bus, the bus of all other drums, and where the full kicks fall (samples)."""
    kick = load(folder, "bd_tek")
    kick[: SR // 12] += 0.35 * load(folder, "drum_heavy_kick")[: SR // 12]
    t = np.arange(SR // 50) / SR  # a tick marks the attack on small speakers
    tick = fixed(rng.standard_normal(len(t)), "bandpass", (1500, 7000)) * np.exp(-t / 0.003)
    kick[: len(t)] += 0.6 * tick
    snare_tail = load(folder, "sn_dub")
    snare = 0.6 * np.pad(load(folder, "drum_snare_hard"), (0, SR))[: len(snare_tail)]
    snare += 0.75 * snare_tail
    kit: dict[str, tuple[Audio, float, float]] = {  # sound, gain, pan
        "snare": (fixed(snare, "highpass", 110), 0.7, 0.0),
        "clap": (clap(rng), 0.75, 0.0),
        "hat": (fixed(load(folder, "drum_cymbal_closed"), "highpass", 500), 0.27, 0.22),
        "open": (fixed(load(folder, "drum_cymbal_open")[: SR // 4], "highpass", 700), 0.15, -0.2),
        "tom_hi": (load(folder, "drum_tom_hi_hard"), 0.38, 0.45),
        "tom_mid": (load(folder, "drum_tom_mid_hard"), 0.36, 0.0),
        "tom_lo": (fixed(load(folder, "drum_tom_lo_hard"), "highpass", 110), 0.36, -0.45),
    }
    kit["open"][0][:] *= np.linspace(1, 0, len(kit["open"][0])) ** 1.5
    kicks, rest = np.zeros((WORK, 2)), np.zeros((WORK, 2))
    pumps: list[int] = []
    for bar, groove in enumerate(BAR_GROOVES):
        for name, pattern in GROOVES[groove].items():
            for i, mark in enumerate(pattern):
                if mark == ".":
                    continue
                step, vel = bar * 16 + i, int(mark) / 9
                if name == "kick":
                    hit = kick if vel > 0.5 else fixed(kick, "lowpass", 160)
                    add(kicks, hit, step * STEP, vel)
                    pumps += [step * STEP] if vel > 0.5 else []
                    continue
                sound, gain, side = kit[name]
                human = 1.0 if name == "clap" else rng.uniform(0.88, 1.05)
                late = 0 if i % 4 == 0 else rng.normal(0, 0.0015) * SR
                hit = sound if sound.ndim == 2 else pan(sound, side)
                add(rest, hit, step * STEP + late, gain * human * vel**1.4)
    return kicks, rest, pumps


# ------------------------------------------------------ mixing, mastering ---
def mix(folder: Path) -> dict[str, Audio]:
    """Every track at its place in the mix, with ducking, echoes and the shared reverb."""
    kicks, kit, pumps = drums(folder)
    soft = sidechain(pumps, WORK, 0.5, 0.15)
    deep = sidechain(pumps, WORK, 0.8, 0.19)
    gate = hall(rng, 1.0)[: int(0.24 * SR)] * np.linspace(1, 0.5, int(0.24 * SR))[:, None]
    snares = fixed(kit, "bandpass", (300, 6000), 1)
    tracks: dict[str, tuple[Audio, float, float]] = {  # dry signal, gain dB, reverb send
        "pads": (pads() * deep, -1.5, 0.22),
        "bass": (bass() * deep, -4.0, 0.0),
        "arp": (arpeggio() * soft, -6.5, 0.35),
        "lead": (lead() * soft, -12.0, 0.32),
        "bell": (bell(), -15.5, 0.5),
        "effects": (effects(load(folder, "drum_splash_hard")), -2.0, 0.2),
        "kit": (kit + 0.20 * convolve(snares, gate), 3.2, 0.06),
        "kick": (kicks, -2.5, 0.0),
    }
    for name, wet in (("arp", 0.45), ("lead", 0.45), ("bell", 0.5)):
        dry, gain, send = tracks[name]
        tracks[name] = (dry + wet * ping_pong(dry, 3 * STEP) * soft, gain, send)
    scored = {name: db(gain) * dry for name, (dry, gain, _) in tracks.items()}
    sends = np.sum([scored[name] * send for name, (_, _, send) in tracks.items()], axis=0)
    scored["reverb"] = convolve(sends, hall(rng)) * soft
    return scored


def master(tracks: dict[str, Audio]) -> Audio:
    """Ride the sections, trim to length, bring to TARGET_LUFS under CEILING_DB."""
    ride = [(0, -4), (4, -3), (5, -1.5), (5.99, -2), (6, 0)]
    ride += [(10, 0), (10.02, -3), (11.99, -2.5), (12, 0)]
    level = 10 ** (curve(ride) / 20)
    x = fixed(np.sum(list(tracks.values()), axis=0) * level[:, None], "highpass", 28)[:LENGTH]
    x += 0.7 * fixed(x, "highpass", 5500, 1)  # air
    fade_in, fade_out = 64, int(1.1 * SR)
    x[:fade_in] *= np.linspace(0, 1, fade_in)[:, None]
    x[-fade_out:] *= (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, fade_out)))[:, None]
    ceiling, gain = db(CEILING_DB), 1.0
    for _ in range(6):
        gain *= db(TARGET_LUFS - loudness(limit(gain * x, ceiling)))
    return limit(gain * x, ceiling)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=Path, default=Path("/usr/share/sonic-pi/samples"))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("night_drive.ogg"))
    args = parser.parse_args()
    audio = master(mix(args.samples))
    save(args.out, audio)
    print(f"{args.out}: {len(audio) / SR:.3f} s, {loudness(audio):.1f} LUFS")


if __name__ == "__main__":
    main()
