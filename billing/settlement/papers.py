"""Settlement statements as papers that anybody can check."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from billing.papers.kinds import PaperKind, issue_day, register
from billing.papers.rules.status import Facts, after_credits
from billing.settlement.models import Statement
from billing.settlement.taken_back import of_statement

STATEMENT = "statement"


def _facts(statement: Statement) -> Facts:
    """What was taken back of its awards after it had been issued is no longer claimed by it."""
    since = of_statement(statement.pk)
    back = sum(each.amount_fen for each in since)
    numbers = tuple(dict.fromkeys(number for each in since for number in each.papers))
    status = after_credits(statement.total_fen, back)
    return Facts(statement.number, statement.total_fen, issue_day(statement.issued_at), status, back, numbers)


register(PaperKind(STATEMENT, pgettext_lazy("kind of paper", "Subsidy settlement statement"), Statement, _facts))
