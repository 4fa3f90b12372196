"""/api/v1/ledger-accounts and their postings, and the account codes of an institution."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import money_shapes as shapes
from billing.ledger import books, codes
from billing.ledger.books import Period
from billing.ledger.code_models import AccountCodes
from billing.ledger.models import Account
from config.kernel.api.views import ApiView


def period_of(asked: dict[str, Any]) -> Period:
    """The days that were asked for."""
    return Period(asked.get("first_on"), asked.get("last_on"))


class LedgerAccountView(ApiView):
    """The ledger, for reading only."""

    token_scopes = {"GET": "read"}
    queryset = Account.objects.none()
    serializer_class = shapes.LedgerAccountOut
    parameters_shapes = {
        "list": shapes.AccountParameters,
        "retrieve": shapes.PeriodParameters,
        "postings": shapes.PeriodParameters,
    }

    @extend_schema(parameters=[shapes.AccountParameters], responses=shapes.LedgerAccountOut(many=True))
    def list(self, request: Request) -> Response:
        """The accounts that one may read, by kind and key, with what was posted in the period."""
        asked = self.parameters(request)
        period = period_of(asked)
        found = books.accounts(
            self.actor,
            organisation_id=asked.get("organisation"),
            programme=asked.get("programme", ""),
            kind=asked.get("kind", ""),
        )

        def rendered(page: list[Any]) -> list[Any]:
            sums = books.sums(page, period)
            return [shapes.account_json(row, sums[row.pk]) for row in page]

        return self.paged_together(found, rendered)

    @extend_schema(parameters=[shapes.PeriodParameters], responses=shapes.LedgerAccountOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One account with what was posted in the period."""
        period = period_of(self.parameters(request))
        account = books.account_for(self.actor, int(pk))
        return Response(shapes.account_json(account, books.sums([account], period)[account.pk]))

    @extend_schema(
        parameters=[shapes.PeriodParameters], responses=shapes.PostingOut(many=True), operation_id="ledger_accounts_postings"
    )
    def postings(self, request: Request, pk: str) -> Response:
        """What was posted on an account in the period, in the order in which it was."""
        period = period_of(self.parameters(request))
        account = books.account_for(self.actor, int(pk))
        return self.paged(books.postings(self.actor, account, period), shapes.posting_json)


class AccountCodesView(ApiView):
    """What an institution's accounting programme calls our accounts; a token needs the scope ``settle`` to write."""

    token_scopes = {"GET": "read", "PUT": "settle"}
    queryset = AccountCodes.objects.none()
    serializer_class = shapes.AccountCodesIn

    @extend_schema(responses=shapes.AccountCodesOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """By the key of an account, or by how keys begin; empty: there are none."""
        return Response({"codes": codes.codes_read(self.actor, int(pk))})

    @extend_schema(responses=shapes.AccountCodesOut)
    def update(self, request: Request, pk: str) -> Response:
        """They take the place of the ones before and stand in the exports from then on."""
        row = codes.set_codes(self.actor, int(pk), self.valid(request)["codes"], self.now)
        return Response({"codes": row.codes})
