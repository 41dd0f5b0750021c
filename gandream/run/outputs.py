"""What a render makes: films and animations joined from segments, and folders of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from unicodedata import category

from gandream.audio.playable import playable
from gandream.base.errors import OutputError
from gandream.base.files import writable_folder
from gandream.base.hashing import content_key, file_fingerprint
from gandream.recipe.recipe import Recipe
from gandream.rendering.device import Kind
from gandream.rendering.numbered import PictureSink, lacking_in, picture_keys
from gandream.rendering.plan import Segment
from gandream.rendering.reel import Reel
from gandream.rendering.segments import SegmentSink
from gandream.rendering.store import Store, sweep
from gandream.run import manifest
from gandream.run.prepare import Prepared
from gandream.video import animation, join, sound
from gandream.video.pictures import SUFFIX as PICTURES
from gandream.video.pictures import PictureFolder, PictureFormat
from gandream.video.quality.looks import Looks


@dataclass(frozen=True)
class Output:
    """One output of a render."""

    recipe: Recipe
    """With this output alone."""
    target: Path
    prepared: Prepared
    reel: Reel

    @property
    def first(self) -> int:
        """The first frame that is asked for."""
        return self.reel.start

    @property
    def frames(self) -> int:
        """How many are."""
        return self.reel.frames

    @property
    def segments(self) -> list[str]:
        """The keys of what the store keeps of it."""
        return [segment.key for segment in self.reel.segments]

    @property
    def text(self) -> str:
        """The recipe as it is written."""
        return manifest.recipe_text(self.recipe)

    @property
    def title(self) -> str:
        """The title that is said, or the recipe's name, in one line: what isn't text can't be told to a program."""
        said = self.recipe.title or Path(self.recipe.document.file or self.target).stem
        return " ".join("".join(" " if category(one) in ("Cc", "Cs") else one for one in said).split())


class FilmOutput(Output):
    """A film, or an animation, that is joined from its segments."""

    @property
    def animated(self) -> bool:
        """Whether it is an animation, which has no sound."""
        return self.recipe.video.file in animation.KINDS

    @cached_property
    def key(self) -> str:
        """Content key of the whole file."""
        music, keys = self.prepared.score.music, [segment.key for segment in self.reel.segments]
        title = self.recipe.title
        if self.animated:
            coding = [animation.REVISION, self.recipe.video.file, self.recipe.video.coding.crf]
            return content_key("animation", keys, coding, title, self.text)
        heard = None if music is None else [sound.REVISION, music.fingerprint, self.sound_start, self.gain_db]
        return content_key("film", join.REVISION, keys, heard, title, self.text)

    @property
    def sound_start(self):
        """Second of the music that is heard at the first frame."""
        return self.prepared.score.trajectory.timeline.start_s + self.reel.start / self.reel.fmt.fps

    @property
    def gain_db(self) -> float:
        """How much louder the music is in the film."""
        return 0.0 if self.recipe.audio is None else self.recipe.audio.gain_db

    def warnings(self) -> list[str]:
        """What should be known of it."""
        fps = self.reel.fmt.fps
        step = animation.every(self.recipe.video.file, fps) if self.animated else 1
        if step == 1:
            return []
        which = {2: "2nd", 3: "3rd"}.get(step, f"{step}th")
        kind = self.recipe.video.file
        why = f"players show at most {float(1 / animation.KINDS[kind].shortest_s):.0f} frames per second"
        return [f"video.file {kind}: {why}, so every {which} of the {float(fps):g} is kept"]

    def there(self) -> bool:
        """Whether it is finished and whole."""
        return manifest.describes(self.target, self.key)

    def missing(self, store: Store) -> dict[Segment, range]:
        """The segments that are to be rendered."""
        there = store.find_all(segment.key for segment in self.reel.segments)
        lacking = (segment for segment in self.reel.segments if segment.key not in there)
        return {segment: range(segment.start, segment.stop) for segment in lacking}

    def begin(self) -> None:
        """Be ready for its pictures."""

    def sink(self, store: Store) -> SegmentSink:
        """Where its pictures go."""
        return SegmentSink(self.reel.fmt, store)

    def finish(self, store: Store, heard: Path | None) -> None:
        """Join it with its sound."""
        there = store.find_all(segment.key for segment in self.reel.segments)
        lengths = [segment.frames for segment in self.reel.segments]
        try:
            segments = [there[segment.key] for segment in self.reel.segments]
        except KeyError:
            problem = "segments vanished while the film was made"
            raise OutputError(str(store.segments), problem, "Run the same command again.") from None
        fmt, video, target = self.reel.fmt, self.recipe.video, self.target
        title, text = self.title, self.text
        if self.animated:
            kind, crf = video.file, video.coding.crf
            animation.animate(segments, lengths, fmt, target, kind, crf=crf, title=title, recipe_text=text)
        else:
            join.join(segments, lengths, fmt, target, sound=heard, title=title, recipe_text=text)

    @contextmanager
    def sound(self) -> Iterator[Path | None]:
        """Its sound, encoded; None where it has none."""
        if self.animated or self.recipe.audio is None:
            yield None
            return
        with playable(self.recipe.audio.path) as path:
            heard = sound.Sound(path, self.sound_start, self.gain_db)
            with join.encoded(heard, self.frames / self.reel.fmt.fps, self.target, self.reel.fmt) as encoded:
                yield encoded

    def looks(self, store: Store) -> Looks | None:
        """What its frames look like; None where its segments are gone."""
        return store.looks(segment.key for segment in self.reel.segments)

    def digest(self) -> str:
        """SHA-256 of the file."""
        return file_fingerprint(self.target)


