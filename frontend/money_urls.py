"""The addresses of firms' facts, vouchers, accounts, partner regions and the self-test."""

from __future__ import annotations

from django.urls import path

from frontend.views import accounts, firm_facts, keeping, owner_incomes, self_test, vouchers

urlpatterns = [
    path("eligibility/", self_test.eligibility, name="eligibility"),
    path("organisations/<int:pk>/facts/", firm_facts.firm_facts, name="firm_facts"),
    path("organisations/<int:pk>/facts/<str:kind>/", firm_facts.firm_declare, name="firm_declare"),
    path("organisations/<int:pk>/external-income/", owner_incomes.income_list, name="income_list"),
    path("organisations/<int:pk>/external-income/declare/", owner_incomes.income_declare, name="income_declare"),
    path("external-income/", owner_incomes.income_queue, name="income_queue"),
    path("external-income/<int:pk>/", owner_incomes.income_decide, name="income_decide"),
    path("external-income/<int:pk>/evidence/", owner_incomes.income_evidence, name="income_evidence"),
    path("organisations/<int:pk>/wallet/", vouchers.wallet, name="wallet"),
    path("firm-facts/", firm_facts.declaration_queue, name="declaration_queue"),
    path("firm-facts/<int:pk>/", firm_facts.declaration_decide, name="declaration_decide"),
    path("firm-facts/<int:pk>/evidence/", firm_facts.declaration_evidence, name="declaration_evidence"),
    path("credit-lists/", keeping.credit_lists, name="credit_lists"),
    path("partner-regions/", keeping.partner_list, name="partner_list"),
    path("partner-regions/new/", keeping.partner_create, name="partner_create"),
    path("partner-regions/<int:pk>/", keeping.partner_edit, name="partner_edit"),
    path("partner-regions/<int:pk>/providers/", keeping.partner_import, name="partner_import"),
    path("programme-accounts/", accounts.account_list, name="account_list"),
    path("programme-accounts/opening/", keeping.opening_load, name="opening_load"),
    path("programme-accounts/<int:pk>/", accounts.account_detail, name="account_detail"),
    path("programme-accounts/<int:pk>/top-up/", accounts.account_top_up, name="account_top_up"),
    path("programme-accounts/top-ups/<int:pk>/", accounts.top_up_decide, name="top_up_decide"),
    path("programme-accounts/<int:pk>/suspend/", accounts.account_suspend, name="account_suspend"),
    path("programme-accounts/<int:pk>/last-day/", accounts.account_last_day, name="account_last_day"),
    path("programme-accounts/<int:pk>/close/", accounts.account_close, name="account_close"),
    path("vouchers/", vouchers.announcement_list, name="announcement_list"),
    path("vouchers/announce/", vouchers.announcement_create, name="announcement_create"),
    path("vouchers/applications/", vouchers.application_list, name="application_list"),
    path("vouchers/redemptions/", vouchers.voucher_redemptions, name="voucher_redemptions"),
    path("vouchers/recognise/", vouchers.voucher_recognise, name="voucher_recognise"),
    path("vouchers/announcements/<int:pk>/", vouchers.announcement_detail, name="announcement_detail"),
    path("vouchers/announcements/<int:pk>/publish/", vouchers.announcement_publish, name="announcement_publish"),
    path("vouchers/announcements/<int:pk>/apply/", vouchers.application_create, name="application_create"),
    path("vouchers/applications/<int:pk>/", vouchers.application_detail, name="application_detail"),
    path("vouchers/applications/<int:pk>/evidence/", vouchers.application_evidence, name="application_evidence"),
    path("vouchers/applications/<int:pk>/review/", vouchers.application_review, name="application_review"),
    path("vouchers/applications/<int:pk>/issue/", vouchers.application_issue, name="application_issue"),
    path("vouchers/applications/<int:pk>/refuse/", vouchers.application_refuse, name="application_refuse"),
    path("vouchers/applications/<int:pk>/withdraw/", vouchers.application_withdraw, name="application_withdraw"),
    path("vouchers/<int:pk>/", vouchers.voucher_detail, name="voucher_detail"),
    path("vouchers/<int:pk>/return/", vouchers.voucher_return, name="voucher_return"),
]
