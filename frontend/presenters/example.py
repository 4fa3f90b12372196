"""The worked example on an instrument's page: the engine's figures for a typical customer, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from billing.settlement.services.example import REGION, Example
from config.kernel.messages import duration_words
from frontend.presenters.assessment import AssessmentRows, OutcomeRow, present
from frontend.presenters.instruments import place_name
from frontend.presenters.quote import range_words


@dataclass(frozen=True, slots=True)
class ExampleView:
    """``sentence`` says for whom and when; ``lines`` are for ``components/price_summary.html``."""

    sentence: str
    rows: AssessmentRows
    lines: list[dict[str, Any]]


def example_view(example: Example, zone: str) -> ExampleView:
    """The example in the reader's language."""
    versions = [version.programme for version in example.prepared.versions]
    schedule = example.prepared.inputs.schedule
    rows = present(example.assessment, versions, schedule)
    params = {
        "length": duration_words(example.during.seconds // 60),
        "place": place_name(f"{REGION[:4]}00"),
        "when": range_words(example.during, zone),
    }
    return ExampleView(
        sentence=_("%(length)s for a verified small firm in %(place)s that has used no subsidy yet: %(when)s.") % params,
        rows=rows,
        lines=[_line(award) for award in rows.awards],
    )


def _line(award: OutcomeRow) -> dict[str, Any]:
    clauses = sorted({step.clause for step in award.steps if step.clause}, key=lambda clause: (len(clause), clause))
    note = _("%(programme)s, clauses %(clauses)s") % {"programme": award.code, "clauses": ", ".join(clauses)}
    return {"name": award.name, "fen": award.total_fen, "mode": award.mode, "note": note, "estimate": award.estimate}
