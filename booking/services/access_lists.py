"""Lists of those who may not book, or to whom measures of credit do not apply: a lab's, an instrument's, or the operator's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from booking.models import AccessListEntry
from booking.services import credit_news
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Instrument, Organisation, User
from instruments.rules.registry_values import clean_text
from instruments.services.instrument_changes import owner_institution, require_manager

REASON_LENGTH = 500
VERDICTS = ("deny", "allow")


@dataclass(frozen=True, slots=True)
class Listing:
    """Who (a person by e-mail, or all of a customer by its name), where, and until when. ``owner_id`` None: everywhere."""

    owner_id: int | None
    verdict: str
    reason: str
    email: str = ""
    customer: str = ""
    instrument_id: int | None = None
    until: datetime | None = None


@whole
def put_on_list(actor: Actor, listing: Listing, now: datetime) -> AccessListEntry:
    """Raises Forbidden, NotFound, Refusal ``credit.*`` / ``licence.*`` / ``name.*`` with every reason."""
    if listing.owner_id is None:
        actor.require(Role.OPERATOR)
    else:
        require_manager(actor, listing.owner_id)
        owner_institution(listing.owner_id)
    reasons: list[Reason] = []
    person, customer = _who(actor, listing, reasons)
    words = clean_text(listing.reason, REASON_LENGTH, "reason")
    if not words:
        reasons.append(Reason("licence.reason_missing", {}, "reason"))
    if listing.verdict not in VERDICTS:
        reasons.append(Reason("credit.verdict_unknown", {}, "verdict"))
    if listing.until is not None and listing.until <= now:
        reasons.append(Reason("licence.until_past", {}, "until"))
    if listing.instrument_id is not None:
        one = visible_to(Instrument.objects.filter(pk=listing.instrument_id), actor).first()
        if one is None or one.organisation_id != listing.owner_id:
            reasons.append(Reason("training.instrument_foreign", {}, "instrument"))
    Refusal.raise_any(reasons)
    entry = AccessListEntry.objects.create(
        organisation_id=listing.owner_id,
        instrument_id=listing.instrument_id,
        person=person,
        customer=customer,
        verdict=listing.verdict,
        until=listing.until,
        reason=words,
        created_by_id=actor.person_id,
        created_at=now,
    )
    after = {
        "verdict": listing.verdict, "person": person and person.pk, "customer": customer and customer.pk,
        "instrument": listing.instrument_id, "until": listing.until.isoformat() if listing.until else None,
    }  # fmt: skip
    audit.record(actor, "access_list.put", entry, now, after=after, reason=words)
    credit_news.listed(entry, now)
    return entry


@whole
def take_off_list(actor: Actor, entry_id: int, now: datetime) -> AccessListEntry:
    """It no longer counts; the entry is kept. Raises NotFound, Forbidden, Refusal ``credit.entry_ended``."""
    entry = get_visible(AccessListEntry.objects.select_for_update(of=("self",)), actor, pk=entry_id)
    if entry.organisation_id is None:
        actor.require(Role.OPERATOR)
    else:
        require_manager(actor, entry.organisation_id)
    if entry.ended_at is not None:
        raise Refusal.of("credit.entry_ended")
    entry.ended_at, entry.ended_by_id = now, actor.person_id
    entry.save(update_fields=["ended_at", "ended_by"])
    audit.record(actor, "access_list.take_off", entry, now, before={"verdict": entry.verdict})
    return entry


def _who(actor: Actor, listing: Listing, reasons: list[Reason]) -> tuple[User | None, Organisation | None]:
    """Exactly one of the two. A customer is found by its exact name, as it stands on its bookings."""
    email, name = listing.email.strip().lower(), " ".join(listing.customer.split())
    if bool(email) == bool(name):
        reasons.append(Reason("credit.one_of_both", {}, "email"))
        return None, None
    if email:
        person = User.objects.filter(email=email, is_active=True).first()
        if person is None:
            reasons.append(Reason("licence.person_unknown", {}, "email"))
        return person, None
    customers = list(Organisation.objects.filter(name=name)[:2])
    if len(customers) != 1:
        reasons.append(Reason("credit.customer_unknown", {}, "customer"))
        return None, None
    return None, customers[0]
