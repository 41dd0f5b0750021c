"""What may come next on a command line, for shells: commands, options, and values by the name that their help shows.

Nothing heavy is loaded: words of recipes come from the JSON Schema that ships.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import typer

from gandream.base import assets
from gandream.cli.help import summary

RECIPES = (".yaml", ".yml")
FILMS = (".mp4", ".mov", ".mkv", ".webm", ".gif", ".png", ".apng", ".webp", ".json")
CHECKPOINTS = (".safetensors", ".pkl", ".pt", ".pth", ".npz", ".gz", ".ckpt", ".bin")
ENDS = 40
"""What is tried at most below a word of a recipe, so that words that hold themselves come to an end."""


class Found(NamedTuple):
    """What may stand there; after what isn't the ``end`` of a word no space comes."""

    text: str
    about: str = ""
    end: bool = True


def complete(app: typer.Typer, shell: str, words: list[str]) -> None:
    """Print what may come next, a line each, as the shell's script wants it."""
    if shell == "bash":
        print("".join(f"{line}\n" for line in _for_bash(app, *words[:2])), end="")
        return
    if shell == "powershell":
        words = os.environ.get("_GANDREAM_WORDS", "").split("\n")
    for one in candidates(app, words or [""]):
        print(f"{one.text}\t{one.about}" if one.about else one.text)


def candidates(app: typer.Typer, words: list[str]) -> list[Found]:
    """What the last word may become, after those before it."""
    command: Any = typer.main.get_command(app)
    before, begun, waiting, places = words[:-1], words[-1], None, 0
    for word in before:
        if waiting is not None:
            waiting = None
        elif word.startswith("-") and len(word) > 1:
            waiting = _option(command, word) if "=" not in word else None
        elif hasattr(command, "commands"):
            command = command.commands.get(word)
            if command is None:
                return []
        else:
            places += 1
    if waiting is not None:
        found = _values(command, waiting, begun)
    elif begun.startswith("--") and "=" in begun:
        name, _, value = begun.partition("=")
        param = _option(command, name)
        values = () if param is None else _values(command, param, value)
        found = [one._replace(text=f"{name}={one.text}") for one in values]
    elif begun.startswith("-"):
        found = _options(command)
    elif hasattr(command, "commands"):
        found = [Found(one.name, summary(one.help or "")) for one in command.commands.values()]
    else:
        params = [one for one in command.params if one.param_type_name == "argument"]
        last = params[places:] or [one for one in params[-1:] if one.nargs == -1]
        found = _values(command, last[0], begun) if last else []
    fitting = sorted((one for one in found if one.text.startswith(begun)), key=lambda one: (one.text, not one.about))
    return list({one.text: one for one in reversed(fitting)}.values())[::-1]


def _option(command: Any, name: str) -> Any:
    """The option of this name, where it takes a value."""
    for one in command.params:
        if one.param_type_name == "option" and name in one.opts and not getattr(one, "is_flag", False):
            return one
    return None


def _options(command: Any) -> list[Found]:
    own = [
        Found(name, summary(one.help or ""))
        for one in command.params
        if one.param_type_name == "option"
        for name in (*one.opts, *one.secondary_opts)
        if name.startswith("--")
    ]
    return [*own, Found("--help", "Show this page and stop.")]


def _values(command: Any, param: Any, begun: str) -> Iterable[Found]:
    """What a value may be, by the name that help shows for it."""
    name = (param.metavar or param.name.upper()).strip("[]").removesuffix("...")
    if make := VALUES.get(f"{command.name} {name}", VALUES.get(name)):
        return make(begun)
    if re.fullmatch(r"[a-z0-9]+(\|[a-z0-9]+)+", name):
        return [Found(word) for word in name.split("|")]
    if re.match(r"FILE|FOLDER|DATA|A$|B$|SOURCE|OUT", name):
        return _files(begun, None)
    return []


def _files(begun: str, suffixes: tuple[str, ...] | None) -> list[Found]:
    """Files of these kinds, or all, and folders."""
    folder, slash, start = begun.rpartition("/")
    found = []
    try:
        entries = sorted(os.scandir(os.path.expanduser(folder + slash) or "."), key=lambda one: one.name)
    except OSError:
        return []
    for one in entries:
        if not one.name.startswith(start) or (one.name.startswith(".") and not start) or not one.name.isprintable():
            continue  # of a name with line breaks a shell would see two
        if one.is_dir():
            found.append(Found(f"{folder}{slash}{one.name}/", end=False))
        elif suffixes is None or one.name.lower().endswith(suffixes):
            found.append(Found(f"{folder}{slash}{one.name}"))
    return found


def _recipes(begun: str) -> list[Found]:
    return _files(begun, RECIPES)


def _begin_with(begun: str) -> Iterator[Found]:
    yield from (Found(name, "ships with gandream") for name in assets.recipes())
    yield from _recipes(begun)


def _songs(begun: str) -> Iterator[Found]:
    names = assets.bundled("music", (".flac", ".ogg", ".wav", ".mp3", ".opus"))
    yield from (Found(f"{assets.BUNDLED}{name}", "ships with gandream") for name in names)
    yield from _files(begun, None)


def _added(begun: str = "") -> list[Found]:
    from gandream.models.catalogue.shelf import added

    return [Found(one.name, "added") for one in added()]


def _models(begun: str) -> Iterator[Found]:
    yield Found("cppn#", "drawn by chance, any size", end=False)
    yield from (Found(name, "ships with gandream") for name in assets.bundled("models", (".safetensors",)))
    yield from _added()
    yield from _files(begun, CHECKPOINTS)


