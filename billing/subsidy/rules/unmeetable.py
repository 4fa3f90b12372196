"""Gates that no booking can meet, because they ask for what the platform knows of none: a warning to whoever writes a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from billing.subsidy.rules import two_sided, voucher_facts
from billing.subsidy.rules.possible import answers, named_in
from billing.subsidy.rules.questions import asked_by
from billing.subsidy.rules.with_claim import expected, fixed
from booking.rules.service_facts import ORDINARY_KINDS, PUBLIC_KINDS

#: Facts that the platform knows of no session and of no commission while money is promised; besides these all of ``other`` and
#: ``other_amounts``, and those of vouchers where none can stand behind a limit (``voucher_facts``). Some come with the claim
#: (``with_claim``), some are told by whoever books where a programme asks (``questions``), one is told to programmes of several sides
#: (``two_sided``); only examples have the others. docs/programmes.md section 12 names every one.
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
        "amounts.lower_level",
        "amounts.lender",
        "quantities.persons",
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


def never_known_to(document: Piece) -> Callable[[str], bool]:
    """Whether a document is told a fact of no booking: what nobody knows, but for what it is told to expect of the claim,
    the vouchers behind its limits, what it asks of whoever books and, where it has sides, whose claim each is."""
    asked = asked_by(document)
    told = expected(document).keys() | voucher_facts.asked(document) | two_sided.asked(document) | asked
    unknown = (NEVER_KNOWN | voucher_facts.OF_VOUCHERS) - told
    return lambda path: path in unknown or (path.startswith(_OPEN) and path not in asked)


def unmeetable(document: Piece) -> list[Unmeetable]:
    """The gates of a valid document, and of its sides, that no booking can meet, in its order."""
    look = _Look(f"service.{document['date_basis']}_on", never_known_to(document), fixed(document))
    places = [("$.gates", document["gates"])]
    places += [(f"$.sides[{place}].gates", side.get("gates", ())) for place, side in enumerate(document.get("sides", ()))]
    found = ((f"{path}[{place}]", look.blocking(gate)) for path, gates in places for place, gate in enumerate(gates))
    return [Unmeetable(path, tuple(sorted(facts))) for path, facts in found if facts]


@dataclass(frozen=True, slots=True)
class _Look:
    """At the gates of a document. ``basis``: the path of its date; ``never``: whether it is told a fact of no booking; ``expects``: what it
    is told of the claim's facts."""

    basis: str
    never: Callable[[str], bool]
    expects: Mapping[str, int]

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
            return {amount} if counts and (self.never(amount) or amount in self.expects) else set()
        if kind == "any_of":
            each = [set().union(*(self.blocking(one) for one in gates)) for gates in gate["alternatives"]]
            return set().union(*each) if all(each) else set()
        if kind == "condition" and True not in answers(gate["when"], self.basis, self.never, self.expects):
            return {path for path in named_in(gate["when"]) if self.never(path) or path in self.expects}
        return set()
