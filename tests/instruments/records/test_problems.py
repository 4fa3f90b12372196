"""Reports of problems: written by people, read by the lab, answered once and for all to see who may."""

from __future__ import annotations

import pytest

from config.kernel.access import NOBODY
from config.kernel.errors import Forbidden, NotFound, Refusal
from instruments.models import Instrument
from instruments.queries import records
from instruments.services import problems
from tests import mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def reported(cast, now):
    return problems.report(cast.actor("lin"), cast.xrd.pk, "  It hums.\r\n\r\n\r\n\r\nLoudly. ", now)


def mails():
    return [(mail["to"][0], mail["subject"]) for mail in mailbox.mails()]


def test_a_report_reaches_the_lab_and_its_answer_the_person(cast, wang, reported, now):
    assert reported.text == "It hums.\n\nLoudly."
    problems.handle(wang, reported.pk, "acknowledged", "We look at the pump.", now, instrument_status="occasionally_faulty")
    problems.handle(wang, reported.pk, "solved", "", now)
    assert [to for to, _subject in mails()] == ["wang@example.org", "lin@example.org", "lin@example.org"]
    reported.refresh_from_db()
    assert (reported.state, reported.answer) == ("solved", "We look at the pump.")
    assert Instrument.objects.get(pk=cast.xrd.pk).status == "occasionally_faulty"


def test_saying_the_same_again_writes_no_mail(wang, reported, now):
    for _ in range(2):
        problems.handle(wang, reported.pk, "acknowledged", "Seen.", now)
    assert len(mails()) == 2


def test_a_report_is_read_by_who_wrote_it_the_lab_and_the_operator(cast, reported):
    readers = {name for name in cast.users if records.known_problems(cast.actor(name), cast.xrd)}
    assert readers == {"lin", "wang", "zhou"}
    assert records.known_problems(NOBODY, cast.xrd) == []
    for name in ("lin", "li", "wu"):
        with pytest.raises(Forbidden):
            records.problems_of_lab(cast.actor(name))


def test_only_the_lab_answers(cast, reported, now):
    with pytest.raises(Forbidden):
        problems.handle(cast.actor("lin"), reported.pk, "solved", "", now)
    for name in ("he", "wu", "li"):
        with pytest.raises(NotFound):
            problems.handle(cast.actor(name), reported.pk, "solved", "", now)


def test_what_cannot_be_a_report(cast, wang, reported, now, monkeypatch):
    lin = cast.actor("lin")
    with pytest.raises(Refusal, match=r"access\.login_needed"):
        problems.report(NOBODY, cast.xrd.pk, "x", now)
    with pytest.raises(Refusal, match=r"problem\.text_missing"):
        problems.report(lin, cast.xrd.pk, " \n ", now)
    with pytest.raises(Refusal, match=r"name\.direction_control"):
        problems.report(lin, cast.xrd.pk, "turn\u202earound", now)
    with pytest.raises(Refusal, match=r"upload\.unknown_type"):
        problems.report(lin, cast.xrd.pk, "with a film", now, b"GIF89a")
    with pytest.raises(Refusal, match=r"problem\.state_unknown"):
        problems.handle(wang, reported.pk, "open", "", now)
    with pytest.raises(Refusal, match=r"instrument\.status_unknown"):
        problems.handle(wang, reported.pk, "solved", "", now, instrument_status="exploded")
    monkeypatch.setattr(problems, "MOST_OPEN_PER_PERSON", 1)
    with pytest.raises(Refusal, match=r"problem\.too_many_open"):
        problems.report(lin, cast.xrd.pk, "again", now)
