"""Proposed changes: kept apart from what is published, handed in, compared, decided by somebody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Instrument, InstrumentChange, Membership, Notice, Organisation
from instruments.queries import records
from instruments.rules.instrument_review import Action, State
from instruments.services import instrument_edits, instrument_reviews, registry
from instruments.services.instrument_edits import Edit
from tests import mailbox
from tests.instruments.rules.test_instrument_review import ALLOWED

pytestmark = pytest.mark.django_db


@pytest.fixture
def edit(wang, reviewed, now):
    """``edit(name="X")`` saves it as Wang and returns the draft."""
    return lambda at=None, **changes: instrument_edits.save(wang, reviewed.pk, Edit(changes), at or now).change


@pytest.fixture
def submitted(wang, edit, now):
    def make(**changes):
        return instrument_reviews.submit(wang, edit(**(changes or {"functions": "Phases of salts"})).pk, now)

    return make


def stored(reviewed):
    return Instrument.objects.select_related("organisation").get(pk=reviewed.pk)


def mark(change):
    return instrument_reviews.seen(InstrumentChange.objects.select_related("instrument").get(pk=change.pk))


def test_descriptive_fields_of_a_published_instrument_wait_and_todays_facts_do_not(edit, reviewed):
    change = edit(functions="Phases of salts", status="under_repair", contact_phone="0971 1")
    now_there = stored(reviewed)
    assert (now_there.functions, now_there.status, now_there.contact_phone) == ("", "under_repair", "0971 1")
    assert (change.values, change.base, change.state) == ({"functions": "Phases of salts"}, {"functions": ""}, "draft")


def test_a_trusted_owner_and_the_operator_publish_at_once(cast, wang, zhou, reviewed, now):
    instrument_edits.save(zhou, reviewed.pk, Edit({"functions": "by the operator"}), now)
    assert stored(reviewed).functions == "by the operator"
    Organisation.objects.filter(pk=cast.lab.pk).update(reviews_needed=None)
    assert instrument_edits.save(wang, reviewed.pk, Edit({"functions": "by the lab"}), now).change is None
    assert stored(reviewed).functions == "by the lab"
    Organisation.objects.filter(pk=cast.lab.pk).update(status="claimed", verified_at=None)
    assert instrument_edits.save(wang, reviewed.pk, Edit({"functions": "not verified"}), now).change is not None


def test_no_other_way_leads_past_the_review(cast, wang, reviewed, now):
    for changes in ({"name": "Other"}, {"site_id": cast.site.pk, "functions": "x"}):
        with pytest.raises(Refusal, match=r"instrument\.review_needed"):
            registry.update_instrument(wang, reviewed.pk, changes, now)
    registry.set_published(wang, reviewed.pk, False, now)
    registry.update_instrument(wang, reviewed.pk, {"name": "Nobody sees it"}, now)
    with pytest.raises(Refusal, match=r"instrument\.review_needed"):
        registry.set_published(wang, reviewed.pk, True, now)


def test_saving_again_gathers_in_one_draft_and_what_is_as_published_leaves_it(edit, reviewed):
    first = edit(functions="Phases", keywords=["salt"])
    second = edit(functions="", technical_indicators="0.0001 degrees")
    assert second.pk == first.pk
    assert second.values == {"keywords": ["salt"], "technical_indicators": "0.0001 degrees"}
    assert edit(keywords=[], technical_indicators="") is None
    assert InstrumentChange.objects.get().state == "withdrawn"


def test_accepting_applies_everything_and_tells_the_owner(zhou, submitted, reviewed, now):
    change = submitted(functions="Phases", purchased_on=None, keywords=["salt", "lithium"])
    instrument_reviews.accept(zhou, change.pk, mark(change), now)
    now_there = stored(reviewed)
    assert (now_there.functions, now_there.keywords) == ("Phases", ["salt", "lithium"])
    assert InstrumentChange.objects.get().state == "accepted"
    mails = mailbox.mails()
    assert [mail["to"] for mail in mails] == [["zhou@example.org"], ["wang@example.org"]]
    assert "published" in mails[1]["subject"]


def test_dates_survive_the_way_through_a_draft(zhou, submitted, reviewed, now):
    from datetime import date

    change = submitted(commissioned_on=date(2020, 5, 17))
    instrument_reviews.accept(zhou, change.pk, mark(change), now)
    assert stored(reviewed).commissioned_on == date(2020, 5, 17)


def test_refusing_needs_a_reason_and_the_owner_may_take_it_up_again(wang, zhou, submitted, edit, reviewed, now):
    change = submitted()
    with pytest.raises(Refusal, match=r"instrument_change\.reason_missing"):
        instrument_reviews.refuse(zhou, change.pk, "  ", now)
    instrument_reviews.refuse(zhou, change.pk, "Say which salts.", now)
    assert stored(reviewed).functions == ""
    assert records.open_change_of(wang, reviewed).reason == "Say which salts."
    again = instrument_reviews.reopen(wang, change.pk, now)
    assert (again.state, again.decided_by_id, again.submitted_at) == ("draft", None, None)


def test_a_refused_change_is_not_taken_up_beside_another_one(wang, zhou, submitted, edit, now):
    change = submitted()
    instrument_reviews.refuse(zhou, change.pk, "No.", now)
    edit(keywords=["other"])
    with pytest.raises(Refusal, match=r"instrument_change\.another_open"):
        instrument_reviews.reopen(wang, change.pk, now)


def test_what_was_not_looked_at_is_not_accepted(wang, zhou, submitted, edit, reviewed, now):
    change = submitted()
    looked_at = mark(change)
    instrument_reviews.withdraw(wang, change.pk, now)
    other = submitted(functions="Something else")
    with pytest.raises(Conflict, match=r"instrument_change\.changed_meanwhile"):
        instrument_reviews.accept(zhou, other.pk, looked_at, now)
    looked_at = mark(other)
    registry.set_status(wang, reviewed.pk, "under_repair", now + timedelta(minutes=1))
    with pytest.raises(Conflict, match=r"instrument_change\.changed_meanwhile"):
        instrument_reviews.accept(zhou, other.pk, looked_at, now)


def test_a_field_that_changed_meanwhile_is_a_clash_until_the_operator_says_so(zhou, submitted, reviewed, now):
    change = submitted(functions="Phases", keywords=["salt"])
    registry.update_instrument(zhou, reviewed.pk, {"functions": "The operator's words"}, now + timedelta(minutes=1))
    with pytest.raises(Conflict, match=r"instrument_change\.clash"):
        instrument_reviews.accept(zhou, change.pk, mark(change), now)
    instrument_reviews.accept(zhou, change.pk, mark(change), now, overwrite=True)
    assert stored(reviewed).functions == "Phases"


def test_nobody_decides_about_their_own_lab(cast, zhou, submitted, now):
    change = submitted()
    Membership.objects.create(user=cast.users["zhou"], organisation=cast.lab, role=Role.OWNER_FINANCE, created_at=now)
    for decide in (
        lambda: instrument_reviews.accept(zhou, change.pk, mark(change), now),
        lambda: instrument_reviews.refuse(zhou, change.pk, "No", now),
    ):
        with pytest.raises(Forbidden, match=r"instrument_change\.own"):
            decide()
    with pytest.raises(Forbidden):
        instrument_reviews.accept(cast.actor("wang"), change.pk, mark(change), now)


def test_a_foreign_manager_knows_nothing_of_it(cast, submitted, now):
    from tests.access.world import World, _found_other_lab

    change = submitted()
    cast.users["bo"] = cast.users["he"]
    _found_other_lab(World(cast), now)
    for act in (instrument_reviews.submit, instrument_reviews.withdraw, instrument_reviews.reopen):
        with pytest.raises(NotFound):
            act(cast.actor("he"), change.pk, now)
    assert not records.own_changes(cast.actor("he")).exists()
    with pytest.raises(Forbidden):
        records.review_queue(cast.actor("he"))


ACTS = {
    Action.SAVE: lambda wang, zhou, change, now: instrument_edits.save(
        wang, change.instrument_id, Edit({"functions": "Saved again"}), now
    ),
    Action.SUBMIT: lambda wang, zhou, change, now: instrument_reviews.submit(wang, change.pk, now),
    Action.WITHDRAW: lambda wang, zhou, change, now: instrument_reviews.withdraw(wang, change.pk, now),
    Action.REOPEN: lambda wang, zhou, change, now: instrument_reviews.reopen(wang, change.pk, now),
    Action.ACCEPT: lambda wang, zhou, change, now: instrument_reviews.accept(zhou, change.pk, mark(change), now),
    Action.REFUSE: lambda wang, zhou, change, now: instrument_reviews.refuse(zhou, change.pk, "No.", now),
}
REACHED = {
    State.DRAFT: (),
    State.SUBMITTED: (Action.SUBMIT,),
    State.ACCEPTED: (Action.SUBMIT, Action.ACCEPT),
    State.REFUSED: (Action.SUBMIT, Action.REFUSE),
    State.WITHDRAWN: (Action.WITHDRAW,),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", [action for action in Action if action is not Action.SAVE])
def test_the_services_do_what_the_table_says(wang, zhou, edit, now, state, action):
    change = edit(functions="Phases")
    for step in REACHED[state]:
        ACTS[step](wang, zhou, change, now)
    if (state, action) in ALLOWED:
        ACTS[action](wang, zhou, change, now)
        assert InstrumentChange.objects.get(pk=change.pk).state == ALLOWED[state, action]
    else:
        with pytest.raises(Refusal, match=r"instrument_change\.not_now"):
            ACTS[action](wang, zhou, change, now)
        assert InstrumentChange.objects.get(pk=change.pk).state == state


def test_saving_a_submitted_change_takes_it_out_of_the_queue(wang, zhou, submitted, now):
    change = submitted()
    assert records.review_queue(zhou).count() == 1
    ACTS[Action.SAVE](wang, zhou, change, now)
    assert records.review_queue(zhou).count() == 0
    assert InstrumentChange.objects.get().state == "draft"


def needing(event):
    return Notice.objects.filter(event=f"registry.{event}", needs_action=True).count()


@pytest.mark.parametrize("action", [Action.SAVE, Action.WITHDRAW, Action.ACCEPT, Action.REFUSE])
def test_a_change_needs_no_look_once_it_has_left_the_queue(wang, zhou, submitted, now, action):
    change = submitted()
    assert needing("change_submitted") == 1
    ACTS[action](wang, zhou, change, now)
    assert needing("change_submitted") == 0


def test_a_refused_change_needs_nobody_once_it_is_taken_up_or_another_is_written_instead(wang, zhou, submitted, edit, now):
    change = submitted()
    instrument_reviews.refuse(zhou, change.pk, "No.", now)
    assert needing("change_refused") == 1
    instrument_reviews.reopen(wang, change.pk, now)
    assert needing("change_refused") == 0
    instrument_reviews.submit(wang, change.pk, now)
    instrument_reviews.refuse(zhou, change.pk, "Still no.", now)
    assert needing("change_refused") == 1
    edit(keywords=["other"])
    assert needing("change_refused") == 0


def test_a_new_instrument_waits_unpublished_and_is_published_by_the_operator(cast, wang, zhou, reviewed, now):
    made = registry.create_instrument(wang, cast.site.pk, registry.InstrumentFields("Lathe"), now)
    assert made.published is False
    assert instrument_edits.save(wang, made.pk, Edit({"name": "Big lathe", "published": True}), now).change is None
    assert stored(made).published is False
    change = instrument_reviews.ask_to_publish(wang, made.pk, now)
    with pytest.raises(Refusal, match=r"instrument_change\.not_now"):
        instrument_reviews.ask_to_publish(wang, made.pk, now)
    instrument_reviews.accept(zhou, change.pk, mark(change), now)
    assert (stored(made).published, stored(made).name) == (True, "Big lathe")


def test_the_history_tells_the_whole_story_to_those_who_may_read_it(cast, wang, zhou, submitted, reviewed, now):
    change = submitted()
    instrument_reviews.accept(zhou, change.pk, mark(change), now)
    actions = [entry.action for entry in records.history_of(wang, reviewed)]
    assert actions[:4] == ["instrument_change.accept", "instrument.update", "instrument_change.submit", "instrument_change.save"]
    assert [entry.action for entry in records.history_of(cast.actor("wu"), reviewed)] == actions
    for name in ("lin", "li", "he"):
        with pytest.raises(Forbidden):
            records.history_of(cast.actor(name), reviewed)
    AuditEntry.objects.create(
        at=now, action="instrument.update", object_type="instruments.organisation", object_id=str(reviewed.pk)
    )
    assert records.history_of(wang, reviewed).count() == len(actions)


def test_only_the_operator_says_who_is_looked_at(cast, wang, zhou, now):
    with pytest.raises(Forbidden):
        instrument_reviews.set_reviews_needed(wang, cast.lab.pk, False, now)
    with pytest.raises(Refusal, match=r"instrument\.owner_unknown"):
        instrument_reviews.set_reviews_needed(zhou, cast.firm.pk, True, now)
    instrument_reviews.set_reviews_needed(zhou, cast.lab.pk, True, now)
    assert Organisation.objects.get(pk=cast.lab.pk).reviews_needed is True
    assert AuditEntry.objects.filter(action="organisation.reviews_needed").count() == 1
