"""Whatever people do in whatever order, and whenever, the platform's invariants hold (``lab_machine``).

``make test`` goes through the same steps as long as the code stays the same; ``make proof`` through many others.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings

from booking import ports
from booking.services import device_keys, extending, state_writing, transitions
from config.kernel.access import Role
from config.kernel.errors import Refusal
from instruments.models import Membership, User
from tests import seeds
from tests.conftest import Cast
from tests.scenarios.lab_machine import LabMachine
from tests.scenarios.machine_assistants import AssistedLab
from tests.scenarios.machine_tour import TouredLab
from tests.spending import build_spenders

pytestmark = pytest.mark.django_db
SOME = settings(max_examples=10, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(SOME, max_examples=200, stateful_step_count=60, derandomize=False)
# A control fails soon; it does not matter with how few steps it could have.
UNTIL_IT_FAILS = settings(SOME, phases=(Phase.generate,))


@pytest.fixture
def machine(cast: Cast, programmes: object) -> type[LabMachine]:
    """The machine with the cast's rows, people who pay with a fund card, a device, and a second manager, who settles what the first one
    noted."""
    user = User.objects.create(email="luo@example.org", full_name="Luo", password="!", language="en")
    Membership.objects.create(user=user, organisation=cast.lab, role=Role.LAB_MANAGER, created_at=cast.now)
    cast.users["luo"] = user
    device, _text = device_keys.issue(cast.actor("wang"), cast.lab.pk, cast.xrd.pk, "Control PC", cast.now)
    there = {
        "cast": cast,
        "spenders": build_spenders(cast, threshold_fen=200_00),
        "device": device,
        "done": Counter(),
        "found": {},
    }
    return type("Lab", (LabMachine,), there)


@pytest.fixture
def assisted(machine: type[LabMachine]) -> type[LabMachine]:
    """As ``machine``, with somebody of the lab in every session."""
    there = ("cast", "spenders", "device", "done", "found")
    return type("Assisted", (AssistedLab,), {name: getattr(machine, name) for name in there})


def test_every_step_is_done_or_refused_and_leaves_nothing_broken(machine: type[LabMachine]) -> None:
    seeds.run(machine, SOME)
    everybody = {"book", "swap", "move", "move elsewhere", "cancel", "break down", "works again", "agree"}
    assert sorted((everybody | {"ask for a series", "a device tells", "leader agrees", "bring a list"}) - set(machine.done)) == []


@pytest.fixture
def toured(machine: type[LabMachine]) -> type[TouredLab]:
    there = ("cast", "spenders", "device", "done", "found")
    return type("Toured", (TouredLab,), {name: getattr(machine, name) for name in there})


def test_a_tour_takes_every_step_of_sessions_and_samples_and_leaves_nothing_broken(toured: type[TouredLab]) -> None:
    toured.go_round()
    assert toured.never_done() == []


@pytest.mark.proof
def test_a_step_that_is_always_refused_is_noticed(toured: type[TouredLab], monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""

    def refused(*_given: object) -> None:
        raise Refusal.of("booking.figures_differ")

    monkeypatch.setattr(extending, "extend", refused)
    toured.go_round()
    assert toured.never_done() == ["extend"]


@pytest.mark.proof
def test_nothing_breaks_in_the_long_run(machine: type[LabMachine]) -> None:
    seeds.run(machine, MANY)


@pytest.mark.proof
def test_nothing_breaks_where_somebody_assists(assisted: type[LabMachine]) -> None:
    seeds.run(assisted, settings(MANY, max_examples=30))
    arranged = {"book", "swap", "move", "cancel", "give a session", "be away", "be back", "take somebody out"}
    assert sorted(arranged - set(assisted.done)) == []


def test_money_that_is_not_released_is_noticed(machine: type[LabMachine], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports.money(), "on_release", lambda *args, **more: 0)
    with pytest.raises(AssertionError):
        seeds.run(machine, UNTIL_IT_FAILS)
    assert set(machine.found) == {"ledger.no_forgotten_hold"}


def test_time_that_is_not_given_back_is_noticed(machine: type[LabMachine], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_writing, "blocks", lambda state, pending_blocks: True)
    with pytest.raises(AssertionError):
        seeds.run(machine, UNTIL_IT_FAILS)
    assert set(machine.found) == {"booking.occupancies_follow_states"}


@pytest.mark.proof
def test_a_job_that_breaks_on_one_thing_is_noticed(machine: type[LabMachine], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object) -> None:
        raise TypeError("a slip of ours")

    monkeypatch.setattr(transitions, "is_due_expired", broken)
    with pytest.raises(TypeError, match="a slip of ours"):
        seeds.run(machine, UNTIL_IT_FAILS)
