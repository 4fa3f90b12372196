"""Settlement statements as papers that anybody can check."""

from __future__ import annotations

from django.apps import apps
from django.db.models import Sum
from django.utils.translation import pgettext_lazy

from billing.papers.kinds import PaperKind, issue_day, register
from billing.papers.rules.status import Facts, after_credits
from billing.settlement.models import Statement

STATEMENT = "statement"


def _facts(statement: Statement) -> Facts:
    """What was taken back of its awards after it had been issued is no longer claimed by it."""
    reversals = apps.get_model("billing", "AwardReversal")._default_manager
    back = reversals.filter(award__statement_line__statement=statement, claimed=True).aggregate(fen=Sum("amount_fen"))["fen"] or 0
    status = after_credits(statement.total_fen, back)
    return Facts(statement.number, statement.total_fen, issue_day(statement.issued_at), status, back)


register(PaperKind(STATEMENT, pgettext_lazy("kind of paper", "Subsidy settlement statement"), Statement, _facts))
