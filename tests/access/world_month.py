"""A month of finance on both sides of the world: a run of drafts, a draft with a line, an export that is done, by owner."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from billing.models import Charge, ClosedPeriod, Draft, DraftLine, DraftRun, ExportItem, HeldBack, MonthExport
from config.kernel.services import files

#: A month in which the world has nothing, so that nobody's other documents are touched.
MONTH = date(2026, 10, 1)


def build(world: Any, now: datetime, marks: tuple[str, str]) -> None:
    """``marks``: what only one side reads."""
    cast, found = world.cast, {}
    sides = (("li", cast.lab, cast.firm, marks[0]), ("bo", world.other_lab, cast.other_firm, marks[1]))
    for place, (who, owner, customer, mark) in enumerate(sides):
        person, of = cast.users[who], {"series": f"bills:{owner.pk}", "owner": owner, "period_on": MONTH}
        run = DraftRun.objects.create(
            **of, revision=1, filters={"due_days": 30, "parties": []}, draft_count=1, parked_count=0, line_count=0, total_fen=0,
            content_sha256="x", second_from_fen=1, made_by=person, made_at=now,
        )  # fmt: skip
        nothing = {f"{name}_fen": 0 for name in ("gross", "deducted", "relieved", "refunded", "claims")}
        draft = Draft.objects.create(run=run, party=customer, position=1, state="empty", line_count=0, total_fen=0, **nothing)
        charge = Charge.objects.filter(reservation__instrument__organisation=owner, bill_lines__isnull=False).earliest("pk")
        free = Charge.objects.filter(reservation__instrument__organisation=owner, bill_lines__isnull=True).first()
        held = None
        if free is not None:
            held = HeldBack.objects.create(charge=free, owner=owner, reason=mark, held_by=person, held_at=now)
        line = DraftLine.objects.create(draft=draft, position=1, charge=free or charge, amount_fen=0, held=held, **nothing)
        stored = files.store(mark.encode(), file_name="x.zip", media_type="application/zip", user_id=None, now=now)
        export = MonthExport.objects.create(
            **of, state="done", total_count=1, asked_by=person, asked_at=now, finished_at=now, archive=stored, content_sha256="x",
            expires_at=now + timedelta(days=3650),
        )  # fmt: skip
        ExportItem.objects.create(export=export, position=1, bill_id=world.objects["bill"][place], state="done")
        ClosedPeriod.objects.create(
            series=of["series"],
            owner=owner,
            period_on=date(2026, 1, 1),
            totals={},
            closed_by=person,
            closed_at=now - timedelta(days=99),
        )
        made = {"month_run": run.pk, "month_draft": draft.pk, "month_line": line.pk, "month_export": export.pk}
        for kind, value in made.items():
            found.setdefault(kind, []).append(value)
    world.objects |= {kind: (values[0], values[1]) for kind, values in found.items()}
