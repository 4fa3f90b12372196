"""What a person says about themselves."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from config.kernel.access import Actor
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import User
from instruments.rules.names import clean_name
from instruments.services.organisations import require_person

FULL_NAME_MAX_LENGTH = 100


def checked_full_name(text: str) -> str:
    """The name in normal form. Raises Refusal ``name.*`` on field ``full_name``."""
    return clean_name(text, FULL_NAME_MAX_LENGTH, "full_name")


@whole
def update_person(actor: Actor, full_name: str, language: str, now: datetime) -> User:
    """Set the actor's own name and language, at sign-up and later.

    Raises Refusal ``name.*`` and ``person.language_unknown``, Forbidden ``access.login_needed``.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=require_person(actor))
    reasons: list[Reason] = []
    try:
        full_name = checked_full_name(full_name)
    except Refusal as refusal:
        reasons.extend(refusal.reasons)
    if language not in dict(settings.LANGUAGES):
        reasons.append(Reason("person.language_unknown", {"known": list(dict(settings.LANGUAGES))}, "language"))
    Refusal.raise_any(reasons)
    before = {"full_name": user.full_name, "language": user.language}
    user.full_name, user.language = full_name, language
    user.save(update_fields=["full_name", "language"])
    after = {"full_name": full_name, "language": language}
    if after != before:
        audit.record(actor, "person.update", user, now, before=before, after=after)
    return user


def one_at_a_time(actor: Actor) -> int:
    """Behind this, until the transaction ends, no other call of the same person runs that counts what they have: a limit holds.

    Returns the person's id. Raises Forbidden for nobody.
    """
    person_id = actor.person_id
    list(User.objects.select_for_update(no_key=True).filter(pk=person_id).values_list("pk"))
    return person_id
