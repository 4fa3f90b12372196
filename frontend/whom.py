"""For whom one of a lab's managers enters a booking, as a link carries it: signed, so that nobody is named who was not found before.

What is signed can be read by everybody: ids stand in it, no name and no address."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing

from booking.queries import customers
from booking.queries.policies import Somebody
from booking.services.entering import Entered
from config.kernel.access import Actor, Role
from instruments.models import Instrument, Organisation, User

_SALT = "booking.whom"
_SECONDS = 12 * 60 * 60


@dataclass(frozen=True, slots=True)
class Whom:
    """A customer's person, called as they were found: by name, or by the address that was typed."""

    person: User
    organisation: Organisation
    called: str

    def entered(self, evidence: str) -> Entered:
        """That the lab enters something for them; ``evidence`` as ``Entered`` has it."""
        return Entered(self.person.email, evidence)


def sign(actor: Actor, lab_id: int, one: Somebody) -> str:
    """The text of a link, for this actor and lab alone."""
    return signing.dumps([actor.person_id, lab_id, one.person_id, one.organisation_id, one.by_address], salt=_SALT)


def read(actor: Actor, instrument: Instrument, text: str) -> Whom | None:
    """Who was found with it; None for a text that is not ours, another's, of another lab, or too old, and for who manages it no more."""
    try:
        found = signing.loads(text, salt=_SALT, max_age=_SECONDS)
    except signing.BadSignature:
        return None
    by_id, lab_id, person_id, organisation_id, by_address = found
    if (by_id, lab_id) != (actor.user_id, instrument.organisation_id) or lab_id not in actor.organisations(Role.LAB_MANAGER):
        return None
    person, organisation = customers.chosen(person_id, organisation_id)
    if person is None or organisation is None:
        return None
    return Whom(person, organisation, customers.called(person, by_address=by_address))
