"""An owner's instrument centres with what their instruments come to, and the national sheet of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from django.utils import timezone
from openpyxl import Workbook

from config.kernel.access import Actor, get_visible, visible_to
from instruments.models import Instrument, InstrumentCentre, InstrumentStatus, OrganisationIdentifier
from instruments.queries import codes
from instruments.queries.national import subject_name, text_cell
from instruments.rules.centre_values import CENTRE_FIELDS, lacking
from instruments.rules.standards import centre as standard
from instruments.rules.standards.centre import CentreFacts
from instruments.services.instrument_changes import require_manager

_OF_A_CENTRE = "centre"


@dataclass(frozen=True, slots=True)
class CentreRow:
    """A centre, how many instruments that are not retired say that they belong to it, what those cost (fen), and the fields in which
    the national sheet would still be empty."""

    centre: InstrumentCentre
    instruments: int
    worth_fen: int
    lacks: list[str]


def centres_of(actor: Actor, organisation_id: int) -> list[CentreRow]:
    """For who manages the owner's instruments, by number; two queries. Raises Forbidden."""
    require_manager(actor, organisation_id)
    centres = list(visible_to(InstrumentCentre.objects.filter(organisation_id=organisation_id), actor).order_by("inner_id", "pk"))
    rows = visible_to(Instrument.objects.filter(organisation_id=organisation_id, affiliation=_OF_A_CENTRE), actor)
    belonging = rows.exclude(status=InstrumentStatus.RETIRED).values_list("affiliation_name", "original_value_fen")
    found = list(belonging) if centres else []
    return [_row(centre, found) for centre in centres]


def centre_for(actor: Actor, centre_id: int) -> InstrumentCentre:
    """One centre with its owner. Raises NotFound."""
    return get_visible(InstrumentCentre.objects.select_related("organisation"), actor, pk=centre_id)


def centre_workbook(actor: Actor, organisation_id: int, now: datetime) -> bytes:
    """The owner's national sheet of instrument centres (``.xlsx``). Raises Forbidden."""
    today = timezone.localdate(now)
    code = (
        OrganisationIdentifier.objects.filter(organisation_id=organisation_id, scheme="uscc")
        .values_list("value", flat=True)
        .first()
    )
    book = Workbook(write_only=True)
    sheet = book.create_sheet(standard.sheet_title())
    sheet.freeze_panes = "D3"
    lines: list[Sequence[str]] = [*standard.sheet_head()]
    for row in centres_of(actor, organisation_id):
        centre = row.centre
        facts = CentreFacts(
            values=_values(centre),
            owner_code=code or "",
            subjects=tuple(subject_name(code, today) for code in centre.subject_codes),
            place=codes.division_path(centre.region_code, today),
            instruments=row.instruments,
            worth_fen=row.worth_fen,
        )
        lines.append(standard.sheet_row(facts))
    for line in lines:
        sheet.append([text_cell(sheet, text) for text in line])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _row(centre: InstrumentCentre, found: Sequence[tuple[str, int | None]]) -> CentreRow:
    names = {centre.inner_id, centre.name}
    worth = [fen or 0 for name, fen in found if name in names]
    return CentreRow(centre, len(worth), sum(worth), lacking(_values(centre)))


def _values(centre: InstrumentCentre) -> dict[str, Any]:
    return {name: getattr(centre, name) for name in CENTRE_FIELDS}
