"""A list of classes stays while a lab's rules, a course or a licence name what it began."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from booking.models import CourseScope, Licence, PolicyLayer, TrainingCourse
from config.kernel.access import Actor, Grant, Role
from config.kernel.errors import Conflict
from instruments.models import CodeLoad
from instruments.queries import codes
from instruments.services import code_list_undo
from instruments.services.code_list_undo import take_back
from instruments.services.code_lists import load_codes
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
OPERATOR = Actor(name="shell", grants=(Grant(0, Role.OPERATOR),))
LIST = b"code,parent,name_zh\n990000,,Odd\n990100,990000,Odder\n990101,990100,Oddest\n"


def rules(cast: Cast, code: str) -> Any:
    return PolicyLayer.objects.create(organisation=cast.lab, class_code=code, said={}, changed_at=cast.now)


def course(cast: Cast, code: str) -> Any:
    said = {"title": "Odd things", "level": "self", "created_at": cast.now, "created_by": cast.users["wang"]}
    held = TrainingCourse.objects.create(organisation=cast.lab, **said)
    return CourseScope.objects.create(course=held, class_code=code)


def licence(cast: Cast, code: str) -> Any:
    return Licence.objects.create(
        organisation=cast.lab, person=cast.users["lin"], class_code=code, level="self", origin="manual",
        granted_at=cast.now, granted_by=cast.users["wang"], changed_at=cast.now,
    )  # fmt: skip


@pytest.fixture
def loaded(cast: Cast) -> CodeLoad:
    load_codes(OPERATOR, "nrii", LIST, date(2026, 1, 1), cast.now, "list.csv")
    codes.forget()
    return CodeLoad.objects.get()


@pytest.mark.parametrize("code", ["990100", "9901"])
@pytest.mark.parametrize("named_by", [rules, course, licence])
def test_a_list_stays_while_a_lab_names_one_of_its_classes(
    cast: Cast, loaded: CodeLoad, named_by: Callable[[Cast, str], Any], code: str
) -> None:
    row = named_by(cast, code)
    with pytest.raises(Conflict) as refused:
        take_back(OPERATOR, loaded.pk, "the wrong file", cast.now)
    reason = refused.value.reasons[0]
    assert (reason.code, reason.params) == ("codes.named", {"count": 1, "shown": "990100"})
    type(row).objects.filter(pk=row.pk).update(class_code="")
    take_back(OPERATOR, loaded.pk, "the wrong file", cast.now)


def test_without_being_asked_of_labs_a_named_class_would_lose_its_name(
    cast: Cast, loaded: CodeLoad, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""
    rules(cast, "9901")
    monkeypatch.setitem(code_list_undo._NAMED, "nrii", code_list_undo._NAMED["nrii"].partition(" UNION ")[0])
    take_back(OPERATOR, loaded.pk, "the wrong file", cast.now)
    assert codes.entry_of("nrii", "990100", cast.now.date()) is None
