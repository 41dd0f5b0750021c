"""A walk's words laid out in time: which places or which path, and how far along it each frame is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gandream.base.seeds import named_seed
from gandream.recipe import roams
from gandream.recipe.curve import AnyCurve
from gandream.recipe.latent import Latent
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.recipe.times import Time
from gandream.recipe.walk import Walk
from gandream.trajectory.footage import RATE_HZ, watched
from gandream.trajectory.ground import Ground
from gandream.trajectory.paths.bounce import Bounce
from gandream.trajectory.paths.circle import Circle, spanned
from gandream.trajectory.paths.drawn import Drawn, coins
from gandream.trajectory.paths.filmed import Filmed
from gandream.trajectory.paths.noise import NoiseLoop
from gandream.trajectory.paths.plane import Plane
from gandream.trajectory.paths.recorded import Recorded
from gandream.trajectory.paths.wander import Wander
from gandream.trajectory.places import Place
from gandream.trajectory.roam import Roam, Shape
from gandream.trajectory.saved import SavedError, trajectory_in
from gandream.trajectory.stops import named, places_of
from gandream.trajectory.walks import Track, after_last, closes, closing, steady_places

NEAR = 0.6
"""How far a path goes from the latent that it is around, in standard deviations, if nothing is said."""
MOST_DRAWS = 20000
"""Of a bounce: its table of which dimensions are slower is kept."""


def lay(walk: Walk, path: Path_, ground: Ground) -> Track | Roam:
    """Lay out a walk. Whatever its kind, `places` is how far along it each frame is: who re-times it changes those."""
    if walk.pace != "as written" and (path != ("walk",) or ground.recipe.grid is not None or ground.recipe.cell):
        problem = "only the walk of a film or of a scene can be paced by the eye"
        raise ground.recipe.error((*path, "pace"), problem, "Leave `pace` out here.")
    return _through(walk, path, ground) if walk.kind == "through" else LAID[walk.kind](walk, path, ground)


STILL = {"wander": "take a smaller `sigma`", "bounce": "take a higher `speed` or a smaller `box`"}
"""Walks that closing can leave without any movement, and what to do about it."""


def _stands(track: Roam) -> bool:
    """Whether a path has less than a hundredth of a deviation of movement in it."""
    rows = np.linspace(0, len(track.places) - 1, min(64, len(track.places))).astype(int)
    return float(np.sqrt(track.shape(track.places[rows]).var(axis=0).mean())) < 0.01


def walk_warning(recipe: Recipe, track: Track | Roam, walk: Walk | None = None, name: str = "walk") -> str:
    """What keeps the film's walk from closing, or another one with a name of its own; in a sentence, or nothing."""
    walk, places = walk or recipe.walk, track.places
    if not recipe.video.loop or len(places) < 2:
        return ""
    if walk.kind == "plane":
        told = f"video.loop: {name}.plane doesn't end where it begins, so the film won't close"
        return "" if all(closes(axis) for axis in places.T) else told
    if isinstance(track, Roam) and walk.kind in STILL and np.ptp(places) > 0 and _stands(track):
        return f"video.loop: the film is too short for {name}.{walk.kind}, which stands still: {STILL[walk.kind]}"
    if walk.loop or (isinstance(track, Track) and track.count < 2):
        return ""
    where = "at its last latent" if walk.kind == "through" else "at its end"
    stays = "goes on" if walk.kind in ("wander", "bounce") else f"stays {where}"
    which = "the walk" if name == "walk" else f"the walk {name}"
    return f"video.loop: {which} {stays} ({name}.loop is false), so the film won't close"


def _through(walk: Walk, path: Path_, ground: Ground) -> Track:
    recipe = ground.recipe
    stops = tuple(places_of(walk, recipe, ground.spec, path, ground.classes))
    in_w = walk.space == "w" or any(stop.in_w for stop in stops)
    for word, each in (("path", walk.path), ("ease", walk.ease)):
        if isinstance(each, tuple) and len(each) > len(stops):
            problem = f"`{word}` has {len(each)} words for {len(stops)} steps"
            raise recipe.error((*path, word), problem, "Give one for each step, or fewer: they begin again.")
    steady, spans = steady_places(walk, ground.curves.timeline, recipe, path, len(stops))
    places = ground.travelled(walk, steady, path)
    places = closing(places, len(stops), recipe) if walk.loop else places
    waypoints = np.zeros((len(stops), 0)) if in_w else np.stack([stop.z for stop in stops if stop.z is not None])
    way = walk.path or ("lerp" if in_w else "slerp")
    return Track(waypoints, places, way, walk.ease, walk.loop, stops, in_w, spans)


