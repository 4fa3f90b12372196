"""What a VAT invoice is made out for: the bill of a customer, or the settlement statement of what an office buys of its payee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from billing.bills.models import Bill
from billing.invoices.rules.checks import WINDOW_DAYS, Expected
from billing.settlement.models import Statement
from billing.settlement.services.statements import issues_for
from billing.subsidy.rules.sale import Invoiced, invoiced
from config.kernel.access import Actor, Role

#: Who acts for the customer of a bill.
ASKERS = (Role.FIRM_ADMIN, Role.OWNER_FINANCE)


class Kind(StrEnum):
    """Also the name of the column that points at it."""

    BILL = "bill"
    STATEMENT = "statement"


#: A paper among others: its kind and id.
Key = tuple[Kind, int]


@dataclass(frozen=True, slots=True)
class Paper:
    """A bill or a statement. ``total_fen`` as it was issued."""

    kind: Kind
    row: Any

    @property
    def key(self) -> Key:
        return self.kind, self.row.pk

    @property
    def pk(self) -> int:
        return int(self.row.pk)

    @property
    def number(self) -> str:
        return str(self.row.number)

    @property
    def total_fen(self) -> int:
        return int(self.row.total_fen)

    @property
    def content(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.row.content
        return found

    @property
    def seller_id(self) -> int:
        return int(self.row.owner_id if self.kind is Kind.BILL else self.row.payee_id)

    @property
    def seller(self) -> Mapping[str, Any]:
        return dict(self.content["owner" if self.kind is Kind.BILL else "payee"])

    @property
    def buyer(self) -> Mapping[str, Any]:
        return dict(self.content["customer" if self.kind is Kind.BILL else "office"])

    @property
    def buyer_code(self) -> str:
        """The unified social credit code of who pays, as it stands on the paper; empty where it has none."""
        return str(self.buyer["code"]) if self.buyer["scheme"] == "uscc" else ""

    @property
    def column(self) -> dict[str, int]:
        """As a row points at it."""
        return {f"{self.kind}_id": self.pk}

    def pays(self, actor: Actor) -> bool:
        """Whether somebody asks for its invoice: who acts for the customer, or pays at the office."""
        if self.kind is Kind.BILL:
            return self.row.customer_id in actor.organisations(*ASKERS)
        return issues_for(actor, self.row.programme_version.programme.issuer_id)

    def require_payer(self, actor: Actor) -> None:
        """Raises Forbidden."""
        if self.kind is Kind.BILL:
            actor.require_in(self.row.customer_id, *ASKERS)
        elif not self.pays(actor):
            office = self.row.programme_version.programme.issuer_id
            actor.require_in(office, Role.FINANCE) if office is not None else actor.require(Role.FINANCE)

    def expected(self, taken_back_fen: int, buyer_code: str, today: date) -> Expected:
        """What its invoice has to say after ``taken_back_fen`` were credited or taken back; ``buyer_code``: who asked to be named, else who
        pays as on the paper. Of what is bought neither more nor less than is left of it."""
        made_on = date.fromisoformat((self.content["made_on"] if self.kind is Kind.BILL else self.content["made_at"])[:10])
        left = self.total_fen - taken_back_fen
        return Expected(
            buyer_code=buyer_code or str(self.buyer["code"]),
            seller_code=str(self.seller["code"]),
            claimed_fen=left,
            price_fen=self.content["totals"]["gross_fen"] if self.kind is Kind.BILL else left,
            first_on=self._first_on(),
            last_on=min(today, made_on + timedelta(days=WINDOW_DAYS)),
            exact=self.kind is Kind.STATEMENT,
        )

    def _first_on(self) -> date:
        if self.kind is Kind.BILL:
            return date.fromisoformat(self.content["period"]["first_day"])
        return min(date.fromisoformat(line["service_on"]) for line in self.content["lines"])


def of_bill(bill: Bill) -> Paper:
    """A bill as what an invoice is for."""
    return Paper(Kind.BILL, bill)


def of_statement(statement: Statement) -> Paper:
    """A statement as what an invoice is for."""
    return Paper(Kind.STATEMENT, statement)


def of(row: Any) -> Paper:
    """What an invoice or a request for one is for."""
    return of_bill(row.bill) if row.bill_id is not None else of_statement(row.statement)


def key_of(row: Any) -> Key:
    """The key of what an invoice or a request for one is for; no query."""
    return (Kind.BILL, row.bill_id) if row.bill_id is not None else (Kind.STATEMENT, row.statement_id)


def is_sold(statement: Statement) -> bool:
    """Whether what a statement says is a sale of its payee to the office."""
    return _terms(statement) is not Invoiced.NONE


def waits_for_invoice(statement: Statement) -> bool:
    """Whether what a statement says is paid once its invoice is recorded."""
    return _terms(statement) is Invoiced.BEFORE_PAYMENT


def _terms(statement: Statement) -> Invoiced:
    return invoiced(statement.programme_version.document, statement.content["programme"]["mode"])


def why_none(paper: Paper, credited_fen: int, void: bool) -> str:
    """Why there is no invoice for a paper of which so much was credited or taken back; empty: there may be one."""
    if void:
        return "invoice.bill_void"
    if paper.kind is Kind.STATEMENT and not is_sold(paper.row):
        return "invoice.not_sold"
    if 0 < paper.total_fen <= credited_fen:
        return "invoice.nothing_owed" if paper.kind is Kind.BILL else "invoice.nothing_left"
    return ""
