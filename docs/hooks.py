"""What the site gets besides the pages that are written by hand: reference, recipes, commands, pages beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from gandream.cli.main import app
from gandream.run.reference.pages import pages
from gandream.run.reference.topics import topics

DOCS = Path(__file__).resolve().parent
PICTURES = DOCS / "pages" / "pictures"
RECIPES = DOCS.parent / "recipes"
BESIDE = ("coming_from.md", "changelog.md")
"""Pages that are read on their own too, where they lie."""
MEANT = {
    "Over the picture": "effects",
    "Even pace": "walk",
    "curves and functions": "curves",
    "Films: files and codecs": "video",
    "Animations, folders of pictures, several outputs": "video",
}
"""Topics of the reference that the sections of ``language.md`` belong to, where they have another name."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Lay the reference's pages into the navigation, words first."""
    listed = [{topic.name: f"reference/{topic.name}.md"} for topic in topics()]
    for entry in config.nav or []:
        if isinstance(entry, dict) and "Reference" in entry:
            entry["Reference"] = [{"All topics": "reference/index.md"}, *listed]
    if config.nav is not None and (DOCS / "changelog.md").is_file():
        config.nav.append({"Changes": "changelog.md"})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    made = {f"reference/{name}": text for name, text in pages(prose(), shown).items()}
    made |= {"recipes.md": recipes(), "commands.md": commands()}
    made |= {name: _linked(DOCS / name) for name in BESIDE if (DOCS / name).is_file()}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def prose() -> dict[str, str]:
    """What ``language.md`` says of each topic, beyond what is declared."""
    parts: dict[str, str] = {}
    for section in (DOCS / "language.md").read_text("utf-8").split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        topic = MEANT.get(heading, heading)
        headed = f"## {heading}\n\n" if heading in MEANT and topic in parts else ""
        parts[topic] = "\n\n".join(filter(None, [parts.get(topic, ""), headed + text.strip()]))
    return parts


def shown(name: str) -> str:
    """The pictures that were drawn of a thing, as HTML."""
    way, strip = PICTURES / f"{name}.svg", PICTURES / f"{name}.webp"
    drawn = way.read_text("utf-8").strip() if way.is_file() else ""
    image = f'<img src="../pictures/{strip.name}" alt="{name}" loading="lazy">' if strip.is_file() else ""
    return f'<div class="shown">{drawn}{image}</div>' if drawn or image else ""


def recipes() -> str:
    """Every recipe with its idea, which is its first comment, a strip of its frames, and its text."""
    lines = [
        "# Recipes",
        "",
        "Each recipe shows one idea. They are in the folder `recipes` of gandream; "
        "`gandream render recipes/NAME.yaml` makes the film.",
        "",
    ]
    for file in sorted(RECIPES.glob("*.yaml")):
        text = file.read_text("utf-8").strip()
        idea = re.match(r"((?:#.*\n)*)", text)
        about = [line.lstrip("# ").rstrip() for line in (idea[1] if idea else "").splitlines()]
        told = " ".join(line for line in about if not re.search(r"^gandream |yaml-language-server", line))
        strip = PICTURES / f"recipe.{file.stem}.webp"
        picture = f'<figure><img src="pictures/{strip.name}" alt="{file.stem}" loading="lazy"></figure>'
        lines += [f"## {file.stem}", "", told, "", *([picture, ""] if strip.is_file() else [])]
        lines += ["```yaml", text[len(idea[1]) if idea else 0 :].strip(), "```", ""]
    return "\n".join(lines)


def commands() -> str:
    """Every command with what it takes, from its own declaration."""
    front = typer.main.get_command(app)
    lines = ["# Commands", "", "`gandream COMMAND --help` says the same in a terminal. Every command takes these:", ""]
    lines += ["| option | |", "|---|---|", *(_row(param) for param in front.params if _shared(param)), ""]
    return "\n".join([*lines, *_commands(front, "gandream", 2)])


def _commands(group: Any, name: str, depth: int) -> Iterator[str]:
    for word, command in group.commands.items():
        inner, whole = getattr(command, "commands", None), f"{name} {word}"
        yield from [f"{'#' * depth} {whole}", "", *_help(command.help or ""), ""]
        if inner:
            yield from _commands(command, whole, depth + 1)
            continue
        rows = [_row(param) for param in command.params if not getattr(param, "hidden", False) and not _shared(param)]
        yield from ["| option | |", "|---|---|", *rows, ""] if rows else []


def _help(text: str) -> Iterator[str]:
    """A command's words, with what stands under "Example:" as a block."""
    about, _, example = re.sub(r"\x08\n?", "", text).partition("Example")
    yield about.strip().replace("<", "&lt;")
    shown = [line.strip() for line in example.splitlines()[1:] if line.strip()]
    yield from ["", "```sh", *shown, "```"] if shown else []


def _shared(param: Any) -> bool:
    """Whether it is an option that every command has."""
    return bool({"--quiet", "--verbose", "--debug"} & set(param.opts))


def _row(param: Any) -> str:
    named = ", ".join(f"`{one}`" for one in (*param.opts, *param.secondary_opts) if one.startswith("-"))
    metavar = f"`{param.metavar}`" if param.metavar else ""
    about = " ".join((getattr(param, "help", "") or "").split()).replace("|", "\\|").replace("<", "&lt;")
    return f"| {' '.join(filter(None, [named, metavar]))} | {about} |"


def _linked(file: Path) -> str:
    """A page whose links to its neighbours are those of the site."""
    neighbours: dict[str, Any] = {"language.md": "reference/index.md"}
    return re.sub(
        r"\]\((?:\.\./)?(?:docs/)?([\w.]+\.md)(#[\w-]+)?\)",
        lambda found: f"]({neighbours.get(found[1], found[1])})",
        file.read_text("utf-8"),
    )