def _wander(walk: Walk, path: Path_, ground: Ground) -> Roam:
    words, line, here = walk.wander, ground.curves.timeline, (*path, "wander")
    assert words is not None, "the kind says so"
    places = ground.travelled(walk, line.steps(words.sigma), path)
    period = None
    if words.every is not None:
        period = line.length_s(words.every) / line.length_s(words.sigma)
        places = closing(places, period, ground.recipe) if walk.loop else places
    elif ground.closes and walk.loop:
        end, strides = after_last(places), np.diff(places)
        if strides.min() < 0 < strides.max():  # it swings: lead it back, rather than have many short laps
            places = places - (end - places[0]) * np.arange(len(places)) / len(places)
        else:
            period = abs(end - places[0]) or None
    seed = named(words.seed, ground.recipe, (*here, "seed"))
    return _round("wander", Wander(Drawn(ground.spec, seed), period), places, words, walk, here, ground)


def _circle(walk: Walk, path: Path_, ground: Ground) -> Roam:
    words, here = walk.circle, (*path, "circle")
    assert words is not None, "the kind says so"
    places = _laps(walk, words.every, path, ground)
    centre = _centre(words.around, walk, here, ground)
    if words.plane is None:
        seed = named(words.seed, ground.recipe, (*here, "seed"))
        axes = spanned(*ground.spec.latents([seed, named_seed(seed, "up")]))
        radius = None
    else:
        ends = [ground.place(latent, (*here, "plane", index)) for index, latent in enumerate(words.plane)]
        flat = next((index for index, end in enumerate(ends) if end.z is None), None)
        if flat is not None:
            raise ground.recipe.error((*here, "plane", flat), "this latent is only there in w; a plane wants seeds")
        middle = np.zeros(ground.spec.latent_size) if centre.z is None else centre.z
        first, second = (end.z - middle for end in ends if end.z is not None)
        axes, radius = spanned(first, second), float(np.sqrt(np.mean(first**2)))
    if axes is None:
        problem = "these latents and the centre lie on one line, so they span no plane"
        raise ground.recipe.error((*here, "plane"), problem, "Take two different seeds.")
    amounts = _amounts(words.radius, words.around, (*here, "radius"), ground)
    if words.radius is None:
        amounts = amounts * ground.deviation if radius is None else np.full_like(amounts, radius)
    return Roam("circle", Circle(*axes), places, amounts, centre, _in_w(centre, walk))


def _simplex(walk: Walk, path: Path_, ground: Ground) -> Roam:
    words, here = walk.simplex, (*path, "simplex")
    assert words is not None, "the kind says so"
    seed, size = named(words.seed, ground.recipe, (*here, "seed")), ground.spec.latent_size
    loop = NoiseLoop(words.kind, seed, size, words.diameter)
    places = _laps(walk, words.every, path, ground)
    return _round("simplex", loop, places, words, walk, here, ground, ground.deviation)


def _bounce(walk: Walk, path: Path_, ground: Ground) -> Roam:
    words, line, here, size = walk.bounce, ground.curves.timeline, (*path, "bounce"), ground.spec.latent_size
    assert words is not None, "the kind says so"
    places = ground.travelled(walk, line.steps(words.redraw), path)
    ends = np.array([places[0], after_last(places)]) if len(places) > 1 else places
    passed = np.floor([0, places.min(), places.max(), ends[-1]]).astype(int).tolist()
    first, last = min(passed), max(passed)
    if last - first >= MOST_DRAWS:
        problem = f"this draws {last - first + 1} times which dimensions are slower; at most {MOST_DRAWS}"
        raise ground.recipe.error(here, problem, "Make `redraw` longer.")
    seed = named(words.seed, ground.recipe, (*here, "seed"))
    slower = np.stack([coins(seed, number, size) for number in range(first, last + 1)])
    box = words.box or (1.0 if words.around else 2.0)
    signs = np.where(coins(seed, None, size), 1.0, -1.0)
    begin = np.zeros(size) if words.around else np.clip(ground.spec.latents([seed])[0], -box, box)
    way = signs * words.speed * line.length_s(words.redraw)
    bounce = Bounce(begin, way, slower, first, box, words.randomness)
    if ground.closes and walk.loop:
        # Whole triangle waves: what is missing to the nearest is added evenly over the film.
        gone = np.diff(bounce.travelled(ends), axis=0)[0]
        bounce = replace(bounce, drift=np.round(gone / (4 * box)) * 4 * box - gone)
    film = np.arange(len(places)) / len(places)
    centre = _centre(words.around, walk, here, ground)
    return Roam("bounce", bounce, np.stack([places, film], 1), np.ones(len(places)), centre, _in_w(centre, walk))


