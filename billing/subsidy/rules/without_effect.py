"""What of a valid document comes to nothing, or to a refusal, for every booking, because the platform does not know what it asks for.

Each is a warning to whoever writes the document: the place, and what will happen. Gates are looked at in ``unmeetable``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from billing.subsidy.rules import given_here, question_faults
from billing.subsidy.rules.given_here import OTHERS
from billing.subsidy.rules.labels import LABELS
from billing.subsidy.rules.parts.adjustments import SOME_ONLY
from billing.subsidy.rules.parts.base import QUANTITIES
from billing.subsidy.rules.parts.caps import YEARLY, CapPer
from billing.subsidy.rules.possible import answers, named_in
from billing.subsidy.rules.programme import PRIOR_INCOME
from billing.subsidy.rules.unmeetable import SERVICE_KINDS, never_known_to, unmeetable
from billing.subsidy.rules.with_claim import ASKED, OF_THE_CLAIM, asked, fixed

Piece = Mapping[str, Any]
CODE = "programme.warning."
#: A class of owners that rules know of, and no owner on the platform is of.
NO_OWNER_HERE = "central_soe"
FIRST_USE, FIRST_USE_BONUS = "applicant.first_use", "first_use_bonus"


@dataclass(frozen=True, slots=True)
class Warned:
    """A place by its JSON path, the code of the sentence that says what happens, and the sentence's parameters."""

    path: str
    code: str
    params: Mapping[str, Any]


def warnings_of(document: Piece) -> list[Warned]:
    """Everything in a valid document that a booking cannot meet or feed: gates first, then the other parts in the order in which an award
    is worked out."""
    look = _Look(f"service.{document['date_basis']}_on", never_known_to(document), fixed(document), asked(document))
    found = [_told(each.path, "unmeetable", each.facts) for each in unmeetable(document)]
    places = [("$", document)] + [(f"$.sides[{place}]", side) for place, side in enumerate(document.get("sides", ()))]
    looks = [look.windows(document), look.sides(document)]
    for path, piece in places:
        looks += [
            look.gates(piece.get("gates", ()), f"{path}.gates"),
            look.base(piece.get("base", {}), f"{path}.base"),
            look.rate(piece.get("rate", ""), f"{path}.rate"),
            look.adjustments(piece.get("adjustments", ()), f"{path}.adjustments"),
            _rounding(piece.get("rounding", {}), f"{path}.rounding"),
            look.caps(piece.get("caps", ()), f"{path}.caps"),
            look.payers(piece.get("payers", {}), f"{path}.payers"),
        ]
    found += [each for part in looks for each in part]
    if given_here.asked(document) and OTHERS not in look.with_claim:
        found.append(_told("$.settlement.mode", "only_here", [OTHERS]))
    found += [_told(path, "asked_in_vain", [fact]) for path, fact in question_faults.unused(document)]
    found += _values({**document, "examples": []}, "$")
    if not any(CapPer(cap["per"]) is CapPer.OWNER_YEAR for _path, piece in places for cap in piece.get("caps", ())):
        found += [
            Warned(f"{path}.base.amount", f"{CODE}each_booking_whole", {})
            for path, piece in places
            if _amount(piece.get("base", {}).get("amount", "fee")) == PRIOR_INCOME
        ]
    if not any(CapPer(cap["per"]) in YEARLY for _path, piece in places for cap in piece.get("caps", ())):
        found += [Warned(path, f"{CODE}begins_anew", {}) for path in _continued({**document, "examples": []}, "$")]
    if not any(piece.get("caps") for _path, piece in places):
        found += [Warned(path, f"{CODE}always_first", {}) for path in _first_uses({**document, "examples": []}, "$")]
    return found


def _told(path: str, code: str, facts: Iterable[str], **params: Any) -> Warned:
    return Warned(path, CODE + code, {"facts": sorted(set(facts)), **params})


def _amount(name: str) -> str:
    return name if "." in name else f"amounts.{name}"


def _rounding(rounding: Piece, path: str) -> Iterator[Warned]:
    if rounding.get("per") == "line":
        yield Warned(f"{path}.per", f"{CODE}no_lines", {})


