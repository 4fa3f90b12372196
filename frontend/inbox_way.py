"""The way back into the inbox from a page that was opened for one of its requests: on to the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode

from frontend.booking_form import read_id

MARK = "inbox"
"""The name in an address that says where one came from."""
_SAMPLES = "samples"
"""What it says of the inbox of sample jobs."""


@dataclass(frozen=True, slots=True)
class InboxWay:
    """Where the inbox goes on: with the request ``next_id`` (None: with the first) on the ``page`` of it; ``samples``: that of sample
    jobs."""

    next_id: int | None = None
    page: int = 1
    samples: bool = False

    @classmethod
    def read(cls, given: Mapping[str, str]) -> InboxWay | None:
        """What an address or a form says; None where one did not come from the inbox."""
        if not given.get(MARK):
            return None
        page = read_id(given.get("page", "")) or 1
        return cls(read_id(given.get("next_id", "")) or None, page, given[MARK] == _SAMPLES)

    @property
    def address(self) -> str:
        """The inbox with that request opened."""
        asked = {"selected": self.next_id, "page": self.page if self.page > 1 else None}
        query = urlencode({name: value for name, value in asked.items() if value})
        return reverse("approval_samples" if self.samples else "approval_inbox") + (f"?{query}" if query else "")

    @property
    def query(self) -> str:
        """What the address of a page says that leads back this way."""
        return urlencode({MARK: _SAMPLES if self.samples else 1, "next_id": self.next_id or "", "page": self.page})
