"""Each kind of part of a programme in words: conditions, adjustments, rates, limits, payers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing import wording
from frontend.presenters.condition_words import fact_word, said, several, value_words
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


# --- Conditions ---------------------------------------------------------------------------------------------------------
def gate_words(piece: Json) -> str:
    """One condition in words; one that only concerns some kinds of applicants says whom."""
    words = _GATES.get(piece["type"])
    text = words(piece) if words else value_words("", piece)
    if piece.get("applies_to"):
        kinds = several([wording.kind_word(kind) for kind in piece["applies_to"]])
        return _("%(condition)s (for: %(kinds)s)") % {"condition": text, "kinds": kinds}
    return text


def _area(items: Sequence[Mapping[str, str]]) -> str:
    return several([wording.region_word(item["code_prefix"]) if "code_prefix" in item else item["zone"] for item in items])


def _subject(piece: Json) -> str:
    return wording.subject_word(piece.get("subject", "applicant"))


def _kind_gate(piece: Json) -> str:
    return _("The applicant is one of: %(kinds)s") % {"kinds": several([wording.kind_word(kind) for kind in piece["any_of"]])}


def _size_gate(piece: Json) -> str:
    return _("The firm's size is one of: %(sizes)s") % {"sizes": several([wording.size_word(size) for size in piece["any_of"]])}


def _region_gate(piece: Json) -> str:
    parts = []
    if piece.get("any_of"):
        parts.append(_("The %(subject)s is in %(area)s") % {"subject": _subject(piece), "area": _area(piece["any_of"])})
    if piece.get("none_of"):
        parts.append(_("The %(subject)s is not in %(area)s") % {"subject": _subject(piece), "area": _area(piece["none_of"])})
    return "; ".join(parts)


def _verified_gate(piece: Json) -> str:
    return _("The platform has verified the identity of the %(subject)s") % {"subject": _subject(piece)}


def _service_gate(piece: Json) -> str:
    parts = []
    if piece.get("any_of"):
        parts.append(_("The service is one of: %(services)s") % {"services": _services(piece["any_of"])})
    if piece.get("none_of"):
        parts.append(_("The service is none of: %(services)s") % {"services": _services(piece["none_of"])})
    return "; ".join(parts)


def _services(codes: Sequence[str]) -> str:
    return several([wording.service_word(code) for code in codes])


def _spend_gate(piece: Json) -> str:
    shown = {
        "amount": choice_word("of", piece["of"]),
        "minimum": f"{Decimal(piece['amount']):,}",
        "months": piece.get("months", 0),
    }
    if piece.get("months"):
        return _("The %(amount)s of %(months)s months is at least ¥%(minimum)s") % shown
    return _("The %(amount)s is at least ¥%(minimum)s") % shown


def _alternatives_gate(piece: Json) -> str:
    ways = [str(_(" and ")).join(gate_words(gate) for gate in gates) for gates in piece["alternatives"]]
    return _("One of these holds: %(ways)s") % {"ways": str(_("; or ")).join(ways)}


_GATES: Mapping[str, Callable[[Json], str]] = {
    "applicant_kind": _kind_gate,
    "firm_size": _size_gate,
    "region": _region_gate,
    "verified_organisation": _verified_gate,
    "service_kind": _service_gate,
    "minimum_spend": _spend_gate,
    "any_of": _alternatives_gate,
    "condition": said,
}


# --- Rates --------------------------------------------------------------------------------------------------------------
def rate_words(piece: Json) -> str:
    """The rate in one sentence; a share alone is a rate too."""
    if isinstance(piece, str):
        return _("Of it %(percent)s is paid.") % {"percent": percent_words(piece)}
    words = _RATES.get(piece["type"])
    return words(piece) if words else field_by_field("rate", piece)


def _flat(piece: Json) -> str:
    return rate_words(piece["rate"])


def _tiers(piece: Json) -> str:
    return _("Of it is paid, slice by slice: %(slices)s.") % {
        "slices": _slices(piece["tiers"], lambda tier: percent_words(tier["rate"]))
    }


def _brackets(piece: Json) -> str:
    def share(one: Json) -> str:
        return percent_words(one["rate"]) if "rate" in one else yuan_words(one["amount"])

    return _("What is paid of the whole depends on how much it is: %(slices)s.") % {"slices": _slices(piece["brackets"], share)}


def _slices(tiers: Sequence[Json], share: Callable[[Json], str], unit: Callable[[Any], str] = yuan_words) -> str:
    slices, start = [], ""
    for tier in tiers:
        shown = {"percent": share(tier), "from": start, "to": unit(tier["up_to"]) if "up_to" in tier else ""}
        if shown["to"]:
            words = _("%(percent)s from %(from)s to %(to)s") if start else _("%(percent)s up to %(to)s")
        else:
            words = _("%(percent)s above %(from)s") if start else "%(percent)s"
        slices.append(words % shown)
        start = shown["to"]
    return several(slices)


def _chosen(piece: Json) -> str:
    shown = {
        "least": percent_words(piece.get("at_least", "0")),
        "most": percent_words(piece["at_most"]),
        "else": choice_word("when_not_chosen", piece["when_not_chosen"]),
    }
    return (
        _("Between %(least)s and %(most)s of it is paid, as is decided in each case. Where nothing is decided: %(else)s.") % shown
    )


def _cases(piece: Json) -> str:
    told = several_cases(piece["cases"], lambda case: rate_words(case["rate"]))
    if "otherwise" in piece:
        return _("The first case that holds counts. %(cases)s Otherwise: %(else)s") % {
            "cases": told,
            "else": rate_words(piece["otherwise"]),
        }
    return _("The first case that holds counts. %(cases)s") % {"cases": told}


def _best_of(piece: Json) -> str:
    return _("Of the cases that hold the best counts. %(cases)s") % {
        "cases": several_cases(piece["cases"], lambda one: rate_words(one["rate"]))
    }


def several_cases(cases: Sequence[Json], words: Callable[[Json], str]) -> str:
    return " ".join(_("%(case)s: %(words)s") % {"case": said(case), "words": words(case)} for case in cases)


def _per_unit(piece: Json) -> str:
    if "tiers" in piece:
        slices = _slices(piece["tiers"], lambda tier: yuan_words(tier["amount"]), lambda units: f"{int(units):,}")
        return _("So much is paid for each unit, by how many there are: %(slices)s.") % {"slices": slices}
    return _("%(amount)s is paid for each unit.") % {"amount": yuan_words(piece["amount"])}


def _fixed(piece: Json) -> str:
    return _("%(amount)s is paid.") % {"amount": yuan_words(piece["amount"])}


def _face_value(piece: Json) -> str:
    shown = {
        "amount": yuan_words(piece["amount"]) if "amount" in piece else _("the face value of the voucher"),
        "own": percent_words(piece["own_share"]),
    }
    if Decimal(piece["own_share"]):
        return _("Up to %(amount)s is paid; %(own)s of the base is borne by the applicant.") % shown
    return _("Up to %(amount)s is paid.") % shown


def _ex_post(piece: Json) -> str:
    shown = {name: percent_words(piece[name]) for name in ("at_least", "at_most", "assume")}
    return (
        _(
            "The rate is what the pool gives for all claims together, between %(at_least)s and %(at_most)s; %(assume)s is assumed until then."
        )
        % shown
    )


def _stacked(piece: Json) -> str:
    levels = []
    for level in piece["levels"]:
        shown = {"payer": wording.payer_word(level["payer"]), "percent": percent_words(level["rate"])}
        text = _("%(payer)s pays %(percent)s") % shown
        levels.append(f"{text} ({said(level)})" if "when" in level else text)
    return _("Each level pays its part: %(levels)s.") % {"levels": several(levels)}


_RATES: Mapping[str, Callable[[Any], str]] = {
    "flat": _flat,
    "tiers": _tiers,
    "brackets": _brackets,
    "chosen": _chosen,
    "cases": _cases,
    "best_of": _best_of,
    "per_unit": _per_unit,
    "fixed": _fixed,
    "face_value": _face_value,
    "ex_post": _ex_post,
    "stacked": _stacked,
}


# --- Adjustments --------------------------------------------------------------------------------------------------------
def adjustment_words(piece: Json) -> str:
    """What changes the amount after the rate; one with a condition says when."""
    words = _ADJUSTMENTS.get(piece["type"])
    text = words(piece) if words else field_by_field("adjustments", piece)
    return _("%(condition)s: %(text)s") % {"condition": said(piece), "text": text} if "when" in piece and words else text


def _quality(piece: Json) -> str:
    factors = several([f"{grade} × {wording.factor_text(factor)}" for grade, factor in piece["factors"].items()])
    return _(
        "Times the factor of the provider's quality grade: %(factors)s. "
        "Until the grade is known, %(assumed)s is assumed and the amount is an estimate."
    ) % {"factors": factors, "assumed": piece["assume"]}


def _first_use(piece: Json) -> str:
    return _("The first time, ¥%(amount)s more.") % {"amount": f"{Decimal(piece['amount']):,}"}


_ADJUSTMENTS: Mapping[str, Callable[[Json], str]] = {
    "quality_factor": _quality,
    "first_use_bonus": _first_use,
    "asked_limit": lambda piece: _("Never more than was asked for."),
    "uplift": lambda piece: (
        _("The rate rises by %(percent)s points.") % {"percent": percent_words(piece["points"]).removesuffix("%")}
    ),
    "rate_limit": lambda piece: _("The rate is at most %(percent)s.") % {"percent": percent_words(piece["rate"])},
    "factor": lambda piece: _("The amount is multiplied by %(factor)s.") % {"factor": wording.factor_text(piece["factor"])},
    "bonus": lambda piece: _("%(amount)s more.") % {"amount": yuan_words(piece["amount"])},
    "deduct": lambda piece: _("Less: %(fact)s.") % {"fact": fact_word(piece["of"])},
    "least_award": lambda piece: _("At least %(amount)s.") % {"amount": yuan_words(piece["amount"])},
}


# --- Base, limits, payers -----------------------------------------------------------------------------------------------
def base_words(piece: Json) -> str:
    """What is subsidised."""
    if "quantity" in piece:
        return _("What counts is: %(quantity)s.") % {"quantity": choice_word("quantity", piece["quantity"])}
    names = [choice_word("amount", each) for each in piece.get("least_of", ())]
    shown = {
        "amount": _("lowest of %(amounts)s") % {"amounts": several(names)} if names else choice_word("amount", piece["amount"])
    }
    texts = {
        "included": _("What is subsidised is the %(amount)s, also where it is only due because of a minimum."),
        "excluded": _("What is subsidised is the %(amount)s without what is only due because of a minimum."),
    }
    text = texts.get(piece.get("minimum_charge", ""), _("What is subsidised is the %(amount)s.")) % shown
    rest = {name: piece[name] for name in ("less", "only_above", "at_most") if name in piece}
    return f"{text} {value_words('', rest)}" if rest else text


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
        return "; ".join(told)
    if "share" in limit:
        return _("%(percent)s of the limit %(of)s") % {"percent": percent_words(limit["share"]), "of": limit["of"]}
    if "default" in limit:
        return _("set by the office, %(amount)s until then") % {"amount": yuan_words(limit["default"])}
    if limit["when_unset"] == "refuse":
        return _("set by the office; nothing is granted until then")
    return _("set by the office; no limit until then")


def payers_words(piece: Json) -> str:
    """Who pays which part."""
    if piece["rule"] not in ("named_rest", "largest_remainder"):
        return _other_payers(piece)
    shares = several([f"{wording.payer_word(each['payer'])} {percent_words(each['share'])}" for each in piece["shares"]])
    if len(piece["shares"]) == 1:
        return _("All of it is paid by: %(shares)s.") % {"shares": shares}
    if piece["rule"] == "named_rest":
        shown = {"shares": shares, "rest": wording.payer_word(piece["rest"])}
        return _("It is shared by: %(shares)s. What rounding leaves goes to: %(rest)s.") % shown
    return _("It is shared by: %(shares)s. Left-over fen go to the largest remainders.") % {"shares": shares}


def _other_payers(piece: Json) -> str:
    if piece["rule"] == "in_order":
        order = [
            wording.payer_word(each["payer"]) + (f" ({fact_word(each['up_to'])})" if "up_to" in each else "")
            for each in piece["order"]
        ]
        return _("Paid one after the other: %(payers)s.") % {"payers": several(order)}
    if piece["rule"] == "by_level":
        return _("Each level pays what its rate gives.")
    if piece["rule"] == "match":
        matches = [f"{wording.payer_word(each['payer'])} {each['ratio']} : 1" for each in piece["matches"]]
        return _("%(lead)s pays first, and is matched by: %(payers)s.") % {
            "lead": wording.payer_word(piece["lead"]),
            "payers": several(matches),
        }
    if piece["rule"] == "cases":
        told = several_cases(piece["cases"], lambda case: payers_words(case["payers"]))
        return _("The first case that holds counts. %(cases)s Otherwise: %(else)s") % {
            "cases": told,
            "else": payers_words(piece["otherwise"]),
        }
    return field_by_field("payers", piece)
