from __future__ import annotations

import re
from datetime import timedelta

import pytest

from config.kernel.access import NOBODY, Role
from config.kernel.errors import Forbidden, NotFound, Refusal
from instruments.models import Invitation, Membership, Organisation
from instruments.services import invitations
from instruments.services.invitations import MAX_A_DAY_TO_ONE, MAX_OPEN, accept_invitation, invite, withdraw_invitation


def codes(refusal) -> set[str]:
    return {reason.code for reason in refusal.value.reasons}


def token_in(mail) -> str:
    return re.search(r"([\w-]{43})/?\s", mail["text"] + "\n").group(1)


@pytest.fixture
def invited(cast, now, mails):
    """An open invitation of the outsider to the salt firm, with its token."""
    row = invite(cast.who("salt_admin"), cast.salt_firm.pk, " Outsider@Example.org ", "researcher", now)
    return row, token_in(mails()[-1])


def test_an_invited_colleague_joins_with_the_link_of_the_mail(cast, now, invited, mails):
    _, token = invited
    assert mails()[-1]["to"] == ["outsider@example.org"]
    assert "Salt Admin" in mails()[-1]["text"]
    accept_invitation(cast.who("outsider"), token, now)
    assert cast.who("outsider").organisations(Role.RESEARCHER) == {cast.salt_firm.pk}


def test_the_token_itself_is_not_kept(invited):
    row, token = invited
    assert token not in str(Invitation.objects.filter(pk=row.pk).values().get())


def test_a_used_link_does_nothing_more(cast, now, invited):
    accept_invitation(cast.who("outsider"), invited[1], now)
    Membership.objects.filter(user=cast.user("outsider")).delete()
    with pytest.raises(Refusal) as refusal:
        accept_invitation(cast.who("outsider"), invited[1], now)
    assert codes(refusal) == {"invitation.used"}
    assert cast.who("outsider").grants == ()


def test_a_link_for_somebody_else_is_refused(cast, now, invited):
    with pytest.raises(Forbidden) as refusal:
        accept_invitation(cast.who("wool_admin"), invited[1], now)
    assert codes(refusal) == {"invitation.other_address"}
    assert "outsider" not in str(refusal.value.reasons)
    with pytest.raises(Forbidden):
        accept_invitation(NOBODY, invited[1], now)


def test_a_link_works_until_it_expires(cast, now, invited):
    with pytest.raises(Refusal) as refusal:
        accept_invitation(cast.who("outsider"), invited[1], now + timedelta(days=14))
    assert codes(refusal) == {"invitation.expired"}
    accept_invitation(cast.who("outsider"), invited[1], now + timedelta(days=14, seconds=-1))


def test_a_withdrawn_link_is_refused(cast, now, invited):
    withdraw_invitation(cast.who("salt_admin"), invited[0].pk, now)
    with pytest.raises(Refusal) as refusal:
        accept_invitation(cast.who("outsider"), invited[1], now)
    assert codes(refusal) == {"invitation.withdrawn"}


def test_an_unknown_token_is_not_found(cast, now, invited):
    with pytest.raises(NotFound):
        accept_invitation(cast.who("outsider"), invited[1][:-1], now)


def test_a_suspended_organisation_takes_nobody_in(cast, now, invited):
    Organisation.objects.filter(pk=cast.salt_firm.pk).update(status="suspended")
    with pytest.raises(Refusal) as refusal:
        accept_invitation(cast.who("outsider"), invited[1], now)
    assert codes(refusal) == {"invitation.organisation_suspended"}


def test_a_second_invitation_to_the_same_address_replaces_the_first(cast, now, invited, mails):
    invite(cast.who("salt_admin"), cast.salt_firm.pk, "outsider@example.org", "firm_admin", now)
    with pytest.raises(Refusal):
        accept_invitation(cast.who("outsider"), invited[1], now)
    accept_invitation(cast.who("outsider"), token_in(mails()[-1]), now)
    assert cast.who("outsider").has(Role.FIRM_ADMIN)


