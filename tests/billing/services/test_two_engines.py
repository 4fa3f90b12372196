"""After an upgrade: what was promised before is charged by the engine that promised it and replays, and what is new is the new engine's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from billing.settlement.models import Charge
from billing.settlement.services.replaying import replay_charges
from billing.subsidy.rules import engines
from billing.subsidy.rules.assess import Assessment, assess_session
from billing.subsidy.rules.codec import inputs_from_json, inputs_to_json
from config.kernel.time_range import TimeRange

pytestmark = pytest.mark.django_db


def _session_of_whole_hours(schedule: Any, during: TimeRange, *rest: Any) -> Assessment[Any]:
    """Engine 2 of this test: a started hour is a whole one."""
    hours = -(-during.seconds // 3600)
    longer = TimeRange(during.starts_at, during.starts_at + timedelta(hours=hours))
    return assess_session(schedule, longer, *rest)


def _programme_read_by_the_first(document: Any) -> Any:
    """Engine 1 after the upgrade reads programmes with its own reader; this one leaves a mark on what it read."""
    return replace(engines.read_programme(document), evidence_grade="as engine 1 reads")


@pytest.fixture
def upgrade(monkeypatch: pytest.MonkeyPatch) -> Any:
    def do() -> None:
        first = engines.ENGINES["1"]
        monkeypatch.setitem(engines.ENGINES, "1", replace(first, programme=_programme_read_by_the_first))
        monkeypatch.setitem(engines.ENGINES, "2", replace(first, session=_session_of_whole_hours))
        monkeypatch.setattr(engines, "ENGINE_VERSION", "2")

    return do


def _told() -> list[tuple[bool, str]]:
    return [(each.identical, each.problem) for each in replay_charges()]


def test_old_figures_replay_a_held_quote_is_charged_as_promised_and_new_ones_are_the_new_engines(
    life: Any, programmes: Any, slot: Any, upgrade: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = life.whole(slot(9, 10.5))
    held = life.approve(life.ask(slot(11, 12.5)))
    promised = life.quote(held)
    upgrade()
    as_promised, new = life.use(held), life.whole(slot(13, 14.5))
    assert [each.engine_version for each in (before, promised, as_promised, new, life.quote(new.reservation))] == [*"11122"]
    assert [each.inputs["engine"] for each in (before, as_promised, new)] == [*"112"]
    assert [each.result["engine"] for each in (before, as_promised, new)] == [*"112"]
    # 400.00 an hour: an hour and a half is 600.00 under engine 1, two whole hours are 800.00 under engine 2; programme V pays 40 %.
    assert [each.gross_fen for each in (before, promised, as_promised, new)] == [600_00, 600_00, 600_00, 800_00]
    assert [each.deducted_fen for each in (before, as_promised, new)] == [240_00, 240_00, 320_00]
    assert _told() == [(True, "")] * 3
    out = StringIO()
    call_command("replay_charges", stdout=out)
    assert out.getvalue() == "3 charges computed again: identical.\n"

    # Negative controls: computed by the other engine the older ones differ, and one whose engine is gone is told, not guessed.
    with monkeypatch.context() as patched:
        patched.setitem(engines.ENGINES, "1", engines.ENGINES["2"])
        assert _told() == [(False, ""), (False, ""), (True, "")]
    with monkeypatch.context() as patched:
        patched.delitem(engines.ENGINES, "1")
        gone = "these inputs were written by engine 1, which is not here (2)"
        assert _told() == [(False, gone), (False, gone), (True, "")]
    assert Charge.objects.count() == 3


def test_documents_of_older_inputs_are_read_by_the_older_engine(life: Any, programmes: Any, slot: Any, upgrade: Any) -> None:
    from billing.settlement.services import assessing

    held, fresh = life.quote(life.ask(slot(9, 10.5))).inputs, assessing.thaw
    assert {each.programme.evidence_grade for each in fresh(held).candidates} == {"S"}
    upgrade()
    again = fresh(held)
    assert again.engine == "1" and {each.programme.evidence_grade for each in again.candidates} == {"as engine 1 reads"}
    assert fresh({**held, "engine": "2"}).candidates[0].programme.evidence_grade == "S"
    whole = inputs_from_json(inputs_to_json(again))
    assert whole.engine == "1" and whole.assess() == again.assess()
