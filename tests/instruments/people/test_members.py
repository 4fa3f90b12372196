from __future__ import annotations

import pytest

from config.kernel.access import NOBODY, Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import JoinRequest, Membership, User
from instruments.queries import members_of
from instruments.services.joining import decide_join_request, organisations_with_code, request_to_join
from instruments.services.members import change_roles, remove_member
from instruments.services.people import update_person

from .conftest import USCC


def codes(refusal) -> set[str]:
    return {reason.code for reason in refusal.value.reasons}


def test_an_administrator_changes_roles(cast, now):
    user = cast.user("salt_researcher")
    change_roles(cast.who("salt_admin"), cast.salt_firm.pk, user.pk, ["firm_admin", "researcher"], now)
    assert cast.who("salt_researcher").has(Role.FIRM_ADMIN)
    entry = AuditEntry.objects.get(action="members.change")
    assert (entry.before["roles"], entry.after["roles"]) == (["researcher"], ["firm_admin", "researcher"])


def test_who_may_change_roles(cast, now):
    researcher = cast.user("salt_researcher").pk
    for name in cast.names:
        if name == "salt_admin":
            change_roles(cast.who(name), cast.salt_firm.pk, researcher, ["researcher"], now)
            continue
        with pytest.raises((Forbidden, NotFound)):
            change_roles(cast.who(name), cast.salt_firm.pk, researcher, ["firm_admin"], now)
    assert not cast.who("salt_researcher").has(Role.FIRM_ADMIN)


@pytest.mark.parametrize("role", ["operator", "lab_manager", "king", ""])
def test_a_role_of_another_kind_of_organisation_is_refused(cast, now, role):
    with pytest.raises(Refusal) as refusal:
        change_roles(cast.who("salt_admin"), cast.salt_firm.pk, cast.user("salt_researcher").pk, [role], now)
    assert codes(refusal) == {"members.role_unknown"}


def test_the_last_administrator_stays(cast, now):
    admin = cast.user("salt_admin").pk
    for attempt in (
        lambda: change_roles(cast.who("salt_admin"), cast.salt_firm.pk, admin, ["researcher"], now),
        lambda: remove_member(cast.who("salt_admin"), cast.salt_firm.pk, admin, now),
    ):
        with pytest.raises(Refusal) as refusal:
            attempt()
        assert codes(refusal) == {"members.last_administrator"}
    change_roles(cast.who("salt_admin"), cast.salt_firm.pk, cast.user("salt_researcher").pk, ["firm_admin"], now)
    remove_member(cast.who("salt_admin"), cast.salt_firm.pk, admin, now)
    assert cast.who("salt_admin").grants == ()


def test_an_inactive_second_administrator_does_not_count(cast, now):
    change_roles(cast.who("salt_admin"), cast.salt_firm.pk, cast.user("salt_researcher").pk, ["firm_admin"], now)
    User.objects.filter(pk=cast.user("salt_researcher").pk).update(is_active=False)
    with pytest.raises(Refusal) as refusal:
        remove_member(cast.who("salt_admin"), cast.salt_firm.pk, cast.user("salt_admin").pk, now)
    assert codes(refusal) == {"members.last_administrator"}


def test_a_member_may_leave_but_not_remove_others(cast, now):
    with pytest.raises(Forbidden):
        remove_member(cast.who("salt_researcher"), cast.salt_firm.pk, cast.user("salt_admin").pk, now)
    remove_member(cast.who("salt_researcher"), cast.salt_firm.pk, cast.user("salt_researcher").pk, now)
    assert not Membership.objects.filter(user=cast.user("salt_researcher")).exists()


def test_somebody_who_is_no_member_cannot_be_given_roles_or_removed(cast, now):
    outsider = cast.user("outsider").pk
    with pytest.raises(NotFound):
        change_roles(cast.who("salt_admin"), cast.salt_firm.pk, outsider, ["researcher"], now)
    with pytest.raises(NotFound):
        remove_member(cast.who("salt_admin"), cast.salt_firm.pk, outsider, now)


