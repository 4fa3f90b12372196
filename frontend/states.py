"""How each state looks: word, icon, tone. A state is never shown by colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from booking.sample_wording import EXTRA_STATES, JOB_STATES, SAMPLE_STATES

_Word = Promise | str


@dataclass(frozen=True, slots=True)
class StateLook:
    """``tone`` is one of good, wait, bad, live, info, calm."""

    word: _Word
    icon: str
    tone: str


_RESERVATION: dict[str, StateLook] = {
    "requested": StateLook(pgettext_lazy("reservation state", "Awaiting approval"), "hourglass", "wait"),
    "approved": StateLook(pgettext_lazy("reservation state", "Approved"), "circle-check", "good"),
    "rejected": StateLook(pgettext_lazy("reservation state", "Rejected"), "circle-x", "bad"),
    "cancelled": StateLook(pgettext_lazy("reservation state", "Cancelled"), "ban", "calm"),
    "in_use": StateLook(pgettext_lazy("reservation state", "In use"), "player-play", "live"),
    "completed": StateLook(pgettext_lazy("reservation state", "To be agreed"), "flag", "info"),
    "adjusting": StateLook(pgettext_lazy("reservation state", "Change asked for"), "message-circle", "wait"),
    "adjustment_refused": StateLook(pgettext_lazy("reservation state", "Change declined"), "circle-x", "wait"),
    "disputed": StateLook(pgettext_lazy("reservation state", "Disputed"), "alert-triangle", "bad"),
    "agreed": StateLook(pgettext_lazy("reservation state", "Usage agreed"), "check", "good"),
    "no_show": StateLook(pgettext_lazy("reservation state", "Not used"), "user-off", "bad"),
    "expired": StateLook(pgettext_lazy("reservation state", "Expired"), "clock-pause", "calm"),
}
_INSTRUMENT: dict[str, StateLook] = {
    "normal": StateLook(pgettext_lazy("instrument state", "Running"), "circle-check", "good"),
    "occasionally_faulty": StateLook(pgettext_lazy("instrument state", "Running, occasional faults"), "alert-triangle", "wait"),
    "frequently_faulty": StateLook(pgettext_lazy("instrument state", "Often faulty, not bookable"), "alert-triangle", "bad"),
    "under_repair": StateLook(pgettext_lazy("instrument state", "Under repair"), "tool", "bad"),
    "retired": StateLook(pgettext_lazy("instrument state", "Retired"), "power", "calm"),
}
_ORGANISATION: dict[str, StateLook] = {
    "claimed": StateLook(pgettext_lazy("organisation state", "Not verified yet"), "circle-dashed", "wait"),
    "verified": StateLook(pgettext_lazy("organisation state", "Verified"), "shield-check", "good"),
    "suspended": StateLook(pgettext_lazy("organisation state", "Suspended"), "ban", "bad"),
}
_VERIFICATION: dict[str, StateLook] = {
    "open": StateLook(pgettext_lazy("verification state", "Waiting for review"), "hourglass", "wait"),
    "accepted": StateLook(pgettext_lazy("verification state", "Accepted"), "shield-check", "good"),
    "refused": StateLook(pgettext_lazy("verification state", "Refused"), "circle-x", "bad"),
}
_DOCUMENT: dict[str, StateLook] = {
    "pending": StateLook(pgettext_lazy("document state", "Being made"), "hourglass", "wait"),
    "running": StateLook(pgettext_lazy("document state", "Being made"), "hourglass", "wait"),
    "ready": StateLook(pgettext_lazy("document state", "Ready"), "circle-check", "good"),
    "failed": StateLook(pgettext_lazy("document state", "Failed"), "alert-circle", "bad"),
}
_BILL: dict[str, StateLook] = {
    "issued": StateLook(pgettext_lazy("bill state", "To pay"), "hourglass", "wait"),
    "partly_paid": StateLook(pgettext_lazy("bill state", "Paid in part"), "hourglass", "wait"),
    "paid": StateLook(pgettext_lazy("bill state", "Paid"), "circle-check", "good"),
    "credited": StateLook(pgettext_lazy("bill state", "Credited"), "receipt-refund", "calm"),
    "uncollectible": StateLook(pgettext_lazy("bill state", "Written off"), "ban", "bad"),
    "void": StateLook(pgettext_lazy("bill state", "Void"), "ban", "calm"),
}
_INVOICE_REQUEST: dict[str, StateLook] = {
    "waits": StateLook(pgettext_lazy("invoice request", "Waits for the lab"), "hourglass", "wait"),
    "recorded": StateLook(pgettext_lazy("invoice request", "Invoice recorded"), "circle-check", "good"),
    "refused": StateLook(pgettext_lazy("invoice request", "Refused"), "circle-x", "bad"),
    "withdrawn": StateLook(pgettext_lazy("invoice request", "Taken back"), "ban", "calm"),
}
_PAPER: dict[str, StateLook] = {
    "pending": StateLook(pgettext_lazy("paper state", "Not signed yet"), "clock", "wait"),
    "valid": StateLook(pgettext_lazy("paper state", "Valid"), "circle-check", "good"),
    "credited_in_part": StateLook(pgettext_lazy("paper state", "Valid, a part was taken back"), "receipt-refund", "wait"),
    "credited": StateLook(pgettext_lazy("paper state", "Taken back whole"), "receipt-refund", "bad"),
    "void": StateLook(pgettext_lazy("paper state", "Void"), "ban", "bad"),
    "replaced": StateLook(pgettext_lazy("paper state", "Replaced by a later one"), "ban", "bad"),
    "ended": StateLook(pgettext_lazy("paper state", "No longer open"), "ban", "calm"),
    "unknown": StateLook(pgettext_lazy("paper state", "Unknown"), "circle-x", "bad"),
}
_PROGRAMME: dict[str, StateLook] = {
    "draft": StateLook(pgettext_lazy("programme state", "Draft"), "circle-dashed", "calm"),
    "published": StateLook(pgettext_lazy("programme state", "Published"), "circle-check", "info"),
    "current": StateLook(pgettext_lazy("programme state", "In force"), "circle-check", "good"),
    "future": StateLook(pgettext_lazy("programme state", "Begins later"), "clock", "info"),
    "ended": StateLook(pgettext_lazy("programme state", "Ended"), "ban", "calm"),
}
_DRAFT: dict[str, StateLook] = {
    "draft": StateLook(pgettext_lazy("draft of a programme", "Being written"), "pencil", "info"),
    "submitted": StateLook(pgettext_lazy("draft of a programme", "Waits for a second officer"), "hourglass", "wait"),
    "published": StateLook(pgettext_lazy("draft of a programme", "Put in force"), "circle-check", "good"),
    "dropped": StateLook(pgettext_lazy("draft of a programme", "Given up"), "ban", "calm"),
}
_TRIAL: dict[str, StateLook] = {
    "queued": StateLook(pgettext_lazy("trial of a programme", "Waits for the worker"), "hourglass", "wait"),
    "running": StateLook(pgettext_lazy("trial of a programme", "Under way"), "refresh", "live"),
    "done": StateLook(pgettext_lazy("trial of a programme", "Done"), "circle-check", "good"),
    "cancelled": StateLook(pgettext_lazy("trial of a programme", "Stopped"), "ban", "calm"),
    "failed": StateLook(pgettext_lazy("trial of a programme", "Failed"), "alert-circle", "bad"),
}
_DRAFT_STEP: dict[str, StateLook] = {
    "started": StateLook(pgettext_lazy("what happened to a draft", "Begun"), "plus", "info"),
    "submitted": StateLook(pgettext_lazy("what happened to a draft", "Handed in"), "send", "wait"),
    "taken_back": StateLook(pgettext_lazy("what happened to a draft", "Taken back"), "arrow-back-up", "calm"),
    "sent_back": StateLook(pgettext_lazy("what happened to a draft", "Sent back"), "arrow-back-up", "bad"),
    "published": StateLook(pgettext_lazy("what happened to a draft", "Approved and put in force"), "circle-check", "good"),
    "dropped": StateLook(pgettext_lazy("what happened to a draft", "Given up"), "ban", "calm"),
}
_REQUEST: dict[str, StateLook] = {
    "open": StateLook(pgettext_lazy("request state", "Waiting"), "hourglass", "wait"),
    "accepted": StateLook(pgettext_lazy("request state", "Accepted"), "circle-check", "good"),
    "refused": StateLook(pgettext_lazy("request state", "Refused"), "circle-x", "bad"),
    "withdrawn": StateLook(pgettext_lazy("request state", "Withdrawn"), "ban", "calm"),
    "expired": StateLook(pgettext_lazy("request state", "Expired"), "clock-pause", "calm"),
    "active": StateLook(pgettext_lazy("request state", "Active"), "circle-check", "good"),
    "revoked": StateLook(pgettext_lazy("request state", "Revoked"), "ban", "bad"),
}
_CLOSURE: dict[str, StateLook] = {
    "new": StateLook(pgettext_lazy("closure", "Will be closed"), "plus", "info"),
    "changed": StateLook(pgettext_lazy("closure", "Will be changed"), "refresh", "wait"),
    "taken_back": StateLook(pgettext_lazy("closure", "Will be opened again"), "refresh", "wait"),
    "known": StateLook(pgettext_lazy("closure", "There already"), "check", "calm"),
    "skipped": StateLook(pgettext_lazy("closure", "Skipped"), "ban", "calm"),
    "refused": StateLook(pgettext_lazy("closure", "Cannot be read"), "alert-circle", "bad"),
}
_CLOSED: dict[str, StateLook] = _CLOSURE | {
    "new": StateLook(pgettext_lazy("closure", "Closed"), "circle-check", "good"),
    "changed": StateLook(pgettext_lazy("closure", "Changed"), "circle-check", "good"),
    "taken_back": StateLook(pgettext_lazy("closure", "Opened again"), "circle-check", "good"),
}
_SUBSCRIPTION: dict[str, StateLook] = {
    "waiting": StateLook(pgettext_lazy("subscription state", "Being read"), "hourglass", "wait"),
    "ok": StateLook(pgettext_lazy("subscription state", "Up to date"), "circle-check", "good"),
    "fault": StateLook(pgettext_lazy("subscription state", "Cannot be read"), "alert-circle", "bad"),
    "paused": StateLook(pgettext_lazy("subscription state", "Paused"), "clock-pause", "calm"),
}
_RESOURCE_REQUEST: dict[str, StateLook] = {
    "requested": StateLook(pgettext_lazy("resource request state", "Waiting for the owner"), "hourglass", "wait"),
    "approved": StateLook(pgettext_lazy("resource request state", "Approved, to be delivered"), "circle-check", "info"),
    "refused": StateLook(pgettext_lazy("resource request state", "Refused"), "circle-x", "bad"),
    "withdrawn": StateLook(pgettext_lazy("resource request state", "Withdrawn"), "ban", "calm"),
    "delivered": StateLook(pgettext_lazy("resource request state", "Delivered"), "download", "good"),
    "closed": StateLook(pgettext_lazy("resource request state", "Done"), "flag", "calm"),
}
_WAITING: dict[str, StateLook] = {
    "waiting": StateLook(pgettext_lazy("waiting list state", "Waiting"), "hourglass", "wait"),
    "offered": StateLook(pgettext_lazy("waiting list state", "A time is free for you"), "clock", "live"),
    "taken": StateLook(pgettext_lazy("waiting list state", "Taken"), "circle-check", "good"),
    "withdrawn": StateLook(pgettext_lazy("waiting list state", "Withdrawn"), "ban", "calm"),
    "lapsed": StateLook(pgettext_lazy("waiting list state", "Ended without a time"), "clock-pause", "calm"),
}
_DELIVERY: dict[str, StateLook] = {
    "waiting": StateLook(pgettext_lazy("delivery state", "Waiting"), "hourglass", "wait"),
    "sending": StateLook(pgettext_lazy("delivery state", "Being sent"), "send", "live"),
    "sent": StateLook(pgettext_lazy("delivery state", "Sent"), "circle-check", "good"),
    "failed": StateLook(pgettext_lazy("delivery state", "Failed"), "alert-circle", "bad"),
    "dropped": StateLook(pgettext_lazy("delivery state", "No longer wanted"), "ban", "calm"),
}
_WEBHOOK: dict[str, StateLook] = {
    "on": StateLook(pgettext_lazy("webhook state", "On"), "circle-check", "good"),
    "off": StateLook(pgettext_lazy("webhook state", "Off"), "power", "calm"),
    "failing": StateLook(pgettext_lazy("webhook state", "Off after failures"), "alert-circle", "bad"),
}
_QUALIFICATION: dict[str, StateLook] = {
    "valid": StateLook(pgettext_lazy("state of a qualification", "Valid"), "shield-check", "good"),
    "future": StateLook(pgettext_lazy("state of a qualification", "Not valid yet"), "clock", "wait"),
    "expired": StateLook(pgettext_lazy("state of a qualification", "Expired"), "alert-triangle", "bad"),
}
_CHANGE: dict[str, StateLook] = {
    "draft": StateLook(pgettext_lazy("change state", "Draft"), "pencil", "calm"),
    "submitted": StateLook(pgettext_lazy("change state", "Waiting for review"), "hourglass", "wait"),
    "accepted": StateLook(pgettext_lazy("change state", "Published"), "circle-check", "good"),
    "refused": StateLook(pgettext_lazy("change state", "Refused"), "circle-x", "bad"),
    "withdrawn": StateLook(pgettext_lazy("change state", "Withdrawn"), "ban", "calm"),
}
_PROBLEM: dict[str, StateLook] = {
    "open": StateLook(pgettext_lazy("problem state", "Open"), "alert-circle", "bad"),
    "acknowledged": StateLook(pgettext_lazy("problem state", "Being looked into"), "tool", "wait"),
    "solved": StateLook(pgettext_lazy("problem state", "Solved"), "circle-check", "good"),
}
_IMPORT: dict[str, StateLook] = {
    "reading": StateLook(pgettext_lazy("import state", "Being read"), "hourglass", "wait"),
    "mapping": StateLook(pgettext_lazy("import state", "Waits: what do the columns mean?"), "zoom-question", "wait"),
    "preview": StateLook(pgettext_lazy("import state", "Preview, not written yet"), "eye", "info"),
    "writing": StateLook(pgettext_lazy("import state", "Being written"), "hourglass", "wait"),
    "done": StateLook(pgettext_lazy("import state", "Written"), "circle-check", "good"),
    "undoing": StateLook(pgettext_lazy("import state", "Being taken back"), "hourglass", "wait"),
    "failed": StateLook(pgettext_lazy("import state", "Could not be read"), "alert-circle", "bad"),
    "cancelled": StateLook(pgettext_lazy("import state", "Given up"), "ban", "calm"),
}
_FATE: dict[str, StateLook] = {
    "created": StateLook(pgettext_lazy("fate of a row", "New"), "plus", "good"),
    "updated": StateLook(pgettext_lazy("fate of a row", "Changed"), "refresh", "info"),
    "unchanged": StateLook(pgettext_lazy("fate of a row", "Unchanged"), "check", "calm"),
    "repeated": StateLook(pgettext_lazy("fate of a row", "Repeated"), "copy", "calm"),
    "skipped": StateLook(pgettext_lazy("fate of a row", "Left out"), "ban", "calm"),
    "refused": StateLook(pgettext_lazy("fate of a row", "Refused"), "alert-circle", "bad"),
}
_ENROLMENT: dict[str, StateLook] = {
    "waiting": StateLook(pgettext_lazy("enrolment state", "On the waiting list"), "hourglass", "wait"),
    "enrolled": StateLook(pgettext_lazy("enrolment state", "Has a place"), "calendar-event", "info"),
    "withdrawn": StateLook(pgettext_lazy("enrolment state", "Withdrawn"), "ban", "calm"),
    "called_off": StateLook(pgettext_lazy("enrolment state", "Not held"), "ban", "calm"),
    "attended": StateLook(pgettext_lazy("enrolment state", "Attended, exam to come"), "user-check", "info"),
    "absent": StateLook(pgettext_lazy("enrolment state", "Did not come"), "user-off", "bad"),
    "passed": StateLook(pgettext_lazy("enrolment state", "Passed"), "circle-check", "good"),
    "failed": StateLook(pgettext_lazy("enrolment state", "Not passed"), "circle-x", "bad"),
}
_LICENCE: dict[str, StateLook] = {
    "valid": StateLook(pgettext_lazy("licence state", "Holds"), "certificate", "good"),
    "expired": StateLook(pgettext_lazy("licence state", "Ended"), "clock-pause", "calm"),
    "suspended": StateLook(pgettext_lazy("licence state", "Suspended"), "lock", "wait"),
    "revoked": StateLook(pgettext_lazy("licence state", "Taken away"), "ban", "bad"),
}
_APPEAL: dict[str, StateLook] = {
    "open": StateLook(pgettext_lazy("appeal state", "Appeal waits"), "hourglass", "wait"),
    "granted": StateLook(pgettext_lazy("appeal state", "Appeal granted"), "circle-check", "good"),
    "refused": StateLook(pgettext_lazy("appeal state", "Appeal not granted"), "circle-x", "bad"),
}
_ENQUIRY: dict[str, StateLook] = {
    "open": StateLook(pgettext_lazy("enquiry state", "Waiting for the lab"), "hourglass", "wait"),
    "answered": StateLook(pgettext_lazy("enquiry state", "Answered"), "circle-check", "good"),
    "closed": StateLook(pgettext_lazy("enquiry state", "Closed"), "flag", "calm"),
}
_QUOTATION: dict[str, StateLook] = {
    "draft": StateLook(pgettext_lazy("quotation state", "Draft"), "pencil", "calm"),
    "sent": StateLook(pgettext_lazy("quotation state", "Waiting for the customer"), "hourglass", "wait"),
    "accepted": StateLook(pgettext_lazy("quotation state", "Accepted"), "circle-check", "good"),
    "declined": StateLook(pgettext_lazy("quotation state", "Declined"), "circle-x", "bad"),
    "expired": StateLook(pgettext_lazy("quotation state", "Expired"), "clock-pause", "calm"),
    "withdrawn": StateLook(pgettext_lazy("quotation state", "Withdrawn"), "ban", "calm"),
}
_COMMISSION: dict[str, StateLook] = {
    "draft": StateLook(pgettext_lazy("commission state", "Being filled in"), "pencil", "calm"),
    "issued": StateLook(pgettext_lazy("commission state", "Waiting for signatures"), "hourglass", "wait"),
    "in_force": StateLook(pgettext_lazy("commission state", "Signed by both sides"), "shield-check", "good"),
    "finished": StateLook(pgettext_lazy("commission state", "Done"), "flag", "calm"),
    "cancelled": StateLook(pgettext_lazy("commission state", "Cancelled"), "ban", "bad"),
}
_SAMPLE_JOB: dict[str, StateLook] = {
    "asked": StateLook(JOB_STATES["asked"], "hourglass", "wait"),
    "accepted": StateLook(JOB_STATES["accepted"], "send", "info"),
    "received": StateLook(JOB_STATES["received"], "inbox", "info"),
    "preparing": StateLook(JOB_STATES["preparing"], "flask", "live"),
    "tested": StateLook(JOB_STATES["tested"], "microscope", "live"),
    "reported": StateLook(JOB_STATES["reported"], "file-text", "wait"),
    "closed": StateLook(JOB_STATES["closed"], "flag", "calm"),
    "refused": StateLook(JOB_STATES["refused"], "circle-x", "bad"),
    "cancelled": StateLook(JOB_STATES["cancelled"], "ban", "calm"),
    "failed": StateLook(JOB_STATES["failed"], "alert-triangle", "bad"),
}
_SAMPLE: dict[str, StateLook] = {
    "expected": StateLook(SAMPLE_STATES["expected"], "circle-dashed", "calm"),
    "received": StateLook(SAMPLE_STATES["received"], "inbox", "info"),
    "prepared": StateLook(SAMPLE_STATES["prepared"], "flask", "live"),
    "tested": StateLook(SAMPLE_STATES["tested"], "circle-check", "good"),
    "unfit": StateLook(SAMPLE_STATES["unfit"], "alert-triangle", "bad"),
    "lost": StateLook(SAMPLE_STATES["lost"], "circle-x", "bad"),
}
_EXTRA_CHARGE: dict[str, StateLook] = {
    "proposed": StateLook(EXTRA_STATES["proposed"], "hourglass", "wait"),
    "agreed": StateLook(EXTRA_STATES["agreed"], "circle-check", "good"),
    "declined": StateLook(EXTRA_STATES["declined"], "circle-x", "bad"),
    "withdrawn": StateLook(EXTRA_STATES["withdrawn"], "ban", "calm"),
}
_ACCOUNT: dict[str, StateLook] = {
    "open": StateLook(pgettext_lazy("account state", "Open"), "circle-check", "good"),
    "suspended": StateLook(pgettext_lazy("account state", "Suspended"), "lock", "wait"),
    "closed": StateLook(pgettext_lazy("account state", "Closed"), "ban", "calm"),
}
_ANNOUNCEMENT: dict[str, StateLook] = {
    "draft": StateLook(pgettext_lazy("announcement state", "Draft"), "circle-dashed", "calm"),
    "future": StateLook(pgettext_lazy("announcement state", "Opens later"), "clock", "info"),
    "current": StateLook(pgettext_lazy("announcement state", "Takes applications"), "circle-check", "good"),
    "ended": StateLook(pgettext_lazy("announcement state", "Closed for applications"), "ban", "calm"),
}
_APPLICATION: dict[str, StateLook] = {
    "applied": StateLook(pgettext_lazy("application state", "Waiting for review"), "hourglass", "wait"),
    "reviewed": StateLook(pgettext_lazy("application state", "Reviewed, to be issued"), "eye", "info"),
    "issued": StateLook(pgettext_lazy("application state", "Issued"), "circle-check", "good"),
    "refused": StateLook(pgettext_lazy("application state", "Refused"), "circle-x", "bad"),
    "withdrawn": StateLook(pgettext_lazy("application state", "Withdrawn"), "ban", "calm"),
}
_VOUCHER: dict[str, StateLook] = {
    "valid": StateLook(pgettext_lazy("voucher state", "Valid"), "circle-check", "good"),
    "future": StateLook(pgettext_lazy("voucher state", "Not valid yet"), "clock", "info"),
    "used": StateLook(pgettext_lazy("voucher state", "Used up"), "check", "calm"),
    "expired": StateLook(pgettext_lazy("voucher state", "Expired"), "clock-pause", "calm"),
    "returned": StateLook(pgettext_lazy("voucher state", "Given back"), "arrow-back-up", "calm"),
}
_CLAWBACK: dict[str, StateLook] = {
    "open": StateLook(pgettext_lazy("claw-back state", "To pay back"), "hourglass", "wait"),
    "partly": StateLook(pgettext_lazy("claw-back state", "Back in part"), "hourglass", "wait"),
    "settled": StateLook(pgettext_lazy("claw-back state", "Settled"), "circle-check", "good"),
    "ended": StateLook(pgettext_lazy("claw-back state", "No longer asked back"), "ban", "calm"),
}
_CLAIM: dict[str, StateLook] = {
    "draft": StateLook(pgettext_lazy("claim state", "To be handed in"), "circle-dashed", "wait"),
    "submitted": StateLook(pgettext_lazy("claim state", "Handed in"), "send", "info"),
    "in_review": StateLook(pgettext_lazy("claim state", "Under review"), "eye", "live"),
    "sent_back": StateLook(pgettext_lazy("claim state", "To be completed"), "pencil", "wait"),
    "passed": StateLook(pgettext_lazy("claim state", "Review passed"), "check", "info"),
    "publicised": StateLook(pgettext_lazy("claim state", "Public"), "users", "live"),
    "approved": StateLook(pgettext_lazy("claim state", "Approved"), "circle-check", "good"),
    "listed": StateLook(pgettext_lazy("claim state", "On a payment list"), "file-invoice", "info"),
    "paid": StateLook(pgettext_lazy("claim state", "Paid"), "cash", "good"),
    "partly_paid": StateLook(pgettext_lazy("claim state", "Paid in part"), "coins", "wait"),
    "payment_failed": StateLook(pgettext_lazy("claim state", "Payment failed"), "alert-triangle", "bad"),
    "rechecked": StateLook(pgettext_lazy("claim state", "Looked at again"), "shield-check", "calm"),
    "rejected": StateLook(pgettext_lazy("claim state", "Rejected"), "circle-x", "bad"),
    "withdrawn": StateLook(pgettext_lazy("claim state", "Withdrawn"), "ban", "calm"),
}
_CLAIM_BATCH: dict[str, StateLook] = {
    "open": StateLook(pgettext_lazy("claim batch state", "Takes claims"), "circle-check", "good"),
    "closed": StateLook(pgettext_lazy("claim batch state", "Figures fixed"), "lock", "calm"),
}
_PAYOUT_LIST: dict[str, StateLook] = {
    "made": StateLook(pgettext_lazy("payment list state", "To be checked"), "hourglass", "wait"),
    "reviewed": StateLook(pgettext_lazy("payment list state", "To be approved"), "hourglass", "wait"),
    "approved": StateLook(pgettext_lazy("payment list state", "Approved"), "circle-check", "good"),
    "cancelled": StateLook(pgettext_lazy("payment list state", "Cancelled"), "ban", "calm"),
}
_DEPUTY: dict[str, StateLook] = {
    "now": StateLook(pgettext_lazy("deputy", "Stands in now"), "circle-check", "good"),
    "waiting": StateLook(pgettext_lazy("deputy", "From a later day"), "clock", "wait"),
    "ended": StateLook(pgettext_lazy("deputy", "Over"), "ban", "calm"),
}
_BILL_PROPOSAL: dict[str, StateLook] = {
    "waiting": StateLook(pgettext_lazy("proposed bill", "Waits for a second person"), "users", "wait"),
    "issued": StateLook(pgettext_lazy("proposed bill", "Issued"), "circle-check", "good"),
    "sent_back": StateLook(pgettext_lazy("proposed bill", "Sent back"), "circle-x", "bad"),
    "withdrawn": StateLook(pgettext_lazy("proposed bill", "Withdrawn"), "ban", "calm"),
    "overtaken": StateLook(pgettext_lazy("proposed bill", "Nothing left to issue"), "ban", "calm"),
}
_STATEMENT_PROPOSAL: dict[str, StateLook] = {
    "waiting": StateLook(pgettext_lazy("proposed statement", "Waits for a second person"), "users", "wait"),
    "issued": StateLook(pgettext_lazy("proposed statement", "Issued"), "circle-check", "good"),
    "sent_back": StateLook(pgettext_lazy("proposed statement", "Sent back"), "circle-x", "bad"),
    "withdrawn": StateLook(pgettext_lazy("proposed statement", "Withdrawn"), "ban", "calm"),
    "overtaken": StateLook(pgettext_lazy("proposed statement", "Nothing left to issue"), "ban", "calm"),
}
_MONTH_RUN: dict[str, StateLook] = {
    "open": StateLook(pgettext_lazy("run of drafts", "Under review"), "eye", "wait"),
    "handed_over": StateLook(pgettext_lazy("run of drafts", "With a second person"), "users", "wait"),
    "released": StateLook(pgettext_lazy("run of drafts", "Being issued"), "player-play", "live"),
    "done": StateLook(pgettext_lazy("run of drafts", "Done"), "circle-check", "good"),
    "superseded": StateLook(pgettext_lazy("run of drafts", "Replaced by a later run"), "ban", "calm"),
    "carried": StateLook(pgettext_lazy("run of drafts", "Month closed"), "lock", "calm"),
}
_MONTH_DRAFT: dict[str, StateLook] = {
    "ready": StateLook(pgettext_lazy("draft of a bill", "Ready"), "circle-check", "info"),
    "parked": StateLook(pgettext_lazy("draft of a bill", "Parked"), "alert-triangle", "bad"),
    "empty": StateLook(pgettext_lazy("draft of a bill", "All left out"), "ban", "calm"),
    "issued": StateLook(pgettext_lazy("draft of a bill", "Issued"), "file-invoice", "good"),
    "failed": StateLook(pgettext_lazy("draft of a bill", "Not issued"), "alert-circle", "bad"),
}
_MONTH_EXPORT: dict[str, StateLook] = {
    "queued": StateLook(pgettext_lazy("export", "Waiting for the worker"), "hourglass", "wait"),
    "running": StateLook(pgettext_lazy("export", "At work"), "player-play", "live"),
    "done": StateLook(pgettext_lazy("export", "Done"), "circle-check", "good"),
    "cancelled": StateLook(pgettext_lazy("export", "Cancelled"), "ban", "calm"),
    "failed": StateLook(pgettext_lazy("export", "Given up"), "alert-circle", "bad"),
}
_LOOKS: dict[str, dict[str, StateLook]] = {
    "claim": _CLAIM,
    "claim_batch": _CLAIM_BATCH,
    "payout_list": _PAYOUT_LIST,
    "clawback": _CLAWBACK,
    "deputy": _DEPUTY,
    "month_draft": _MONTH_DRAFT,
    "month_export": _MONTH_EXPORT,
    "bill_proposal": _BILL_PROPOSAL,
    "statement_proposal": _STATEMENT_PROPOSAL,
    "month_run": _MONTH_RUN,
    "account": _ACCOUNT,
    "announcement": _ANNOUNCEMENT,
    "application": _APPLICATION,
    "voucher": _VOUCHER,
    "enrolment": _ENROLMENT,
    "licence": _LICENCE,
    "appeal": _APPEAL,
    "reservation": _RESERVATION,
    "instrument": _INSTRUMENT,
    "organisation": _ORGANISATION,
    "verification": _VERIFICATION,
    "bill": _BILL,
    "invoice_request": _INVOICE_REQUEST,
    "paper": _PAPER,
    "document": _DOCUMENT,
    "programme": _PROGRAMME,
    "draft": _DRAFT,
    "draft_step": _DRAFT_STEP,
    "trial": _TRIAL,
    "request": _REQUEST,
    "closure": _CLOSURE,
    "closed": _CLOSED,
    "subscription": _SUBSCRIPTION,
    "resource_request": _RESOURCE_REQUEST,
    "qualification": _QUALIFICATION,
    "waiting": _WAITING,
    "delivery": _DELIVERY,
    "webhook": _WEBHOOK,
    "change": _CHANGE,
    "problem": _PROBLEM,
    "import": _IMPORT,
    "fate": _FATE,
    "enquiry": _ENQUIRY,
    "quotation": _QUOTATION,
    "commission": _COMMISSION,
    "sample_job": _SAMPLE_JOB,
    "sample": _SAMPLE,
    "extra_charge": _EXTRA_CHARGE,
}


def kinds() -> frozenset[str]:
    return frozenset(_LOOKS)


def states_of(kind: str) -> frozenset[str]:
    return frozenset(_LOOKS[kind])


def look_of(kind: str, state: str) -> StateLook:
    """Raises KeyError for a kind or state without a look."""
    return _LOOKS[kind][str(state)]
