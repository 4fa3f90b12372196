"""The addresses of claims, their batches, publicity and payment lists."""

from __future__ import annotations

from django.urls import path

from frontend.views import claim_batches, claims, clawbacks, deputies, payout_lists, publicity, rechecks

urlpatterns = [
    path("claims/", claims.claim_list, name="claim_list"),
    path("claims/<int:pk>/", claims.claim_detail, name="claim_detail"),
    path("claims/<int:pk>/act", claims.claim_act, name="claim_act"),
    path("claims/<int:pk>/decide", claims.claim_decide, name="claim_decide"),
    path("claims/evidence/<int:pk>", claims.claim_evidence, name="claim_evidence"),
    path("claim-papers/<str:kind>/<int:pk>/<str:suffix>", claims.claim_paper, name="claim_paper"),
    path("claim-papers/<str:kind>/<int:pk>/again/", claims.claim_paper_again, name="claim_paper_again"),
    path("claim-batches/", claim_batches.claim_batch_list, name="claim_batch_list"),
    path("claim-batches/<int:pk>/", claim_batches.claim_batch_detail, name="claim_batch_detail"),
    path("claim-batches/<int:pk>/act", claim_batches.claim_batch_act, name="claim_batch_act"),
    path("claims/deputies/", deputies.deputy_list, name="deputy_list"),
    path("claims/deputies/<int:pk>/end", deputies.deputy_end, name="deputy_end"),
    path("claims/samples/", rechecks.recheck_list, name="recheck_list"),
    path("claims/samples/<int:pk>/", rechecks.recheck_detail, name="recheck_detail"),
    path("claims/samples/items/<int:pk>/find", rechecks.recheck_find, name="recheck_find"),
    path("claim-batches/<int:pk>/list", payout_lists.payout_list_make, name="payout_list_make"),
    path("claim-objections/<int:pk>/answer", claim_batches.objection_answer, name="objection_answer"),
    path("payout-lists/<int:pk>/", payout_lists.payout_list_detail, name="payout_list_detail"),
    path("payout-lists/<int:pk>/sign", payout_lists.payout_list_sign, name="payout_list_sign"),
    path("payout-lists/<int:pk>/cancel", payout_lists.payout_list_cancel, name="payout_list_cancel"),
    path("payout-lists/<int:pk>/record-rest", payout_lists.payout_record_rest, name="payout_record_rest"),
    path("payout-lists/<int:pk>/answer", payout_lists.payout_answer, name="payout_answer"),
    path("payout-lists/lines/<int:pk>/record", payout_lists.payout_record, name="payout_record"),
    path("clawbacks/", clawbacks.clawback_list, name="clawback_list"),
    path("clawbacks/<int:pk>/", clawbacks.clawback_detail, name="clawback_detail"),
    path("clawbacks/<int:pk>/record", clawbacks.clawback_record, name="clawback_record"),
    path("clawbacks/<int:pk>/take", clawbacks.surplus_take, name="surplus_take"),
    path("clawbacks/repayments/<int:pk>/send-back", clawbacks.surplus_send_back, name="surplus_send_back"),
    path("clawbacks/refunds/<int:pk>/decide", clawbacks.surplus_decide, name="surplus_decide"),
    path("clawbacks/repayments/<int:pk>/decide", clawbacks.repayment_decide, name="repayment_decide"),
    path("publicity/", publicity.publicity_list, name="publicity_list"),
    path("publicity/<int:pk>/", publicity.publicity_detail, name="publicity_detail"),
]
