"""Why a film looks wrong somewhere: what the recipe says there, looked up in what was compiled from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gandream.base.errors import listed
from gandream.effects.chain import Chain, Link
from gandream.recipe.overrides import dotted
from gandream.recipe.recipe import Recipe, curves_in
from gandream.run.differences import Inputs
from gandream.run.explain import curves_of
from gandream.run.prepare import Prepared
from gandream.trajectory.trajectory import Trajectory

PROBES = 12
"""Frames of a stretch in which it is looked whether anything moves."""
LIKE = 0.5
"""Correlation from which a curve is taken for the cause of what flickers."""
WILD = 1.25
"""Truncation beyond which a model leaves what it was trained to make."""
COVERED, CALM = 0.98, 0.02
"""From which mean value an effect hides the picture, and up to which truncation all latents are one."""
FAR = 0.2
"""How far a walk goes in a stretch, as a share of its latent's length, that must be seen."""
NAMED = 2
"""How many words are named."""

DARKEN: Mapping[str, tuple[float, float]] = {
    "fade": (0.85, np.inf),
    "flash": (0.85, np.inf),
    "brightness": (-np.inf, 0.08),
    "gamma": (-np.inf, 0.3),
}
"""Effects that make a picture black (a fade or flash if its colour is), and from which mean value to which."""
LIGHTEN: Mapping[str, tuple[float, float]] = {
    "fade": (0.4, np.inf),
    "flash": (0.3, np.inf),
    "brightness": (1.3, np.inf),
    "gamma": (1.5, np.inf),
    "glow": (1.0, np.inf),
    "contrast": (1.6, np.inf),
    "saturation": (1.8, np.inf),
    "trails": (0.9, np.inf),
}
"""As DARKEN, of those that burn it out."""
COVER = {name: DARKEN[name] for name in ("fade", "flash")}
"""As DARKEN, of those that put a colour in front of it."""


@dataclass(frozen=True)
class Cause:
    """What is likely to have done it; no words where nothing is found."""

    words: str
    meant: bool = False
    """Whether it is just what the recipe says."""


