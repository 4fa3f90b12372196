"""A person who did everything that a customer can do is erased: the name and the address stand nowhere any more but in frozen papers."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from billing.bills.models import Bill
from billing.erasure import services
from billing.erasure.rules.places import FROZEN, inside_sentences, pseudonym, pseudonymous_address
from billing.ledger import seals
from billing.papers import verifying
from config.kernel import invariants
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Membership, User
from tests.access.world import World

pytestmark = pytest.mark.django_db

_EVERYTHING = """
SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE'
   AND data_type IN ('text', 'character varying', 'jsonb', 'json', 'tsvector', 'ARRAY')
"""


def where(text: str) -> set[str]:
    """The tables in which a text stands somewhere, in any column of any type of text."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(_EVERYTHING)
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" WHERE strpos(lower("{column}"::text), %s) > 0)', [text.lower()])
            if cursor.fetchone()[0]:
                found.add(table)
    return found


def test_an_erased_person_stands_nowhere_but_in_frozen_papers(world: World) -> None:
    cast, now = world.cast, world.cast.now
    person: User = cast.users["lin"]
    name, address, operator = person.full_name, person.email, cast.actor("zhou")
    assert len(where(name)) > 3 and {"kernel_auditentry", "instruments_user"} <= where(
        name
    )  # the control: it does stand in many places
    total, chain = sum(Bill.objects.values_list("total_fen", flat=True)), seals.verify()
    for who in ("lin", "zhao", "li", "wu"):
        with pytest.raises(Forbidden):
            services.erase(cast.actor(who), address, "asked", now)
    for given, reason, code in ((address, " ", "person.reason"), (address, "asked", "person.has_memberships")):
        with pytest.raises(Refusal) as error:
            services.erase(operator, given, reason, now)
        assert error.value.reasons[0].code == code
    with pytest.raises(NotFound):
        services.erase(operator, "nobody@example.org", "asked", now)
    with pytest.raises(Refusal):
        services.erase(operator, cast.users["zhou"].email, "asked", now)
    Membership.objects.filter(user=person).delete()
    client = Client()
    client.force_login(cast.users["zhou"])
    other = client.post("/people/erase/", {"email": address, "again": "x@example.org", "reason": "asked"})
    assert other.status_code == 422 and where(address)
    done = client.post("/people/erase/", {"email": address, "again": address.upper(), "reason": "asked on 1 December"})
    assert done.status_code == 302
    assert where(name) <= set(FROZEN) and where(address) <= set(FROZEN)
    erased = User.objects.get(pk=person.pk)  # the world's own object stays as the next test wants it
    assert (erased.full_name, erased.email) == (pseudonym(person.pk), pseudonymous_address(person.pk))
    assert not erased.is_active and not erased.has_usable_password()
    entry = AuditEntry.objects.filter(action="person.erase").latest("pk")
    assert entry.object_id == str(person.pk) and entry.reason == "asked on 1 December" and entry.after["rows"] > 5
    assert sum(Bill.objects.values_list("total_fen", flat=True)) == total and seals.verify().faults == chain.faults == ()
    kinds = {fault.code for fault in verifying.verify().faults}
    assert kinds <= {"papers.row_differs"} or not kinds
    assert invariants.registered()["kernel.guards_installed"]().violations == ()
    with pytest.raises(CommandError):
        call_command("erase_person", "nobody@example.org", "--as", cast.users["zhou"].email, "--reason", "x", stdout=StringIO())


def test_short_names_are_replaced_only_where_they_stand_alone(world: World) -> None:
    assert inside_sentences("Lin Wei") and inside_sentences("欧阳娜娜") and not inside_sentences("高原")
    short = User.objects.create(email="gao@example.org", full_name="高原", password="!")
    other = User.objects.create(email="b@example.org", full_name="高原科技", password="!")
    found = services.erase(world.cast.actor("zhou"), "GAO@example.org", "asked", world.cast.now)
    other.refresh_from_db()
    assert other.full_name == "高原科技" and found.user_id == short.pk
    twin = User.objects.create(email="c@example.org", full_name="高原科技", password="!")
    assert services.erase(world.cast.actor("zhou"), "b@example.org", "asked", world.cast.now).homonyms == 1
    twin.refresh_from_db()
    assert twin.full_name == "高原科技"
