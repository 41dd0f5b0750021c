"""What a signal is made from: the kinds of things to hear in music, MIDI files and tables of automation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from gandream.base.errors import listed
from gandream.recipe.fields import AudioPath, Choice, FileRef, Number, Whole, existing_file, helps, wrong
from gandream.recipe.text import Text

HEARD: dict[str, str] = {
    "rms": "loudness (root mean square)",
    "onset": "onset strength: how much just began; `detector` says what counts",
    "chroma": "the strength of each of the twelve pitch classes; one at a time in expressions: `chroma.C`",
    "band": "energy (the square of rms) between `low` and `high` in Hz",
    "mel": "loudness in each of `bands` (8) mel bands, from the lowest: `mel.0`; each is 1 at its own loudest",
    "centroid": "brightness: the spectrum's centre of gravity, in octaves; held through silence",
    "flatness": "how noisy it is: near 0 for tones, high for hiss (geometric by arithmetic mean of the power)",
    "flux": "how much the spectrum changes, rising or falling",
    "contrast": "how far peaks stand out from valleys in each of `bands` (7) octave bands: `contrast.0`",
    "mfcc": "timbre in `bands` (13) numbers (cepstral coefficients): `mfcc.0` how loud, `mfcc.1` how dark, finer up",
    "harmonic": "loudness of what sounds on: tones without drums (median filtering, Fitzgerald 2010)",
    "percussive": "loudness of what strikes: drums without tones (median filtering, Fitzgerald 2010)",
    "pitch": "the melody's height (pYIN, Mauch & Dixon 2014), in octaves; held where nothing has a pitch",
    "tonnetz": "place among fifths and thirds, six numbers (Harte et al. 2006), 0.5 the middle: `tonnetz.0`",
}
"""What is measured in the sound."""
LAID: dict[str, str] = {
    "beat": "1 on every beat, falling with `release` (0.2s)",
    "bar": "1 at the beginning of every bar, falling with `release` (0.2s)",
    "tempo": "beats per minute, over four beats each; 1 is the piece's fastest",
    "section": "steps from 0 in the first section to 1 in the last",
    "label": "steps from 0 to 1 by what recurs: equal in all sections that are alike",
    "section_start": "1 where a section begins, falling with `release` (0.5s)",
    "drop": "1 where the music becomes fuller most of all, in all registers, falling with `release` (2s)",
}
"""What is laid over the beats and the sections that were found."""
KINDS: dict[str, str] = {**HEARD, **LAID}
AUTOMATION: dict[str, str] = {
    "midi": "notes or a controller of a MIDI file, `{midi: take.mid, note: 36}`",
    "csv": "a column of a table, `{csv: automation.csv#cutoff}`",
}
"""What comes from elsewhere: no music is needed."""
BEATEN = frozenset({"beat", "bar", "tempo"})
SECTIONED = frozenset({"section", "label", "section_start", "drop"})

PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}
DEFAULT_BANDS = {"mel": 8, "contrast": 7, "mfcc": 13}
BANDS = {"mel": (2, 64), "contrast": (2, 7), "mfcc": (2, 40)}
TONNETZ = 6

DETECTORS: dict[str, str] = {
    "superflux": "what becomes louder in any pitch, vibrato left out (Böck & Widmer 2013)",
    "flux": "what becomes louder in any frequency (Bello et al. 2005)",
    "energy": "the whole becomes louder",
    "hfc": "high frequencies become louder: hats, sticks, consonants (Masri 1996)",
    "complex": "loudness or phase is not what the moment before let expect: soft notes too (Duxbury et al. 2003)",
}
CHROMAS: dict[str, str] = {
    "cqt": "from a constant-Q transform: sharp in pitch",
    "stft": "from a Fourier transform: quick",
    "cens": "smoothed over a second and evened out in level (Müller & Ewert 2011)",
}
PARTS: dict[str, str] = {"harmonic": "tones without drums", "percussive": "drums without tones"}
JOINS: dict[str, str] = {"max": "the energy of the strongest band", "mean": "the mean energy of the bands"}
JOINED_BANDS = 128
"""How many bands are joined where nothing is said, and at most."""
MOST_JOINED = 512
INTERPOLATIONS: dict[str, str] = {
    "linear": "straight from one row to the next",
    "step": "each row holds until the next",
}


@dataclass(frozen=True)
class Notes:
    """Some of the MIDI notes 0..127, and how they were written."""

    written: int | str | tuple[int | str, ...]
    numbers: tuple[int, ...]


_NOTES = "wanted a note: its number from 0 to 127, a name such as C4 (60), a range such as 36-40, or a list of these"


def _notes(value: Any) -> Notes:
    if isinstance(value, Notes):
        return value
    if isinstance(value, list | tuple):
        each = [_notes(one) for one in value]
        if not each:
            raise wrong(_NOTES)
        return Notes(tuple(value), tuple(sorted({number for one in each for number in one.numbers})))
    if isinstance(value, int) and not isinstance(value, bool):
        first = last = value
    elif isinstance(value, str):
        # A name may have a minus of its own: C-1 is 0.
        ends = re.fullmatch(r"\s*([A-Ga-g][#b]?-?\d|\d+)\s*(?:-\s*([A-Ga-g][#b]?-?\d|\d+)\s*)?", value)
        if ends is None:
            raise wrong(_NOTES)
        first, last = _note(ends[1]), _note(ends[2] or ends[1])
    else:
        raise wrong(_NOTES)
    if not 0 <= first <= last <= 127:
        raise wrong(_NOTES, "The lower note comes first." if last < first else "")
    return Notes(str(value) if isinstance(value, str) else value, tuple(range(first, last + 1)))


def _note(text: str) -> int:
    if text.isdigit():
        return int(text)
    letter, rest = text[0].upper(), text[1:]
    semitone = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter]
    shift = {"#": 1, "b": -1}.get(rest[0], 0)
    return semitone + shift + 12 * (int(rest[1:] if shift else rest) + 1)


NoteWord = Annotated[
    Notes,
    BeforeValidator(_notes),
    PlainSerializer(lambda notes: notes.written),
    WithJsonSchema({"type": ["integer", "string", "array"], "description": _NOTES}),
]


@dataclass(frozen=True)
class Column(FileRef):
    """A column of a table, and the file that holds it; without a name, the only one beside the times."""

    column: str = ""

    def __str__(self) -> str:
        return f"{self.written}#{self.column}" if self.column else self.written


def _column(value: Any) -> Column:
    if isinstance(value, Column):
        return value
    if not isinstance(value, str):
        raise wrong("wanted a table and its column: automation.csv#cutoff")
    name, sign, column = value.rpartition("#") if "#" in value else (value, "", "")
    if sign and not column.strip():
        raise wrong("after the # comes the name or number of a column", "For instance automation.csv#cutoff.")
    found = existing_file(Text(name, value.folder) if isinstance(value, Text) else name, "a table such as a.csv#cutoff")
    return Column(name, found.path, column.strip())


def _midi(value: Any) -> FileRef:
    return existing_file(value, "a MIDI file")


MidiPath = Annotated[FileRef, BeforeValidator(_midi), PlainSerializer(str), WithJsonSchema({"type": "string"})]
ColumnPath = Annotated[Column, BeforeValidator(_column), PlainSerializer(str), WithJsonSchema({"type": "string"})]

_SOUND = frozenset(HEARD)
APPLIES: dict[str, frozenset[str]] = {
    "low": frozenset(
        {"rms", "onset", "band", "mel", "mfcc", "centroid", "flatness", "flux", "harmonic", "percussive", "pitch"}
    ),
    "high": frozenset(
        {"rms", "onset", "band", "mel", "mfcc", "centroid", "flatness", "flux", "harmonic", "percussive", "pitch"}
    ),
    "bands": frozenset(DEFAULT_BANDS),
    "join": frozenset({"mel"}),
    "detector": frozenset({"onset"}),
    "kind": frozenset({"chroma"}),
    "part": _SOUND - {"harmonic", "percussive"},
    "margin": _SOUND,
    "of": frozenset(KINDS),
    "midi": frozenset({"midi"}),
    "note": frozenset({"midi"}),
    "controller": frozenset({"midi"}),
    "channel": frozenset({"midi"}),
    "csv": frozenset({"csv"}),
    "interpolate": frozenset({"csv"}),
}
"""Which words go with which kinds."""


class Source(BaseModel):
    """What is listened to."""

    source: Annotated[str, Choice({**KINDS, **AUTOMATION}, "signal")] = Field(
        alias="from", description="what is heard: " + helps(KINDS)
    )
    low: Annotated[
        Number | None,
        Field(ge=0, le=11025, description="lowest frequency heard, Hz (not for chroma, tonnetz, contrast, beats)"),
    ] = None
    high: Annotated[Number | None, Field(gt=0, le=11025, description="highest frequency heard, Hz")] = None
    of: Annotated[
        AudioPath | None, Field(description="another sound or video file to listen to instead, such as a stem")
    ] = None
    bands: Annotated[
        Whole | None,
        Field(ge=2, le=MOST_JOINED, description="how many bands there are (mel: 8, mfcc: 13, contrast: 7 at most)"),
    ] = None
    join: Annotated[
        Annotated[str, Choice(JOINS, "way to join")] | None,
        Field(description="one curve of all `bands` (128) of a mel, weighted by their width: " + helps(JOINS)),
    ] = None
    detector: Annotated[
        Annotated[str, Choice(DETECTORS, "detector")] | None,
        Field(description="what counts as an onset: " + helps(DETECTORS)),
    ] = None
    kind: Annotated[
        Annotated[str, Choice(CHROMAS, "kind of chroma")] | None,
        Field(description="of a chroma: " + helps(CHROMAS)),
    ] = None
    part: Annotated[
        Annotated[str, Choice(PARTS, "part")] | None,
        Field(description="listen to one part only: " + helps(PARTS)),
    ] = None
    margin: Annotated[
        Number | None,
        Field(ge=1, le=100, description="how much the part must outweigh the other to belong to it (1)"),
    ] = None
    midi: Annotated[MidiPath | None, Field(description="a MIDI file: its notes or a controller")] = None
    note: Annotated[
        NoteWord | None,
        Field(
            description="MIDI notes that strike, by velocity: 36, C4 (60), 36-40 or a list; all where nothing is said"
        ),
    ] = None
    controller: Annotated[Whole | None, Field(ge=0, le=127, description="a MIDI controller instead of notes")] = None
    channel: Annotated[Whole | None, Field(ge=1, le=16, description="one MIDI channel; all where nothing is said")] = (
        None
    )
    csv: Annotated[
        ColumnPath | None,
        Field(description="a table with times in seconds in its first column, and `#` the column's name or number"),
    ] = None
    interpolate: Annotated[
        Annotated[str, Choice(INTERPOLATIONS, "interpolation")] | None,
        Field(description="between rows: " + helps(INTERPOLATIONS)),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _named_by_its_file(cls, value: Any) -> Any:
        """``{midi: take.mid}`` is short for ``{from: midi, midi: take.mid}``, and so with a table."""
        if isinstance(value, dict) and "from" not in value:
            kind = next((kind for kind in AUTOMATION if value.get(kind) is not None), None)
            value = value if kind is None else {"from": kind, **value}
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> Source:
        for word, kinds in APPLIES.items():
            if getattr(self, word) is not None and self.source not in kinds:
                hint = f"It goes with: {listed(sorted(kinds))}."
                raise wrong(f"`{word}` doesn't apply to {self.source}", hint, key=word)
        if self.source in AUTOMATION and getattr(self, self.source) is None:
            raise wrong(f"which file? Write {AUTOMATION[self.source].split('`')[1]}")
        if self.source == "band" and self.low is None and self.high is None:
            raise wrong("a band wants `low`, `high` or both, in Hz")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise wrong(f"`low` ({self.low:g} Hz) must be below `high` ({self.high:g} Hz)")
        if self.margin is not None and self.part is None and self.source not in PARTS:
            raise wrong("`margin` goes with `part: harmonic` or `part: percussive`", key="margin")
        least, most = BANDS.get(self.source, (0, 0))
        most = MOST_JOINED if self.join is not None else most
        if self.bands is not None and not least <= self.bands <= most:
            raise wrong(f"{self.source} has from {least} to {most} bands", key="bands")
        if self.controller is not None and self.note is not None:
            raise wrong("`note` and `controller` can't both be given", "Declare two signals.")
        return self

    @property
    def automated(self) -> bool:
        """Whether it comes from elsewhere than music."""
        return self.source in AUTOMATION

    @property
    def band_names(self) -> tuple[str, ...]:
        """The names of its bands in expressions; none for a single curve."""
        if self.source == "chroma":
            return PITCHES
        if self.join is not None:
            return ()
        count = TONNETZ if self.source == "tonnetz" else self.bands or DEFAULT_BANDS.get(self.source, 0)
        return tuple(str(band) for band in range(count)) if self.source in (*DEFAULT_BANDS, "tonnetz") else ()

    def band_at(self, name: str) -> int | None:
        """Which band a name in an expression means; None where there is no such band."""
        name = FLATS.get(name, name) if self.source == "chroma" else name
        return self.band_names.index(name) if name in self.band_names else None
