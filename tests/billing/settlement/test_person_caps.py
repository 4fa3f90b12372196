"""A yearly limit of a person is that of whose booking it is: colleagues of one firm have one each, here as in the sandbox."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from billing.ledger.models import Account
from billing.sandbox.rules.simulation import Known, Simulation
from billing.sandbox.services.reading import Reader
from billing.settlement.models import Award
from billing.settlement.services import assessing, quotes, sample_quotes
from billing.settlement.services.assessing import Told
from billing.settlement.services.replaying import replay_charges
from billing.subsidy.rules.facts import Paper, Service
from booking.services import consents
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of, voucher_document

__all__ = ["published"]


def per_person(limit: str = "400") -> dict[str, Any]:
    """40 % at once, up to so much (yuan) of a person's year."""
    document = voucher_document(CODE)
    clause = document["caps"][0]["clause"]
    document["caps"] = [{"id": "person", "per": "person_year", "limit": limit, "when_short": "partial", "clause": clause}]
    return document


@pytest.fixture
def life(cast: Any, published: Any) -> Life:
    published(per_person())
    return Life(cast)


def asking_for(*paths: str) -> Any:
    return SimpleNamespace(programme=SimpleNamespace(asks_of_service=frozenset(paths)))


def person_of(quote: Any) -> list[str | None]:
    return [each["facts"]["service"].get("person") for each in quote.inputs["candidates"]]


def test_two_persons_of_one_firm_have_a_limit_each_and_one_of_them_is_stopped(life: Life, cast: Any) -> None:
    lin, zhao = cast.actor("lin").user_id, cast.actor("zhao").user_id
    given = [life.whole(slot_of(9, 11)), life.whole(slot_of(13, 15)), life.whole(slot_of(9, 11, 1), who="zhao")]
    assert [charge.deducted_fen for charge in given] == [320_00, 80_00, 320_00]
    stopped, goes_on = life.quote(life.ask(slot_of(13, 14, 1))), life.quote(life.ask(slot_of(15, 16, 1), who="zhao"))
    assert (stopped.deducted_fen, goes_on.deducted_fen) == (0, 80_00)
    kept = {account.key: account for account in Account.objects.filter(kind="person_year")}
    key = f"person_year:{CODE}:person:user:"
    assert {name: account.posted_fen for name, account in kept.items()} == {
        f"{key}{lin}:2026": 400_00,
        f"{key}{zhao}:2026": 320_00,
    }
    assert {account.organisation_id for account in kept.values()} == {None}
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_what_is_shown_before_booking_is_what_the_person_has_left(life: Life, cast: Any) -> None:
    life.whole(slot_of(9, 11))
    consents.give(cast.actor("lin"), cast.firm.pk, cast.actor("zhao").user_id, date(2026, 12, 20), cast.now)
    asked = (cast.xrd.pk, cast.firm.pk, slot_of(13, 15, 1), cast.now)
    shown = [
        quotes.preview(cast.actor("lin"), *asked),
        quotes.preview(cast.actor("zhao"), *asked),
        quotes.preview(cast.actor("zhao"), *asked, for_person_id=cast.actor("lin").user_id),
    ]
    assert [each.assessment.deducted_fen for each in shown] == [80_00, 320_00, 80_00]


def test_the_sandbox_counts_the_same_persons(life: Life, cast: Any) -> None:
    for first, last, day, who in ((9, 11, 0, "lin"), (13, 15, 0, "lin"), (9, 11, 1, "zhao")):
        life.whole(slot_of(first, last, day), who=who)
    reader, known = Reader(date(2026, 11, 1), date(2026, 11, 30)), Known()
    simulated = Simulation(per_person(), None, full=False)
    for piece in reader.pieces(0):
        assert not any("person" in service for service in piece.services), "a person is told by the booking, not by its facts"
        known.add(piece.facts, piece.services)
        simulated.feed(piece.rows, known)
    assert simulated.total[2] == sum(Award.objects.values_list("total_fen", flat=True)) == 720_00


def test_a_test_is_counted_by_who_asked_for_it(cast: Any, published: Any) -> None:
    published(per_person("100"))
    work = Work(cast, make_item(cast))
    first, second = work.accept(work.ask(3)), work.accept(work.ask(3, who="zhao"))
    assert [job.quotes.latest("revision").deducted_fen for job in (first, second)] == [96_00, 96_00]
    assert person_of(first.quotes.latest("revision")) == [f"user:{cast.actor('lin').user_id}"]
    shown = [
        sample_quotes.preview(cast.actor(who), work.item.pk, cast.firm.pk, 3, 1, cast.now).assessment.deducted_fen
        for who in ("lin", "zhao")
    ]
    assert shown == [4_00, 4_00]


def test_nobody_is_named_where_no_limit_is_a_persons(cast: Any, published: Any) -> None:
    published(voucher_document(CODE))
    plain = Life(cast)
    assert person_of(plain.quote(plain.ask(slot_of(9, 11)))) == [None]
    told = Told("firm", "assisted", "", 7)
    assert assessing.service_of(Service(), (), told) == Service()
    assert assessing.service_of(Service(), [asking_for("service.person")], told).paper == Paper(person="user:7")
    assert assessing.service_of(Service(), [asking_for("service.person")], told._replace(person_id=None)) == Service()


@pytest.mark.parametrize(
    ("kind", "said", "purpose"),
    [
        ("firm", "", "development"),
        ("team", "", "research"),
        ("firm", "research", "research"),
        ("firm", "nonsense", "development"),
    ],
)
def test_a_programme_that_asks_is_told_what_a_service_is_for_and_how_it_is_done(kind: str, said: str, purpose: str) -> None:
    told = Told(kind, "remote", said, 7)
    found = assessing.service_of(Service(), [asking_for("service.purpose", "service.way")], told)
    assert found.paper == Paper(purpose=purpose, way="remote")
