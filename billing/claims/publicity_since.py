"""What came of the publicity of a statement's lines, for the end of its HTML twin: the frozen paper was made before there was any."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils import translation

from billing.claims.queries import claimed_of
from billing.settlement.captions import CHINESE, captions
from billing.settlement.lines import public_words
from billing.settlement.models import Statement
from config.kernel.access import Actor


def publicity_since(actor: Actor, statement: Statement) -> str:
    """HTML that names each claim of which lines of a statement were made public, with the days, the objections and what came of them;
    empty where nothing was. It is no part of the paper that was issued, and says so."""
    claimed, _unclaimed = claimed_of(actor, statement)
    public = [each for each in claimed if each.publicity is not None]
    if not public:
        return ""
    with translation.override(CHINESE):
        rows = [(each.claim.number, each.claim.batch.number, public_words(each.publicity or {})) for each in public]
        return render_to_string("billing/_publicity_since.html", {"rows": rows, "w": captions()})