def _values(piece: Any, path: str) -> Iterator[Warned]:
    """Labels that nobody here can have, and classes that no owner here is of."""
    if isinstance(piece, Mapping):
        labels = sorted(set(piece.get("has_label", {}).get("any_of", ())) - set(LABELS)) if "fact" in piece else []
        if labels:
            near = [guess for label in labels for guess in get_close_matches(label, LABELS, 1)]
            params = {"labels": labels, "known": [*LABELS]}
            code, more = ("label_meant", {"meant": near}) if near else ("label_unknown", {})
            yield Warned(f"{path}.has_label.any_of", CODE + code, params | more)
        if piece.get("fact") == "provider.owner_class" and NO_OWNER_HERE in (piece.get("is"), *piece.get("any_of", ())):
            yield Warned(path, f"{CODE}no_such_owner", {"owner_class": NO_OWNER_HERE})
        for name, value in piece.items():
            yield from _values(value, f"{path}.{name}")
    elif isinstance(piece, list):
        for place, value in enumerate(piece):
            yield from _values(value, f"{path}[{place}]")


def _continued(piece: Any, path: str) -> Iterator[str]:
    """Every place where a rate goes on from what came before in a year."""
    if isinstance(piece, Mapping):
        if isinstance(piece.get("continues"), str):
            yield f"{path}.continues"
        for name, value in piece.items():
            yield from _continued(value, f"{path}.{name}")
    elif isinstance(piece, list):
        for place, value in enumerate(piece):
            yield from _continued(value, f"{path}[{place}]")


def _first_uses(piece: Any, path: str) -> Iterator[str]:
    """Every place where something is given for the first use, or looks at it."""
    if isinstance(piece, Mapping):
        if piece.get("type") == FIRST_USE_BONUS:
            yield path
        if piece.get("fact") == FIRST_USE:
            yield f"{path}.fact"
        for name, value in piece.items():
            yield from _first_uses(value, f"{path}.{name}")
    elif isinstance(piece, list):
        for place, value in enumerate(piece):
            yield from _first_uses(value, f"{path}[{place}]")


