"""Money that finance enters by hand: written down by one person, confirmed by another, taken back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.bills.queries import ISSUERS, owners_of
from billing.payments import queries
from billing.payments.hand_models import HandEntry
from billing.payments.services import by_hand
from billing.payments.services.by_hand import Wanted
from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.errors import Conflict, Forbidden, NotFound, Reason, Refusal
from config.kernel.http import attachment
from config.kernel.messages import reason_sentence
from frontend.booking_form import read_day
from frontend.firm_forms import MoneyForm
from frontend.http import actor_of, stands_at
from frontend.once import once_per_form
from frontend.presenters.bills import WAYS
from frontend.refusals import sentences
from frontend.templatetags.jishi import bilingual
from frontend.views.bills import number
from frontend.views.credit_notes import fen

PER_PAGE = 50


class HandForm(MoneyForm):
    """Money as somebody says that it came."""

    owner = forms.ChoiceField(label=gettext_lazy("Institution"))
    way = forms.ChoiceField(label=gettext_lazy("How it came"), choices=list(WAYS.items()))
    amount = forms.CharField(
        label=gettext_lazy("Amount (yuan)"), max_length=24, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    received_on = forms.CharField(label=gettext_lazy("Day"), max_length=40, widget=forms.DateInput(attrs={"type": "date"}))
    payer_name = forms.CharField(label=gettext_lazy("Who paid"), max_length=200)
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=100,
        help_text=gettext_lazy(
            "Number of the slip, cheque, receipt or terminal record. A bank's list that names it is asked about."
        ),
    )
    remark = forms.CharField(
        label=gettext_lazy("What it is for"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("For example the number of the bill."),
    )
    file = forms.FileField(
        label=gettext_lazy("Evidence"),
        help_text=gettext_lazy("The slip, receipt or cheque as PDF, JPEG or PNG."),
        widget=forms.FileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png"}),
    )

    def __init__(self, owners: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["owner"]
        field.choices = [(str(each.pk), bilingual(each)) for each in owners]

    def clean_amount(self) -> int:
        """In fen; told beside what else is wrong, not after it."""
        amount: int = fen(self.cleaned_data["amount"])
        if amount <= 0:
            raise forms.ValidationError(reason_sentence(Reason("hand.amount", {}, "amount")))
        return amount


@login_required
@require_GET
def hand_payment_list(request: HttpRequest) -> HttpResponse:
    """What was entered by hand: what waits for a second person, then the rest."""
    return _page(request)


def _page(request: HttpRequest, refusal: Refusal | None = None, asked: int | None = None) -> HttpResponse:
    """The list; with a refusal its reasons above. ``asked``: the entry of which it is asked whether it is other money."""
    actor = actor_of(request)
    page = Paginator(queries.hand_entries(actor), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_row(actor, each, asked) for each in page.object_list],
        "may_enter": actor.has(*ISSUERS),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "hand_payment_list")
    return render(request, "payments/by_hand.html", context, status=status_of(refusal) if refusal else 200)


def _row(actor: Actor, entry: HandEntry, asked: int | None) -> dict[str, Any]:
    finance = entry.owner_id in actor.organisations(*ISSUERS)
    return {
        "entry": entry,
        "way": WAYS[entry.way],
        "may_confirm": finance and entry.waits and entry.recorded_by_id != actor.user_id,
        "may_end": finance and entry.ended_at is None,
        "asked": entry.pk == asked,
    }


@login_required
@require_http_methods(["GET", "POST"])
@once_per_form
def hand_payment_enter(request: HttpRequest) -> HttpResponse:
    """Write money down."""
    actor = actor_of(request)
    actor.require(*ISSUERS)
    posted = request.method == "POST"
    form = HandForm(owners_of(actor), request.POST if posted else None, request.FILES if posted else None)
    status, same = 200, []
    if posted and form.is_valid():
        typed, file = form.cleaned_data, form.cleaned_data["file"]
        wanted = Wanted(
            typed["way"],
            typed["amount"],
            read_day(typed["received_on"]),
            typed["payer_name"],
            typed["reference"],
            typed["remark"],
            request.POST.get("another") == "yes",
        )
        try:
            content = file.read(settings.MAX_UPLOAD_BYTES + 1)
            by_hand.record(actor, number(typed["owner"]), wanted, content, file.name or "", timezone.now())
        except (NotFound, Forbidden):
            raise
        except Conflict as conflict:
            status, same = status_of(conflict), [_same(reason) for reason in conflict.reasons]
            form.add_error("file", _("Nothing was entered yet: say whether it is other money, and choose the file again."))
        except Refusal as refusal:
            status = status_of(refusal)
            form.add_refusal(refusal)
        else:
            messages.success(request, _("Entered. Another person of finance confirms it, then it can be given to bills."))
            return redirect("hand_payment_list")
    elif posted:
        status = 422
    stands_at(request, "hand_payment_enter")
    context = {"form": form, "same": same, "another": request.POST.get("another", "")}
    return render(request, "payments/enter.html", context, status=status)


def _same(reason: Reason) -> tuple[str, int | None]:
    """What may be the same money in words, and the payment that it is (None: an entry that waits)."""
    return reason_sentence(reason), reason.params["payment"]


@login_required
@require_POST
def hand_payment_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Another person says that the money is there."""
    try:
        payment = by_hand.confirm(actor_of(request), pk, timezone.now(), another=request.POST.get("another") == "yes")
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _page(request, refusal, pk if any(reason.code == "hand.maybe_same" for reason in refusal.reasons) else None)
    messages.success(request, _("Confirmed. Now give the money to its bills."))
    return redirect("payment_detail", payment.pk)


@login_required
@require_POST
def hand_payment_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Take what was entered back."""
    try:
        by_hand.end(actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _page(request, refusal)
    messages.success(request, _("Taken back."))
    return redirect("hand_payment_list")


@login_required
@require_GET
def hand_payment_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The file that proves it."""
    stored, content = queries.hand_evidence(actor_of(request), pk)
    return attachment(content, stored.media_type, stored.file_name)
