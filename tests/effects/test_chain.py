"""A film is the same however it is cut, and whatever was rendered before; keys hold what shapes it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from pictures import ENTRIES, made_chain
from torch import Tensor

from gandream.base.hashing import content_key
from gandream.effects.chain import Chain, Link
from gandream.effects.memory import trails_past
from gandream.effects.run import Run

FRAMES = 100
MEMORIES = [
    "trails",
    {"trails": 0.5, "mode": "mix"},
    {"trails": "0.9*(t > 1)", "zoom": 1.02, "turn": 2},
    {"trails": "0.6*(1 - (t > 1)*(t < 2))"},
    {"echo": 0.6, "delay": "3 frames", "repeats": 3},
    {"echo": "0.6*(t > 1.5)", "mode": "mix", "delay": "11 frames"},
]
ALL = [
    *[[entry] for entry in ENTRIES],
    *[[entry] for entry in MEMORIES],
    [{"trails": 0.5}, {"hue": "90*t"}, {"echo": 0.6, "delay": "9 frames"}, "vignette", {"trails": 0.4, "mode": "mix"}],
    [{"contrast": "1 + (frame % 3 == 0)"}, "grain", {"blur": "0.02*(frame % 5 < 2)"}],
]


@pytest.fixture(scope="module")
def film() -> Tensor:
    """A hundred frames of dots that move, [100, 3, 16, 24], some values beyond the range."""
    generator = torch.Generator().manual_seed(3)
    dots = torch.rand(1, 3, 16, 24, generator=generator) ** 8 * 2.4 - 1.1
    return torch.cat([torch.roll(dots, (frame // 2, frame), (2, 3)) for frame in range(FRAMES)])


def segment(run: Run, film: Tensor, start: int, stop: int, batch: int) -> Tensor:
    begin = run.seek(start, stop)
    parts = [run.apply(film[at : min(at + batch, stop)], at) for at in range(begin, stop, batch)]
    return torch.cat(parts)


def whole(chain: Chain, film: Tensor) -> Tensor:
    return segment(chain.run(), film, 0, FRAMES, FRAMES)


@pytest.mark.parametrize("entries", ALL, ids=str)
def test_cuts_change_no_byte(film, entries):
    chain = made_chain(*entries, frames=FRAMES)
    reference = whole(chain, film)
    assert reference.shape == film.shape
    run = chain.run()
    for batch, cuts in ((1, (0, 30, 60, 100)), (7, (0, 1, 50, 51, 100)), (4, (0, 40, 64, 100))):
        for start, stop in pairwise(cuts):
            alone = segment(chain.run(), film, start, stop, batch)
            assert torch.equal(alone, reference[start:stop])
            assert torch.equal(segment(run, film, start, stop, batch), reference[start:stop])


@pytest.mark.parametrize("entries", ALL, ids=str)
def test_batches_as_on_a_gpu_change_no_byte(film, entries, monkeypatch):
    """There a batch is one piece; here the same code is given whole batches."""
    chain = made_chain(*entries, frames=FRAMES)
    reference = whole(chain, film)
    run = chain.run()
    run.seek(0, FRAMES)
    monkeypatch.setattr("gandream.effects.run.frames_at_once", lambda images: max(1, len(images)))
    parts = [run.apply(film[at : at + 25], at) for at in range(0, FRAMES, 25)]
    assert (torch.cat(parts) - reference).abs().max() < 1e-6


def test_segments_in_any_order(film):
    chain = made_chain(*MEMORIES, frames=FRAMES)
    reference, run = whole(chain, film), chain.run()
    for start, stop in ((60, 80), (80, 100), (20, 40), (0, 20), (20, 40), (40, 60)):
        assert torch.equal(segment(run, film, start, stop, 6), reference[start:stop])


def test_a_run_that_continues_needs_no_warm_up():
    chain = made_chain("trails", frames=FRAMES)
    run = chain.run()
    assert run.seek(90, 95) < 90
    run.apply(torch.zeros(95, 3, 4, 4), 0)  # frames that came too early are passed over
    assert run.seek(95, 100) == 95
    with pytest.raises(ValueError, match="some are missing"):
        run.apply(torch.zeros(1, 3, 4, 4), 96)


def test_without_effects_the_pictures_are_those_given(film):
    run = Chain().run()
    assert run.seek(10, 20) == 10
    assert run.apply(film[10:20], 10).data_ptr() == film[10:20].data_ptr()


def test_the_memory_is_bounded_and_known():
    chain = made_chain({"trails": 0.8}, frames=1000)
    (link,) = chain.links
    assert link.past is not None
    assert link.past.frames == 32  # 0.8 ** 28 < 1/512, in eights
    assert chain.begin(10, 20) == 0
    for start in range(0, 1000, 37):
        assert min(start, 32) <= start - chain.begin(start, start + 60) < 64
    assert made_chain({"trails": 0.8}, frames=1000, fps=60).links[0].past.frames == 56
    assert made_chain({"trails": 0.95}, frames=1000, fps=240).links[0].past.frames == 128
    assert made_chain({"echo": 0.5, "delay": "0.2s", "repeats": 3}).begin(100, 160) == 82
    both = made_chain({"trails": 0.8}, {"echo": 0.5, "delay": "10 frames", "repeats": 1}, frames=1000)
    assert both.begin(500, 560) == chain.begin(490, 560)


def test_where_trails_rest_nothing_must_be_seen():
    chain = made_chain({"trails": "0.9*(frame > 50)"}, frames=FRAMES)
    assert [chain.begin(start, start + 10) for start in (0, 30, 45, 50)] == [0, 30, 45, 50]
    assert chain.begin(60, 70) == 50
    assert chain.key(0, 50) == []
    assert chain.key(0, 60) != []


@pytest.mark.parametrize("mode", ["max", "mix"])
def test_trails_fade_alike_at_every_frame_rate(mode):
    left = []
    for fps in (30, 60):
        frames = torch.full((fps, 3, 2, 2), -1.0)
        frames[0] = 1
        chain = made_chain({"trails": 0.8, "mode": mode}, frames=fps, fps=fps)
        run = chain.run()
        run.seek(0, fps)
        out = (run.apply(frames, 0)[:, 0, 0, 0] + 1) / 2
        assert out[fps // 30].item() == pytest.approx(0.8, abs=1e-5)
        left.append(out[fps // 3].item())
    assert left == pytest.approx([0.8**10] * 2, rel=1e-4)


def test_what_the_memory_cuts_is_not_seen():
    """Against a memory without end: less than a step of 8 bits."""
    values = torch.rand(200, 1, 1, 1, generator=torch.Generator().manual_seed(1)).expand(-1, 3, 1, 1) * 2 - 1
    for mode in ("max", "mix"):
        run = made_chain({"trails": 0.9, "mode": mode}, frames=200).run()
        run.seek(0, 200)
        out, endless = run.apply(values, 0), values[:1]
        for frame in range(1, 200):
            image = values[frame : frame + 1]
            fading = (endless + 1) * 0.9 - 1
            endless = torch.maximum(image, fading) if mode == "max" else image + 0.9 * (endless - image)
            assert (out[frame] - endless[0]).abs().max() < 2 / 255


def test_echo_repeats():
    frames = torch.full((30, 3, 1, 1), -1.0)
    frames[3] = 1
    run = made_chain({"echo": 0.5, "delay": "5 frames", "repeats": 2}).run()
    run.seek(0, 30)
    out = ((run.apply(frames, 0)[:, 0, 0, 0] + 1) / 2).tolist()
    assert {frame: round(value, 3) for frame, value in enumerate(out) if value > 0} == {3: 1.0, 8: 0.5, 13: 0.25}


def keys(chain: Chain, cuts: Sequence[int] = range(0, FRAMES + 1, 20)) -> list[str]:
    return [content_key(chain.key(start, stop)) for start, stop in pairwise(cuts)]


def changed(one: Chain, other: Chain) -> list[int]:
    return [index for index, (a, b) in enumerate(zip(keys(one), keys(other), strict=True)) if a != b]


def test_keys_follow_what_is_seen():
    def chain(*entries: object, **film: int) -> Chain:
        return made_chain(*entries, frames=FRAMES, **film)

    still = chain({"contrast": 1.2})
    assert len(set(keys(still))) == 1, "the same effect on the same pictures is the same segment wherever it is"
    assert changed(still, chain({"contrast": 1.2}, {"flash": "frame >= 80"})) == [4]
    assert changed(still, chain({"contrast": 1.2, "about": "grey"})) == [0, 1, 2, 3, 4]
    assert changed(still, chain({"contrast": 1.2}, seed=1)) == []
    assert len(set(keys(chain("grain")))) == 5
    assert changed(chain("grain"), chain("grain", seed=1)) == [0, 1, 2, 3, 4]
    assert changed(chain({"grain": 0.1, "seed": 3}), chain({"grain": 0.1, "seed": 3}, seed=1)) == []
    assert changed(chain("mirror", "invert"), chain("invert", "mirror")) == [0, 1, 2, 3, 4]
    # A change reaches as far as the memory does, whose length is that of the curve's maximum, in eights of frames.
    slow, slower = (chain({"trails": f"0.3 + {more}*(frame == 50)"}) for more in (0.05, 0.08))
    assert 1 not in changed(slow, slower)
    assert {2, 3} <= set(changed(slow, slower))


def test_a_link_tells_its_own_past():
    chain = made_chain({"trails": 0.8})
    link: Link = chain.links[0]
    assert link.past is not None
    assert trails_past(link.values, {}, 30).since(100, 200) == link.since(100, 200) == 64