def test_who_may_invite_and_withdraw(cast, now, invited):
    for name in cast.names:
        if name == "salt_admin":
            continue
        with pytest.raises((Forbidden, NotFound)):
            invite(cast.who(name), cast.salt_firm.pk, "mole@example.org", "firm_admin", now)
        with pytest.raises((Forbidden, NotFound)):
            withdraw_invitation(cast.who(name), invited[0].pk, now)


@pytest.mark.parametrize(
    "email", ["", "not an address", "a@b", "two@example.org, three@example.org", "x@example.org\nBcc: y@z.org"]
)
def test_something_that_is_no_address_is_refused(cast, now, email, mails):
    with pytest.raises(Refusal) as refusal:
        invite(cast.who("salt_admin"), cast.salt_firm.pk, email, "researcher", now)
    assert codes(refusal) == {"invitation.email_invalid"}
    assert mails() == []


def test_a_refused_invitation_sends_no_mail_and_an_official_role_is_not_for_firms(cast, now, mails):
    with pytest.raises(Refusal) as refusal:
        invite(cast.who("salt_admin"), cast.salt_firm.pk, "x@example.org", "operator", now)
    assert codes(refusal) == {"members.role_unknown"}
    assert mails() == []


def test_inviting_a_member_to_the_same_role_or_oneself_to_an_office_is_refused(cast, now):
    with pytest.raises(Refusal) as refusal:
        invite(cast.who("salt_admin"), cast.salt_firm.pk, "salt_researcher@example.org", "researcher", now)
    assert codes(refusal) == {"invitation.member_already"}
    with pytest.raises(Refusal) as refusal:
        invite(cast.who("operator"), cast.office.pk, "operator@example.org", "finance", now)
    assert codes(refusal) == {"members.own_official_role"}


def test_open_invitations_are_limited(cast, now):
    rows = [
        Invitation(
            organisation=cast.salt_firm, email=f"p{n}@example.org", role="researcher", token_sha256=f"{n:064}",
            invited_by=cast.user("salt_admin"), created_at=now, expires_at=now + timedelta(days=1),
        )
        for n in range(MAX_OPEN)
    ]  # fmt: skip
    Invitation.objects.bulk_create(rows)
    with pytest.raises(Refusal) as refusal:
        invite(cast.who("salt_admin"), cast.salt_firm.pk, "new@example.org", "researcher", now)
    assert codes(refusal) == {"invitation.too_many"}


def test_an_operator_who_takes_over_the_invited_address_gets_no_official_role(cast, now, mails):
    invite(cast.who("operator"), cast.office.pk, "second@example.org", "finance", now)
    token = token_in(mails()[-1])
    operator = cast.user("operator")
    operator.email = "second@example.org"
    operator.save()
    with pytest.raises(Refusal) as refusal:
        accept_invitation(cast.who("operator"), token, now)
    assert codes(refusal) == {"members.own_official_role"}
    assert not cast.who("operator").has(Role.FINANCE)


def test_nobody_gets_mail_after_mail_from_an_organisation(cast, now, mails):
    for _ in range(MAX_A_DAY_TO_ONE):
        sent = invite(cast.who("salt_admin"), cast.salt_firm.pk, "victim@example.org", "researcher", now)
        withdraw_invitation(cast.who("salt_admin"), sent.pk, now)
    with pytest.raises(Refusal) as refusal:
        invite(cast.who("salt_admin"), cast.salt_firm.pk, "Victim@example.org", "researcher", now)
    assert codes(refusal) == {"invitation.too_often"}
    assert len(mails()) == MAX_A_DAY_TO_ONE
    invite(cast.who("salt_admin"), cast.salt_firm.pk, "victim@example.org", "researcher", now + timedelta(days=1))


def test_an_organisation_does_not_mail_the_whole_world_in_a_day(cast, now, monkeypatch):
    monkeypatch.setattr(invitations, "MAX_A_DAY", 3)
    for place in range(3):
        sent = invite(cast.who("salt_admin"), cast.salt_firm.pk, f"p{place}@example.org", "researcher", now)
        withdraw_invitation(cast.who("salt_admin"), sent.pk, now)
    with pytest.raises(Refusal) as refusal:
        invite(cast.who("salt_admin"), cast.salt_firm.pk, "p4@example.org", "researcher", now)
    assert codes(refusal) == {"invitation.too_often"}
