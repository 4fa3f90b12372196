"""The rules of these years, and next years' on the desks of the office: one being written and tried on past services, one that waits for a
second officer."""

from __future__ import annotations

import copy
import json
from datetime import date, datetime, timedelta
from typing import Any

from billing.sandbox.services import running
from billing.subsidy import drafts
from billing.subsidy.models import ProgrammeVersion
from config.demo.organisations import People
from config.kernel.access import Role

_AHEAD = timedelta(days=60)
"""For so long bookings of the demo have to find a programme in force."""


def lasting(document: dict[str, Any], today: date) -> dict[str, Any]:
    """The document, its last year put off where a demo made ``today`` would outlive it: the day and the clause that says it."""
    year, needed = _last_year(document), (today + _AHEAD).year
    if year >= needed:
        return document
    changed: dict[str, Any] = json.loads(json.dumps(document, ensure_ascii=False).replace(str(year), str(needed)))
    return changed


def _last_year(document: dict[str, Any]) -> int:
    return date.fromisoformat(document["validity"]["last_day"]).year


def write(people: People, today: date, now: datetime) -> dict[str, int]:
    """Two drafts of the author, and a trial of the first over the last year."""
    author = people.actor(people.office, Role.PROGRAMME_OFFICER)
    versions = {each.programme.code: each for each in ProgrammeVersion.objects.select_related("programme")}
    voucher, tiers = versions["DEMO-QH-V"], versions["DEMO-QH-A"]
    written = drafts.start_from_version(author, voucher.pk, now - timedelta(days=3))
    changed = _next(voucher.document) | {"rate": {**voucher.document["rate"], "rate": "0.3"}}
    written = drafts.save(author, written.pk, 1, changed, now - timedelta(days=2))
    handed_in = drafts.start_from_version(author, tiers.pk, now - timedelta(days=9))
    handed_in = drafts.save(author, handed_in.pk, 1, _next(tiers.document), now - timedelta(days=8))
    drafts.submit(author, handed_in.pk, handed_in.revision, now - timedelta(days=1))
    asked = running.Asked(today - timedelta(days=365), today - timedelta(days=1), draft_id=written.pk, against_id=voucher.pk)
    run = running.start(author, asked, now - timedelta(hours=3))
    running.work(run.pk, now - timedelta(hours=3))
    return {"programme drafts": 2}


def _next(document: dict[str, Any]) -> dict[str, Any]:
    """The document for another year; the days of its examples that lay within the old years move into the new one."""
    first, last = (document["validity"][name] for name in ("first_day", "last_day"))
    year = _last_year(document) + 1
    years = {"first_day": f"{year}-01-01", "last_day": f"{year}-12-31"}
    changed = copy.deepcopy(document) | {"version": f"{year}.1", "validity": document["validity"] | years}
    for example in changed["examples"]:
        service = example["facts"].get("service", {})
        for name in service:
            if name.endswith("_on") and first <= service[name] <= last:
                service[name] = f"{year}-06-10"
    return changed
