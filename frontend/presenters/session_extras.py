"""What is used in a session besides its time, as the booking's page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing.ordering import charged
from billing.settlement.extra_models import SessionExtra
from billing.settlement.services import session_extras
from booking.models import Reservation
from booking.services import acting
from booking.services.sides import sides_of
from config.kernel.access import Actor
from frontend.presenters.agreed_lines import AgreedLines, agreed_lines
from frontend.templatetags.jishi import bilingual


@dataclass(frozen=True, slots=True)
class ExtrasPanel:
    """What the booking's page shows. ``addons``: code, name and price of one (fen) of what the lab may pick."""

    rows: list[SessionExtra]
    addons: list[tuple[str, str, int]]
    may_add: bool
    may_agree: bool
    may_decline: bool
    may_withdraw: bool
    may_withdraw_chosen: bool
    agreed_lines: AgreedLines | None

    @property
    def chosen(self) -> frozenset[str]:
        """The add-ons of which the customer chose some: what the lab enters of them takes the place of that."""
        return frozenset(row.addon for row in self.rows if row.chosen and row.state == "agreed")

    @property
    def asks(self) -> bool:
        """Whether the reader is asked for something."""
        return self.may_agree and any(row.state == "proposed" for row in self.rows)

    @property
    def agreed_fen(self) -> int:
        return sum(row.amount_fen for row in self.rows if row.state == "agreed")


def extras_panel(actor: Actor, reservation: Reservation, now: datetime) -> ExtrasPanel | None:
    """None where there is nothing to show and nothing to add."""
    rows, lab = session_extras.of(actor, reservation), sides_of(reservation, actor).lab
    is_open = reservation.state in session_extras.ADDABLE
    adds = is_open and lab
    if not rows and not adds:
        return None
    found = session_extras.addons_of(reservation) if adds else {}
    addons = [(code, bilingual(one), one.rate_fen) for code, one in found.items()]
    pays, objects = acting.pays(reservation, actor, now), acting.may_object(reservation, actor, now)
    may_withdraw_chosen = session_extras.may_withdraw_chosen(reservation, customer=objects, lab=lab)
    agreed = agreed_lines(*charged.offered_to_session(actor, reservation), "reservation", reservation.pk) if adds else None
    return ExtrasPanel(rows, addons, adds, is_open and pays, is_open and objects, adds, may_withdraw_chosen, agreed)
