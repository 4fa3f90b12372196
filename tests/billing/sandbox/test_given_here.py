"""A trial of a rule that looks at other public money is told what other programmes gave for the same services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from billing.sandbox.services import reading, running
from billing.sandbox.services.reading import Reader, versions_before
from billing.sandbox.services.running import Asked
from billing.settlement.models import Award
from billing.subsidy import drafts
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.given_here import OTHERS
from billing.subsidy.rules.programme import read_programme
from tests.billing.claims.test_declared import asking
from tests.billing.claims.test_given_here import CLAUSE, FIRST, FORTY, HALF, first
from tests.billing.sandbox.test_parts import DAYS, commissioned, given, trial
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, published
from tests.conftest import Cast, slot_of

__all__ = ["published"]
pytestmark = pytest.mark.django_db
Publish = Callable[[dict[str, Any]], ProgrammeVersion]
SAYS = {"zh": "没有其他补贴", "en": "No other public money"}
BESIDE = {"mode": "paid_beside", "form": "yearly_reward", "payee": "provider", "clause": CLAUSE}


def cost(result: dict[str, Any], name: str = "tried") -> int:
    fen: int = result["totals"][name]["cost_fen"]
    return fen


def of_draft(cast: Cast, document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    draft = drafts.start(cast.actor("chen"), document, cast.now)
    return trial(cast, draft, version_id=None, draft_id=draft.pk, **changes)


@pytest.fixture
def charged(cast: Cast, published: Publish) -> ProgrammeVersion:
    """Two sessions and a commissioned test of which the first programme gave 40 %, and the second what is left of a half."""
    published(first())
    version = published(asking(adjustments=[HALF]))
    life = Life(cast)
    for slot in (slot_of(9, 11), slot_of(13, 14)):
        life.whole(slot)
    commissioned(cast)
    return version


def test_a_version_gives_in_a_trial_beside_others_what_it_gave(cast: Cast, charged: ProgrammeVersion) -> None:
    result = trial(cast, charged, against_id=charged.pk)
    assert cost(result) == cost(result, "against") == given(charged) == 80_00 + 40_00 + 24_00
    assert cost(trial(cast, ProgrammeVersion.objects.get(programme__code=FIRST))) == FORTY + FORTY // 2 + 96_00


def test_only_what_stands_before_it_is_told(cast: Cast, charged: ProgrammeVersion) -> None:
    """By itself the rule gives 40 %; after both 10 % of the first and the 40 % of the second programme: nothing is left of a half."""
    costs = {code: cost(of_draft(cast, charged.document | {"code": code})) for code in ("DEMO-QH-A", "DEMO-QH-G", "DEMO-QH-Z")}
    assert costs == {"DEMO-QH-A": FORTY + FORTY // 2 + 96_00, "DEMO-QH-G": given(charged), "DEMO-QH-Z": 0}


def test_what_it_is_held_against_and_what_it_does_not_combine_with_are_not_told(cast: Cast, charged: ProgrammeVersion) -> None:
    """It is tried in the place of the one, and without the other."""
    last = charged.document | {"code": "DEMO-QH-Z"}
    result = of_draft(cast, last, against_id=charged.pk)
    assert cost(result) == cost(result, "against") == given(charged)
    apart = {"exclusive": {"class": "class-of-z", "not_with": [FIRST], "clause": CLAUSE}}
    assert cost(of_draft(cast, last | apart, against_id=charged.pk)) == FORTY + FORTY // 2 + 96_00
    assert versions_before(read_programme(last | apart), ()) == (charged.pk,)


def test_where_nothing_was_given_it_is_known_to_be_nothing(cast: Cast, published: Publish) -> None:
    none = {"type": "condition", "clause": CLAUSE, "says": SAYS, "when": {"fact": OTHERS, "at_most": "0"}}
    document = asking()
    version = published(document | {"gates": [*document["gates"], none]})
    life = Life(cast)
    life.whole(slot_of(9, 11))
    assert cost(trial(cast, version)) == given(version) == FORTY
    published(first())
    life.whole(slot_of(13, 15))
    result = trial(cast, version)
    assert cost(result) == given(version) == FORTY and result["refused"] == [["subsidy.unmet.condition", 1]]


@pytest.mark.parametrize(("beside", "second"), [(False, 160_00), (True, 320_00)])
def test_what_others_left_of_the_price_is_as_much_as_when_it_was_charged(
    cast: Cast, published: Publish, beside: bool, second: int
) -> None:
    """A rule that looks at others and does not count them in: of 800.00 the first gives 640.00, off the price or beside it."""
    before = first(rate={"type": "flat", "rate": "0.8", "clause": CLAUSE})
    published(before | ({"settlement": BESIDE} if beside else {}))
    some = {"type": "condition", "clause": CLAUSE, "says": SAYS, "when": {"fact": OTHERS, "at_least": "1"}}
    document = asking(adjustments=[])
    version = published(document | {"gates": [*document["gates"], some]})
    Life(cast).whole(slot_of(9, 11))
    assert cost(trial(cast, version)) == given(version) == second


def test_awards_are_read_with_one_statement_for_a_piece_and_none_where_nobody_looks(
    cast: Cast, charged: ProgrammeVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(before: list[tuple[int, ...]]) -> tuple[list[tuple[int, ...]], int]:
        with CaptureQueriesContext(connection) as seen:
            rows = [row for piece in Reader(**DAYS, before=before).pieces(0) for row in piece.rows]
        return [row.given for row in rows], len([each for each in seen.captured_queries if "billing_award" in each["sql"]])

    (before,) = versions_before(read_programme(charged.document), ())
    assert read([]) == ([()] * 3, 0) and read([(), ()]) == ([(0, 0, 0, 0)] * 3, 0)
    gave = [FORTY, FORTY // 2, 96_00]
    assert read([(), (before,)]) == ([(0, 0, fen, fen) for fen in gave], 1)
    monkeypatch.setattr(reading, "PIECE", 1)
    assert read([(before,)])[0] == [(fen, fen) for fen in gave]
    running_reads = []
    monkeypatch.setattr(Reader, "_given", lambda self, bounds: running_reads.append(self.before) or {})
    trial(cast, ProgrammeVersion.objects.get(programme__code=FIRST))
    assert set(map(tuple, running_reads)) == {()}


def test_a_trial_that_was_stopped_goes_on_with_what_others_gave(
    cast: Cast, charged: ProgrammeVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trial(cast, charged)
    monkeypatch.setattr(reading, "PIECE", 1)
    monkeypatch.setattr(running, "KEEP_SECONDS", -1.0)
    monkeypatch.setattr(running, "KEEP_TIMES", 0)
    run, real = running.start(cast.actor("chen"), Asked(**DAYS, version_id=charged.pk), cast.now), Reader.pieces

    def stopped(self: Reader, after: int, until: int | None = None) -> Any:
        for place, piece in enumerate(real(self, after, until)):
            if place == 2:
                running.cancel(cast.actor("sun"), run.pk, cast.now)
            yield piece

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "pieces", stopped)
        running.work(run.pk, cast.now)
    running.resume(cast.actor("chen"), run.pk, cast.now)
    running.work(run.pk, cast.now)
    run.refresh_from_db()
    assert run.result == whole


@override_settings(LANGUAGE_CODE="en")
def test_the_page_says_that_what_others_gave_was_counted(cast: Cast, charged: ProgrammeVersion, client: Client) -> None:
    client.force_login(cast.users["chen"])
    said = "What other programmes gave for the same services counts as other public money"
    for version in ProgrammeVersion.objects.filter(programme__code__in=(CODE, FIRST)):
        run = running.start(cast.actor("chen"), Asked(**DAYS, version_id=version.pk), cast.now)
        running.work(run.pk, cast.now)
        page = client.get(reverse("programme_trial", args=[run.pk]), headers={"accept-language": "en"}).content.decode()
        assert (said in page) is (version == charged)
    assert Award.objects.exists()
