"""A code list that came in by mistake is taken back: every code is what it was, and nothing that a record names goes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from config.kernel.access import NOBODY, Actor, Grant, Role
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Code, CodeLoad, Instrument, Organisation
from instruments.queries import codes
from instruments.services import registry
from instruments.services.code_list_undo import take_back
from instruments.services.code_lists import load_codes
from instruments.services.registry import InstrumentFields, SiteFields
from tests.instruments.registry.conftest import make_owner

pytestmark = pytest.mark.django_db
OPERATOR = Actor(name="shell", grants=(Grant(0, Role.OPERATOR),))
DAY, LATER = date(2026, 1, 1), date(2026, 11, 23)
LIST = "code,parent,name_zh\n010000,,Analysis\n010100,010000,Electron\n010101,010100,Microscope\n"
NEWER = LIST.replace("010101,010100,Microscope", "010102,010100,Scanner").replace("Electron", "Electrons")


def load(text: str, now: datetime, day: date, scheme: str = "nrii") -> CodeLoad:
    load_codes(OPERATOR, scheme, text.encode(), day, now, "list.csv")
    codes.forget()
    return CodeLoad.objects.latest("pk")


def stored() -> list[dict[str, Any]]:
    return list(Code.objects.order_by("pk").values())


def instrument(now: datetime, **fields: Any) -> Instrument:
    owner: Organisation = make_owner("Kunlun Institute", now, region_code="630104")
    site = registry.create_site(OPERATOR, owner.pk, SiteFields("Xining"), now)
    return registry.create_instrument(OPERATOR, site.pk, InstrumentFields("Thing", **fields), now)


def test_lists_are_taken_back_one_after_the_other_until_nothing_is_left_of_them(now: datetime) -> None:
    states, loads = [stored()], []
    for text, day in (
        (LIST, DAY),
        (NEWER, LATER),  # ends two, begins two
        (NEWER.replace("Scanner", "Scanners"), LATER),  # corrects one in place
        (LIST, LATER),  # takes one out that began the same day, and begins one
    ):
        loads.append(load(text, now, day))
        states.append(stored())
    assert len({str(state) for state in states}) == len(states)
    for one, before in zip(reversed(loads), reversed(states[:-1]), strict=True):
        take_back(OPERATOR, one.pk, "the wrong file", now + timedelta(hours=1))
        assert stored() == before
    assert codes.newest_loads(OPERATOR) == {}


def test_who_took_it_back_and_why_stays_and_the_file_can_come_in_again(now: datetime) -> None:
    one = load(LIST, now, DAY)
    take_back(OPERATOR, one.pk, " the wrong\nfile ", now)
    one.refresh_from_db()
    assert (one.taken_back_at, one.reason) == (now, "the wrong file")
    told = AuditEntry.objects.get(action="codes.take_back")
    assert (told.object_id, told.reason, told.after) == (
        str(one.pk), "the wrong file", {"scheme": "nrii", "gone": 3, "go_on": 0, "as_before": 0},
    )  # fmt: skip
    again = load(LIST, now, DAY)
    assert again.pk != one.pk and Code.objects.count() == 3
    with pytest.raises(Conflict) as refused:
        take_back(OPERATOR, one.pk, "twice", now)
    assert refused.value.reasons[0].code == "codes.newer_list"


@pytest.mark.parametrize("written", ["010101", "0101"])
def test_a_list_stays_whose_codes_a_record_names(written: str, now: datetime) -> None:
    one, thing = load(LIST, now, DAY), instrument(now, class_code=written)
    before = stored()
    with pytest.raises(Conflict) as refused:
        take_back(OPERATOR, one.pk, "the wrong file", now)
    assert refused.value.reasons[0].code == "codes.named"
    assert refused.value.reasons[0].params == {"count": 1, "shown": written.ljust(6, "0")}
    assert stored() == before and CodeLoad.objects.get().taken_back_at is None
    registry.update_instrument(OPERATOR, thing.pk, {"class_code": "01"}, now)  # a class that is there without any list
    take_back(OPERATOR, one.pk, "the wrong file", now)
    assert not stored()


@pytest.mark.parametrize(
    ("scheme", "text", "code", "fields"),
    [
        ("gbt13745", "code,name_zh\n99955,Odd\n", "99955", {"subject_codes": ["99955"]}),
        ("panet", "ID,Label\nPaNET09999,odd\n", "PaNET09999", {"technique_codes": ["PaNET09999"]}),
        ("gbt2260", "code,name_zh\n650199,Odd\n", "650199", {"site": "650199"}),
        ("gbt2260", "code,name_zh\n650199,Odd\n", "650199", {"owner": "650199"}),
    ],
)
def test_every_kind_of_list_is_looked_for_in_what_names_it(
    scheme: str, text: str, code: str, fields: dict[str, Any], now: datetime
) -> None:
    one, thing = load(text, now, DAY, scheme), instrument(now)
    for name, value in fields.items():
        if name == "site":
            type(thing.site).objects.filter(pk=thing.site_id).update(region_code=value)
        elif name == "owner":
            Organisation.objects.filter(pk=thing.organisation_id).update(region_code=value)
        else:
            Instrument.objects.filter(pk=thing.pk).update(**{name: value})
    with pytest.raises(Conflict) as refused:
        take_back(OPERATOR, one.pk, "the wrong file", now)
    assert refused.value.reasons[0].params == {"count": 1, "shown": code}


def test_a_code_that_another_list_still_has_may_be_named(now: datetime) -> None:
    load(LIST, now, DAY)
    renamed = load(LIST.replace("Microscope", "Microscopes"), now, LATER)
    instrument(now, class_code="010101")
    take_back(OPERATOR, renamed.pk, "a slip", now)
    codes.forget()
    assert codes.name_of("nrii", "010101", LATER, "en") == "Microscope"


def test_only_the_operator_takes_back_only_the_newest_and_says_why(now: datetime) -> None:
    older, newer = load(LIST, now, DAY), load(NEWER, now, LATER)
    with pytest.raises(Forbidden):
        take_back(NOBODY, newer.pk, "because", now)
    with pytest.raises(Refusal) as refused:
        take_back(OPERATOR, newer.pk, "  ", now)
    assert refused.value.reasons[0].code == "codes.reason_needed"
    with pytest.raises(Conflict) as refused:
        take_back(OPERATOR, older.pk, "because", now)
    assert refused.value.reasons[0].code == "codes.newer_list"
    assert codes.newest_loads(OPERATOR) == {"nrii": newer}
    assert codes.newest_loads(NOBODY) == {}
