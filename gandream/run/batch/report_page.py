"""The page of a batch: one file that needs nothing beside it but the films, by day and by night."""

from __future__ import annotations

import os
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote

from gandream.base.errors import printable

PLAYED = (".mp4", ".webm")
"""What browsers play."""
STATES = {
    "done": ("rendered", "good"),
    "there": ("there already", "calm"),
    "failed": ("failed", "bad"),
    "quarantined": ("crashed", "bad"),
    "cancelled": ("cancelled", "calm"),
    "waiting": ("not yet", "calm"),
    "running": ("not yet", "calm"),
}
"""What a state is called, and how it looks."""


@dataclass(frozen=True)
class Card:
    """A film on the page; files are as seen from it."""

    name: str
    recipe: str
    varied: dict[str, str]
    state: str
    film: str = ""
    others: list[str] = field(default_factory=list)
    picture: bytes = b""
    """JPEG."""
    about: list[str] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""
    log: str = ""


def page(
    cards: Sequence[Card], *, name: str, when: str, took: str, stopped: bool = False, changed: Sequence[str] = ()
) -> str:
    """The whole page. What went wrong comes first, then the films in their order."""
    bad = [card for card in cards if _look(card) == "bad"]
    rest = [card for card in cards if _look(card) != "bad"]
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{_text(name)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f"<h1>{_text(name)}</h1>",
        f"<p>{_text(when)} · {_text(took)}</p>",
        _counts(cards),
        _share(cards),
        *(f'<p class="note">{_text(one)}</p>' for one in _said(stopped, changed)),
        "</header>",
        "<main>",
        *(["<h2>What failed</h2>", '<section class="wide">', *map(_failed, _alike(bad)), "</section>"] if bad else []),
        *(["<h2>Films</h2>"] if bad and rest else []),
        *(['<section class="films">', *map(_film, rest), "</section>"] if rest else []),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _said(stopped: bool, changed: Sequence[str]) -> Iterable[str]:
    if stopped:
        yield "The batch was stopped before its end. The same command goes on from there."
    for path in changed:
        yield f"{path} was edited while the batch ran. Run it again for what it says now."


def _counts(cards: Sequence[Card]) -> str:
    counts = Counter(STATES.get(card.state, (card.state, "calm")) for card in cards)
    flawed = sum(bool(card.flaws) for card in cards)
    shown = [f'<span class="{look}"><b>{count}</b> {_text(word)}</span>' for (word, look), count in counts.items()]
    shown += [f'<span class="odd"><b>{flawed}</b> to look at</span>'] if flawed else []
    return f'<p class="counts">{" ".join(shown)}</p>'


def _share(cards: Sequence[Card]) -> str:
    """A line of how many are done, and how many aren't."""
    looks = [_look(card) for card in cards]
    parts = [(look, looks.count(look)) for look in ("good", "calm", "bad") if looks.count(look)]
    inside = "".join(f'<i class="{look}" style="flex:{count}"></i>' for look, count in parts)
    return f'<div class="share">{inside}</div>'


def _film(card: Card) -> str:
    word, look = STATES.get(card.state, (card.state, "calm"))
    more = f'<span class="state {look}">{_text(word)}</span>'
    return "\n".join(
        [
            "<article>",
            f'<div class="frame">{_shown(card)}</div>',
            f"<h3>{_link(card.film, card.name)}{more}</h3>",
            _chips(card),
            f'<p class="about">{_text(" · ".join(card.about))}</p>' if card.about else "",
            _list(card.flaws, "flaws"),
            _list(card.notes, "notes"),
            _others(card),
            "</article>",
        ]
    )


def _alike(cards: Sequence[Card]) -> list[list[Card]]:
    """Those that failed of the same stand together."""
    found: dict[tuple[str, str], list[Card]] = {}
    for card in cards:
        found.setdefault((card.state, card.error), []).append(card)
    return list(found.values())


def _failed(cards: Sequence[Card]) -> str:
    first = cards[0]
    word, look = STATES.get(first.state, (first.state, "bad"))
    names = ", ".join(f"{_link(card.log, card.name)}" for card in cards)
    tried = dict.fromkeys(one for card in cards for one in card.about)
    return "\n".join(
        [
            "<article>",
            f'<h3><span>{names}</span><span class="state {look}">{_text(word)}</span></h3>',
            _chips(first) if len(cards) == 1 else "",
            f'<p class="about">{_text(" · ".join(tried))}</p>' if tried else "",
            f"<pre>{_text(first.error or 'nothing was said')}</pre>",
            "</article>",
        ]
    )


def _shown(card: Card) -> str:
    """What plays a film, or its picture."""
    data = f"data:image/jpeg;base64,{b64encode(card.picture).decode()}" if card.picture else ""
    if card.film.lower().endswith(PLAYED):
        poster = f' poster="{data}"' if data else ""
        return f'<video src="{_href(card.film)}"{poster} controls loop playsinline preload="none"></video>'
    if data:
        picture = f'<img src="{data}" alt="{_text(card.name)}">'
        return f'<a href="{_href(card.film)}">{picture}</a>' if card.film else picture
    return '<span class="none"></span>'


def _chips(card: Card) -> str:
    chips = [f"<span>{_text(key)} <b>{_text(value)}</b></span>" for key, value in card.varied.items()]
    return f'<p class="chips"><span>{_text(card.recipe)}</span>{"".join(chips)}</p>'


def _others(card: Card) -> str:
    links = [_link(path, path.rpartition("/")[2]) for path in card.others]
    return f'<p class="about">and {", ".join(links)}</p>' if links else ""


def _list(lines: Sequence[str], kind: str) -> str:
    shown = "".join(f"<li>{_text(line)}</li>" for line in lines)
    return f'<ul class="{kind}">{shown}</ul>' if shown else ""


def _link(path: str, words: str) -> str:
    return f'<a href="{_href(path)}">{_text(words)}</a>' if path else _text(words)


def _href(path: str) -> str:
    """A relative link, of which no browser thinks it has a scheme."""
    return escape(quote(os.fsencode(path if path.startswith(("/", ".")) else f"./{path}")))


def _look(card: Card) -> str:
    return STATES.get(card.state, ("", "calm"))[1]


def _text(words: str) -> str:
    return escape(printable(words))


STYLE = """
:root { --ground: #f6f5f2; --paper: #fff; --ink: #1c1b1a; --soft: #6d6a66; --line: #e4e1dc; --good: #2b8a57;
  --bad: #c0392f; --calm: #8d8984; --odd: #a86a10; --shade: 0 1px 2px rgb(0 0 0 / .05), 0 6px 20px rgb(0 0 0 / .05) }
@media (prefers-color-scheme: dark) { :root { --ground: #121214; --paper: #1b1b1f; --ink: #ecebe8; --soft: #9c9994;
  --line: #2c2c32; --good: #5cc48c; --bad: #f0766c; --calm: #807d78; --odd: #e0a850; --shade: none } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
header, main { max-width: 1320px; margin: 0 auto; padding: 0 28px }
header { padding-top: 44px }
h1 { margin: 0; font-size: 34px; font-weight: 650; letter-spacing: -.02em; overflow-wrap: anywhere }
h2 { margin: 34px 0 14px; font-size: 15px; font-weight: 600; color: var(--soft) }
header p { margin: 4px 0; color: var(--soft) }
.counts { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 22px 0 10px }
.counts b { font-size: 22px; font-weight: 650; margin-right: 3px }
.counts .good b, .state.good { color: var(--good) } .counts .bad b, .state.bad { color: var(--bad) }
.counts .calm b { color: var(--ink) } .state.calm { color: var(--calm) } .counts .odd b { color: var(--odd) }
.share { display: flex; gap: 3px; height: 5px; margin-bottom: 30px }
.share i { border-radius: 3px; background: var(--calm) }
.share .good { background: var(--good) } .share .bad { background: var(--bad) }
.note { border-left: 3px solid var(--odd); padding-left: 12px }
main { padding-bottom: 60px }
.films { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 22px }
.wide { display: grid; gap: 14px }
article { background: var(--paper); border-radius: 12px; overflow: hidden; box-shadow: var(--shade);
  padding-bottom: 12px; min-width: 0 }
@media (prefers-color-scheme: dark) { article { border: 1px solid var(--line) } }
article > :not(.frame) { margin-left: 16px; margin-right: 16px }
.wide article { padding-top: 2px; border-left: 4px solid var(--bad); border-radius: 6px }
.frame { aspect-ratio: 16 / 10; background: #000; display: flex; align-items: center; justify-content: center }
.frame video, .frame img { width: 100%; height: 100%; object-fit: contain; display: block }
.frame a { width: 100%; height: 100% }
.none { width: 34px; height: 34px; border-radius: 50%; border: 2px solid #444 }
h3 { display: flex; gap: 10px; justify-content: space-between; align-items: baseline; margin: 12px 0 4px;
  font-size: 15px; font-weight: 600; overflow-wrap: anywhere }
.state { font-size: 12px; font-weight: 500; white-space: nowrap }
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: 3px }
a:hover { text-decoration-color: currentColor }
.chips { display: flex; flex-wrap: wrap; gap: 5px; margin: 6px 0 }
.chips span { font-size: 12px; color: var(--soft); border: 1px solid var(--line); border-radius: 20px; padding: 0 9px;
  overflow-wrap: anywhere; max-width: 100% }
.chips b { color: var(--ink); font-weight: 600 }
.about { margin: 6px 0; font-size: 13px; color: var(--soft) }
ul { list-style: none; margin-top: 8px; margin-bottom: 4px; padding: 0; font-size: 13px; color: var(--soft) }
li { padding-left: 12px; border-left: 2px solid var(--line); margin: 4px 0; overflow-wrap: anywhere }
.flaws li { border-color: var(--odd); color: var(--ink) }
pre { margin: 10px 0; padding: 12px 14px; background: var(--ground); border-radius: 8px; overflow-x: auto;
  font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
"""
