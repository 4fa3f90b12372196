"""A person who did everything that a customer can do is erased: the name and the address stand nowhere any more but in frozen papers."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from lxml import html

from billing.bills.models import Bill
from billing.claims.models import Objection
from billing.erasure import mentions, retention, services
from billing.erasure.rules.places import FROZEN, inside_sentences, pseudonym, pseudonymous_address
from billing.erasure.rules.replacing import Pair, replaced, replaced_json
from billing.erasure.rules.schedule import GONE
from billing.ledger import seals
from billing.papers import verifying
from config.kernel import invariants
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry, StoredFile
from config.kernel.services import files
from instruments.models import Instrument, Membership, User, VerificationRequest
from tests.access.shown_forms import entries
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


def test_a_name_that_is_a_word_of_ours_takes_no_role_no_state_and_no_key_with_it(world: World) -> None:
    operator, now = world.cast.actor("zhou"), world.cast.now
    noted = AuditEntry.objects.create(
        at=now, actor_name="reason", action="finance", object_type="draft", object_id="1", after={"reason": "finance"}
    )
    roles = sorted(Membership.objects.values_list("pk", "role"))
    states = sorted(Bill.objects.values_list("pk", "render_state"))
    names = {"owner_finance", "finance", "reason", "draft", "true", '": "'}
    assert "owner_finance" in {role for _, role in roles}  # the control: it stands in the table
    for place, name in enumerate(sorted(names)):
        User.objects.create(email=f"w{place}@example.org", full_name=name, password="!")
        services.erase(operator, f"w{place}@example.org", "asked", now)
    noted.refresh_from_db()
    assert sorted(Membership.objects.values_list("pk", "role")) == roles
    assert sorted(Bill.objects.values_list("pk", "render_state")) == states
    assert (noted.action, noted.object_type, noted.after) == ("finance", "draft", {"reason": "finance"})
    assert noted.actor_name.startswith("已注销-")


def test_an_address_goes_in_any_writing_with_the_telephone_number_beside_it_and_long_texts_stay_in_their_columns(
    world: World,
) -> None:
    person = User.objects.create(email="a@b.cn", full_name='Lin "Max" O\\Neil', password="!")
    mine, other = Instrument.objects.order_by("pk")[:2]
    before = (mine.name, other.contact_phone)
    Instrument.objects.filter(pk=mine.pk).update(contact_email="A@B.cn", contact_phone="029 1", contact_name="L. M.")
    Instrument.objects.filter(pk=other.pk).update(contact_email="x.a@b.cn.org", contact_phone="029 2")
    noted = AuditEntry.objects.create(
        at=world.cast.now,
        actor_name="A@b.cn " + "x" * 193,
        action="x",
        object_type="x",
        object_id="1",
        after={"who": person.full_name, "rate": 1.10, 'Lin "Max" O\\Neil': [f"by {person.full_name}", "to A@B.CN, x.a@b.cn"]},
        reason="wrote to A@B.CN, not to a@b.cn.org",
    )
    services.erase(world.cast.actor("zhou"), "a@b.cn", "asked", world.cast.now)
    for row in (mine, other, noted):
        row.refresh_from_db()
    alias, address = pseudonym(person.pk), pseudonymous_address(person.pk)
    assert (mine.name, mine.contact_email, mine.contact_phone) == (before[0], address, "")
    assert (other.contact_email, other.contact_phone) == ("x.a@b.cn.org", "029 2")
    assert noted.reason == f"wrote to {address}, not to a@b.cn.org"
    assert noted.after["who"] == alias and noted.after["rate"] == 1.10
    assert noted.after['Lin "Max" O\\Neil'] == [f"by {alias}", f"to {address}, x.a@b.cn"]


def test_who_objected_under_the_erased_address_is_named_no_longer() -> None:
    columns = [services.Column("name", "character varying", 100), services.Column("contact", "character varying", 200)]
    pair = Pair("lin@b.cn", "erased-1@erased.invalid", inside=True, any_case=True)
    gone = services._after("billing_objection", columns, ["Mr Lin", "029 1, Lin@b.cn"], [pair], "alias")
    assert gone == ["alias", "erased-1@erased.invalid"]
    stays = ["Mr Lin", "029 1, lin@b.cn.org"]
    assert services._after("billing_objection", columns, stays, [pair], "alias") == stays


def test_json_keeps_its_keys_and_numbers_when_a_string_in_it_is_replaced() -> None:
    pair = Pair("Lin Wei", "已注销-1", inside=True)
    assert replaced_json('{"Lin Wei": "Lin Wei", "n": 1.10, "l": ["by Lin Wei", "Lin Weiss"]}', pair) == (
        '{"Lin Wei": "已注销-1", "n": 1.10, "l": ["by 已注销-1", "Lin Weiss"]}'
    )
    assert replaced("由Lin Wei提交", pair) == "由已注销-1提交"
    assert not inside_sentences("finance") and not inside_sentences("owner:finance") and inside_sentences("owner finance")


def _licence_scans(world: World) -> list[VerificationRequest]:
    """Of a verified firm: one that was refused long ago, the one that was accepted then, and one that was refused just now."""
    cast, now = world.cast, world.cast.now
    made = []
    for place, (accepted, days) in enumerate(((False, 366), (True, 366), (False, 1))):
        scan = files.store(f"scan {place}".encode(), file_name="l.png", media_type="image/png", user_id=None, now=now)
        decided = {"decided_by": cast.users["zhou"], "decided_at": now - timedelta(days=days), "accepted": accepted}
        about = {"organisation": cast.firm, "licence": scan, "submitted_by": cast.users["zhao"], "submitted_at": now}
        made.append(VerificationRequest.objects.create(**about, **decided))
    return made


def test_what_is_due_goes_by_the_schedule_who_has_no_account_by_contact_and_short_names_where_they_are_marked(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    operator, now = world.cast.actor("zhou"), world.cast.now
    said = Objection.objects.get(pk=world.objects["objection"][0])
    for who in ("zhao", "li", "wu"):
        with pytest.raises(Forbidden):
            retention.due(world.cast.actor(who), now)
    of = {"publicity_id": said.publicity_id, "claim_id": said.claim_id, "text": "x", "at": now}
    old, fresh = (Objection.objects.create(name=name, contact=f"{name}@Example.org", **of) for name in ("Old", "S"))
    with pytest.raises(Refusal, match="objection_open"):
        retention.erase_objector(operator, fresh.contact, "asked", now)
    answered = {"upheld": False, "answer": "No.", "answered_by": world.cast.users["chen"]}
    Objection.objects.filter(pk=old.pk).update(**answered, answered_at=now - timedelta(days=366))
    Objection.objects.filter(pk=fresh.pk).update(**answered, answered_at=now)
    with pytest.raises(DatabaseError), transaction.atomic():  # the control: nobody else changes it
        Objection.objects.filter(pk=old.pk).update(name="x")
    refused, stands, fresh_scan = _licence_scans(world)
    counts = {each.keeping.code: each.count for each in retention.due(operator, now)}
    assert counts["objections"] == 1 and counts["books"] is None and counts["licences"] == 1

    client = Client()
    client.force_login(world.cast.users["zhou"])
    assert client.get("/people/retention/").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        retention.erase_due(operator, now)
    old.refresh_from_db()
    fresh.refresh_from_db()
    assert (old.name, old.contact, fresh.name) == (GONE, GONE, "S") and old.text == "x"
    gone = refused.licence
    refused.refresh_from_db()
    assert files.read(refused.licence) == GONE.encode() and not StoredFile.objects.filter(pk=gone.pk).exists()
    assert [files.read(each.licence) for each in (stands, fresh_scan)] == [b"scan 1", b"scan 2"]
    with pytest.raises(Refusal, match="missing"):
        files.read(gone)
    assert retention.erase_due(operator, now)["licences"] == 0
    assert client.post("/people/retention/", {"act": "objector", "contact": "nobody", "reason": "asked"}).status_code == 404
    done = client.post("/people/retention/", {"act": "objector", "contact": " s@example.ORG", "reason": "asked"})
    fresh.refresh_from_db()
    assert done.status_code == 302 and (fresh.name, fresh.contact) == (GONE, GONE)

    short = User.objects.create(email="gao2@example.org", full_name="高原", password="!")
    texts = ("请高原老师核对", "高原地区的样品")
    notes = [
        AuditEntry.objects.create(at=now, actor_name="", action="x", object_type="x", object_id="1", reason=text)
        for text in texts
    ]
    said = {"who": "由高原老师填写", "高原": 1}
    frozen = AuditEntry.objects.create(at=now, actor_name="", action="x", object_type="x", object_id="1", after=said)
    services.erase(operator, short.email, "asked", now)
    with pytest.raises(NotFound):
        mentions.mentions(operator, world.cast.users["lin"].pk, "高原", now)
    AuditEntry.objects.bulk_create(
        AuditEntry(at=now, actor_name="", action="x", object_type="x", object_id="1", reason=f"Lithium {place}")
        for place in range(mentions.MOST + 1)
    )
    latin = AuditEntry.objects.create(at=now, actor_name="", action="x", object_type="x", object_id="1", reason="ask Li")
    found = {each.place for each in mentions.mentions(operator, short.pk, "Li", now)}
    assert f"kernel_auditentry:reason:{latin.pk}" in found  # behind hundreds of words that begin so
    places = {each.place for each in mentions.mentions(operator, short.pk, "高原", now)}
    marked = f"kernel_auditentry:reason:{notes[0].pk}"
    in_json = f"kernel_auditentry:after:{frozen.pk}"
    assert {marked, in_json, f"kernel_auditentry:reason:{notes[1].pk}"} <= places
    typed = {"act": "replace", "person": short.pk, "name": "高原", "place": [marked, in_json], "reason": "means the person"}
    assert client.post("/people/mentions/", typed | {"act": "look"}).status_code == 200
    refused = client.post("/people/mentions/", typed | {"reason": " "})
    assert refused.status_code == 422
    again = [entries(form) for form in html.document_fromstring(refused.content).forms if "place" in form.fields]
    assert [each & {("tick", "place", place) for place in places} for each in again] == [
        {("tick", "place", marked), ("tick", "place", in_json)}
    ]
    unknown = client.post("/people/mentions/", typed | {"person": "987654321"})
    assert unknown.status_code == 404 and "987654321" in unknown.content.decode()
    assert client.post("/people/mentions/", typed).status_code == 302
    for note in notes:
        note.refresh_from_db()
    assert [note.reason for note in notes] == [f"请{pseudonym(short.pk)}老师核对", texts[1]]
    frozen.refresh_from_db()
    assert frozen.after == {"who": f"由{pseudonym(short.pk)}老师填写", "高原": 1}, "a key names a field, nobody"
