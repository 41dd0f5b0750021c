"""Finding and running ffmpeg: the one that imageio-ffmpeg brings, so that no other program is needed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
import signal
import subprocess
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gandream.base.errors import RenderError

QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error")

BITEXACT = ("-fflags", "+bitexact", "-flags", "+bitexact")
"""Options of an output: no dates, no version of the machine's libraries, no random identifiers."""

_APART = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""On Windows what ``start_new_session`` is elsewhere: the terminal's Ctrl-C doesn't reach the child."""
SOUND_CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,iff,ircam,loas,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts,"
    "mxf,nistsphere,nut,ogg,oma,qoa,rm,shn,sox,tak,truehd,tta,voc,w64,wav,wv,xwma"
)
"""Names of the demuxers of files that hold sound. No playlists (hls, dash, concat): those open other files."""

FROM_ZERO = "aresample=async=1:first_pts=0"
"""The filter that makes sample 0 the file's second 0: it fills and cuts what starts late or early, as a player does.

Whoever decodes sound begins with it: what is analysed and what is heard then have the same clock.
"""

_RUNNING: weakref.WeakSet[subprocess.Popen[bytes]] = weakref.WeakSet()
"""What was started and may still run: facts about this process, for the one who must end them all."""
_LISTED = threading.RLock()  # a signal's handler may come while its own thread has it
_ENDED = threading.Event()

_TAGS = re.compile(r"^(?:\[[^\]]*\] ?)+")
"""Who says it: ``[out#0/mp4 @ 0x55c80a1f] ``, whose address is another in every run."""
_CONSEQUENCES = re.compile(
    r"Conversion failed|Task finished|Terminating thread|Nothing was written|Last message repeated|"
    r"Error (?:opening (?:in|out)put file|closing file|writing trailer|sending frames|muxing|submitting)|"
    r"Error while opening encoder|Could not open encoder|At least one output file"
)
"""What ffmpeg also says once something has failed."""
_ADVICE = {
    "No space left on device|Disk quota exceeded": "The disk is full: make room, or choose another place with -o.",
    "Cannot allocate memory|Out of memory|malloc": "Memory is short: close other programs, or make video.size smaller.",
    "Permission denied|Read-only file system": "It may not write or read there: choose another place.",
    "Cannot load |No capable devices|Device creation failed|OpenEncodeSession|InitializeEncoder": (
        "The GPU's encoder doesn't work here: take `encoder: software`."
    ),
    "Unknown encoder|Unrecognized option|Option .{1,60} not found|No such filter|Unknown decoder": (
        "It is too old, or was built without that: `gandream doctor` says which codecs it has."
    ),
    "Invalid data found|moov atom not found|could not find codec parameters": "Does the file play? It may be damaged.",
}
"""What to do, by what ffmpeg says; the first that fits."""


@functools.cache
def executable() -> str:
    """Path of ffmpeg (``IMAGEIO_FFMPEG_EXE`` names another one)."""
    import imageio_ffmpeg

    again = "pip install --force-reinstall imageio-ffmpeg"
    try:
        found = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise RenderError("ffmpeg", "no ffmpeg is here", again) from error
    if shutil.which(found) is None:
        named = os.environ.get("IMAGEIO_FFMPEG_EXE") == found
        hint = "IMAGEIO_FFMPEG_EXE names it: mend or unset that variable." if named else again
        raise RenderError("ffmpeg", f"{found} is no program that can be run", hint)
    return found


@functools.cache
def build() -> str:
    """What identifies this ffmpeg: its version line and a hash of its configuration and library versions."""
    text = run("-version").decode("utf-8", "replace")
    return f"{text.splitlines()[0].split(' Copyright')[0]} [{hashlib.sha256(text.encode()).hexdigest()[:12]}]"


@functools.cache
def encoders() -> frozenset[str]:
    """Names of the encoders that this ffmpeg was built with."""
    lines = run("-encoders").decode("utf-8", "replace").split("------", 1)[-1].splitlines()
    return frozenset(line.split()[1] for line in lines if len(line.split()) > 1)


def file_url(path: str | Path) -> str:
    """A path as ffmpeg's own name for a file: colons, percent signs and leading dashes in it mean nothing."""
    return "file:" + os.path.abspath(path)


def media(path: str | Path) -> tuple[str, ...]:
    """Arguments that open a person's media file as an input, which may reach nothing but files."""
    return ("-protocol_whitelist", "file", "-i", file_url(path))


def sound(path: str | Path) -> tuple[str, ...]:
    """Arguments that open a person's file as an input of sound."""
    return ("-format_whitelist", SOUND_CONTAINERS, "-vn", "-sn", "-dn", *media(path))


def spawn(
    arguments: Sequence[str | Path], *, stdin: int | None = None, stdout: int | None = None
) -> subprocess.Popen[bytes]:
    """Start ffmpeg where Ctrl-C, which is for us, doesn't reach; its stderr is a pipe that must be read."""
    command = [executable(), *map(str, arguments)]
    with _LISTED:  # so that none is started, and not yet listed, while all are ended
        if _ENDED.is_set():
            raise RenderError("ffmpeg", "the program is being stopped")
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.DEVNULL if stdout is None else stdout,
            stderr=subprocess.PIPE,
            start_new_session=True,
            creationflags=_APART,
        )
        _RUNNING.add(process)
        return process


