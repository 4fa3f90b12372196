"""The addresses of research groups, fund cards, what their leaders agree to, and internal charge slips."""

from __future__ import annotations

from django.urls import path

from frontend.views import groups, leader, slips

urlpatterns = [
    path("groups/", groups.group_list, name="group_list"),
    path("organisations/<int:pk>/groups/new/", groups.group_create, name="group_create"),
    path("organisations/<int:pk>/card-needed/", groups.spending_rules, name="spending_rules"),
    path("groups/<int:pk>/", groups.group_detail, name="group_detail"),
    path("groups/<int:pk>/edit/", groups.group_edit, name="group_edit"),
    path("groups/<int:pk>/close/", groups.group_close, name="group_close"),
    path("groups/<int:pk>/members/<int:user_id>/remove/", groups.group_member_remove, name="group_member_remove"),
    path("groups/<int:pk>/cards/new/", groups.card_create, name="fund_card_create"),
    path("fund-cards/<int:pk>/edit/", groups.card_edit, name="fund_card_edit"),
    path("fund-cards/<int:pk>/close/", groups.card_close, name="fund_card_close"),
    path("spending/", leader.leader_inbox, name="leader_inbox"),
    path("spending/answers/", leader.leader_answer_all, name="leader_answer_all"),
    path("spending/<int:pk>/agree/", leader.leader_agree, name="leader_agree"),
    path("spending/<int:pk>/decline/", leader.leader_decline, name="leader_decline"),
    path("bookings/<int:pk>/fund-card", leader.reservation_card, name="reservation_card"),
    path("internal-slips/", slips.slip_list, name="slip_list"),
    path("internal-slips/<int:pk>/", slips.slip_detail, name="slip_detail"),
    path("internal-slips/file/", slips.slip_file, name="slip_file"),
]