def test_an_operator_gives_official_roles_to_others_only(cast, now):
    with pytest.raises(Refusal) as refusal:
        change_roles(cast.who("operator"), cast.office.pk, cast.user("operator").pk, ["operator", "finance"], now)
    assert codes(refusal) == {"members.own_official_role"}
    change_roles(cast.who("operator"), cast.office.pk, cast.user("finance").pk, ["finance", "inspector"], now)
    assert cast.who("finance").has(Role.INSPECTOR)


def test_addresses_are_shown_to_administrators_only(cast):
    assert [member.email for member in members_of(cast.who("salt_researcher"), cast.salt_firm)] == ["", ""]
    shown = members_of(cast.who("salt_admin"), cast.salt_firm)
    assert [member.email for member in shown] == ["salt_admin@example.org", "salt_researcher@example.org"]
    assert members_of(cast.who("wool_admin"), cast.salt_firm) == []


def test_an_organisation_is_found_by_its_code_in_any_spelling(cast):
    assert [found.pk for found in organisations_with_code(f" {USCC['salt_firm'].lower()} ")] == [cast.salt_firm.pk]
    assert not organisations_with_code("").exists()
    assert not organisations_with_code("Salt Lake Chemicals").exists()


def test_who_knows_the_code_may_ask_to_join_and_is_let_in(cast, now, mails):
    request = request_to_join(cast.who("outsider"), cast.salt_firm.pk, USCC["salt_firm"], "I run the XRD", now)
    assert [mail["to"] for mail in mails()] == [["salt_admin@example.org"]]
    decide_join_request(cast.who("salt_admin"), request.pk, True, "researcher", now)
    assert cast.who("outsider").organisations(Role.RESEARCHER) == {cast.salt_firm.pk}
    assert mails()[-1]["to"] == ["outsider@example.org"]
    assert AuditEntry.objects.get(action="join.decide").after["role"] == "researcher"


def test_a_firm_that_is_not_visible_cannot_be_asked_without_its_code(cast, now):
    for code in ("", "wrong", USCC["wool_firm"]):
        with pytest.raises(NotFound):
            request_to_join(cast.who("outsider"), cast.salt_firm.pk, code, "", now)
    request_to_join(cast.who("outsider"), cast.lake_institute.pk, "", "", now)


def test_an_office_cannot_be_asked(cast, now):
    with pytest.raises(NotFound):
        request_to_join(cast.who("outsider"), cast.office.pk, "", "", now)
    with pytest.raises(Forbidden):
        request_to_join(NOBODY, cast.lake_institute.pk, "", "", now)


def test_asking_twice_or_as_a_member_is_refused(cast, now):
    request_to_join(cast.who("outsider"), cast.lake_institute.pk, "", "", now)
    with pytest.raises(Conflict):
        request_to_join(cast.who("outsider"), cast.lake_institute.pk, "", "", now)
    with pytest.raises(Refusal) as refusal:
        request_to_join(cast.who("salt_researcher"), cast.salt_firm.pk, "", "", now)
    assert codes(refusal) == {"join.member_already"}


def test_who_decides_about_joining(cast, now):
    request = request_to_join(cast.who("outsider"), cast.salt_firm.pk, USCC["salt_firm"], "", now)
    for name in cast.names:
        if name != "salt_admin":
            with pytest.raises((Forbidden, NotFound)):
                decide_join_request(cast.who(name), request.pk, True, "firm_admin", now)
    with pytest.raises(Refusal):
        decide_join_request(cast.who("salt_admin"), request.pk, True, "operator", now)
    decide_join_request(cast.who("salt_admin"), request.pk, False, "", now)
    with pytest.raises(Conflict):
        decide_join_request(cast.who("salt_admin"), request.pk, True, "researcher", now)
    assert JoinRequest.objects.get().accepted is False
    assert cast.who("outsider").grants == ()


def test_a_person_changes_their_own_name_and_language(cast, now):
    update_person(cast.who("outsider"), " \u5f20\u4e09 ", "en", now)
    user = User.objects.get(pk=cast.user("outsider").pk)
    assert (user.full_name, user.language) == ("\u5f20\u4e09", "en")
    with pytest.raises(Refusal) as refusal:
        update_person(cast.who("outsider"), "a\u202eb", "tlh", now)
    assert codes(refusal) == {"name.direction_control", "person.language_unknown"}
    with pytest.raises(Forbidden):
        update_person(NOBODY, "Ghost", "en", now)
