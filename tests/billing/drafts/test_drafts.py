"""Drafts of programme versions: nothing typed is lost, two people put a version in force, and the database holds them to it."""

from __future__ import annotations

import copy
import json

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction

from billing.subsidy import drafts
from billing.subsidy.draft_models import DraftState, DraftStep, DraftWriter, ProgrammeDraft
from billing.subsidy.models import ProgrammeVersion
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Membership, Organisation, User
from instruments.queries import actor_for
from tests.conftest import programme_document

pytestmark = pytest.mark.django_db


@pytest.fixture
def chen(cast):
    return cast.actor("chen")


@pytest.fixture
def sun(cast):
    return cast.actor("sun")


def sound(code="DEMO-QH-V", **changes):
    return copy.deepcopy(programme_document(code)) | changes


@pytest.fixture
def draft(cast, chen):
    return drafts.start(chen, sound(), cast.now)


def codes(refused):
    return [reason.code for reason in refused.value.reasons]


def test_a_draft_begins_with_a_shipped_document(cast, chen):
    made = drafts.start_from_template(chen, "HE-LF", cast.now)
    assert made.document == programme_document("HE-LF") and made.template == "HE-LF" and made.state == "draft"


def test_a_draft_begins_with_a_version_in_force(cast, chen, programmes):
    version = programmes["DEMO-QH-A"]
    made = drafts.start_from_version(chen, version.pk, cast.now)
    assert made.document == version.document and made.based_on == version


@pytest.mark.parametrize("name", ["NONE", "../schema/programme.schema", "", "\x00"])
def test_a_template_that_is_not_shipped_is_not_found(cast, chen, name):
    with pytest.raises(NotFound):
        drafts.start_from_template(chen, name, cast.now)


@pytest.mark.parametrize("who", ["lin", "wang", "qian", "wu", "zhou"])
def test_only_programme_officers_write(cast, draft, who):
    with pytest.raises((Forbidden, NotFound)):
        drafts.save(cast.actor(who), draft.pk, 1, sound(), cast.now)
    with pytest.raises(Forbidden):
        drafts.start_from_template(cast.actor(who), "HE-LF", cast.now)


def test_what_is_wrong_is_kept_as_typed(cast, chen, draft):
    wrong = sound(kind="nonsense", caps=[{"limit": 0.5}], rate={"type": "flat", "rate": "1.5"})
    drafts.save(chen, draft.pk, 1, wrong, cast.now)
    kept = ProgrammeDraft.objects.get(pk=draft.pk)
    assert kept.document == wrong and kept.revision == 2


@pytest.mark.parametrize(
    "text", ["{", '{"a": NaN}', "[1]", '"x"', '{"a": 1, "a": 2}', "[" * 100_000, '{"a": ' + "9" * 6000 + "}", ""]
)
def test_a_text_that_is_no_document_is_kept_beside_the_last_readable_one(cast, chen, draft, text):
    drafts.save_text(chen, draft.pk, 1, text, cast.now)
    kept = ProgrammeDraft.objects.get(pk=draft.pk)
    assert (kept.text == text and kept.document == sound()) or (text == "" and kept.document == sound())
    with pytest.raises(Refusal):
        drafts.read_text(text)


@pytest.mark.parametrize("text", ['{"a": "\\u0000"}', '{"a": "\\ud800"}', "{\x00"])
def test_characters_that_the_database_cannot_keep_do_not_break_it(cast, chen, draft, text):
    drafts.save_text(chen, draft.pk, 1, text, cast.now)
    assert ProgrammeDraft.objects.get(pk=draft.pk).document == sound()


def test_a_text_that_can_be_read_becomes_the_document(cast, chen, draft):
    drafts.save_text(chen, draft.pk, 1, "{", cast.now)
    drafts.save_text(chen, draft.pk, 2, json.dumps(sound(version="2")), cast.now)
    kept = ProgrammeDraft.objects.get(pk=draft.pk)
    assert (kept.document["version"], kept.text) == ("2", "")


