"""The demo's full national records: texts, pictures, documents, customs, and what people think, report and want to change."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from PIL import Image, ImageDraw

from booking.models import Reservation
from booking.rules.states import ReservationState
from booking.services import ratings, reservations, transitions, usage_review
from booking.services.reservations import ReservationRequest
from config.demo.organisations import People
from config.demo.sessions import ZONE
from config.demo.source import words
from config.kernel.access import Actor, Role
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Organisation
from instruments.services import (
    centres,
    instrument_details,
    instrument_edits,
    instrument_files,
    instrument_reviews,
    problems,
    registry,
    sheets,
)
from instruments.services.instrument_edits import Edit

#: The first lab is trusted as every verified owner is; the changes of the second are looked at first.
REVIEWED_OWNER = 1
FUNDINGS = {"central": 60, "local": 25, "own": 15}
_EVERY_RATED = 4
_COLOURS = ("#0e6f88", "#1d6b37", "#7d3f04", "#3c5058")


def describe(people: People, stocked: list[Instrument], now: datetime) -> int:
    """Write the whole record of every instrument of the first two owners whose technique has one, and the centre of each owner; returns
    how many instruments."""
    found = 0
    described = {owner.pk for owner in people.owners[: REVIEWED_OWNER + 1]}
    for instrument in stocked:
        record = words("records")["records"].get(instrument.technique)
        if record is None or instrument.organisation_id not in described:
            continue
        manager = people.actors[instrument.organisation_id, Role.LAB_MANAGER]
        _describe(manager, instrument, record, now)
        found += 1
    for owner in people.owners[: REVIEWED_OWNER + 1]:
        centres.create(people.actors[owner.pk, Role.LAB_MANAGER], owner.pk, words("records")["centre"], now)
    return found


def _describe(manager: Actor, instrument: Instrument, record: dict[str, Any], now: datetime) -> None:
    commissioned = instrument.commissioned_on or date(2020, 1, 1)
    changes = words("records")["common"] | record | {"purchased_on": commissioned.replace(year=commissioned.year - 1)}
    changes |= {"asset_number": f"ZC-{instrument.pk:06d}", "effect_1": words("records")["common"]["effect_1"]}
    value = instrument.original_value_fen or 0
    fundings = tuple((source, value * share // 100) for source, share in FUNDINGS.items())
    customs = words("records")["customs"].get(instrument.technique)
    if customs is not None:
        customs = customs | {"released_on": commissioned}
    instrument_edits.save(manager, instrument.pk, Edit(changes, customs=customs, fundings=fundings), now)
    for place, caption in enumerate(words("records")["captions"]):
        instrument_files.add_image(manager, instrument.pk, picture(instrument.pk * 7 + place), caption, now)
    registry.set_photo(manager, instrument.pk, picture(instrument.pk), now)
    for place, title in enumerate(words("records")["documents"]):
        instrument_files.add_document(manager, instrument.pk, _pdf(place), title, now)


def picture(seed: int) -> bytes:
    """A drawn instrument that does not exist: a cabinet, a column, a screen."""
    dice = random.Random(seed)  # noqa: S311  (a picture, not a secret)
    image = Image.new("RGB", (960, 720), "#e8f0f2")
    pen = ImageDraw.Draw(image)
    colour = dice.choice(_COLOURS)
    pen.rectangle((0, 560, 960, 720), fill="#c9d6da")
    left = 120 + dice.randrange(120)
    pen.rounded_rectangle((left, 220, left + 320, 600), 24, fill="#f8fbfb", outline=colour, width=8)
    pen.rounded_rectangle((left + 110, 90, left + 210, 330), 18, fill=colour)
    pen.ellipse((left + 90, 380, left + 230, 520), outline=colour, width=14)
    right = left + 400
    pen.rounded_rectangle((right, 260, right + 280, 450), 14, fill="#12303a")
    for place in range(24):
        height = dice.randrange(10, 150)
        pen.line((right + 20 + place * 10, 430, right + 20 + place * 10, 430 - height), fill="#7dd0e2", width=4)
    pen.rectangle((right + 110, 450, right + 170, 560), fill="#8aa0a8")
    out = BytesIO()
    image.resize((640, 480)).save(out, "PNG")
    return out.getvalue()


def _pdf(place: int) -> bytes:
    """The smallest page that a reader opens, with a line that says what it is."""
    text = f"BT /F1 18 Tf 60 760 Td (Demo document {place + 1}) Tj ET".encode()
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in places)
    start = len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n" + table + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start


def live(people: People, stocked: list[Instrument], now: datetime) -> dict[str, int]:
    """What came of it: ratings, reports, a change that waits, an instrument to publish, a table that was handed in."""
    rated = _rate(people, now)
    lab, reviewed = people.owners[0], people.owners[REVIEWED_OWNER]
    _report(people, [one for one in stocked if one.organisation_id == lab.pk], now)
    _propose(people, reviewed, [one for one in stocked if one.organisation_id == reviewed.pk], now)
    _hand_in_table(people.actor(lab, Role.LAB_MANAGER), lab, now)
    return {"ratings": rated}


def _hand_in_table(manager: Actor, lab: Organisation, now: datetime) -> None:
    """A table with some cells filled in and one that cannot be right."""
    book = load_workbook(BytesIO(sheets.download(manager, lab.pk, sheets.DEFAULT_COLUMNS)))
    sheet = book.worksheets[0]
    places = {cell.value: cell.column for cell in sheet[1]}
    for row, name, value in (
        (3, "technique", "Micro-CT"),
        (4, "functions", words("records")["change"]["functions"]),
        (5, "status", "?"),
    ):
        sheet.cell(row, places[name]).value = value
    out = BytesIO()
    book.save(out)
    sheets.hand_in(manager, lab.pk, out.getvalue(), now)


def use(people: People, stocked: list[Instrument], now: datetime) -> int:
    """Sessions of the last weeks on the instrument that is described best, so that its page has something to tell."""
    lab, firm = people.owners[0], people.customers[0]
    instrument = next(one for one in stocked if one.organisation_id == lab.pk and one.technique == "SEM")
    manager, researcher = people.actor(lab, Role.LAB_MANAGER), people.actor(firm, Role.RESEARCHER)
    monday = now.astimezone(ZONE).date() - timedelta(days=now.astimezone(ZONE).weekday())
    played = 0
    for weeks in range(1, 11):
        for day in (0, 1, 3)[: 1 + weeks % 3]:
            starts_at = datetime.combine(monday - timedelta(weeks=weeks) + timedelta(days=day), time(10), ZONE)
            during = TimeRange(starts_at, starts_at + timedelta(hours=2 + (weeks + day) % 4))
            request = ReservationRequest(instrument.pk, firm.pk, during, instrument.service_modes[0])
            asked_at = starts_at - timedelta(days=5)
            try:
                pk = reservations.reserve(
                    researcher, request, asked_at, idempotency_key=f"demo-use-{starts_at.isoformat()}"
                ).reservation_id
                if Reservation.objects.get(pk=pk).state == ReservationState.REQUESTED:
                    transitions.approve(manager, pk, asked_at + timedelta(hours=4))
            except Refusal:
                continue
            transitions.check_in(manager, pk, during.starts_at)
            transitions.check_out(manager, pk, during.ends_at)
            usage_review.agree(researcher, pk, during.ends_at + timedelta(hours=1))
            played += 1
    return played


def _rate(people: People, now: datetime) -> int:
    """Customers say what they think of every fourth session; the labs answer some of them."""
    comments = words("records")["comments"]
    rows = Reservation.objects.filter(state=ReservationState.AGREED).select_related("instrument").order_by("pk")
    chosen = [row for row in rows if row.pk % _EVERY_RATED == 0]
    for place, reservation in enumerate(chosen):
        stars, comment, answer = comments[place % len(comments)]
        at = min(now, reservation.ends_at + timedelta(hours=5))
        researcher = people.actors[reservation.organisation_id, Role.RESEARCHER]
        rating = ratings.rate(researcher, reservation.pk, stars, comment, at)
        if answer:
            manager = people.actors[reservation.instrument.organisation_id, Role.LAB_MANAGER]
            ratings.answer(manager, rating.pk, answer, min(now, at + timedelta(days=1)))
    return len(chosen)


def _report(people: People, own: list[Instrument], now: datetime) -> None:
    researcher = people.actor(people.customers[0], Role.RESEARCHER)
    for place, (text, state, answer) in enumerate(words("records")["problems"]):
        instrument = own[place % len(own)]
        at = now - timedelta(days=2 * place, hours=3)
        reported = problems.report(researcher, instrument.pk, text, at, picture(99) if place == 0 else None)
        if state != "open":
            manager = people.actors[instrument.organisation_id, Role.LAB_MANAGER]
            problems.handle(manager, reported.pk, state, answer, at + timedelta(hours=2))


def _propose(people: People, owner: Organisation, own: list[Instrument], now: datetime) -> None:
    """The second owner's changes are looked at: one waits, and so does a new instrument."""
    operator = people.actor(people.office, Role.OPERATOR)
    manager = people.actor(owner, Role.LAB_MANAGER)
    instrument_reviews.set_reviews_needed(operator, owner.pk, True, now - timedelta(days=1))
    microscope = next(one for one in own if one.technique == "SEM")
    saved = instrument_edits.save(manager, microscope.pk, Edit(words("records")["change"]), now - timedelta(hours=20))
    assert saved.change is not None
    instrument_reviews.submit(manager, saved.change.pk, now - timedelta(hours=19))
    new = words("records")["new_instrument"]
    fields = registry.InstrumentFields(
        name=new["zh"], name_en=new["en"], class_code="020101", description=new["use_zh"], description_en=new["use_en"]
    )
    made = registry.create_instrument(manager, microscope.site_id, fields, now - timedelta(hours=5))
    instrument_details.set_fundings(manager, made.pk, [("own", None)], now - timedelta(hours=5))
    instrument_reviews.ask_to_publish(manager, made.pk, now - timedelta(hours=4))
