"""A file that shows something else, too: with another claim, or for two services of one; said beside the claim, to whoever may know."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.claims import files_twice, queries
from billing.claims.models import ClaimLine
from billing.claims.rules.checks import CheckCode, is_clean, look
from billing.claims.services import handing_in, reviewing
from billing.claims.services.handing_in import Evidence
from booking.services import sample_reports
from booking.services.enquiry_files import Attachment
from config.kernel.services import tokens
from tests.billing.claims.conftest import AFTER, DECEMBER
from tests.booking.samples.conftest import Work, make_item

pytestmark = pytest.mark.django_db
SAME, OTHER = b"%PDF-1.7 the same", b"%PDF-1.7 another"


@pytest.fixture
def work(cast, office):
    return Work(cast, make_item(cast))


@pytest.fixture
def both(office):
    """A claim of Lianhe and one of the lab."""
    (firms,), (labs,) = (office.filled(*which)[1] for which in (("DEMO-QH-A", "refunded_later"), ("DEMO-QH-V", "deducted_now")))
    return firms, labs


def add(cast, who, claim, content=SAME, kind="report"):
    return handing_in.add_evidence(cast.actor(who), claim.pk, Evidence(kind, content), DECEMBER)


def charged(work, report, **more):
    """A sample job of Gaoyuan that was charged."""
    job = work.accept(work.ask(**more))
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    sample_reports.report(work.cast.actor("wang"), job.pk, Attachment(report, "report.pdf"), "", work.now)
    return work.close(work.again(job))


def twice(*claims):
    """What of each claim is used twice: the positions here, and the other claims."""
    found = queries.check_inputs(claims)
    return [[(each.positions, each.claims) for each in found[claim.pk].twice] for claim in claims]


def positions_of(claim, *jobs):
    rows = ClaimLine.objects.filter(claim=claim, award__charge__sample_job__in=jobs, standing="included")
    return tuple(rows.order_by("position").values_list("position", flat=True))


def left_out(cast, office, claim, *positions):
    office.submit(claim, "li")
    office.close(claim.batch)
    for position in positions:
        reviewing.set_line(cast.actor("chen"), claim.pk, position, "excluded", "not here", AFTER)


def test_a_file_with_two_claims_is_found_beside_both_until_one_of_them_ends(cast, both):
    firms, labs = both
    add(cast, "he", firms)
    add(cast, "he", firms, kind="other")  # with one claim a file may stand several times
    add(cast, "li", labs, OTHER)
    assert twice(firms, labs) == [[], []]
    add(cast, "li", labs)
    assert twice(firms, labs) == [[((), (labs.pk,))], [((), (firms.pk,))]]
    (wrong,) = [check for check in look(queries.check_inputs([firms])[firms.pk]) if check.code is CheckCode.FILE_TWICE]
    assert not wrong.ok and not is_clean([wrong])
    handing_in.withdraw(cast.actor("li"), labs.pk, "Another batch", DECEMBER)
    labs.refresh_from_db()
    assert twice(firms, labs) == [[], []]


def test_another_firms_claim_is_named_only_to_who_may_read_it(cast, both, monkeypatch):
    firms, labs = both
    add(cast, "he", firms)
    add(cast, "li", labs)
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
    seen = {}
    for who in ("he", "li", "chen"):
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(cast.users[who])
        mine = labs if who == "li" else firms
        seen[who] = client.get(reverse("claim_detail", args=[mine.pk])).content.decode()
    assert "is also with another claim" in " ".join(seen["he"].split()) and labs.number not in seen["he"]
    assert "is also with another claim" in " ".join(seen["li"].split()) and firms.number not in seen["li"]
    assert "another claim" not in seen["chen"]
    assert f'<a class="num" href="{reverse("claim_detail", args=[labs.pk])}">{labs.number}</a>' in seen["chen"]
    said = {}
    for who in ("he", "chen"):
        key = tokens.issue(cast.actor(who), "t", ["read"], DECEMBER)
        answer = Client(headers={"Authorization": f"Bearer {key}"}).get(f"/api/v1/claims/{firms.pk}/").json()
        (check,) = [each for each in answer["checks"] if each["code"] == "file_twice"]
        (file,) = check["files"]
        said[who] = (check["ok"], file["claims"], file["unnamed"])
    assert said == {"he": (False, [], 1), "chen": (False, [labs.number], 0)}


def test_one_report_for_two_jobs_is_found_on_one_claim_and_on_two(cast, office, work):
    jobs = [charged(work, SAME), charged(work, SAME), charged(work, OTHER)]
    work.later(days=3)
    later = charged(work, SAME, arrive_on=date(2026, 11, 28))
    (before,), (after,) = (
        office.filled("DEMO-QH-V", "deducted_now", **on)[1]
        for on in ({"until_on": date(2026, 11, 26)}, {"from_on": date(2026, 11, 27)})
    )
    here, there = positions_of(before, *jobs[:2]), positions_of(after, later)
    assert (len(here), len(there)) == (2, 1)
    assert twice(before, after) == [[(here, (after.pk,))], [(there, (before.pk,))]]
    left_out(cast, office, after, *there)
    assert twice(before, after) == [[(here, ())], []]
    page = Client(headers={"Accept-Language": "en"})
    page.force_login(cast.users["chen"])
    assert "report.pdf is of several services here" in page.get(reverse("claim_detail", args=[before.pk])).content.decode()
    left_out(cast, office, before, here[0])
    assert twice(before, after) == [[], []]


def test_the_report_of_a_job_added_to_its_own_claim_is_no_second_use_and_to_anothers_it_is(cast, office, work):
    job = charged(work, SAME)
    (firms,), (labs,) = (office.filled(*which)[1] for which in (("DEMO-QH-A", "refunded_later"), ("DEMO-QH-V", "deducted_now")))
    add(cast, "li", labs)
    assert positions_of(labs, job) and twice(labs, firms) == [[], []]
    add(cast, "he", firms)
    assert twice(labs, firms) == [[(positions_of(labs, job), (firms.pk,))], [((), (labs.pk,))]]


def test_looking_takes_as_many_queries_for_many_files_as_for_few(cast, office, work):
    def asked(*claims):
        lines = list(ClaimLine.objects.filter(claim__in=claims).select_related("award__charge"))
        with CaptureQueriesContext(connection) as found:
            files_twice.used_twice(claims, lines)
        return len(found)

    charged(work, SAME)
    charged(work, OTHER)
    (firms,), (labs,) = (office.filled(*which)[1] for which in (("DEMO-QH-A", "refunded_later"), ("DEMO-QH-V", "deducted_now")))
    add(cast, "li", labs)
    few = asked(labs)
    for number in range(4):
        add(cast, "he", firms, f"%PDF-1.7 {number}".encode())
        add(cast, "li", labs, f"%PDF-1.7 {number}".encode())
    assert asked(labs, firms) == few <= 8
