"""Gates that no booking can meet, because they ask for what the platform knows of none: a warning to whoever writes a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from billing.subsidy.rules.possible import answers, named_in
from booking.rules.service_facts import ORDINARY_KINDS, PUBLIC_KINDS

#: Facts that the platform knows of no session and of no commission, so that only examples have them; besides these all of ``other`` and
#: ``other_amounts``. docs/programmes.md section 12 names every one.
NEVER_KNOWN = frozenset(
    {
        "instrument.lists",
        "service.listed",
        "service.project_evidence",
        "service.payment_on",
        "service.invoice_number",
        "service.invoice_subsidised",
        "amounts.asked",
        "amounts.excluded",
        "amounts.face_value",
        "amounts.other_subsidies",
        "amounts.lower_level",
        "amounts.lender",
        "amounts.external_income",
        "amounts.prior_year_external_income",
        "quantities.external_minutes",
        "quantities.persons",
        "quantities.vouchers",
        "quality.score",
        "request.side",
        "request.classes_taken",
    }
)
_OPEN = ("other.", "other_amounts.")
#: What can be served here, and who can ask for it, by their codes in documents.
SERVICE_KINDS = frozenset({*ORDINARY_KINDS, *PUBLIC_KINDS})
APPLICANT_KINDS = frozenset({"firm", "team", "institution"})
Piece = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unmeetable:
    """A gate by its JSON path (``$.gates[3]``), and the facts because of which no booking meets it."""

    path: str
    facts: tuple[str, ...]


def never_known(path: str) -> bool:
    """Whether no booking has a fact, because nobody knows it."""
    return path in NEVER_KNOWN or path.startswith(_OPEN)


def unmeetable(document: Piece) -> list[Unmeetable]:
    """The gates of a valid document, and of its sides, that no booking can meet, in its order."""
    look = _Look(f"service.{document['date_basis']}_on", never_known)
    places = [("$.gates", document["gates"])]
    places += [(f"$.sides[{place}].gates", side.get("gates", ())) for place, side in enumerate(document.get("sides", ()))]
    found = ((f"{path}[{place}]", look.blocking(gate)) for path, gates in places for place, gate in enumerate(gates))
    return [Unmeetable(path, tuple(sorted(facts))) for path, facts in found if facts]


@dataclass(frozen=True, slots=True)
class _Look:
    """At the gates of a document. ``basis``: the path of its date; ``never``: whether it is told a fact of no booking."""

    basis: str
    never: Callable[[str], bool]

    def blocking(self, gate: Piece) -> set[str]:
        """The facts because of which a gate is never met; none where it can be."""
        if gate.get("applies_to") and APPLICANT_KINDS.isdisjoint(gate["applies_to"]):
            return set()
        kind = gate["type"]
        if kind == "applicant_kind":
            return {"applicant.kind"} if APPLICANT_KINDS.isdisjoint(gate["any_of"]) else set()
        if kind == "service_kind":
            return {"service.kind"} if gate.get("any_of") and SERVICE_KINDS.isdisjoint(gate["any_of"]) else set()
        if kind == "minimum_spend":
            amount = gate["of"] if "." in gate["of"] else f"amounts.{gate['of']}"
            counts = "months" not in gate or gate["with_this"]
            return {amount} if counts and self.never(amount) else set()
        if kind == "any_of":
            each = [set().union(*(self.blocking(one) for one in gates)) for gates in gate["alternatives"]]
            return set().union(*each) if all(each) else set()
        if kind == "condition" and True not in answers(gate["when"], self.basis, self.never):
            return {path for path in named_in(gate["when"]) if self.never(path)}
        return set()
