"""Parts of a programme's document in sentences: what a rate of any kind gives, what is changed afterwards, who pays, sides and windows.

Pure over the pieces of a valid document; ``programme`` has those that are printed as tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing import wording
from frontend.presenters.condition_words import fact_word
from frontend.presenters.condition_words import said as says

Piece = Mapping[str, Any]
#: Kinds of rate that the page prints as a table or as one figure.
PRINTED = ("flat", "tiers")


def money(amount: str | int) -> str:
    """An amount of a document for people."""
    return f"¥{Decimal(amount):,}"


def base_sentences(piece: Piece) -> list[str]:
    """What the rate is applied to, where it is more than one amount."""
    if "quantity" in piece:
        return [_("What counts: %(unit)s.") % {"unit": wording.quantity_word(piece["quantity"])}]
    if "least_of" in piece:
        named = wording.several(wording.amount_word(name) for name in piece["least_of"])
        found = [_("What counts is the lowest of: %(amounts)s.") % {"amounts": named}]
    else:
        found = [_("What counts is the %(amount)s.") % {"amount": wording.amount_word(piece["amount"])}]
    if piece.get("less"):
        named = wording.several(wording.amount_word(name) for name in piece["less"])
        found.append(_("Left out: %(amounts)s.") % {"amounts": named})
    if "only_above" in piece:
        found.append(_("Only what lies above %(amount)s counts.") % {"amount": money(piece["only_above"])})
    if "at_most" in piece:
        found.append(_("No more than %(amount)s counts.") % {"amount": money(piece["at_most"])})
    return found


def joined(sentences: list[str]) -> str:
    """The parts of a rule one after the other, as the language divides them."""
    return pgettext("between the parts of a rate", "; ").join(sentences)


def rate_sentences(piece: Any) -> list[str]:
    """A rate of any kind; a share alone is text."""
    if isinstance(piece, str):
        return [_("%(percent)s of it") % {"percent": wording.percent(piece)}]
    return _RATES[piece["type"]](piece)


def _flat(piece: Piece) -> list[str]:
    return rate_sentences(piece["rate"])


def _tiers(piece: Piece) -> list[str]:
    return [_upto(tier, wording.percent(tier["rate"])) for tier in piece["tiers"]]


def _upto(tier: Piece, gives: str) -> str:
    if "up_to" in tier:
        return _("up to %(end)s: %(gives)s") % {"end": money(tier["up_to"]), "gives": gives}
    return _("above that: %(gives)s") % {"gives": gives}


def _brackets(piece: Piece) -> list[str]:
    found = [_("The bracket in which the whole lies decides for all of it:")]
    return found + [
        _upto(each, wording.percent(each["rate"]) if "rate" in each else money(each["amount"])) for each in piece["brackets"]
    ]


def _cases(piece: Piece) -> list[str]:
    found = [
        _("%(case)s: %(gives)s") % {"case": says(each), "gives": joined(rate_sentences(each["rate"]))} for each in piece["cases"]
    ]
    if "otherwise" in piece:
        found.append(_("otherwise: %(gives)s") % {"gives": joined(rate_sentences(piece["otherwise"]))})
    return found


def _best_of(piece: Piece) -> list[str]:
    return [_("The best of these that hold, never several together:"), *_cases(piece)]


def _chosen(piece: Piece) -> list[str]:
    said = {"low": wording.percent(piece.get("at_least", "0")), "high": wording.percent(piece["at_most"])}
    return [_("A rate from %(low)s to %(high)s, set for each claim") % said]


def _per_unit(piece: Piece) -> list[str]:
    if "amount" in piece:
        return [_("%(amount)s per unit") % {"amount": money(piece["amount"])}]
    found = []
    for tier in piece["tiers"]:
        said = {"end": tier.get("up_to", ""), "amount": money(tier["amount"])}
        words = _("up to %(end)s units: %(amount)s each") if "up_to" in tier else _("above that: %(amount)s each")
        found.append(words % said)
    return found


def _fixed(piece: Piece) -> list[str]:
    return [_("A fixed amount of %(amount)s") % {"amount": money(piece["amount"])}]


def _face_value(piece: Piece) -> list[str]:
    if "amount" in piece:
        found = [_("Up to a face value of %(amount)s") % {"amount": money(piece["amount"])}]
    else:
        found = [_("Up to the face value of the voucher presented")]
    if Decimal(piece["own_share"]):
        found.append(_("The applicant bears %(percent)s itself") % {"percent": wording.percent(piece["own_share"])})
    return found


def _vouchers(piece: Piece) -> list[str]:
    said = {
        "most": piece["most"],
        "face": money(piece["face_value"]),
        "share": wording.percent(piece["co_funded_share"]),
        "own": money(piece["own_money"]),
    }
    return [_("At most %(most)s vouchers of %(face)s; for %(share)s of them the applicant adds %(own)s each") % said]


def _ex_post(piece: Piece) -> list[str]:
    said = {
        "low": wording.percent(piece["at_least"]),
        "high": wording.percent(piece["at_most"]),
        "assumed": wording.percent(piece["assume"]),
    }
    return [_("The pool divided by all claims, from %(low)s to %(high)s; until then %(assumed)s is assumed") % said]


def _stacked(piece: Piece) -> list[str]:
    found = []
    for level in piece["levels"]:
        text = f"{wording.payer_word(level['payer'])}: {wording.percent(level['rate'])}"
        found.append(_("%(text)s (if: %(condition)s)") % {"text": text, "condition": says(level)} if "when" in level else text)
    return found


_RATES: Mapping[str, Callable[[Piece], list[str]]] = {
    "flat": _flat,
    "tiers": _tiers,
    "brackets": _brackets,
    "cases": _cases,
    "best_of": _best_of,
    "chosen": _chosen,
    "per_unit": _per_unit,
    "fixed": _fixed,
    "face_value": _face_value,
    "vouchers": _vouchers,
    "ex_post": _ex_post,
    "stacked": _stacked,
}


def _if(text: str, piece: Piece) -> str:
    return _("%(text)s (if: %(condition)s)") % {"text": text, "condition": says(piece)} if "when" in piece else text


def _rate_limit(piece: Piece) -> str:
    said = {
        "percent": wording.percent(piece["rate"]),
        "of": fact_word(piece["of"]) if "of" in piece else _("what is subsidised"),
        "others": wording.several(fact_word(each) for each in piece.get("counting", ())),
    }
    if "counting" in piece:
        return _("Together with %(others)s at most %(percent)s of %(of)s") % said
    return _("Together at most %(percent)s of %(of)s") % said if "of" in piece else _("Together at most %(percent)s of it") % said


_ADJUSTMENTS: Mapping[str, Callable[[Piece], str]] = {
    "uplift": lambda piece: _("%(percent)s more of it") % {"percent": wording.percent(piece["points"])},
    "rate_limit": _rate_limit,
    "factor": lambda piece: _("Times %(factor)s") % {"factor": wording.factor_text(piece["factor"])},
    "bonus": lambda piece: _("%(amount)s more") % {"amount": money(piece["amount"])},
    "deduct": lambda piece: _("Less %(amount)s") % {"amount": fact_word(piece["of"])},
    "least_award": lambda piece: _("An amount below %(amount)s is not paid") % {"amount": money(piece["amount"])},
}


def adjustment_sentence(piece: Piece) -> str:
    """A change after the rate, with its condition."""
    return _if(_ADJUSTMENTS[piece["type"]](piece), piece)


def payer_rows(piece: Piece, rate: Piece) -> list[tuple[str, str]]:
    """Who pays, and which part in words."""
    rule = piece["rule"]
    if rule == "match":
        rows = [(wording.payer_word(piece["lead"]), _("pays first"))]
        for each in piece["matches"]:
            text = _("adds %(percent)s of that") % {"percent": wording.percent(each["ratio"])}
            rows.append((wording.payer_word(each["payer"]), _if(text, each)))
        return rows
    if rule == "in_order":
        return [(wording.payer_word(each["payer"]), f"{place}.") for place, each in enumerate(piece["order"], start=1)]
    if rule == "by_level":
        return [(wording.payer_word(each["payer"]), wording.percent(each["rate"])) for each in rate["levels"]]
    if rule == "cases":
        rows = []
        for each in piece["cases"]:
            rows += [(name, f"{part} ({says(each)})") for name, part in payer_rows(each["payers"], rate)]
        return rows + payer_rows(piece["otherwise"], rate)
    return [(wording.payer_word(each["payer"]), wording.percent(each["share"])) for each in piece["shares"]]


def window_sentences(validity: Piece) -> list[str]:
    """The further windows of a programme."""
    found = []
    for each in validity.get("windows", ()):
        fact = wording.fact_word(each["date"])
        if "any_of" in each:
            spans = wording.several(wording.window_word(f"{one['from']} – {one['to']}") for one in each["any_of"])
            found.append(_("%(fact)s: %(windows)s") % {"fact": fact, "windows": spans})
            continue
        life = each["within"]
        said = {"fact": fact, "after": wording.fact_word(life["after"]), "count": life.get("months", life.get("days"))}
        words = (
            _("%(fact)s: within %(count)s months after %(after)s")
            if "months" in life
            else _("%(fact)s: within %(count)s days after %(after)s")
        )
        found.append(words % said)
    return found


def side_title(side: Piece) -> str:
    """What a side of a programme is called."""
    return says(side) if side.keys() & {"when", "says"} else pgettext("side of a programme", "Everybody")
