"""A trial of a programme as tables and plots; page, CSV and workbook show the same tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing import wording
from billing.ledger.rules.money import FEN_PER_YUAN
from billing.sandbox.rules.report import OTHERS, SESSIONS, TESTS
from billing.sandbox.rules.simulation import UNKNOWN
from billing.sandbox.rules.variants import AGAINST, CAP_DOWN, CAP_UP, RATE_DOWN, RATE_UP, TRIED
from billing.settlement.exports import plain_cell
from billing.settlement.xlsx import Sheet, Value, workbook
from frontend import display
from frontend.presenters.condition_words import fact_word
from frontend.presenters.plots import Plot, line_plot
from frontend.templatetags.jishi import bilingual
from instruments.models import Organisation

Json = Mapping[str, Any]
Names = Mapping[int, Organisation]


@dataclass(frozen=True, slots=True)
class Cell:
    """``kind``: text, count, money (fen) or percent (tenths)."""

    kind: str
    value: Any

    @property
    def shown(self) -> str:
        if self.value is None:
            return "–"
        if self.kind == "money":
            return display.yuan(self.value)
        if self.kind == "percent":
            return f"{Decimal(self.value) / 10:.1f}%"
        return f"{self.value:,}" if self.kind == "count" else str(self.value)

    @property
    def plain(self) -> Value:
        """For files: amounts in yuan, shares in per cent."""
        if self.value is None or self.kind in ("text", "count"):
            found: Value = self.value
            return found
        return Decimal(self.value) / (FEN_PER_YUAN if self.kind == "money" else 10)


@dataclass(frozen=True, slots=True)
class Table:
    """``head`` with the rows below it; the first cell of a row is its heading."""

    code: str
    title: str
    head: Sequence[str]
    cells: Sequence[Sequence[Cell]]
    note: str = ""

    @property
    def rows(self) -> list[list[tuple[str, Cell]]]:
        """Each cell with the word of its column."""
        return [list(zip(self.head, row, strict=True)) for row in self.cells]


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    value: str
    note: str = ""


def _services_word() -> str:
    return pgettext("column of a trial", "Services")


def _text(value: str) -> Cell:
    return Cell("text", value)


def _count(value: int | None) -> Cell:
    return Cell("count", value)


def _money(fen: int | None) -> Cell:
    return Cell("money", fen)


def _share(part: int, whole: int) -> Cell:
    return Cell("percent", part * 1000 // whole if whole else None)


def tiles(result: Json) -> list[Tile]:
    """The answer in a few figures."""
    tried, against = result["totals"][TRIED], result["totals"].get(AGAINST)
    found = [Tile(_("Cost"), display.yuan(tried["cost_fen"]), _against(against))]
    if tried["budget_fen"] is not None:
        left = tried["budget_fen"] - tried["cost_fen"] + tried.get("homes_fen", 0)
        note = _("used up in %(month)s") % {"month": tried["short_since"]} if tried["short_since"] else _("it lasts")
        found.append(Tile(_("Left of the budget"), display.yuan(left), note))
    sessions = {"part": f"{tried['subsidised_sessions']:,}", "whole": f"{tried['sessions']:,}"}
    firms = {"part": f"{tried['subsidised_firms']:,}", "whole": f"{tried['firms']:,}"}
    words = _("of %(whole)s")
    if _has_batches(result, TRIED):
        asked = {"amount": display.yuan(tried["cost_fen"] + tried["cut_fen"])}
        found.append(
            Tile(_("Cut by the rules over a batch"), display.yuan(tried["cut_fen"]), _("of %(amount)s asked for") % asked)
        )
    found.append(Tile(_("Services that get something"), sessions["part"], words % sessions))
    found.append(Tile(_("Customers that get something"), firms["part"], words % firms))
    return found


def _against(against: Json | None) -> str:
    return _("version in force: %(amount)s") % {"amount": display.yuan(against["cost_fen"])} if against else ""


def plots(result: Json) -> list[Plot]:
    """Cost against the budget over time; and where it has several parts, month by month what each costs."""
    months = result["months"]
    labels = [each["month"] for each in months]
    series = [(_("As tried"), [each["spent_fen"] for each in months])]
    if AGAINST in result["totals"]:
        series.append((_("Version it is held against"), [each["against_spent_fen"] for each in months]))
    budget = result["totals"][TRIED]["budget_fen"]
    if not months:
        return []
    found = [line_plot(_("Spent up to the end of each month, against the budget"), labels, series, budget, _("Budget"))]
    parts = [(_part_word(SESSIONS), [each["cost_fen"] - each.get("tests_fen", 0) for each in months])]
    if _has_tests(result):
        parts.append((_part_word(TESTS), [each["tests_fen"] for each in months]))
    if _has_vouchers(result):
        parts.append((_("Drawn on vouchers"), [each["drawn_fen"] for each in months]))
    return found if len(parts) == 1 else [*found, line_plot(_("What each part costs in each month"), labels, parts)]


def _has_tests(result: Json) -> bool:
    return any(each["code"] == TESTS and each["sessions"] for each in result.get("parts", ()))


def _has_vouchers(result: Json) -> bool:
    """Whether vouchers that were issued stand behind what is tried."""
    return bool(result.get("vouchers", {}).get(TRIED, {}).get("count"))


def _has_batches(result: Json, name: str) -> bool:
    return name in result.get("batches", {})


def batch_notes(result: Json) -> list[str]:
    """Which batches were formed, and what a trial leaves out."""
    if "batches" not in result:
        return [
            _(
                "Not tried: rules over a whole batch, quality grades that are confirmed after the service, what somebody would have booked"
                " under another rule only, and cancelled bookings."
            )
        ]
    notes = []
    if result["batches"]:
        notes.append(
            _(
                "A rate that is fixed afterwards and a pool that is divided are decided for a batch of claims, as when a real one is"
                " closed: nothing above what was promised is given, and what is cut is there again."
            )
        )
    for name, found in result["batches"].items():
        word = _("As tried") if name == TRIED else _("Version it is held against")
        notes.append(_("%(rule)s: %(batches)s") % {"rule": word, "batches": _formed(found["by_windows"])})
    return notes


def _formed(by_windows: bool) -> str:
    if by_windows:
        return _(
            "one batch for each of its windows for claims, with the services up to the last day of the window; what is charged after that"
            " goes into the next one."
        )
    return _("one batch of the whole period, because its windows for claims do not say which services are claimed together.")


def voucher_note(result: Json, lender: str, *, looks_at_vouchers: bool) -> str:
    """How vouchers count in a result (``lender``: the code of the programme whose vouchers it was tried with, in place of its own); empty
    where the rule has none. ``looks_at_vouchers``: it asks what one is worth, or how many there are."""
    found = result.get("vouchers")
    if found is None:
        return _("Vouchers are not simulated: no session has one, and a limit per voucher counts as one limit of each firm.")
    if TRIED not in found:
        return ""
    if lender and found[TRIED]["count"]:
        return _(
            "It was tried with the vouchers of %(code)s in place of its own: the same holders, amounts and days, each unused at the"
            " beginning; they are drawn on in the usual order, and without one the rule gives nothing. A step of the limits moves what they"
            " are worth."
        ) % {"code": lender}
    if not found[TRIED]["count"] and looks_at_vouchers:
        return _(
            "No voucher was issued under this programme, and the rule looks at what a voucher is worth or at how many there are: without"
            " one that is not known, and what depends on it is not given. Try it with the vouchers of another programme to see what it"
            " would give."
        )
    if not found[TRIED]["count"]:
        return _(
            "No voucher was issued under this programme: a limit per voucher counts as one limit of each customer, and one that is set by"
            " issuing only is not set."
        )
    return _(
        "Vouchers count as they were issued under this programme, each on its days and unused at the beginning; they are drawn on in the"
        " usual order, and without one the rule gives nothing. A step of the limits moves what they are worth."
    )


def tables(result: Json, names: Names) -> list[Table]:
    """Every table of a result, in the order of the page."""
    compared = AGAINST in result["totals"]
    found = [
        _months(result, compared),
        *_parts(result, compared),
        *_vouchers(result),
        *_batches(result),
        _groups("sizes", _("By size of the firm"), _("Size or kind"), result, compared, _size_word),
        _groups("regions", _("By region of the customer"), _("Region"), result, compared, _region_word),
        _groups("owners", _("By owner of the instrument"), _("Owner"), result, compared, lambda code: _name(code, names)),
    ]
    if result["change"]:
        found += [_change(result["change"]), *_most(result["change"], names)]
    found.append(_steps(result))
    if result["refused"]:
        found.append(_refused(result["refused"]))
    return found


def _months(result: Json, compared: bool) -> Table:
    head = [_("Month"), _services_word(), _("Get something"), _("Cost"), _("Spent so far")]
    parts = [(_("Of it commissioned tests"), "tests_fen")] if _has_tests(result) else []
    parts += [(_("Drawn on vouchers"), "drawn_fen")] if _has_vouchers(result) else []
    head += [word for word, _name in parts]
    rows = []
    for each in result["months"]:
        row = [
            _text(each["month"]),
            _count(each["sessions"]),
            _count(each["subsidised_sessions"]),
            _money(each["cost_fen"]),
            _money(each["spent_fen"]),
            *(_money(each[name]) for _word, name in parts),
        ]
        rows.append(row + ([_money(each["against_fen"])] if compared else []))
    return Table("months", _("Cost month by month"), head + ([_("Version it is held against")] if compared else []), rows)


def _parts(result: Json, compared: bool) -> list[Table]:
    """Sessions and commissioned tests apart; results of earlier days say nothing of it."""
    if "parts" not in result:
        return []
    return [_groups("parts", _("By what was done"), _("Kind of service"), result, compared, _part_word)]


def _part_word(code: str) -> str:
    return _("Commissioned tests") if code == TESTS else _("Sessions on instruments")


def _vouchers(result: Json) -> list[Table]:
    """What was issued, and what the services drew on it."""
    words = {TRIED: _("As tried"), AGAINST: _("Version it is held against")}
    found = {name: each for name, each in result.get("vouchers", {}).items() if each["count"]}
    head = [
        _("Rule"),
        _("Vouchers"),
        _("Holders"),
        _("Worth"),
        _("Services that draw on one"),
        _("Drawn"),
        _("Paid by other regions"),
    ]
    rows = [
        [
            _text(words[name]),
            _count(each["count"]),
            _count(each["holders"]),
            _money(each["worth_fen"]),
            _count(each["uses"]),
            _money(each["drawn_fen"]),
            _money(each["homes_fen"]),
        ]
        for name, each in found.items()
    ]
    return [Table("vouchers", _("Vouchers"), head, rows)] if rows else []


def _batches(result: Json) -> list[Table]:
    """What each batch asked for, what its rules cut, and what would be paid."""
    words = {TRIED: _("As tried"), AGAINST: _("Version it is held against")}
    head = [
        _("Claimed up to"),
        _("Rule"),
        _("Awards in the batch"),
        _("Asked for"),
        _("Awards cut"),
        _("Cut by the rules over the batch"),
        _("Paid"),
    ]
    rows = [
        [
            _text(each["until"] or _("whole period")),
            _text(words[name]),
            _count(each["claims"]),
            _money(each["asked_fen"]),
            _count(each["cut_claims"]),
            _money(each["cut_fen"]),
            _money(each["asked_fen"] - each["cut_fen"]),
        ]
        for name, found in result.get("batches", {}).items()
        for each in found["rows"]
    ]
    return [Table("batches", _("Rules over a batch"), head, rows)] if rows else []


def _groups(code: str, title: str, label: str, result: Json, compared: bool, word: Any) -> Table:
    head = [label, _services_word(), _("Get something"), _("Share"), _("Price of the services"), _("Subsidy")]
    rows = []
    for each in result[code]:
        row = [
            _text(word(each["code"])),
            _count(each["sessions"]),
            _count(each["subsidised_sessions"]),
            _share(each["subsidised_sessions"], each["sessions"]),
            _money(each["gross_fen"]),
            _money(each["cost_fen"]),
        ]
        rows.append(row + ([_money(each["against_fen"])] if compared else []))
    return Table(code, title, head + ([_("Version it is held against")] if compared else []), rows)


def _change(change: Json) -> Table:
    head = [_("Size or kind"), _("Get more"), _("Get less"), _("The same"), _("More together"), _("Less together")]
    rows = [
        [
            _text(_size_word(each["code"])),
            _count(each["win"]),
            _count(each["lose"]),
            _count(each["same"]),
            _money(each["win_fen"]),
            _money(each["lose_fen"]),
        ]
        for each in change["sizes"]
    ]
    return Table("change", _("Who wins and who loses against the version in force"), head, rows, _("Counted by customer."))


def _most(change: Json, names: Names) -> Iterable[Table]:
    head = [_("Customer"), _("As tried"), _("Version it is held against"), _("Difference")]
    for code, title in (("winners", _("Who wins most")), ("losers", _("Who loses most"))):
        rows = [
            [
                _text(_name(str(each["firm"]), names)),
                _money(each["tried_fen"]),
                _money(each["against_fen"]),
                _money(each["difference_fen"]),
            ]
            for each in change[code]
        ]
        if rows:
            yield Table(code, title, head, rows)


def _steps(result: Json) -> Table:
    words = {
        RATE_DOWN: _("Main rate a step lower"),
        TRIED: _("As tried"),
        RATE_UP: _("Main rate a step higher"),
        CAP_DOWN: _("Limits a step lower"),
        CAP_UP: _("Limits a step higher"),
    }
    found = {**result["totals"], **result["steps"]}
    base = found[TRIED]["cost_fen"]
    cut = [_("Cut over batches")] if _has_batches(result, TRIED) else []
    rows = [
        [
            _text(word),
            _money(found[code]["cost_fen"]),
            _money(found[code]["cost_fen"] - base),
            *(_money(found[code]["cut_fen"]) for _word in cut),
            _count(found[code]["subsidised_sessions"]),
            _count(found[code]["subsidised_firms"]),
            _text(found[code]["short_since"] or "–"),
        ]
        for code, word in words.items()
    ]
    head = [
        _("What is moved"),
        _("Cost"),
        _("Difference"),
        *cut,
        _("Services that get something"),
        _("Customers that get something"),
        _("Budget used up in"),
    ]
    return Table("steps", _("How much the main rate and the limits weigh"), head, rows)


def _refused(refused: Sequence[Sequence[Any]]) -> Table:
    rows = [[_text(condition_word(code)), _count(count)] for code, count in refused]
    note = _("A service may miss several conditions or facts; each is counted once.")
    return Table("refused", _("Why services get nothing"), [_("Condition that is not met"), _services_word()], rows, note)


def condition_word(code: str) -> str:
    """What a refusal is about, in a word or two; a code that has none stays as it is. A missing fact is named behind its code, but for
    results of before."""
    code, _colon, fact = code.partition(":")
    if fact:
        return _("A fact is not known: %(fact)s") % {"fact": fact_word(fact)}
    word = wording.condition_word(code)
    return word if word == code else capfirst(word)


def _size_word(code: str) -> str:
    if code == UNKNOWN:
        return _("not known")
    word = wording.size_word(code)
    return word if word != code else wording.kind_word(code)


def _region_word(code: str) -> str:
    return _("not known") if code == UNKNOWN else _("All others") if code == OTHERS else wording.region_word(code)


def _name(code: str, names: Names) -> str:
    if code == OTHERS:
        return _("All others")
    found = names.get(int(code)) if code.isdigit() else None
    return bilingual(found) if found is not None else code


def csv_file(table: Table) -> bytes:
    """One table as UTF-8 with a byte order mark; no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([plain_cell(str(each)) for each in table.head])
    for row in table.cells:
        writer.writerow(
            [plain_cell(cell.plain) if isinstance(cell.plain, str) else "" if cell.plain is None else cell.plain for cell in row]
        )
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def workbook_file(found: Sequence[Table], title: str, made_at: datetime) -> bytes:
    """All tables as one workbook, a sheet each."""
    sheets = [
        Sheet(
            f"{place} {table.title}",
            table.head,
            [[cell.plain for cell in row] for row in table.cells],
            [24, *[16] * (len(table.head) - 1)],
        )
        for place, table in enumerate(found, 1)
    ]
    return workbook(sheets, title=title, creator="Jishi", made_at=made_at)
