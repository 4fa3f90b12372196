from __future__ import annotations

from dataclasses import replace

import pytest

from config.kernel.access import NOBODY, Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Membership, Organisation, OrganisationIdentifier
from instruments.services.organisation_facts import OrganisationFacts, facts_of
from instruments.services.organisations import create_organisation, update_profile

from .conftest import USCC

FREE_CODE = "91630202MA000004XG"
FIRM = OrganisationFacts(name="Kunlun Jade", identifiers={"uscc": FREE_CODE}, region_code="632800", staff_count=8)


def codes(refusal) -> set[str]:
    return {reason.code for reason in refusal.value.reasons}


def test_a_new_firm_is_claimed_and_its_founder_administers_it(cast, now):
    firm = create_organisation(cast.who("outsider"), "firm", FIRM, now)
    assert (firm.status, firm.verified_at) == ("claimed", None)
    assert cast.who("outsider").organisations(Role.FIRM_ADMIN) == {firm.pk}
    entry = AuditEntry.objects.get(action="organisation.create")
    assert entry.after["identifiers"] == {"uscc": FREE_CODE}
    assert entry.actor_id == cast.user("outsider").pk


def test_a_new_owner_gives_its_founder_laboratory_and_finance(cast, now):
    facts = OrganisationFacts(name="Highland University", owner_class="university")
    owner = create_organisation(cast.who("outsider"), "owner", facts, now)
    actor = cast.who("outsider")
    assert {grant.role for grant in actor.grants} == {Role.LAB_MANAGER, Role.OWNER_FINANCE}
    assert owner.owner_class == "university"


def test_a_team_needs_no_code_and_a_firm_does(cast, now):
    facts = OrganisationFacts(name="Two friends")
    create_organisation(cast.who("outsider"), "team", facts, now)
    with pytest.raises(Refusal) as refusal:
        create_organisation(cast.who("outsider"), "firm", replace(facts, name="Two strangers"), now)
    assert codes(refusal) == {"organisation.identifier_needed"}


def test_only_an_operator_opens_an_office_and_gets_no_role_in_it(cast, now):
    facts = OrganisationFacts(name="Xining Office")
    for name in ("outsider", "lab_manager", "finance", "programme_officer", "inspector"):
        with pytest.raises(Forbidden):
            create_organisation(cast.who(name), "government", facts, now)
    office = create_organisation(cast.who("operator"), "government", facts, now)
    assert office.status == "verified"
    assert not Membership.objects.filter(organisation=office).exists()


def test_nobody_founds_nothing(cast, now):
    with pytest.raises(Forbidden):
        create_organisation(NOBODY, "team", OrganisationFacts(name="Ghosts"), now)


def test_a_taken_code_is_refused_with_the_name_to_join(cast, now):
    code = USCC["salt_firm"]
    spelled_otherwise = "".join(chr(ord(character) + 0xFEE0) for character in code.lower())  # full-width
    for spelling in (code, code.lower(), f"  {code} ", spelled_otherwise):
        with pytest.raises(Conflict) as refusal:
            create_organisation(cast.who("outsider"), "firm", replace(FIRM, identifiers={"uscc": spelling}), now)
        assert codes(refusal) == {"organisation.code_taken"}
        assert refusal.value.extra == {"organisation_id": cast.salt_firm.pk, "name": "Salt Lake Chemicals"}
    assert not Membership.objects.filter(user=cast.user("outsider")).exists()


def test_a_code_taken_between_look_and_write_is_refused_by_the_database(cast, now, monkeypatch):
    from instruments.services import organisations

    honest, calls = organisations._refuse_taken_codes, []

    def blind_once(identifiers, except_id=0):
        calls.append(1)
        return None if len(calls) == 1 else honest(identifiers, except_id)

    monkeypatch.setattr(organisations, "_refuse_taken_codes", blind_once)
    with pytest.raises(Conflict) as refusal:
        create_organisation(cast.who("outsider"), "firm", replace(FIRM, identifiers={"uscc": USCC["salt_firm"]}), now)
    assert codes(refusal) == {"organisation.code_taken"}
    assert len(calls) == 2


@pytest.mark.parametrize("code", ["91632801MA00000313", "9163280IMA00000312", "123", "=cmd()", "91632801MA00000312\u202e"])
def test_a_wrong_code_is_refused(cast, now, code):
    with pytest.raises(Refusal) as refusal:
        create_organisation(cast.who("outsider"), "firm", replace(FIRM, identifiers={"uscc": code}), now)
    assert "identifier.invalid" in codes(refusal)


def test_every_reason_is_given_at_once(cast, now):
    bad = OrganisationFacts(
        name="x" * 1000,
        identifiers={"uscc": "1", "iban": "2"},
        owner_class="university",
        region_code="Xining",
        staff_count=-1,
        annual_revenue_fen=-5,
        bank_account_number="'; drop table",
        policy_zones=tuple(f"zone {n}" for n in range(21)),
    )
    with pytest.raises(Refusal) as refusal:
        create_organisation(cast.who("outsider"), "firm", bad, now)
    assert codes(refusal) == {
        "name.too_long",
        "identifier.invalid",
        "identifier.unknown_scheme",
        "organisation.owner_class_unknown",
        "organisation.region_unknown",
        "organisation.staff_out_of_range",
        "organisation.revenue_out_of_range",
        "organisation.account_number_invalid",
        "organisation.too_many_zones",
    }


