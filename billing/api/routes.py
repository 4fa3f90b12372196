"""The addresses of prices, programmes, quotes, charges and statements under /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from billing.api import samples, times, views

ID = r"(?P<pk>[0-9]{1,18})"
CODE = r"(?P<code>[A-Za-z0-9._-]{1,40})"
_programmes, _statements = views.ProgrammeView, views.StatementView

urlpatterns: list[URLPattern] = [
    re_path(r"^find-a-time/$", times.TimesView.as_view({"get": "list"}), name="api_find_a_time"),
    re_path(r"^quotes/preview/$", views.PreviewView.as_view({"post": "create"}), name="api_quote_preview"),
    re_path(
        rf"^reservations/{ID}/accept-quote/$",
        views.AcceptQuoteView.as_view({"post": "accept_quote"}),
        name="api_reservation_accept_quote",
    ),
    re_path(rf"^instruments/{ID}/price/$", views.PriceView.as_view({"get": "retrieve"}), name="api_instrument_price"),
    re_path(rf"^resources/{ID}/quote/$", samples.SampleQuoteView.as_view({"post": "create"}), name="api_resource_quote"),
    re_path(
        rf"^resources/{ID}/price/$",
        samples.TestPriceView.as_view({"get": "retrieve", "post": "create"}),
        name="api_resource_price",
    ),
    re_path(r"^programmes/$", _programmes.as_view({"get": "list"}), name="api_programmes"),
    re_path(r"^programmes/evaluate/$", _programmes.as_view({"post": "evaluate"}), name="api_programme_evaluate"),
    re_path(rf"^programmes/{CODE}/$", _programmes.as_view({"get": "retrieve"}), name="api_programme"),
    re_path(
        r"^charges/(?P<reservation>[0-9]{1,18})/$",
        views.ChargeView.as_view({"get": "retrieve"}),
        name="api_charge",
    ),
    re_path(r"^statements/$", _statements.as_view({"get": "list", "post": "create"}), name="api_statements"),
    re_path(rf"^statements/{ID}/$", _statements.as_view({"get": "retrieve"}), name="api_statement"),
    re_path(
        rf"^statements/{ID}/(?P<kind>pdf|xlsx)/$",
        _statements.as_view({"get": "download"}),
        name="api_statement_download",
    ),
]
