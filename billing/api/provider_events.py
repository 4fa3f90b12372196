"""Where a payment provider tells us its news. It is written down and answered at once; the worker does the rest."""

from __future__ import annotations

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.payments.provider import ForgedEvent, configured
from billing.payments.services import inbox

MOST_BYTES = 512 * 1024
_log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def stripe_event(request: HttpRequest) -> HttpResponse:
    """200 for what Stripe has signed, whether it was known or not; 400 for what does not hold, 413 for what is too long, 404 while
    payments online are off. The raw bytes are what is signed; nothing in them is believed but which object they are about."""
    provider = configured()
    if provider is None:
        raise Http404
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return HttpResponse(status=413)
    now = timezone.now()
    try:
        head = provider.read_event(request.body, request.headers.get("Stripe-Signature", ""), now)
    except ForgedEvent as error:
        _log.warning("an event of the payment provider was refused: %s", error)
        return HttpResponse(status=400)
    inbox.receive(provider, head, now)
    return HttpResponse(status=200)
