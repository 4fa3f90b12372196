"""What the codes of declarations, labels, lists and partner regions are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from billing.ledger.rules.money import yuan
from billing.wording import region_word
from config.kernel.messages import local_date

Word = Promise | str

KINDS: dict[str, Word] = {
    "figures": pgettext_lazy("declaration", "Figures of a year"),
    "place": pgettext_lazy("declaration", "Registered place and zones"),
    "label": pgettext_lazy("declaration", "Label"),
    "controller": pgettext_lazy("declaration", "Actual controller"),
    "affiliate": pgettext_lazy("declaration", "Affiliated organisation"),
}
LABELS: dict[str, Word] = {
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
