"""The addresses of organisations, their verification and a person's tokens."""

from __future__ import annotations

from django.urls import path

from frontend.views import organisations, policies, tokens, verification

urlpatterns = [
    path("organisations/", organisations.organisation_list, name="organisation_list"),
    path("organisations/new/", organisations.organisation_create, name="organisation_create"),
    path("organisations/join/", organisations.organisation_join, name="organisation_join"),
    path("organisations/<int:pk>/", organisations.organisation_detail, name="organisation_detail"),
    path("organisations/<int:pk>/edit/", organisations.organisation_edit, name="organisation_edit"),
    path("organisations/<int:pk>/verify/", organisations.organisation_verify, name="organisation_verify"),
    path("organisations/<int:pk>/invite/", organisations.organisation_invite, name="organisation_invite"),
    path("organisations/<int:pk>/suspend/", organisations.organisation_suspend, name="organisation_suspend"),
    path("organisations/<int:pk>/join/", organisations.join_request, name="join_request"),
    path("organisations/<int:pk>/booking-rules/", policies.policy_list, name="policy_list"),
    path("organisations/<int:pk>/booking-rules/edit/", policies.policy_edit, name="policy_edit"),
    path("organisations/<int:pk>/members/<int:user_id>/", organisations.member_edit, name="member_edit"),
    path("organisations/<int:pk>/members/<int:user_id>/remove/", organisations.member_remove, name="member_remove"),
    path("invitations/<int:pk>/withdraw/", organisations.invitation_withdraw, name="invitation_withdraw"),
    path("invitations/<str:token>/", organisations.invitation_accept, name="invitation_accept"),
    path("join-requests/<int:pk>/decide/", organisations.join_request_decide, name="join_request_decide"),
    path("verification/", verification.verification_queue, name="verification_queue"),
    path("verification/<int:pk>/", verification.verification_decide, name="verification_decide"),
    path("verification/<int:pk>/licence/", verification.verification_licence, name="verification_licence"),
    path("tokens/", tokens.token_list, name="token_list"),
    path("tokens/new/", tokens.token_create, name="token_create"),
    path("tokens/<int:pk>/revoke/", tokens.token_revoke, name="token_revoke"),
]