def test_a_document_that_is_far_too_long_is_refused(cast, chen, draft):
    with pytest.raises(Refusal) as refused:
        drafts.save_text(chen, draft.pk, 1, "x" * 600_000, cast.now)
    assert codes(refused) == ["draft.too_long"]


def test_two_who_write_at_once_do_not_undo_each_other(cast, chen, sun, draft):
    drafts.save(chen, draft.pk, 1, sound(version="chen"), cast.now)
    with pytest.raises(Conflict) as refused:
        drafts.save(sun, draft.pk, 1, sound(version="sun"), cast.now)
    assert codes(refused) == ["draft.changed_meanwhile"]
    assert ProgrammeDraft.objects.get(pk=draft.pk).document["version"] == "chen"


def test_saving_what_stands_there_changes_nothing(cast, chen, draft):
    assert drafts.save(chen, draft.pk, 1, sound(), cast.now).revision == 1


def test_a_second_officer_puts_it_in_force(cast, chen, sun, draft):
    drafts.submit(chen, draft.pk, 1, cast.now)
    version = drafts.approve(sun, draft.pk, 1, cast.now)
    version.refresh_from_db()
    assert (version.author, version.approver) == (cast.users["chen"], cast.users["sun"]) and version.published_at
    assert version.document == sound() and version.programme.issuer == cast.office
    kept = ProgrammeDraft.objects.get(pk=draft.pk)
    assert kept.state == DraftState.PUBLISHED and kept.version == version
    assert list(DraftStep.objects.order_by("pk").values_list("kind", flat=True)) == ["started", "submitted", "published"]


def test_the_author_may_not(cast, chen, draft):
    drafts.submit(chen, draft.pk, 1, cast.now)
    with pytest.raises(Forbidden) as refused:
        drafts.approve(chen, draft.pk, 1, cast.now)
    assert codes(refused) == ["programme.own_draft"]


def test_nor_who_changed_one_word_of_what_another_hands_in(cast, chen, sun, draft):
    drafts.save(sun, draft.pk, 1, sound(version="9"), cast.now)
    drafts.submit(chen, draft.pk, 2, cast.now)
    with pytest.raises(Forbidden):
        drafts.approve(sun, draft.pk, 2, cast.now)


def test_what_was_looked_at_is_what_is_approved(cast, chen, sun, draft):
    drafts.submit(chen, draft.pk, 1, cast.now)
    drafts.take_back(chen, draft.pk, cast.now)
    drafts.save(chen, draft.pk, 1, sound(version="9"), cast.now)
    drafts.submit(chen, draft.pk, 2, cast.now)
    with pytest.raises(Conflict):
        drafts.approve(sun, draft.pk, 1, cast.now)


def test_it_is_sent_back_with_a_reason_and_goes_on(cast, chen, sun, draft):
    drafts.submit(chen, draft.pk, 1, cast.now)
    with pytest.raises(Refusal):
        drafts.send_back(sun, draft.pk, "  ", cast.now)
    drafts.send_back(sun, draft.pk, "The rate of clause 2\nis last year's", cast.now)
    assert DraftStep.objects.get(kind="sent_back").reason == "The rate of clause 2 is last year's"
    drafts.save(chen, draft.pk, 1, sound(version="9"), cast.now)
    drafts.submit(chen, draft.pk, 2, cast.now)
    assert drafts.approve(sun, draft.pk, 2, cast.now).label == "9"


def test_only_who_handed_it_in_takes_it_back(cast, chen, sun, draft):
    drafts.submit(chen, draft.pk, 1, cast.now)
    with pytest.raises(Forbidden):
        drafts.take_back(sun, draft.pk, cast.now)


def test_every_fault_is_told_and_nothing_is_handed_in(cast, chen, draft):
    wrong = sound(kind="nonsense")
    del wrong["base"]["clause"]
    drafts.save(chen, draft.pk, 1, wrong, cast.now)
    with pytest.raises(Refusal) as refused:
        drafts.submit(chen, draft.pk, 2, cast.now)
    assert {(each.code, each.field) for each in refused.value.reasons} == {
        ("programme.flaw.choice", "$.kind"), ("programme.flaw.required", "$.base.clause"),
    }  # fmt: skip
    assert ProgrammeDraft.objects.get(pk=draft.pk).state == "draft"