@dataclass(frozen=True, slots=True)
class _Look:
    """At the parts of a document. ``basis``: the path of its date; ``never``: whether it is told a fact of no booking;
    ``with_claim``: the facts that its claims tell, ``expects``: what it is told of them until then."""

    basis: str
    never: Callable[[str], bool]
    expects: Mapping[str, int]
    with_claim: tuple[str, ...]

    def unknown(self, when: Piece) -> list[str]:
        return [path for path in named_in(when) if self.never(path) or path in self.expects]

    def fact(self, path: str, name: str | None, code: str, **params: Any) -> Iterator[Warned]:
        """A warning of one fact, where no booking has it."""
        if name is not None and self.never(name):
            yield _told(path, code, [name], **params)

    def holding(self, piece: Piece, path: str) -> Iterator[Warned]:
        """Of something on a condition that never holds."""
        if "when" in piece and True not in answers(piece["when"], self.basis, self.never, self.expects):
            yield _told(f"{path}.when", "never_holds", self.unknown(piece["when"]))

    def concerning(self, piece: Piece, path: str) -> Iterator[Warned]:
        """Of a limit for some only, which concerns everybody of whom its condition cannot be told."""
        possible = answers(piece["when"], self.basis, self.never, self.expects) if "when" in piece else {True}
        if True not in possible:
            code = "never_holds" if possible == {False} else "cap_concerns"
            yield _told(f"{path}.when", code, self.unknown(piece["when"]))

    def windows(self, document: Piece) -> Iterator[Warned]:
        for place, each in enumerate(document["validity"].get("windows", ())):
            path = f"$.validity.windows[{place}]"
            yield from self.fact(f"{path}.date", each["date"], "refuses")
            yield from self.fact(f"{path}.within.after", each.get("within", {}).get("after"), "refuses")

    def sides(self, document: Piece) -> Iterator[Warned]:
        sides = document.get("sides", ())
        never = [warned for place, side in enumerate(sides) for warned in self.holding(side, f"$.sides[{place}]")]
        yield from never
        if never and len(never) == len(sides):
            yield _told("$.sides", "no_side", [fact for each in never for fact in each.params["facts"]])

    def gates(self, gates: Iterable[Piece], path: str) -> Iterator[Warned]:
        for place, gate in enumerate(gates):
            where = f"{path}[{place}]"
            if gate["type"] == "any_of":
                for number, inner in enumerate(gate["alternatives"]):
                    yield from self.gates(inner, f"{where}.alternatives[{number}]")
            elif gate["type"] == "service_kind":
                nowhere = sorted(set(gate.get("none_of", ())) - SERVICE_KINDS)
                if nowhere:
                    yield Warned(
                        f"{where}.none_of", f"{CODE}excludes_nothing", {"services": nowhere, "known": sorted(SERVICE_KINDS)}
                    )

    def base(self, base: Piece, path: str) -> Iterator[Warned]:
        if "amount" in base:
            yield from self.base_of(f"{path}.amount", _amount(base["amount"]))
        if "quantity" in base:
            yield from self.fact(f"{path}.quantity", QUANTITIES.get(base["quantity"], base["quantity"]), "refuses")
        for place, name in enumerate(base.get("least_of", ())):
            yield from self.base_of(f"{path}.least_of[{place}]", _amount(name))
        for place, name in enumerate(base.get("less", ())):
            yield from self.fact(f"{path}.less[{place}]", _amount(name), "counts_nil")

    def base_of(self, path: str, name: str) -> Iterator[Warned]:
        """Of an amount that is subsidised, or a whole of which a share is the limit: what only the claim tells is not known when money is
        promised."""
        if (name in OF_THE_CLAIM and name != OTHERS) or self.never(name):
            yield _told(path, "refuses", [name])

    def rate(self, rate: Any, path: str) -> Iterator[Warned]:
        if not isinstance(rate, Mapping):
            return
        kind = rate["type"]
        if kind == "vouchers":
            yield from self.fact(path, "quantities.vouchers", "refuses")
        elif kind == "face_value" and "amount" not in rate:
            yield from self.fact(path, "amounts.face_value", "refuses")
        for place, case in enumerate(rate.get("cases", ())):
            where = f"{path}.cases[{place}]"
            untold = kind == "cases" and None in answers(case["when"], self.basis, self.never, self.expects)
            if untold:
                yield _told(f"{where}.when", "case_refuses", self.unknown(case["when"]))
            else:
                yield from self.holding(case, where)
            yield from self.rate(case["rate"], f"{where}.rate")
        yield from self.rate(rate.get("otherwise"), f"{path}.otherwise")
        for place, level in enumerate(rate.get("levels", ())):
            yield from self.holding(level, f"{path}.levels[{place}]")

    def adjustments(self, adjustments: Iterable[Piece], path: str) -> Iterator[Warned]:
        for place, each in enumerate(adjustments):
            where, kind = f"{path}[{place}]", each["type"]
            yield from (self.concerning if kind in SOME_ONLY else self.holding)(each, where)
            if kind == "quality_factor":
                yield from self.fact(f"{where}.of", each.get("of"), "grade_assumed", grade=each["assume"])
            elif kind == "rate_limit":
                if "of" in each:
                    yield from self.base_of(f"{where}.of", each["of"])
                for number, name in enumerate(each.get("counting", ())):
                    yield from self.fact(f"{where}.counting[{number}]", name, "counts_nil")
            elif kind == "asked_limit":
                if ASKED not in self.with_claim:
                    yield from self.fact(where, ASKED, "limits_nothing")
            elif kind == "deduct":
                yield from self.fact(f"{where}.of", each["of"], "counts_nil")

    def caps(self, caps: Iterable[Piece], path: str) -> Iterator[Warned]:
        for place, cap in enumerate(caps):
            where, limit = f"{path}[{place}]", cap["limit"]
            yield from self.concerning(cap, where)
            for number, case in enumerate(limit.get("cases", ()) if isinstance(limit, Mapping) else ()):
                yield from self.holding(case, f"{where}.limit.cases[{number}]")

    def payers(self, payers: Piece, path: str) -> Iterator[Warned]:
        for place, each in enumerate(payers.get("matches", ())):
            yield from self.holding(each, f"{path}.matches[{place}]")
        for place, each in enumerate(payers.get("order", ())):
            yield from self.fact(f"{path}.order[{place}].up_to", each.get("up_to"), "pays_nothing", payer=each["payer"])
        for place, each in enumerate(payers.get("cases", ())):
            yield from self.holding(each, f"{path}.cases[{place}]")
            yield from self.payers(each["payers"], f"{path}.cases[{place}].payers")
        if "otherwise" in payers:
            yield from self.payers(payers["otherwise"], f"{path}.otherwise")