LINES_KEPT = 20


class Reading:
    """An ffmpeg whose output is read, and what it says beside it."""

    def __init__(self, process: subprocess.Popen[bytes], hear: Callable[[bytes], None] | None):
        assert process.stdout is not None, "it is a pipe"
        assert process.stderr is not None, "it is always a pipe"
        self.process, self.out, self._stderr = process, process.stdout, process.stderr
        self._said: list[bytes] = []
        # A badly broken file makes ffmpeg talk without end; who doesn't listen blocks it.
        self._listener = threading.Thread(target=self._listen, args=(hear or self._keep,), daemon=True)
        self._listener.start()

    def _listen(self, hear: Callable[[bytes], None]) -> None:
        for line in self._stderr:
            hear(line)

    def _keep(self, line: bytes) -> None:
        if len(self._said) < LINES_KEPT:
            self._said.append(line)

    def ended(self) -> int:
        """Wait for its end, and until all that it said is heard; gives its status."""
        self.process.wait()
        self._listener.join()
        return self.process.returncode

    @property
    def said(self) -> bytes:
        """Its first lines, if nobody else hears them; all of them once it has ended."""
        return b"".join(self._said)

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.ended()
        self.out.close()
        self._stderr.close()


@contextlib.contextmanager
def reading(arguments: Sequence[str | Path], hear: Callable[[bytes], None] | None = None) -> Iterator[Reading]:
    """Run ffmpeg with an output of ``pipe:1`` that is read here; ``hear`` is told each line of what it says."""
    found = Reading(spawn(arguments, stdout=subprocess.PIPE), hear)
    try:
        yield found
    finally:
        found.close()


def end_all() -> None:
    """Kill every ffmpeg that this process has running, and start none any more; those who wait for them find out."""
    _ENDED.set()
    with _LISTED:
        running = tuple(_RUNNING)
    for process in running:
        with contextlib.suppress(OSError):
            process.kill()  # does nothing to one that has ended
    for process in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)  # dead, it makes no file anew


def run(*arguments: str | Path) -> bytes:
    """Run ffmpeg to its end and give what it wrote to standard output; its own words are the error."""
    with spawn(["-hide_banner", *arguments], stdout=subprocess.PIPE) as process:
        try:
            said, stderr = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise failure("ffmpeg", process.returncode, stderr)
    return said


def describe(path: str | Path) -> str:
    """What ffmpeg prints about a media file: its container, its streams, its metadata."""
    command = [executable(), "-hide_banner", "-nostdin", *media(path)]
    # It ends with an error, since no output is named; whether it could read the file is in the text.
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True, creationflags=_APART
    ).stderr.decode("utf-8", "replace")


def failure(where: str, status: int, stderr: bytes) -> RenderError:
    """The error of an ffmpeg that ended with a status other than 0, in its own words."""
    if status < 0:
        names = {int(number): number.name for number in signal.Signals}
        name = names.get(-status, f"signal {-status}")
        hint = f"ffmpeg was ended by {name}. Perhaps memory is short: close other programs, or make video.size smaller."
        words = last_words(stderr) if stderr.strip() else "ffmpeg was ended from outside"
        return RenderError(where, words, hint)
    return RenderError(where, last_words(stderr), f"ffmpeg ended with status {status}. {_advice(stderr)}")


def _advice(stderr: bytes) -> str:
    """What to do about what ffmpeg said."""
    for words, advice in _ADVICE.items():
        if re.search(words.encode(), stderr, re.IGNORECASE):
            return advice
    return "`gandream doctor` says which ffmpeg this is, and what it can do."


def out_of_room(stderr: bytes) -> bool:
    """Whether ffmpeg says that the disk is full."""
    return b"No space left on device" in stderr or b"Disk quota exceeded" in stderr


def last_words(stderr: bytes, lines: int = 3) -> str:
    """The end of what ffmpeg said, in one line: what failed, not what followed from it."""
    said = [_TAGS.sub("", line.strip()) for line in stderr.decode("utf-8", "replace").splitlines()]
    said = [line for line in dict.fromkeys(said) if line]
    causes = [line for line in said if not _CONSEQUENCES.search(line)]
    return " / ".join((causes or said)[-lines:]) or "ffmpeg said nothing"