def test_an_example_that_does_not_come_out_keeps_it_back(cast, chen, draft):
    wrong = sound()
    wrong["examples"][0]["expect"] = {"total": "1"}
    drafts.save(chen, draft.pk, 1, wrong, cast.now)
    with pytest.raises(Refusal) as refused:
        drafts.submit(chen, draft.pk, 2, cast.now)
    assert [(each.code, each.field) for each in refused.value.reasons] == [("programme.example_fails", "$.examples[0]")]


@pytest.mark.parametrize(
    "changes, code", [({"examples": []}, "programme.no_example"), ({"template": True}, "programme.still_template")]
)
def test_without_examples_or_still_a_template_it_is_not_handed_in(cast, chen, draft, changes, code):
    drafts.save(chen, draft.pk, 1, sound(**changes), cast.now)
    with pytest.raises(Refusal) as refused:
        drafts.submit(chen, draft.pk, 2, cast.now)
    assert code in codes(refused)


def test_days_of_another_version_are_refused_and_it_is_named(cast, chen, programmes):
    made = drafts.start(chen, sound(version="other"), cast.now)
    with pytest.raises(Refusal) as refused:
        drafts.submit(chen, made.pk, 1, cast.now)
    (reason,) = refused.value.reasons
    assert reason.code == "programme.overlaps" and reason.params["label"] == programmes["DEMO-QH-V"].label


def test_a_label_that_is_taken_is_refused(cast, chen, programmes):
    made = drafts.start_from_version(chen, programmes["DEMO-QH-V"].pk, cast.now)
    with pytest.raises(Refusal) as refused:
        drafts.submit(chen, made.pk, 1, cast.now)
    assert "programme.label_taken" in codes(refused)


@pytest.fixture
def elsewhere(cast):
    """An officer of another office."""
    office = Organisation.objects.create(
        kind="government", name="Other office", name_key="other", status="verified", verified_at=cast.now, created_at=cast.now
    )
    user = User.objects.create(email="o@example.org", full_name="O", password="!")
    Membership.objects.create(user=user, organisation=office, role=Role.PROGRAMME_OFFICER, created_at=cast.now)
    return actor_for(user)


def test_another_office_does_not_see_it(cast, draft, elsewhere):
    for act in (
        lambda: drafts.save(elsewhere, draft.pk, 1, sound(), cast.now),
        lambda: drafts.submit(elsewhere, draft.pk, 1, cast.now),
        lambda: drafts.drop(elsewhere, draft.pk, "x", cast.now),
    ):
        with pytest.raises(NotFound):
            act()


def test_another_office_does_not_write_versions_of_its_programme(cast, chen, sun, draft, elsewhere):
    drafts.submit(chen, draft.pk, 1, cast.now)
    drafts.approve(sun, draft.pk, 1, cast.now)
    later = sound(version="2", validity=sound()["validity"] | {"first_day": "2040-01-01", "last_day": "2040-12-31"})
    later["examples"] = later["examples"][:1]
    later["examples"][0]["facts"]["service"]["service_on"] = "2040-02-01"
    made = drafts.start(elsewhere, later, cast.now)
    with pytest.raises(Refusal) as refused:
        drafts.submit(elsewhere, made.pk, 1, cast.now)
    assert "programme.of_other_office" in codes(refused)


def test_what_is_given_up_stays_readable_and_does_not_change(cast, chen, draft):
    drafts.drop(chen, draft.pk, "not needed", cast.now)
    with pytest.raises(Conflict):
        drafts.save(chen, draft.pk, 1, sound(version="9"), cast.now)
    assert ProgrammeDraft.objects.get(pk=draft.pk).document == sound()


def test_a_reason_with_a_character_that_no_column_takes_is_kept_without_it(cast, chen, draft):
    drafts.drop(chen, draft.pk, "not\x00 needed", cast.now)
    assert DraftStep.objects.get(draft=draft, kind="dropped").reason == "not needed"
    assert AuditEntry.objects.get(action="programme.drop_draft").reason == "not needed"


