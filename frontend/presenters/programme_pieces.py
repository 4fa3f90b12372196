"""Parts of a programme in one sentence each, as a draft reads back: rate, base, limits, payers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing import wording
from frontend.presenters import programme_parts
from frontend.presenters.condition_words import said, value_words
from frontend.programme_labels import choice_word, label_of

Json = Mapping[str, Any]


def yuan_words(amount: Any) -> str:
    return f"¥{Decimal(str(amount)):,}"


def percent_words(rate: Any) -> str:
    return wording.percent(str(rate))


def field_by_field(key: str, piece: Any) -> str:
    """For what is not finished or has no sentence of its own: each field with its value."""
    words = value_words(key, piece)
    return f"{label_of(key)}: {words}" if key else words


# --- Rates and bases ----------------------------------------------------------------------------------------------------
def rate_words(piece: Any) -> str:
    """The rate in one sentence; a share alone is a rate too."""
    if isinstance(piece, str) or piece["type"] == "flat":
        share = piece if isinstance(piece, str) else piece["rate"]
        return (
            _("Of it %(percent)s is paid.") % {"percent": percent_words(share)} if isinstance(share, str) else rate_words(share)
        )
    if piece["type"] == "tiers":
        return _("Of it is paid, slice by slice: %(slices)s.") % {"slices": _slices(piece["tiers"])}
    return _sentence(programme_parts.joined(programme_parts.rate_sentences(piece)))


def _slices(tiers: Sequence[Json]) -> str:
    slices, start = [], ""
    for tier in tiers:
        end = yuan_words(tier["up_to"]) if "up_to" in tier else ""
        shown = {"percent": percent_words(tier["rate"]), "from": start, "to": end}
        if end:
            words = _("%(percent)s from %(from)s to %(to)s") if start else _("%(percent)s up to %(to)s")
        else:
            words = _("%(percent)s above %(from)s") if start else "%(percent)s"
        slices.append(words % shown)
        start = end
    return wording.several(slices)


def base_words(piece: Json) -> str:
    """What is subsidised."""
    texts = {
        "included": _("What is subsidised is the %(amount)s, also where it is only due because of a minimum."),
        "excluded": _("What is subsidised is the %(amount)s without what is only due because of a minimum."),
    }
    if set(piece) <= {"amount", "minimum_charge", "clause"} and piece.get("minimum_charge") in texts:
        return texts[piece["minimum_charge"]] % {"amount": wording.amount_word(piece["amount"])}
    return " ".join(programme_parts.base_sentences(piece))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "。")) else _("%(text)s.") % {"text": text}


# --- Limits and payers --------------------------------------------------------------------------------------------------
def cap_words(piece: Json) -> str:
    """A limit and what happens when less is left; one with a condition says whom it concerns."""
    word = wording.cap_word(piece["per"], piece.get("payer", ""))
    name = word if word != piece["per"] else choice_word("per", piece["per"])
    shown = {"limit": name, "amount": _limit(piece["limit"])}
    if piece["when_short"] == "partial":
        text = _("%(limit)s: %(amount)s. When less is left, what is left is granted.") % shown
    else:
        text = _("%(limit)s: %(amount)s. When less is left, nothing is granted.") % shown
    return _("%(condition)s: %(text)s") % {"condition": said(piece), "text": text} if "when" in piece else text


def _limit(limit: Any) -> str:
    if not isinstance(limit, Mapping):
        return yuan_words(limit)
    if "cases" in limit:
        told = [f"{said(case)}: {yuan_words(case['limit'])}" for case in limit["cases"]]
        told += [_("otherwise %(amount)s") % {"amount": yuan_words(limit["otherwise"])}] if "otherwise" in limit else []
        return programme_parts.joined(told)
    if "share" in limit:
        return _("%(percent)s of the limit %(of)s") % {"percent": percent_words(limit["share"]), "of": limit["of"]}
    if "default" in limit:
        return _("set by the office, %(amount)s until then") % {"amount": yuan_words(limit["default"])}
    if limit["when_unset"] == "refuse":
        return _("set by the office; nothing is granted until then")
    return _("set by the office; no limit until then")


def payers_words(piece: Json, rate: Any) -> str:
    """Who pays which part; ``rate`` is the programme's, which names the levels that pay."""
    if piece["rule"] not in ("named_rest", "largest_remainder"):
        rows = programme_parts.payer_rows(piece, rate if isinstance(rate, Mapping) else {})
        return _sentence(wording.several(f"{name}: {part}" for name, part in rows))
    shares = wording.several(f"{wording.payer_word(each['payer'])} {percent_words(each['share'])}" for each in piece["shares"])
    if len(piece["shares"]) == 1:
        return _("All of it is paid by: %(shares)s.") % {"shares": shares}
    if piece["rule"] == "named_rest":
        shown = {"shares": shares, "rest": wording.payer_word(piece["rest"])}
        return _("It is shared by: %(shares)s. What rounding leaves goes to: %(rest)s.") % shown
    return _("It is shared by: %(shares)s. Left-over fen go to the largest remainders.") % {"shares": shares}