def _known(begun: str) -> Iterator[Found]:
    from gandream.models.catalogue.known import KNOWN

    yield from (Found(name, entry.about) for name, entry in KNOWN.items())


def _jobs(begun: str) -> list[Found]:
    return [Found(str(job.id), f"{job.task.name}: {job.state}") for job in _queue_of("jobs")]


def _batches(begun: str) -> list[Found]:
    return [Found(batch) for batch in _queue_of("batches")]


def _states(begun: str) -> list[Found]:
    from gandream.run.jobs.records import STATES

    return [Found(state) for state in STATES]


def _queue_of(what: str) -> list[Any]:
    """What the queue of the usual folder holds; nothing where there is none."""
    from gandream.base.errors import GandreamError
    from gandream.run.jobs.folder import jobs_folder, queue_file
    from gandream.run.jobs.queue import Queue

    try:
        if queue_file(jobs_folder()).exists():
            with Queue(jobs_folder()) as queue:
                return getattr(queue, what)()
    except GandreamError:  # a command that is run says it
        pass
    return []


def _words(begun: str) -> Iterator[Found]:
    """Words of recipes and their values: ``video.codec=h264``."""
    schema = json.loads((assets.folder() / "schema" / "gandream.schema.json").read_text(encoding="utf-8"))
    key, equals, value = begun.partition("=")
    *path, last = key.split(".")
    here = [schema]
    for name in (*path, last) if equals else path:
        here = [one[name] for node in here for one in _properties(node, schema) if name in one]
    stem = "".join(f"{name}." for name in path)
    if equals:
        *earlier, _ = value.split(",")
        start = "".join(f"{one}," for one in earlier)
        yield from (Found(f"{key}={start}{one}") for one in _choices(here, schema))
        return
    for node in here:
        for properties in _properties(node, schema):
            for name, below in properties.items():
                deeper = any(True for _ in _properties(below, schema))
                about = (
                    re.split(r"[;:`]", below.get("description", ""), maxsplit=1)[0] if isinstance(below, dict) else ""
                )
                yield Found(f"{stem}{name}=", about, end=False)
                if deeper:
                    yield Found(f"{stem}{name}.", "", end=False)


def _nodes(node: Any, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A place of the schema with all that it refers to or consists of."""
    waiting, seen = [node], 0
    while waiting and seen < ENDS:
        one = waiting.pop(0)
        if not isinstance(one, dict):
            continue
        seen += 1
        yield one
        if "$ref" in one:
            waiting.append(schema["$defs"].get(one["$ref"].rpartition("/")[2]))
        waiting += chain(*(one.get(how, ()) for how in ("anyOf", "oneOf", "allOf")))
        waiting += [one.get(how) for how in ("then", "else")]


def _properties(node: Any, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (one["properties"] for one in _nodes(node, schema) if "properties" in one)


def _choices(nodes: Iterable[Any], schema: dict[str, Any]) -> Iterator[str]:
    for node in nodes:
        for one in _nodes(node, schema):
            yield from (str(word) for word in one.get("enum", ()) if isinstance(word, str))
            if one.get("type") == "boolean":
                yield from ("true", "false")


VALUES: dict[str, Callable[[str], Iterable[Found]]] = {
    "RECIPE": _recipes,
    "new RECIPE": _begin_with,
    "new FILE": _songs,
    "surprise FILE": _songs,
    "RECIPE|MODEL": lambda begun: chain(_recipes(begun), _models(begun)),
    "RECIPE|SOUNDFILE": lambda begun: _files(begun, None),
    "FILM": lambda begun: _files(begun, FILMS),
    "DEVICE": lambda begun: [Found(word) for word in ("auto", "cpu", "cuda", "mps")],
    "MODEL": _models,
    "add NAME": _known,
    "remove NAME": _added,
    "ID": _jobs,
    "BATCH": _batches,
    "STATE": _states,
    "KEY=VALUE": _words,
    "KEY=V1,V2..": _words,
}
"""What a value may be, by its name in the help, with a command before it where it means something else there."""


def _for_bash(app: typer.Typer, line: str = "", breaks: str = " \t\n\"'@><=;|&(:") -> Iterator[str]:
    """The ends of words, since bash cuts words at colons and equals signs too and replaces only the last piece."""
    words, raw, quoted = _split(line)
    pieces = re.findall(r"\\.|.", "" if quoted else raw)
    cut = max((at + 1 for at, piece in enumerate(pieces) if piece in breaks), default=0)
    for one in candidates(app, words[1:] or [""]):
        rest = one.text[cut:]
        unquoted = re.sub(r"([\s\"'\\$`&;|<>()*?\[\]{}!#~])", r"\\\1", rest) + (" " if one.end else "")
        yield _inside[quoted](rest) if quoted else unquoted


_inside: dict[str, Callable[[str], str]] = {
    '"': lambda text: re.sub(r'(["\\$`])', r"\\\1", text),
    "'": lambda text: text.replace("'", "'\\''"),
}
"""How bash is told a text as it is, inside of a quotation mark."""


def _split(line: str) -> tuple[list[str], str, str]:
    """The words of a line, its last one as it is written, and the quotation mark that is open in it."""
    for close in ("", '"', "'"):
        try:
            words = shlex.split(line + close)
        except ValueError:
            continue
        begins = not line or (line[-1].isspace() and not close and not line.endswith("\\ "))
        if begins:
            return [*words, ""], "", ""
        raw = re.split(r"(?<!\\)\s", line)[-1] if not close else line[line.rindex(close) :]
        return words, raw, close
    return [], "", ""