# --- The database's own guards ------------------------------------------------------------------------------------------
def refuses(act):
    with pytest.raises(DatabaseError), transaction.atomic():
        act()


def without(trigger, act):
    """Negative control: with the guard off the same statement goes through, so it is the guard that refuses."""
    with pgtrigger.ignore(trigger), transaction.atomic():
        act()
        transaction.set_rollback(True)


def test_the_database_refuses_an_approver_who_wrote(cast, chen, draft):
    version = ProgrammeVersion.objects.create(
        programme_id=_programme(cast).pk, label="9", valid=("2030-01-01", "2031-01-01"), document=draft.document,
        document_sha256="0" * 64, author=cast.users["sun"], created_at=cast.now,
    )  # fmt: skip
    drafts.submit(chen, draft.pk, 1, cast.now)
    ProgrammeDraft.objects.filter(pk=draft.pk).update(state="published", version=version)

    def publish():
        ProgrammeVersion.objects.filter(pk=version.pk).update(approver=cast.users["chen"], published_at=cast.now)

    refuses(publish)
    without("billing.ProgrammeVersion:programme_version_second_person", publish)


def _programme(cast):
    from billing.subsidy.models import Programme

    return Programme.objects.create(code="ANY", created_at=cast.now)


def test_the_database_refuses_to_link_a_version_that_a_writer_approved(cast, chen, draft):
    version = ProgrammeVersion.objects.create(
        programme_id=_programme(cast).pk, label="9", valid=("2030-01-01", "2031-01-01"), document=draft.document,
        document_sha256="0" * 64, author=cast.users["sun"], approver=cast.users["chen"], published_at=cast.now, created_at=cast.now,
    )  # fmt: skip
    drafts.submit(chen, draft.pk, 1, cast.now)

    def link():
        ProgrammeDraft.objects.filter(pk=draft.pk).update(state="published", version=version)

    refuses(link)
    without("billing.ProgrammeDraft:programme_draft_fixed", link)


def test_the_database_refuses_to_change_what_was_handed_in(cast, chen, draft):
    drafts.submit(chen, draft.pk, 1, cast.now)

    def change():
        ProgrammeDraft.objects.filter(pk=draft.pk).update(document={})

    refuses(change)
    without("billing.ProgrammeDraft:programme_draft_fixed", change)


def test_the_database_refuses_a_version_with_other_words_than_the_draft(cast, chen, draft):
    version = ProgrammeVersion.objects.create(
        programme_id=_programme(cast).pk, label="9", valid=("2030-01-01", "2031-01-01"), document={"other": 1},
        document_sha256="0" * 64, author=cast.users["chen"], created_at=cast.now,
    )  # fmt: skip
    drafts.submit(chen, draft.pk, 1, cast.now)
    refuses(lambda: ProgrammeDraft.objects.filter(pk=draft.pk).update(state="published", version=version))


def test_the_database_keeps_drafts_their_writers_and_their_history(cast, draft):
    for act in (
        lambda: ProgrammeDraft.objects.all().delete(),
        lambda: DraftStep.objects.update(reason="x"),
        lambda: DraftStep.objects.all().delete(),
        lambda: DraftWriter.objects.all().delete(),
    ):
        refuses(act)


@pytest.mark.parametrize("table", ["billing_programmedraft", "billing_draftstep", "billing_draftwriter"])
def test_the_database_lets_nobody_empty_the_tables_of_drafts(cast, draft, table):
    with connection.cursor() as cursor:
        refuses(lambda: cursor.execute(f"TRUNCATE {table} CASCADE"))


def test_a_published_version_needs_an_author_whom_somebody_else_approved(cast):
    programme = _programme(cast)

    def publish(author, approver):
        ProgrammeVersion.objects.create(
            programme=programme, label="9", valid=("2030-01-01", "2031-01-01"), document={}, document_sha256="0" * 64,
            author=author, approver=approver, published_at=cast.now, created_at=cast.now,
        )  # fmt: skip

    refuses(lambda: publish(None, cast.users["sun"]))
    refuses(lambda: publish(cast.users["sun"], cast.users["sun"]))
    publish(cast.users["chen"], cast.users["sun"])
