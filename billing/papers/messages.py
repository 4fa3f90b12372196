"""The sentences about papers and books that are not what they were."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "papers.content_changed": _("%(kind)s %(number)s: the frozen content is not what was issued; its hash differs."),
        "papers.row_differs": _("%(kind)s %(number)s: the number or the total of the row is not what its content prints."),
        "papers.code_differs": _("%(kind)s %(number)s: the code that it prints is not the one that leads to it."),
        "papers.document_missing": _("%(kind)s: the paper with the code %(number)s is gone."),
        "papers.file_changed": _("%(kind)s %(number)s: the stored file (%(part)s) is not what was made; its hash differs."),
        "papers.file_of_another": _("%(kind)s %(number)s: the stored file (%(part)s) is not the one that was made for it."),
        "papers.file_taken_away": _("%(kind)s %(number)s: the stored file (%(part)s) that was made for it was taken away."),
        "papers.file_missing": _("%(kind)s %(number)s: the stored file (%(part)s) is gone."),
        "books.file": "%(text)s",
        "account_codes.unreadable": _("This line is no account with its code, or says an account again: %(line)s"),
        "ledger.columns": _("These columns are unknown or missing: %(names)s."),
        "papers.check_under_way": _("A check of the books is under way already. Its outcome appears here."),
    }
)
