"""For every word of signals, tempo and presets: two ways to write it that must give different signals or pictures."""

from __future__ import annotations

from rows import Rows

CONDITIONAL = "model: {file: conditional.safetensors, class: 0}\n"
ONSET = "signals: {s: {from: onset, *}}"
BEATS = "signals: {s: {from: %s, release: 0.1}}\ntempo: {*}"
LIT = "contrast_audio: true, contrast_strength: 3"
LUCID = "use: {preset: lucid_sonic, *}"
WAVE = "use: {preset: wavefunk, *}"
DEEP = CONDITIONAL + "use: {preset: deep_music, classes: [0, 1, 2], *}"
SWAPPED = "class_pitch_react: 2, class_shuffle_seconds: 1"

TABLE = [
    Rows("MusicWords", "audio: {*}\nsignals: {s: {from: onset, release: 0.3}}",
         {"file": ("file: tune.wav", "file: other.wav")}, shows="signals"),
    Rows("Signal", "signals: {s: {*}}", {
        "from": ("from: rms", "from: onset"),
        "low": ("from: rms", "from: rms, low: 1000"),
        "high": ("from: rms", "from: rms, high: 200"),
        "of": ("from: centroid", "from: centroid, of: other.wav"),
        "bands": ("from: mel, join: max, bands: 16", "from: mel, join: max, bands: 64"),
        "join": ("from: mel, join: max", "from: mel, join: mean"),
        "detector": ("from: onset", "from: onset, detector: energy"),
        "kind": ("from: chroma", "from: chroma, kind: stft"),
        "part": ("from: rms", "from: rms, part: percussive"),
        "margin": ("from: rms, part: percussive", "from: rms, part: percussive, margin: 8"),
        "midi": ("midi: take.mid", "midi: other.mid"),
        "note": ("midi: take.mid", "midi: take.mid, note: 36"),
        "controller": ("midi: take.mid, controller: 1", "midi: take.mid, controller: 7"),
        "channel": ("midi: take.mid", "midi: take.mid, channel: 10"),
        "csv": ("csv: table.csv#one", "csv: table.csv#two"),
        "interpolate": ("csv: table.csv#one", "csv: table.csv#one, interpolate: step"),
        "scale": ("from: centroid", "from: centroid, scale: none"),
    }, shows="signals", quick=("from", "csv")),
    Rows("Signal", ONSET, {
        "causal": ("smooth: 0.2", "smooth: 0.2, causal: 0"),
        "smooth": "smooth: 0.2",
        "clip": "clip: 80",
        "peaks": "peaks: 50",
        "gate": "gate: 0.9",
        "compress": "compress: {threshold: 0.3, ratio: 4}",
        "expand": ("release: 0.3", "release: 0.3, expand: {threshold: 0.8, ratio: 4}"),
        "power": "power: 3",
        "attack": "attack: 0.2",
        "release": "release: 0.3",
        "hold": "hold: 0.25",
        "quantise": "quantise: 4",
        "delay": "delay: 0.25",
        "range": "range: [1, 3]",
    }, shows="signals", quick=("smooth", "release", "power")),
    Rows("Signal", "signals: {s: {csv: table.csv#one, *}}", {"scale": "scale: 2"}, shows="signals"),
    Rows("Knee", "signals: {s: {from: onset, compress: {*}}}", {
        "threshold": ("threshold: 0.2, ratio: 4", "threshold: 0.6, ratio: 4"),
        "ratio": ("threshold: 0.2, ratio: 2", "threshold: 0.2, ratio: 8"),
    }, shows="signals"),
    Rows("Knee", "signals: {s: {from: onset, expand: {*}}}", {
        "threshold": ("threshold: 0.9, ratio: 4", "threshold: 0.4, ratio: 4"),
        "ratio": ("threshold: 0.9, ratio: 2", "threshold: 0.9, ratio: 8"),
    }, shows="signals"),
    Rows("Steps", "signals: {s: {from: onset, release: 0.3, quantise: {*}}}", {"steps": ("steps: 2", "steps: 5")},
         shows="signals"),
    Rows("Sections", "audio: bundled:night_drive\nvideo: {fps: 2, duration: 32}\nsignals: {s: label}\nsections: {*}",
         {"count": "count: 2"}, shows="signals"),
    Rows("Tempo", BEATS % "beat", {
        "bpm": ("bpm: 120", "bpm: 100"),
        "factor": "factor: 0.5",
        "beats": ("beats: [0, 0.5, 1, 1.5]", "beats: [0, 1, 2, 3]"),
    }, shows="signals", quick=("bpm",)),
    Rows("Tempo", BEATS % "bar", {
        "beats_per_bar": ("bpm: 120", "bpm: 120, beats_per_bar: 3"),
        "first_beat": ("bpm: 120", "bpm: 120, first_beat: 0.5"),
    }, shows="signals"),
    Rows("LucidSonic", LUCID, {
        "seed": "seed: 5",
        "speed_fpm": "speed_fpm: 60",
        "pulse_react": "pulse_react: 2",
        "pulse_percussive": "pulse_percussive: false",
        "pulse_harmonic": "pulse_harmonic: true",
        "motion_react": "motion_react: 2",
        "motion_percussive": ("motion_react: 2", "motion_react: 2, motion_percussive: true"),
        "motion_harmonic": ("motion_react: 2", "motion_react: 2, motion_harmonic: false"),
        "motion_randomness": ("motion_react: 2", "motion_react: 2, motion_randomness: 0"),
        "truncation": "truncation: 0.4",
        "contrast_audio": "contrast_audio: true",
        "contrast_strength": ("contrast_audio: true", "contrast_audio: true, contrast_strength: 2"),
        "contrast_percussive": (LIT, f"{LIT}, contrast_percussive: false"),
        "flash_audio": "flash_audio: true",
        "flash_strength": ("flash_audio: true", "flash_audio: true, flash_strength: 0.1"),
        "flash_percussive": ("flash_audio: true", "flash_audio: true, flash_percussive: false"),
        "input_shape": ("pulse_react: 2", "pulse_react: 2, input_shape: 8"),
    }),
    Rows("LucidSonic", CONDITIONAL + LUCID, {
        "classes": ("classes: [0, 1]", "classes: [0, 2]"),
        "dominant_classes_first": ("classes: [0, 1, 2]", "classes: [0, 1, 2], dominant_classes_first: true"),
        "class_pitch_react": ("classes: [0, 1, 2]", "classes: [0, 1, 2], class_pitch_react: 4"),
        "class_smooth_seconds": ("classes: [0, 1, 2]", "classes: [0, 1, 2], class_smooth_seconds: 0.2"),
        "class_complexity": ("classes: [0, 1, 2]", "classes: [0, 1, 2], class_complexity: 0.3"),
        "class_shuffle_seconds": ("classes: [0, 1, 2]", "classes: [0, 1, 2], class_shuffle_seconds: 1"),
        "class_shuffle_strength": (f"classes: [0, 1, 2], {SWAPPED}",
                                   f"classes: [0, 1, 2], {SWAPPED}, class_shuffle_strength: 0.1"),
    }),
    Rows("LucidSonic", "*", {"preset": ("use: lucid_sonic", "use: wavefunk")}),
    Rows("DeepMusic", "*", {"preset": ("use: lucid_sonic", "use: deep_music")}),
    Rows("Wavefunk", "*", {"preset": ("use: deep_music", "use: wavefunk")}),
    Rows("DeepMusic", DEEP, {
        "seed": "seed: 5",
        "pitch_sensitivity": "pitch_sensitivity: 290",
        "tempo_sensitivity": "tempo_sensitivity: 0.9",
        "depth": ("pitch_sensitivity: 290", "pitch_sensitivity: 290, depth: 0.2"),
        "sort_classes_by_power": "sort_classes_by_power: 1",
        "jitter": "jitter: 0",
        "frame_length": "frame_length: 2048",
        "truncation": "truncation: 0.4",
        "smooth_factor": "smooth_factor: 60",
    }),
    Rows("DeepMusic", CONDITIONAL + "use: {preset: deep_music, *}",
         {"classes": ("classes: [0, 1]", "classes: [2, 1]")}),
    Rows("Wavefunk", WAVE, {
        "seed": "seed: 5",
        "latent_count": "latent_count: 8",
        "truncation": "truncation: 0.4",
        "lo_fmax": "lo_fmax: 2000",
        "lo_smooth": "lo_smooth: 0",
        "lo_clip": "lo_clip: 50",
        "lo_power": "lo_power: 0.5",
        "hi_fmin": "hi_fmin: 3000",
        "hi_smooth": "hi_smooth: 0",
        "hi_clip": "hi_clip: 50",
        "hi_power": "hi_power: 0.5",
        "onset_margin": "onset_margin: 1",
        "chroma_margin": "chroma_margin: 1",
        "chroma_smooth": "chroma_smooth: 20",
        "smooth": "smooth: 20",
        "causal": ("smooth: 10", "smooth: 10, causal: 1"),
    }),
]  # fmt: skip
