"""The words for what is kept of people: what it is, and how long and why."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: code of ``rules.schedule`` -> (what, how long and why)
KEEPINGS: dict[str, tuple[Promise, Promise]] = {
    "objections": (
        _("Name and contact of who objected to a claim"),
        _("A year after the answer, in case the matter goes on."),
    ),
    "invitations": (
        _("E-mail address of who was invited"),
        _("Half a year after the invitation ended."),
    ),
    "join_notes": (
        _("What somebody wrote who asked to join an organisation"),
        _("A year after it was decided."),
    ),
    "licences": (
        _("Licence scan that was refused, or on which nothing rests any more"),
        _("A year after it was decided. The one by which an organisation is verified stays."),
    ),
    "notices": (_("Notices"), _("Read ones 90 days, all others a year.")),
    "mail_log": (_("Which message went to which address"), _("180 days. The text goes once it was sent.")),
    "log_ins": (_("Log-ins and counts of attempts"), _("Until they expire; finished jobs 14 days.")),
    "account": (_("Account, roles and what the person did"), _("As long as the account is used, or until the person is erased.")),
    "audit": (_("Audit trail"), _("Kept. The name of an erased person is replaced.")),
    "books": (
        _("Issued papers, payments, ledger"),
        _("Thirty years by the rules for accounting records. They are never erased here."),
    ),
}
