"""Who renders what on a cluster: nothing is lost, nothing counts twice, models stay where they are."""

from __future__ import annotations

import random

import pytest

from gandream.run.cluster.desk import Desk, Policy, Unit


def units(count: int, models: int = 1) -> list[Unit]:
    return [Unit(number, (number * models // count,)) for number in range(count)]


@pytest.mark.parametrize("seed", range(20))
def test_whoever_dies_everything_is_done_once(seed: int):
    dice, policy = random.Random(seed), Policy(deaths=1000, least_s=3)
    desk = Desk(units(60, models=3), policy)
    busy: dict[int, list[int]] = {}
    done: list[int] = []
    hired, now = 0, 0.0
    while desk.left:
        now += 1
        while len(busy) < 4:
            hired += 1
            desk.hire(hired)
            busy[hired] = []
        for worker, held in busy.items():
            while unit := desk.next(worker, now) or desk.again(worker, now):
                held.append(unit.number)
            assert len(held) <= policy.ahead
        worker = dice.choice(list(busy))
        what = dice.random()
        if what < 0.1:
            desk.lost(worker)
            del busy[worker]
        elif what < 0.2 and busy[worker]:
            desk.back(worker, busy[worker].pop())
        elif what < 0.3 and busy[worker]:
            desk.later(worker, busy[worker].pop())
        elif busy[worker] and (first := desk.done(worker, number := busy[worker].pop(0), now)):
            assert first
            done.append(number)
            if dice.random() < 0.05:
                done.remove(number)
                desk.reopen(number)
        assert now < 10_000
    assert sorted(done) == list(range(60))
    assert desk.waiting == 0


def test_units_come_in_the_order_of_the_film():
    desk = Desk(units(6))
    desk.hire("a")
    order = []
    for now in range(6):
        unit = desk.next("a", now)
        assert unit is not None
        order.append(unit.number)
        assert desk.done("a", unit.number, now + 1)
    assert order == list(range(6))
    assert desk.next("a", 9) is None


def test_a_worker_keeps_to_the_models_that_it_holds():
    desk = Desk(units(40, models=2), Policy(ahead=1))
    for worker in ("a", "b"):
        desk.hire(worker)
    seen: dict[str, list[int]] = {"a": [], "b": []}
    for now in range(20):
        for worker, numbers in seen.items():
            unit = desk.next(worker, now)
            assert unit is not None
            numbers.append(unit.models[0])
            desk.done(worker, unit.number, now + 1)
    assert set(seen["a"]) != set(seen["b"])
    assert all(len(set(numbers)) == 1 for numbers in seen.values())


def test_who_is_idle_takes_what_is_late_and_the_first_result_counts():
    desk = Desk(units(5), Policy(slow=3, least_s=0, known=3, ahead=1))
    for worker in ("slow", "fast"):
        desk.hire(worker)
    late = desk.next("slow", 0)
    assert late is not None
    for now in range(4):
        unit = desk.next("fast", now)
        assert unit is not None
        assert desk.done("fast", unit.number, now + 1)
    assert desk.again("fast", 3.0) is None, "three medians aren't over"
    assert desk.again("slow", 9) is None, "it is at work itself"
    again = desk.again("fast", 4)
    assert again == late
    desk.hire("third")
    assert desk.again("third", 100) is None, "two are enough"
    assert desk.done("fast", late.number, 5)
    assert desk.left == 0
    assert not desk.done("slow", late.number, 6)
    assert desk.left == 0


def test_the_last_units_go_to_whoever_is_free():
    desk = Desk(units(3))
    for worker in ("a", "b"):
        desk.hire(worker)
    first = [desk.next(worker, 0) for worker in ("a", "b")]
    assert None not in first
    assert desk.next("a", 0) is None, "it has one, and the last is for who is done first"
    desk.done("b", 1, 1)
    last = desk.next("b", 1)
    assert last is not None
    assert last.number == 2


def test_what_a_worker_dies_of_is_found_out_before_it_is_blamed():
    desk = Desk(units(9))
    desk.hire("first")
    assert desk.next("first", 0)
    assert desk.next("first", 0)
    assert desk.lost("first") is None, "it may have been either"
    assert (desk.deaths(0), desk.deaths(1)) == (0, 0)
    for count, worker in enumerate("abc", 1):
        desk.hire(worker)
        at = desk.next(worker, 0)
        assert at is not None
        assert desk.next(worker, 0) is None, "it is suspected, and alone"
        assert desk.lost(worker) == at.number == 0
        assert desk.deaths(0) == count
    assert desk.deaths(1) == 0
    assert desk.lost("c") is None
    assert desk.waiting == desk.left == 9