@dataclass(frozen=True)
class Causes:
    """Looks for causes in a prepared recipe; frames are the whole film's."""

    prepared: Prepared

    @cached_property
    def curves(self) -> dict[str, np.ndarray]:
        """Every curve that moves, by the key path as it is written."""
        recipes = [cut.recipe for cut in self.prepared.cuts] or [self.prepared.recipe]
        written = {dotted(path): recipe.named(path) for recipe in recipes for path, _ in curves_in(recipe)}
        return {written.get(name, name): values for name, values in curves_of(self.prepared).items()}

    @cached_property
    def _inputs(self) -> Inputs:
        return Inputs(self.prepared)

    def black(self, start: int, stop: int) -> Cause:
        """Of frames that are black."""
        for recipe, chain in self._chains(start, stop):
            for effects in (COVER, DARKEN):
                if words := self._effect(recipe, chain, effects, start, stop, light=False):
                    return Cause(words, meant=effects is COVER)
        return Cause(self._wild(start, stop) or "no word of the recipe says so: perhaps the model makes it")

    def clipped(self, start: int, stop: int) -> Cause:
        """Of frames that are burnt out."""
        for recipe, chain in self._chains(start, stop):
            if words := self._effect(recipe, chain, COVER, start, stop):
                return Cause(words, meant=True)
            if words := self._effect(recipe, chain, LIGHTEN, start, stop, light=True):
                return Cause(words)
        return Cause(self._wild(start, stop) or "no word of the recipe says so: perhaps the model makes it")

    def frozen(self, start: int, stop: int) -> Cause:
        """Of frames that stand still."""
        frames = np.unique(np.linspace(start, stop - 1, PROBES).astype(int)).tolist()
        inputs = self._inputs
        moving = [head for head in inputs.heads if len({inputs.key(head, frame, frame + 1) for frame in frames}) > 1]
        if moving:
            return self._covered(start, stop) or self._unseen(moving, start, stop)
        for recipe, trajectory, _, _ in self._trajectories(start, stop):
            if self._holds(recipe, trajectory):
                return Cause("the walk holds there", meant=True)
        still = [name for name, values in self.curves.items() if not np.ptp(values[start:stop]).any()]
        speed = [name for name in still if name.endswith("speed")]
        why = f"{(speed or still)[0]} is {self.curves[(speed or still)[0]][start]:.2g}" if still else ""
        return Cause(f"nothing in the recipe moves there{f' ({why})' if why else ''}")

    def _covered(self, start: int, stop: int) -> Cause | None:
        """What hides all that moves: a truncation of 0, or an effect in front of it."""
        for recipe, chain in self._chains(start, stop):
            if words := self._effect(recipe, chain, COVER, start, stop, least=COVERED):
                return Cause(words, meant=True)
        for recipe, trajectory, low, high in self._trajectories(start, stop):
            psi = np.abs(trajectory.psi[low:high])
            if psi.size and psi.max() <= CALM:
                named = recipe.named(("truncation",))
                return Cause(f"{named} is {psi.mean():.2g} there, so every latent becomes the mean")
        return None

    def _unseen(self, moving: list[str], start: int, stop: int) -> Cause:
        """What moves, and isn't seen; but a walk that is slow, as easing makes it near a latent, is what is meant."""
        for _, trajectory, low, high in self._trajectories(start, stop):
            if trajectory.track.in_w:  # where it is only the generator knows
                continue
            ends = [np.asarray(trajectory.track.at(frame, frame + 1), np.float64) for frame in (low, high - 1)]
            if np.linalg.norm(ends[1] - ends[0]) >= FAR * np.linalg.norm(ends[0]):
                move = "moves" if len(moving) == 1 else "move"
                return Cause(f"{listed(moving)} {move} there, and nothing of it is seen: perhaps the model's doing")
        return Cause("what moves there is slow", meant=True)

    def flickering(self, light: np.ndarray, start: int) -> Cause:
        """Of frames from ``start`` on whose mean light [n] goes up and down: the curve that does the same."""
        stop, best, name = start + len(light), LIKE, ""
        for path, values in self.curves.items():
            like = max(_like(np.diff(light), np.diff(values[start:stop])), _like(light, values[start:stop]))
            if like > best + (0.05 if name else 0):
                best, name = like, path
        if name:
            return Cause(f"it follows {name}")
        animated = [
            recipe.named(("noise", index))
            for recipe, *_ in self._trajectories(start, stop)
            for index, noise in enumerate(recipe.noise)
            if noise.mode == "animate"
        ]
        return Cause(f"perhaps {animated[0]}, which is animated" if animated else "")

    def seam(self) -> Cause:
        """Of a last frame that the first doesn't follow: the curves that don't end where they began."""
        apart = {
            name: abs(values[-1] - values[0]) / (np.ptp(values) or 1)
            for name, values in self.curves.items()
            if abs(values[-1] - values[0]) > 3 * max(np.abs(np.diff(values)).mean(), 1e-9)
        }
        names = sorted((name for name in apart if apart[name] > 0.2), key=lambda name: -apart[name])[:NAMED]
        return Cause(
            f"{listed(names)} {'ends' if len(names) == 1 else 'end'} elsewhere than at the start" if names else ""
        )

    def _chains(self, start: int, stop: int) -> Iterator[tuple[Recipe, Chain]]:
        prepared = self.prepared
        if not prepared.cuts:
            yield prepared.recipe, prepared.score.effects
        for cut in reversed(prepared.cuts):  # the one that comes in lies over the one before
            if cut.start < stop and start < cut.stop:
                yield cut.recipe, cut.effects

    def _trajectories(self, start: int, stop: int) -> Iterator[tuple[Recipe, Trajectory, int, int]]:
        """Recipes with the trajectory that they shape, and which of its frames; a grid's cells aren't looked into."""
        prepared = self.prepared
        if not prepared.cuts:
            found = [(prepared.recipe, prepared.score.trajectory, start, stop)]
        else:
            found = [
                (cut.recipe, cut.trajectory, *cut.trajectory.own(max(start, cut.start), min(stop, cut.stop)))
                for cut in prepared.cuts
                if cut.start < stop and start < cut.stop
            ]
        yield from (one for one in found if isinstance(one[1], Trajectory))

    def _wild(self, start: int, stop: int) -> str:
        for recipe, trajectory, low, high in self._trajectories(start, stop):
            psi = np.abs(trajectory.psi[low:high])
            if psi.size and psi.mean() >= WILD:
                return f"{recipe.named(('truncation',))} is {psi.mean():.2g}, where 1 is as trained"
            for index, bend in enumerate(trajectory.bends):
                if bend.active[low:high].any():
                    return f"perhaps {recipe.named(('bend', index, bend.name))}"
        return ""

    def _effect(
        self,
        recipe: Recipe,
        chain: Chain,
        known: Mapping[str, tuple[float, float]],
        start: int,
        stop: int,
        light: bool | None = None,
        least: float = -np.inf,
    ) -> str:
        """The first effect that does it there, and its mean value."""
        for link in chain.links:
            if link.name not in known:
                continue
            low, high = known[link.name]
            value = float(link.values[link.name][start:stop].mean())
            if max(low, least) <= value <= high and (light is None or _light(link) in (None, light)):
                return f"{_named(recipe, chain, link)} is {value:.2g} there"
        return ""

    @staticmethod
    def _holds(recipe: Recipe, trajectory: Trajectory) -> bool:
        """Whether standing still is what the walk says: it is told to hold, to step, or to stay with one latent."""
        walk = recipe.walk
        paths = (walk.path,) if isinstance(walk.path, str) else walk.path or ()
        alone = walk.kind == "through" and len(trajectory.track.stops) == 1
        return not walk.loop or "step" in paths or alone or recipe.classes is not None


def _light(link: Link) -> bool | None:
    """Whether an effect's colour is a light one; None if it has none."""
    colour = link.choices.get("colour")
    return None if colour is None else float(np.mean(colour)) > 0.5


def _named(recipe: Recipe, chain: Chain, link: Link) -> str:
    """``effects[1].fade``: which of the recipe's effects it is."""
    same = [one for one in chain.links if one.name == link.name]
    places = [at for at, effect in enumerate(recipe.effects) if effect.words()[0] == link.name]
    at = places[min(same.index(link), len(places) - 1)]
    return f"{recipe.named(('effects', at))}.{link.name}"


def _like(one: np.ndarray, other: np.ndarray) -> float:
    """The absolute correlation of two curves; 0 where one stands still."""
    if len(one) < 3 or len(one) != len(other) or not one.std() or other.std() < 1e-9:
        return 0.0
    return float(abs(np.corrcoef(one, other)[0, 1]))
