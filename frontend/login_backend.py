"""Who is logged in, with what every page asks of them, in one statement."""

from __future__ import annotations

from functools import cache

import orjson
from allauth.account.auth_backends import AuthenticationBackend

from booking.queries.person_facts import PersonFacts
from config.kernel.statements import planned_once
from instruments.models import User
from instruments.queries.notices import MOST_COUNTED

_PERSON = """
SELECT {columns},
       COALESCE((SELECT jsonb_agg(jsonb_build_array(m.organisation_id, m.role, o.kind, o.status) ORDER BY m.organisation_id, m.role)
                   FROM instruments_membership m JOIN instruments_organisation o ON o.id = m.organisation_id
                  WHERE m.user_id = u.id), '[]')::text,
       (SELECT count(*) FROM (SELECT FROM instruments_notice n WHERE n.user_id = u.id AND n.read_at IS NULL LIMIT {most}) waiting),
       EXISTS (SELECT FROM booking_assistant a JOIN booking_instrumentassistant i ON i.assistant_id = a.id WHERE a.person_id = u.id),
       EXISTS (SELECT FROM booking_reservation r WHERE r.requested_by_id = u.id)
  FROM instruments_user u WHERE u.id = %s::bigint
"""


class PersonBackend(AuthenticationBackend):
    """allauth's log-in; the person of a session comes with their grants (``User.grants_read``, for ``actor_for``) and ``person_facts``,
    as they were when the request began."""

    def get_user(self, user_id: int) -> User | None:
        """The person, or None where there is none who may be logged in."""
        with planned_once() as cursor:  # every page asks this
            cursor.execute(_statement(), [user_id])
            row = cursor.fetchone()
        if row is None:
            return None
        *columns, grants, unread, assists, booked = row
        user = User.from_db("default", _columns(), columns)
        user.grants_read = tuple(tuple(grant) for grant in orjson.loads(grants))
        user.person_facts = PersonFacts(unread, assists, booked)
        return user if self.user_can_authenticate(user) else None


@cache
def _columns() -> tuple[str, ...]:
    return tuple(field.attname for field in User._meta.concrete_fields)


@cache
def _statement() -> str:
    return _PERSON.format(columns=", ".join(f'u."{name}"' for name in _columns()), most=MOST_COUNTED)
