"""A version that was published before its kind of document was refused counts on; one that waits to be published has to be mended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from billing.ledger.rules.documents import DocumentError, Fault
from billing.settlement.services import assessing
from billing.settlement.services.replaying import replay_charges
from billing.subsidy import queries, services
from billing.subsidy.rules import read_programme
from config.kernel.errors import Refusal
from tests.billing.rules.test_published_documents import GIVEN_ONCE, NAMES_NOBODY

pytestmark = pytest.mark.django_db


@contextmanager
def before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While it holds, the program asks no more of a document than what it can be compiled with."""
    with monkeypatch.context() as older:
        older.setattr(services.programme_rules, "parse_programme", read_programme)
        older.setattr(services, "check_examples", lambda document: [])
        yield


@pytest.mark.parametrize("document", [GIVEN_ONCE, NAMES_NOBODY], ids=["by line", "an example"])
def test_a_version_published_before_is_read_as_it_was(
    publish: Any, monkeypatch: pytest.MonkeyPatch, document: dict[str, Any]
) -> None:
    with before(monkeypatch):
        version = publish(document)
    services.in_force.cache_clear()
    queries.published_examples.cache_clear()
    assert services.in_force(version.pk).programme.code == document["code"]
    assert len(queries.worked_examples(version)) == len(document["examples"])


def test_a_version_that_waits_is_not_published_with_what_is_refused_by_now(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with before(monkeypatch):
        version = services.draft_version(cast.actor("chen"), GIVEN_ONCE, cast.now)
    with pytest.raises(Refusal) as caught:
        services.publish_version(cast.actor("sun"), version, cast.now)
    assert [(each.code, each.field) for each in caught.value.reasons] == [("programme.invalid", "$.rounding.per")]
    version.refresh_from_db()
    assert version.published_at is None


def test_a_charge_whose_documents_cannot_be_read_is_told_and_the_others_are_computed(
    life: Any, programmes: Any, slot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = life.whole(slot(9, 10)), life.whole(slot(11, 12))
    thaw = assessing.thaw

    def unreadable(inputs: Any) -> Any:
        if inputs == first.inputs:
            raise DocumentError([Fault("$.rate", "is missing")])
        return thaw(inputs)

    monkeypatch.setattr(assessing, "thaw", unreadable)
    told = {each.charge_id: (each.identical, each.problem) for each in replay_charges()}
    assert told == {first.pk: (False, "$.rate: is missing"), second.pk: (True, "")}