@dataclass(frozen=True)
class PictureOutput(Output):
    """A folder of pictures, numbered in the whole film; of a part of the film, those of its frames."""

    asked: range = range(0)

    @property
    def segments(self) -> list[str]:
        """None: the folder keeps its own."""
        return []

    @property
    def first(self) -> int:
        """The first frame that is asked for; the segments, which are always whole, may begin before it."""
        return self.asked.start

    @property
    def frames(self) -> int:
        """How many are."""
        return len(self.asked)

    @cached_property
    def folder(self) -> PictureFolder:
        """The folder and its list."""
        fmt, coding = self.reel.fmt, self.recipe.video.coding
        return PictureFolder(self.target, PictureFormat(coding.file, fmt.fps, coding.depth, coding.alpha, coding.crf))

    @cached_property
    def keys(self) -> Mapping[int, str]:
        """Of each frame."""
        return picture_keys(self.reel, self.folder, self.asked)

    @cached_property
    def key(self) -> str:
        """Content key of all pictures that are asked for."""
        return content_key("pictures", list(self.keys.values()), self.recipe.title, self.text)

    def warnings(self) -> list[str]:
        """What should be known of it."""
        return []

    def there(self) -> bool:
        """Whether all pictures are there and whole, and say the same of themselves."""
        return manifest.key_of(self.target) == self.key and not self.folder.lacking(self.keys)

    def missing(self, store: Store) -> dict[Segment, range]:
        """The segments of which pictures are to be made, and from which to which."""
        lacking = self.folder.lacking(self.keys)
        parts = {segment: lacking_in(segment, lacking) for segment in self.reel.segments}
        return {segment: frames for segment, frames in parts.items() if frames}

    def begin(self) -> None:
        """Make the folder, with a list that says whose it is."""
        writable_folder(self.target)
        self.folder.claim(manifest.relative(self.recipe, self.target))
        sweep(self.target)

    def sink(self, store: Store) -> PictureSink:
        """Where its pictures go."""
        return PictureSink(self.folder, self.keys, store, self.reel.fmt.frame_bytes)

    @contextmanager
    def sound(self) -> Iterator[Path | None]:
        """None: pictures are silent."""
        yield None

    def finish(self, store: Store, heard: Path | None) -> None:
        """Say whose they are, in the first picture too, and remove what an older, longer film has left."""
        self.folder.claim(manifest.relative(self.recipe, self.target))
        self.folder.stamp(self.first, self.keys[self.first], self.title, self.text)
        self.folder.remove_beyond(self.prepared.score.trajectory.frames)

    def looks(self, store: Store) -> Looks | None:
        """What its pictures look like; None where one has no statistics."""
        return self.folder.looks(self.asked)

    def digest(self) -> str:
        """SHA-256 of all pictures'."""
        return self.folder.digest(self.asked)


def outputs(
    targets: list[Path], prepared: Prepared, device: Kind, frames: tuple[int, int] | None
) -> list[FilmOutput | PictureOutput]:
    """The outputs of a recipe at their places."""
    made: list[FilmOutput | PictureOutput] = []
    for number, target in enumerate(targets):
        recipe = prepared.recipe.as_output(number)
        if recipe.video.file not in PICTURES:
            made.append(FilmOutput(recipe, target, prepared, prepared.reel(device, frames, number)))
            continue
        whole = prepared.reel(device, None, number)
        start, stop = frames or (0, whole.frames)
        seen = tuple(segment for segment in whole.segments if segment.start < stop and start < segment.stop)
        made.append(PictureOutput(recipe, target, prepared, replace(whole, segments=seen), range(start, stop)))
    return made
