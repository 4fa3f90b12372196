"""What a line of a statement says, in the words of the active language; both documents say the same."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import ngettext, pgettext

from billing import wording
from billing.ledger.rules.money import yuan
from billing.settlement.captions import Caption

Line = Mapping[str, Any]


def price(line: Line) -> tuple[str, str]:
    """The first price per hour and, under it, the others; of a sample job the price of a unit."""
    if "samples" in line:
        first = line["prices"][0]
        return yuan(first["rate_fen"]), f"/ {wording.unit_word(first['unit'])}"
    rates = list(dict.fromkeys(text[1:] for each in line["prices"] if (text := wording.rate_words(each))))
    return (rates[0], wording.several(rates[1:])) if rates else ("", "")


def way(line: Line) -> str:
    """How the service was given, and whether it comes late: a month after the one in which it was."""
    late = pgettext("line of a bill", "prior period") if line.get("prior_period") else ""
    return " · ".join(filter(None, (wording.service_way_word(line["service_way"]), late)))


def measured(line: Line) -> str:
    """How much: the hours, or the number of samples."""
    if "samples" not in line:
        return str(line["hours"])
    return ngettext("%(count)s sample", "%(count)s samples", line["samples"]) % {"count": line["samples"]}


def excluded(line: Line, words: Mapping[str, Caption]) -> str:
    """What of the fee was not eligible and why, or nothing."""
    return f"{words['excluded'].zh} {excluded_why(line)}" if line["excluded"] else ""


def excluded_why(line: Line) -> str:
    """Why a part of the fee was not eligible: each amount with its reason and the clause that says so."""
    return wording.several(_excluded_part(part) for part in line["excluded"])


def _excluded_part(part: Mapping[str, Any]) -> str:
    clause = f" (§ {part['clause']})" if part["clause"] else ""
    return f"{yuan(part['amount_fen'])} {wording.excluded_word(part['reason'])}{clause}"


def rate(line: Line) -> str:
    """The rates, factor and bonus as they were applied: ``50% + 40% × 0.9 + 1,000.00``."""
    tiers = line["rates"]
    text = " + ".join(f"{wording.percent(tier['rate'])}" for tier in tiers)
    for each in line["adjustments"]:
        if each["kind"] == "quality" and Decimal(each["factor"]) != 1:
            text = f"({text})" if len(tiers) > 1 else text
            text += f" × {wording.factor_text(each['factor'])}"
        elif each["kind"] == "first_use":
            text += f" + {yuan(each['amount_fen'])}"
        elif each["kind"] == "asked_less":
            text += f" ≤ {yuan(each['amount_fen'])}"
    return text


def annex(line: Line, *, hashes: bool) -> tuple[str, str, str, str, str] | None:
    """The papers behind a line: bill, what was paid of it, invoices with their dates, receipts, and the rest with its days and hashes;
    None where there are none. ``hashes``: of bill, invoices and receipts too (a content of format 1 has them not, or not on paper)."""
    papers = line.get("papers")
    if not papers:
        return None
    bill = papers.get("bill", {})
    paid = f"{yuan(bill['paid_fen'])} / {yuan(bill['total_fen'])}" if bill else ""
    if not hashes:
        invoices = [f"{each['number']} {each['issued_on']}" for each in papers.get("invoices", ())]
        return (
            bill.get("reference", ""),
            paid,
            "; ".join(invoices),
            "; ".join(papers.get("receipts", ())),
            "; ".join(_others(papers)),
        )
    return (
        _known(bill["number"], bill["sha256"]) if bill else "",
        paid,
        "; ".join(_known(f"{each['number']} {each['issued_on']}", each["sha256"]) for each in papers.get("invoices", ())),
        "; ".join(_known(each["number"], each["sha256"]) for each in papers.get("receipts", ())),
        "; ".join(_others(papers)),
    )


def _known(said: str, sha256: str) -> str:
    """A paper with the beginning of its hash, where there is one."""
    return f"{said} ({sha256[:12]})" if sha256 else said


def _others(papers: Mapping[str, Any]) -> list[str]:
    found = []
    if commission := papers.get("commission"):
        found.append(pgettext("statement annex", "Commission %(number)s") % commission + f" ({commission['sha256'][:12]})")
    for sha256 in papers.get("reports", ()):
        found.append(pgettext("statement annex", "Report") + f" ({sha256[:12]})")
    if public := papers.get("publicity"):
        found.append(public_words(public))
    return found


def public_words(public: Mapping[str, Any]) -> str:
    """The days on which something was public (``from_on``, ``until_on``) and what came of them."""
    days = {"first": public["from_on"], "last": public["until_on"]}
    return pgettext("statement annex", "Public %(first)s to %(last)s") % days + f", {outcome(public)}"


def outcome(public: Mapping[str, Any]) -> str:
    """What came of the days of publicity."""
    if not public["over"]:
        return pgettext("statement annex", "not over")
    if not public["objections"]:
        return pgettext("statement annex", "no objection")
    said = ngettext("%(count)s objection, %(upheld)s upheld", "%(count)s objections, %(upheld)s upheld", public["objections"])
    return said % {"count": public["objections"], "upheld": public["upheld"]}


def grounds(line: Line, words: Mapping[str, Caption]) -> str:
    """The clauses, and the quality grade when one counted."""
    text = "§ " + " ".join(line["clauses"])
    grade = line["grade"]
    if grade is None:
        return text
    assumed = f" ({words['assumed'].zh})" if grade["assumed"] else ""
    return f"{text} · {words['grade'].zh} {grade['grade']}{assumed}"


def cut_words(line: Line) -> list[str]:
    """The limits that cut the amount."""
    return [wording.cap_word(cut["per"], cut["payer"]) for cut in line["cuts"]]
