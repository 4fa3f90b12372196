"""What the codes of declarations, labels, lists and partner regions are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from billing.ledger.rules.money import yuan
from billing.wording import region_word, several, size_word
from config.kernel.messages import local_date
from instruments.rules.firm_size import FIGURES, Figures, Sizing

Word = Promise | str

KINDS: dict[str, Word] = {
    "figures": pgettext_lazy("declaration", "Figures of a year"),
    "place": pgettext_lazy("declaration", "Registered place and zones"),
    "label": pgettext_lazy("declaration", "Label"),
    "controller": pgettext_lazy("declaration", "Actual controller"),
    "affiliate": pgettext_lazy("declaration", "Affiliated organisation"),
}
LABELS: dict[str, Word] = {
    "certified_provider": pgettext_lazy("label of a provider", "Certified provider of services"),
    "cma": pgettext_lazy("label of a provider", "CMA (metrology accreditation)"),
    "cnas": pgettext_lazy("label of a provider", "CNAS (laboratory accreditation)"),
    "high_tech": pgettext_lazy("label of a firm", "High-tech firm"),
    "tech_sme": pgettext_lazy("label of a firm", "Technology SME"),
    "specialised": pgettext_lazy("label of a firm", "Specialised and innovative firm"),
    "little_giant": pgettext_lazy("label of a firm", "Little giant"),
    "gazelle": pgettext_lazy("label of a firm", "Gazelle"),
    "unicorn": pgettext_lazy("label of a firm", "Unicorn"),
    "incubated": pgettext_lazy("label of a firm", "In an incubator"),
    "other": pgettext_lazy("label of a firm", "Other"),
}
LEVELS: dict[str, Word] = {
    "national": pgettext_lazy("level of a label", "national"),
    "provincial": pgettext_lazy("level of a label", "provincial"),
    "city": pgettext_lazy("level of a label", "city"),
    "county": pgettext_lazy("level of a label", "county"),
}
TIES: dict[str, Word] = {
    "owner": pgettext_lazy("tie between organisations", "It owns us"),
    "subordinate": pgettext_lazy("tie between organisations", "One is subordinate to the other"),
    "co_built": pgettext_lazy("tie between organisations", "Founded together"),
    "shareholding": pgettext_lazy("tie between organisations", "One holds shares of the other"),
}
PARTY_KINDS: dict[str, Word] = {
    "organisation": pgettext_lazy("controller", "an organisation"),
    "person": pgettext_lazy("controller", "a person"),
}
LISTS: dict[str, Word] = {
    "serious_default": pgettext_lazy("credit list", "Serious default"),
    "abnormal_operation": pgettext_lazy("credit list", "Abnormal operation"),
    "research_misconduct": pgettext_lazy("credit list", "Research misconduct"),
    "platform": pgettext_lazy("credit list", "The platform's own list"),
}
MODES: dict[str, Word] = {
    "refund": pgettext_lazy("settlement across regions", "The firm pays in full and claims at home"),
    "redeem": pgettext_lazy("settlement across regions", "The firm pays its part, the provider redeems the rest"),
}

SECTORS: dict[str, Word] = {
    "agriculture": pgettext_lazy("sector", "farming, forestry and fishing"),
    "industry": pgettext_lazy("sector", "industry"),
    "construction": pgettext_lazy("sector", "construction"),
    "wholesale": pgettext_lazy("sector", "wholesale"),
    "retail": pgettext_lazy("sector", "retail"),
    "transport": pgettext_lazy("sector", "transport"),
    "storage": pgettext_lazy("sector", "storage"),
    "post": pgettext_lazy("sector", "post"),
    "lodging": pgettext_lazy("sector", "lodging"),
    "catering": pgettext_lazy("sector", "catering"),
    "information": pgettext_lazy("sector", "information transmission"),
    "software": pgettext_lazy("sector", "software and information technology"),
    "real_estate": pgettext_lazy("sector", "real estate development"),
    "property": pgettext_lazy("sector", "property management"),
    "business_services": pgettext_lazy("sector", "leasing and business services"),
    "other": pgettext_lazy("sector", "other industries"),
}
"""The sectors of the standard for small and medium firms."""
_FIGURES: dict[str, Word] = {
    "staff": pgettext_lazy("figure of a firm", "staff"),
    "revenue_fen": pgettext_lazy("figure of a firm", "revenue"),
    "assets_fen": pgettext_lazy("figure of a firm", "total assets"),
}


def sizing_words(found: Sizing) -> list[str]:
    """How the size of a firm was found: the sector with its figures, and the thresholds that decided, a sentence each."""
    sector = str(SECTORS[found.sector])
    if found.known:
        told = [_("Standard of 2011 for %(sector)s.") % {"sector": sector}]
    else:
        told = [_("Standard of 2011 for industry, because no declared industry names another sector.")]
    if found.lacking:
        return [*told, _("Not known without: %(figures)s.") % {"figures": several(str(_FIGURES[name]) for name in found.lacking)}]
    told.append(_("It looks at: %(figures)s.") % {"figures": _size_figures(found.looked_at)})
    if found.size is not None and found.reached is not None:
        told.append(
            _("It is %(size)s from %(figures)s on.") % {"size": size_word(found.size), "figures": _size_figures(found.reached)}
        )
    if found.missed is not None:
        size, least = found.missed
        told.append(
            _("It would be %(size)s only from %(figures)s on.") % {"size": size_word(size), "figures": _size_figures(least)}
        )
    return told


def _size_figures(figures: Figures) -> str:
    """The figures that are there, whole yuan without a fraction."""
    words = {
        "staff": lambda value: _("staff %(count)s") % {"count": f"{value:,}"},
        "revenue_fen": lambda value: _("revenue ¥%(amount)s") % {"amount": yuan(value).removesuffix(".00")},
        "assets_fen": lambda value: _("assets ¥%(amount)s") % {"amount": yuan(value).removesuffix(".00")},
    }
    there = ((name, getattr(figures, name)) for name in FIGURES)
    return several(words[name](value) for name, value in there if value is not None)


def said(kind: str, content: Mapping[str, Any]) -> str:
    """A declaration in one line."""
    return _SAID[kind](content)


def _figures(content: Mapping[str, Any]) -> str:
    parts = [str(content["year"])]
    if content.get("staff") is not None:
        parts.append(_("staff %(count)s") % {"count": content["staff"]})
    names = (
        ("revenue_fen", _("revenue ¥%(amount)s")),
        ("assets_fen", _("assets ¥%(amount)s")),
        ("net_assets_fen", _("net assets ¥%(amount)s")),
        ("capital_fen", _("capital ¥%(amount)s")),
    )
    parts += [text % {"amount": yuan(content[name])} for name, text in names if content.get(name) is not None]
    return " · ".join(parts)


def _place(content: Mapping[str, Any]) -> str:
    parts = [region_word(content["region_code"]), *content["policy_zones"]]
    if content.get("founded_on"):
        parts.append(_("founded on %(day)s") % {"day": local_date(content["founded_on"])})
    if content.get("industry_code"):
        parts.append(_("industry %(code)s") % {"code": content["industry_code"]})
    return " · ".join(parts)


def _label(content: Mapping[str, Any]) -> str:
    parts = (str(LABELS[content["label"]]), str(LEVELS[content["level"]]), content["number"])
    return " · ".join(part for part in parts if part)


def _controller(content: Mapping[str, Any]) -> str:
    return " · ".join(part for part in (content["name"], content.get("uscc", "")) if part)


def _affiliate(content: Mapping[str, Any]) -> str:
    return " · ".join((content["name"], content["uscc"], str(TIES[content["tie"]])))


_SAID = {"figures": _figures, "place": _place, "label": _label, "controller": _controller, "affiliate": _affiliate}