@pytest.mark.parametrize(
    "name",
    [
        "\U0001f52c\U0001f9ea Lab",
        "\u0f56\u0f7c\u0f51\u0f0b\u0f61\u0f72\u0f42",
        "\u9752\u6d77\u76d0\u6e56\uff08\u96c6\u56e2\uff09",
        "=cmd|'/c calc'!A1",
        "<script>alert(1)</script>",
    ],
)
def test_names_of_any_script_are_kept_as_written(cast, now, name):
    team = create_organisation(cast.who("outsider"), "team", OrganisationFacts(name=name), now)
    assert Organisation.objects.get(pk=team.pk).name == name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name.empty"),
        (" \u3000 ", "name.empty"),
        ("Salt\u202eLake", "name.direction_control"),
        ("Salt\x00Lake", "name.control_character"),
        ("Salt\u200bLake", "name.invisible_character"),
        ("y" * 201, "name.too_long"),
    ],
)
def test_names_that_hide_something_are_refused(cast, now, name, code):
    with pytest.raises(Refusal) as refusal:
        create_organisation(cast.who("outsider"), "team", OrganisationFacts(name=name), now)
    assert code in codes(refusal)


def test_a_name_that_grows_in_its_key_still_fits(cast, now):
    team = create_organisation(cast.who("outsider"), "team", OrganisationFacts(name="\ufdfa" * 200), now)
    assert len(team.name_key) == 400


def test_a_look_alike_name_must_be_confirmed(cast, now):
    facts = OrganisationFacts(name="SALT  lake Chemica1s")
    with pytest.raises(Refusal) as refusal:
        create_organisation(cast.who("outsider"), "team", facts, now)
    assert refusal.value.reasons[0].params == {"names": ["Salt Lake Chemicals"]}
    create_organisation(cast.who("outsider"), "team", facts, now, accept_look_alike=True)


def test_a_person_cannot_pile_up_unverified_organisations(cast, now):
    for number in range(10):
        create_organisation(cast.who("outsider"), "team", OrganisationFacts(name=f"Team {number + 20}"), now)
    with pytest.raises(Refusal) as refusal:
        create_organisation(cast.who("outsider"), "team", OrganisationFacts(name="Team 99"), now)
    assert codes(refusal) == {"organisation.too_many_claimed"}


def test_a_changed_fact_is_audited_with_before_and_after(cast, now):
    before = facts_of(cast.salt_firm)
    update_profile(cast.who("salt_admin"), cast.salt_firm.pk, replace(before, address="1 Salt Road"), now)
    entry = AuditEntry.objects.get(action="organisation.update")
    assert (entry.before, entry.after) == ({"address": before.address}, {"address": "1 Salt Road"})
    cast.salt_firm.refresh_from_db()
    assert (cast.salt_firm.address, cast.salt_firm.status) == ("1 Salt Road", "verified")


def test_saving_an_unchanged_profile_writes_nothing(cast, now):
    update_profile(cast.who("salt_admin"), cast.salt_firm.pk, facts_of(cast.salt_firm), now)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Salt Lake Holding"},
        {"identifiers": {"uscc": FREE_CODE}},
        {"region_code": "632800"},
        {"staff_count": 3},
        {"annual_revenue_fen": 1},
        {"policy_zones": ("High-tech Zone",)},
    ],
)
def test_a_verified_firm_that_changes_what_subsidies_rest_on_is_claimed_again(cast, now, change):
    facts = replace(facts_of(cast.salt_firm), **change)
    firm = update_profile(cast.who("salt_admin"), cast.salt_firm.pk, facts, now)
    assert (firm.status, firm.verified_at) == ("claimed", None)
    assert AuditEntry.objects.get().after["status"] == "claimed"


def test_an_office_stays_verified_when_renamed(cast, now):
    facts = replace(facts_of(cast.office), name="Provincial Bureau")
    assert update_profile(cast.who("operator"), cast.office.pk, facts, now).status == "verified"


def test_a_profile_cannot_take_another_firms_code(cast, now):
    facts = replace(facts_of(cast.wool_firm), identifiers={"uscc": USCC["salt_firm"]})
    with pytest.raises(Conflict):
        update_profile(cast.who("wool_admin"), cast.wool_firm.pk, facts, now)
    assert OrganisationIdentifier.objects.get(organisation=cast.wool_firm).value == USCC["wool_firm"]


def test_who_may_change_a_profile(cast, now):
    allowed = {
        "salt_firm": {"salt_admin"},
        "lake_institute": {"lab_manager", "owner_finance"},
        "office": {"operator"},
    }
    for key, names in allowed.items():
        organisation = getattr(cast, key)
        facts = facts_of(organisation)
        for name in cast.names:
            if name in names:
                update_profile(cast.who(name), organisation.pk, facts, now)
                continue
            with pytest.raises((Forbidden, NotFound)):
                update_profile(cast.who(name), organisation.pk, facts, now)
