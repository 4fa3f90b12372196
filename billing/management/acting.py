"""What the commands of billing share: acting for a named person, reading a document, and saying refusals in sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from instruments.models import User
from instruments.queries import actor_for


def person(email: str) -> Actor:
    """The actor behind an e-mail address. Raises CommandError when there is none."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active person with the address {email}.")
    return actor_for(user)


def document(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises CommandError when it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CommandError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(content, dict):
        raise CommandError(f"{path} holds no JSON object.")
    return content


@contextmanager
def refusals_said() -> Iterator[None]:
    """Turn a refusal into a CommandError with one line per reason, each with its field."""
    try:
        yield
    except Refusal as refusal:
        lines = (
            f"{reason.field}: {reason_sentence(reason)}" if reason.field else reason_sentence(reason)
            for reason in refusal.reasons
        )
        raise CommandError("\n".join(lines)) from None
