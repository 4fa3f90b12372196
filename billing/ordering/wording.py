"""What the codes of quotations and commission sheets are called, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from billing import wording

Word = Promise | str

KIND_NAMES: Mapping[str, Word] = {
    "instrument_time": pgettext_lazy("line of a quotation", "Instrument time"),
    "test": pgettext_lazy("line of a quotation", "Test"),
    "other": pgettext_lazy("line of a quotation", "Other"),
}
PIECE: Word = pgettext_lazy("unit of a price", "piece")
CONFIDENTIALITY_NAMES: Mapping[str, Word] = {
    "ordinary": pgettext_lazy("confidentiality", "The usual: the lab names neither customer nor results to others"),
    "results": pgettext_lazy("confidentiality", "Samples and results are secret; data are deleted on request"),
    "everything": pgettext_lazy("confidentiality", "The commission itself is secret too"),
}
REPORT_NAMES: Mapping[str, Word] = {
    "electronic": pgettext_lazy("form of the report", "Test report as a file"),
    "paper": pgettext_lazy("form of the report", "Test report on paper, sealed"),
    "both": pgettext_lazy("form of the report", "Test report as a file and on paper"),
    "data_only": pgettext_lazy("form of the report", "Data only, no report"),
}
SAMPLE_NAMES: Mapping[str, Word] = {
    "return": pgettext_lazy("handling of samples", "Send back what is left"),
    "dispose": pgettext_lazy("handling of samples", "The lab disposes of what is left"),
    "keep": pgettext_lazy("handling of samples", "The lab keeps what is left"),
    "none": pgettext_lazy("handling of samples", "No samples"),
}
SIDE_NAMES: Mapping[str, Word] = {
    "customer": pgettext_lazy("side of a contract", "Customer"),
    "lab": pgettext_lazy("side of a contract", "Lab"),
}
METHOD_NAMES: Mapping[str, Word] = {
    "system": pgettext_lazy("way of signing", "signed in the system"),
    "scan": pgettext_lazy("way of signing", "sealed on paper, scan kept"),
}


def unit_word(unit: str) -> str:
    """The unit of a line."""
    return str(PIECE) if unit == "piece" else wording.unit_word(unit)


def kind_word(kind: str) -> str:
    return str(KIND_NAMES.get(kind, kind))
