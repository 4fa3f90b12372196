"""The addresses of the pages."""

from __future__ import annotations

from django.conf import settings
from django.urls import path
from django.views.i18n import set_language

from frontend import (
    assisting_urls,
    billing_urls,
    booking_urls,
    calendar_urls,
    claim_urls,
    enquiry_urls,
    finance_urls,
    import_urls,
    instrument_urls,
    invoice_urls,
    ledger_urls,
    money_urls,
    month_urls,
    notice_urls,
    organisation_urls,
    paper_urls,
    place_urls,
    prepaid_urls,
    price_urls,
    programme_urls,
    receipt_urls,
    record_urls,
    resource_urls,
    sample_urls,
    search_urls,
    spending_urls,
    standards_urls,
    time_urls,
    training_urls,
    utilisation_urls,
)
from frontend.views import account, gallery, help, home

urlpatterns = [
    path("", home.home, name="home"),
    path("help/", help.how_subsidies_work, name="help"),
    path("language/", set_language, name="set_language"),
    path("settings/", account.settings_page, name="account_settings"),
    *organisation_urls.urlpatterns,
    *notice_urls.urlpatterns,
    *invoice_urls.urlpatterns,
    *ledger_urls.urlpatterns,
    *paper_urls.urlpatterns,
    *receipt_urls.urlpatterns,
    *prepaid_urls.urlpatterns,
    *place_urls.urlpatterns,
    *price_urls.urlpatterns,
    *search_urls.urlpatterns,
    *spending_urls.urlpatterns,
    *instrument_urls.urlpatterns,
    *record_urls.urlpatterns,
    *resource_urls.urlpatterns,
    *sample_urls.urlpatterns,
    *import_urls.urlpatterns,
    *standards_urls.urlpatterns,
    *booking_urls.urlpatterns,
    *assisting_urls.urlpatterns,
    *calendar_urls.urlpatterns,
    *claim_urls.urlpatterns,
    *programme_urls.urlpatterns,
    *enquiry_urls.urlpatterns,
    *finance_urls.urlpatterns,
    *money_urls.urlpatterns,
    *billing_urls.urlpatterns,
    *month_urls.urlpatterns,
    *time_urls.urlpatterns,
    *training_urls.urlpatterns,
    *utilisation_urls.urlpatterns,
]

if settings.DEBUG:
    urlpatterns.append(path("design/", gallery.gallery, name="design_gallery"))