def _file(walk: Walk, path: Path_, ground: Ground) -> Roam:
    words, line, recipe, spec, here = walk.file, ground.curves.timeline, ground.recipe, ground.spec, (*path, "file")
    assert words is not None, "the kind says so"
    try:
        rows, own_fps = trajectory_in(words.file.path, words.name)
    except SavedError as error:
        raise recipe.error(here, *error.args) from None
    L, D, wide = len(spec.layers), spec.latent_size, spec.w_size or spec.latent_size
    in_w = rows.ndim == 3 and rows.shape[1] in (1, L) and rows.shape[2] == wide
    if not len(rows) or not (in_w or rows.shape[1:] == (D,)):
        problem = f"the saved trajectory is {list(rows.shape)}, but {spec.name} wants z [F, {D}] or w [F, {L}, {wide}]"
        raise recipe.error(here, problem)
    gaps = max(1, len(rows) if walk.loop else len(rows) - 1)
    if words.duration is not None:
        rate = gaps / line.length_s(words.duration)
    else:
        rate = float(words.fps or own_fps or gaps / line.clock.duration)
    places = ground.travelled(walk, line.since * rate, path)
    places = closing(places, len(rows), recipe) if walk.loop else places
    centre = Place() if in_w else _centre(None, walk, here, ground)
    return Roam("file", Recorded(rows, walk.loop), places, np.ones(len(places)), centre, in_w, final=in_w)


def _plane(walk: Walk, path: Path_, ground: Ground) -> Roam:
    words, here = walk.plane, (*path, "plane")
    assert words is not None, "the kind says so"
    curves = ((words.x, "x"), (words.y, "y"))
    places = np.stack([ground.curves.values(curve, (*here, axis)) for curve, axis in curves], axis=1)
    shape = Plane(Drawn(ground.spec), words.seed, words.stride, words.ease, words.way == "straight")
    centre = _centre(None, walk, here, ground)
    amounts = ground.curves.values(words.amount, (*here, "amount"))
    return Roam("plane", shape, places, amounts, centre, _in_w(centre, walk))


def _footage(walk: Walk, path: Path_, ground: Ground) -> Roam:
    words, line, here = walk.footage, ground.curves.timeline, (*path, "footage")
    assert words is not None, "the kind says so"
    cells = watched(words, ground.recipe, here)
    places = ground.travelled(walk, line.since * RATE_HZ, path)
    places = closing(places, len(cells), ground.recipe) if walk.loop else places
    seed, sigma = named(words.seed, ground.recipe, (*here, "seed")), line.length_s(words.smooth) * RATE_HZ
    filmed = Filmed(cells, seed, ground.spec.latent_size, sigma, walk.loop)
    return _round("footage", filmed, places, words, walk, here, ground, ground.deviation)


LAID: dict[str, Callable[[Walk, Path_, Ground], Roam]] = {
    "wander": _wander,
    "circle": _circle,
    "simplex": _simplex,
    "bounce": _bounce,
    "file": _file,
    "plane": _plane,
    "footage": _footage,
}


def _laps(walk: Walk, every: Time, path: Path_, ground: Ground) -> np.ndarray:
    """Laps passed at each frame, float64 [F]; a walk that doesn't loop stays at the end of the first."""
    places = ground.travelled(walk, ground.curves.timeline.steps(every), path)
    return closing(places, 1, ground.recipe) if walk.loop else np.clip(places, 0, 1)


def _round(
    kind: str,
    shape: Shape,
    places: np.ndarray,
    words: roams.Wander | roams.Simplex | roams.Footage,
    walk: Walk,
    here: Path_,
    ground: Ground,
    scale: float = 1.0,
) -> Roam:
    """A path of variance 1 around its centre."""
    centre = _centre(words.around, walk, here, ground)
    amounts = _amounts(words.amount, words.around, (*here, "amount"), ground) * scale
    return Roam(kind, shape, places, amounts, centre, _in_w(centre, walk))


def _amounts(curve: AnyCurve | None, around: Latent | None, path: Path_, ground: Ground) -> np.ndarray:
    if curve is None:
        return np.full(ground.curves.timeline.clock.frames, 1.0 if around is None else NEAR)
    return ground.curves.values(curve, path)


def _centre(around: Latent | None, walk: Walk, here: Path_, ground: Ground) -> Place:
    """What a path is around: a latent, or the middle of z (in w, the mean), with the class that latents have there."""
    if around is not None:
        centre = ground.place(around, (*here, "around"))
        if walk.space == "z" and centre.in_w:
            problem = "this latent is only there in w"
            raise ground.recipe.error((*here, "around"), problem, "Leave `space: z` out.")
        return centre
    if walk.space == "w":
        return ground.place(Latent(mean=True), here)
    return replace(ground.place(Latent(seed=0), here), z=np.zeros(ground.spec.latent_size))


def _in_w(centre: Place, walk: Walk) -> bool:
    return walk.space == "w" or centre.in_w
