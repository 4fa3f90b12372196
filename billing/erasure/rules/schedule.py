"""How long what is kept of people is kept. Pure; the words are in ``billing.erasure.wording``, the rows in ``billing.erasure.retention``.

Source: PIPL articles 19 and 47 (the shortest time that is needed, then erased); Accounting Archives Measures (thirty years for vouchers and
books, ten for bank lists); Cybersecurity Law article 21 (logs for six months and more).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class How(StrEnum):
    """``masked``: by the command or the page, the row stays; ``job``: the platform deletes it by itself; ``kept``: for good, or until the
    person is erased."""

    MASKED = "masked"
    JOB = "job"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Keeping:
    """``days`` after its end (of ``kept``: no number is counted here)."""

    code: str
    how: How
    days: int | None

    def over_before(self, now: datetime) -> datetime:
        """What ended before this instant is due."""
        return now - timedelta(days=self.days or 0)


OBJECTIONS = Keeping("objections", How.MASKED, 365)
INVITATIONS = Keeping("invitations", How.MASKED, 180)
JOIN_NOTES = Keeping("join_notes", How.MASKED, 365)
LICENCES = Keeping("licences", How.MASKED, 365)
SCHEDULE = (
    OBJECTIONS,
    INVITATIONS,
    JOIN_NOTES,
    LICENCES,
    Keeping("notices", How.JOB, 365),
    Keeping("mail_log", How.JOB, 180),
    Keeping("log_ins", How.JOB, 14),
    Keeping("account", How.KEPT, None),
    Keeping("audit", How.KEPT, None),
    Keeping("books", How.KEPT, None),
)
#: What stands in place of the name or the contact of somebody without an account.
GONE = "已删除"
GONE_ADDRESS = "gone@erased.invalid"
#: The name of the file that stands in place of a scan.
GONE_FILE = "erased.txt"
