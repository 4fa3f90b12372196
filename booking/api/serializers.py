"""What reservations and free time look like over the API. Instants carry the offset of the instrument's site; amounts are fen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.fields import empty

from booking.rules.answers import MOST_ANSWERS, MOST_LENGTH, answers_text, known_answers
from booking.rules.deciding import Rivals
from booking.rules.service_facts import ORDINARY_KINDS, PUBLIC_KINDS, Direction, Said
from booking.rules.states import ReservationState
from config.kernel.api.fields import Day, Id, IdParameter, Instant, Text, WholeNumber
from config.kernel.api.serializers import PageParameters, StrictSerializer
from instruments.models import ServiceMode
from instruments.rules.opening import ClosedCause

_TEXT = 2000  # longer is refused as input; the service says what really fits
OVERRIDE_HELP = "The lab's own people book in spite of its own rules; kept with what was passed over."
MOST_DAYS = 31


class ExpectedIn(StrictSerializer):
    """The figures that the person has seen; when they differ from the real ones, nothing is booked (409)."""

    payable_now_fen = WholeNumber(required=False, allow_null=True)
    final_cost_fen = WholeNumber(required=False, allow_null=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Two hours of one's own work",
            value={
                "instrument": 12,
                "organisation": 3,
                "starts_at": "2026-11-25T09:00:00+08:00",
                "ends_at": "2026-11-25T11:00:00+08:00",
                "service_mode": "self_operated",
                "purpose": "Phase analysis of lithium salts",
                "expected": {"payable_now_fen": 80000, "final_cost_fen": 56000},
            },
            request_only=True,
        )
    ]
)
def direction_field(default: Any = "") -> Text:
    """What a service is for, as the national record asks. ``default``: of what was left out; ``empty`` leaves it out."""
    said = "For the national record: " + ", ".join(Direction) + "."
    return Text(max_length=20, required=False, allow_blank=True, help_text=said, default=default)


def source_field(default: Any = "") -> Text:
    """Who pays the project, as the national record asks; ``default`` as of ``direction_field``."""
    said = "Code of the national list of fund sources, 1 to 17."
    return Text(max_length=10, required=False, allow_blank=True, help_text=said, default=default)


class Answers(serializers.DictField):
    """Answers to the questions of programmes, read as the one text in which they are kept."""

    default_error_messages = {
        "answer": gettext_lazy("Give true or false, a whole number or a short text for each fact."),
        "many": gettext_lazy("There are more answers than programmes can ask for."),
    }

    def to_internal_value(self, data: Any) -> str:  # type: ignore[override]
        if not isinstance(data, Mapping):
            self.fail("not_a_dict", input_type=type(data).__name__)
        if len(data) > MOST_ANSWERS:
            self.fail("many")
        for value in data.values():
            if not isinstance(value, bool | int | str) or len(str(value)) > MOST_LENGTH:
                self.fail("answer")
        return answers_text(data)


class Answered(serializers.DictField):
    """Answers as they are kept, by the fact."""

    child = serializers.CharField()

    def to_representation(self, value: Any) -> dict[str, Any]:
        return super().to_representation(known_answers(value) if isinstance(value, str) else value)


def answers_field(default: Any = "") -> Answers:
    """What is answered to programmes that ask; ``default`` as of ``direction_field``."""
    said = (
        'What programmes ask of whoever books, by the fact: {"other.licensed": true, "other.petaflops": 300}. A quote names the'
        " questions (``choices.questions``). yes and no, digits and yuan may be texts as well."
    )
    return Answers(required=False, help_text=said, default=default)


def said_fields(default: Any = "") -> dict[str, Text]:
    """What programmes that ask are told (``booking.rules.service_facts.Said``); ``default`` as of ``direction_field``."""
    texts = {
        "service_kind": "The kind of the service, where a programme looks at it: "
        + ", ".join([*ORDINARY_KINDS, *PUBLIC_KINDS])
        + "; empty: an ordinary one.",
        "settlement": "The way of settlement that is chosen, where a programme offers several; a quote names them. Empty: none.",
        "rate": 'The rate that is chosen, where a programme lets choose one: "0.35" is 35 %. Empty: none.',
    }
    return {
        name: Text(max_length=40, required=False, allow_blank=True, help_text=said, default=default)
        for name, said in texts.items()
    }


def said_of(asked: Mapping[str, Any]) -> Said:
    """What of a request programmes are told."""
    return Said(*(asked[name] for name in Said._fields))


def said_json(said: Said) -> dict[str, Any]:
    """``SaidOut`` of what was said."""
    return {**said._asdict(), "answers": known_answers(said.answers)}


class SaidIn(StrictSerializer):
    """A request that says something to programmes."""

    service_kind = said_fields()["service_kind"]
    settlement = said_fields()["settlement"]
    rate = said_fields()["rate"]
    answers = answers_field()


class SaidOut(serializers.Serializer):
    """What was said to programmes; empty: nothing."""

    service_kind = serializers.CharField(help_text="Empty: an ordinary service.")
    settlement = serializers.CharField(help_text="The way of settlement that was chosen.")
    rate = serializers.CharField(help_text="The rate that was chosen.")
    answers = Answered(help_text="What was answered, by the fact: yes or no, digits, yuan or the value of a choice.")


class AddonIn(StrictSerializer):
    addon = Text(max_length=40, help_text="Its code.")
    quantity = WholeNumber(help_text="How many.")


def addons_field(said: str = "Add-ons of the price; agreed with the booking.") -> serializers.ListField:
    """What of the price's add-ons is used besides the time."""
    return serializers.ListField(child=AddonIn(), required=False, default=list, max_length=50, help_text=said)


SEEN_ADDONS_HELP = "What I saw that the add-ons come to; another sum is not booked (409)."


class EnteredIn(StrictSerializer):
    """That I, a manager of the instrument's lab, enter it for a customer's person: rules, price and money are the customer's."""

    person = Id(help_text="Who comes; of those whom /instruments/{id}/customers/ finds.")
    email = Text(
        max_length=254,
        required=False,
        allow_blank=True,
        default="",
        help_text="Their exact address, where they never had to do with the lab before.",
    )
    customer_yes = Text(
        max_length=_TEXT,
        required=False,
        allow_blank=True,
        default="",
        help_text="How the customer said yes; kept as evidence. Empty: the person is asked, and nothing counts or is held before.",
    )


class CustomersIn(StrictSerializer):
    q = Text(
        max_length=254, help_text="A part of the name, address or organisation of people the lab knows; else an exact address."
    )


class CustomerOut(serializers.Serializer):
    person = serializers.IntegerField()
    name = serializers.CharField(help_text="Their name, or the address by which they were found.")
    organisation = serializers.IntegerField()
    organisation_name = serializers.CharField()


class CustomersOut(serializers.Serializer):
    results = CustomerOut(many=True)
    more = serializers.BooleanField(help_text="There are others: type more.")
    organisation = serializers.CharField(help_text="A verified one of exactly that name or code, of which the lab knows nobody.")


class ReservationIn(SaidIn):
    instrument = Id()
    organisation = Id(help_text="The customer on whose account it goes.")
    starts_at = Instant(help_text="With an offset from UTC.")
    ends_at = Instant(help_text="With an offset from UTC; the end itself is not part of the time.")
    service_mode = serializers.ChoiceField(choices=ServiceMode.values)
    purpose = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    research_project = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    service_direction = direction_field()
    fund_source = source_field()
    fund_card = Id(required=False, allow_null=True, help_text="What it is paid from: a card of a group for which I spend.")
    for_person = Id(required=False, allow_null=True, help_text="A colleague who lets me book in their name; their rules count.")
    entered = EnteredIn(required=False, allow_null=True)
    expected = ExpectedIn(required=False, allow_null=True)
    addons = addons_field()
    expected_addons_fen = WholeNumber(required=False, allow_null=True, help_text=SEEN_ADDONS_HELP)
    override_reason = Text(
        max_length=_TEXT,
        required=False,
        allow_blank=True,
        default="",
        help_text=OVERRIDE_HELP,
    )


class FactsIn(StrictSerializer):
    """What is left out stays as it is."""

    purpose = Text(max_length=_TEXT, required=False, allow_blank=True)
    research_project = Text(max_length=_TEXT, required=False, allow_blank=True)
    service_direction = direction_field(default=empty)
    fund_source = source_field(default=empty)
    service_kind = said_fields(empty)["service_kind"]
    settlement = said_fields(empty)["settlement"]
    rate = said_fields(empty)["rate"]
    answers = answers_field(empty)
    expected = ExpectedIn(required=False, allow_null=True, help_text="Figures that I saw for another project or direction.")


class ReservedOut(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=[str(state) for state in ReservationState])
    url = serializers.CharField(help_text="Where the reservation is read.")


class StateOut(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=[str(state) for state in ReservationState])


class FactsOut(StateOut, SaidOut):
    purpose = serializers.CharField()
    research_project = serializers.CharField()
    service_direction = serializers.CharField(help_text="Empty: it was not said.")
    fund_source = serializers.CharField()


class ApprovedOut(StateOut):
    declined = serializers.ListField(
        child=serializers.IntegerField(), help_text="Other requests for the same time that were declined with it."
    )


class ReasonIn(StrictSerializer):
    reason = Text(max_length=_TEXT, required=False, allow_blank=True, default="", help_text="Read by the other side.")


class CancelIn(ReasonIn):
    expected_fee_fen = WholeNumber(
        required=False,
        allow_null=True,
        help_text="The fee that the person saw; when it is more by now, nothing is cancelled (409).",
    )


class NeededReasonIn(StrictSerializer):
    reason = Text(max_length=_TEXT, help_text="Read by the customer.")


class SeenTimeIn(StrictSerializer):
    starts_at = Instant(help_text="With an offset from UTC.")
    ends_at = Instant(help_text="With an offset from UTC.")


class UndoableIn(StrictSerializer):
    undo = serializers.BooleanField(
        required=False,
        default=False,
        help_text="It can be taken back for ten seconds (take-back), and is told after them instead of at once.",
    )


def rivals_field() -> serializers.ChoiceField:
    """What becomes of the others that wait for the time of what is approved."""
    said = (
        "What becomes of other requests for the same time. Left out: decline where the lab's rules let requests compete for a time "
        "(pending_blocks is off), keep elsewhere."
    )
    return serializers.ChoiceField(choices=[str(each) for each in Rivals], required=False, allow_null=True, help_text=said)


class SeenIn(UndoableIn):
    seen = SeenTimeIn(
        required=False, allow_null=True, help_text="The time that was looked at: another one is not approved (409)."
    )
    assistant = Id(required=False, help_text="Who shall assist; left out: who was chosen with the request.")
    rivals = rivals_field()


class RejectIn(UndoableIn):
    """A reason is needed: own words, a ready sentence, or both."""

    reason = Text(max_length=_TEXT, required=False, allow_blank=True, default="", help_text="Read by the customer.")
    choice = Text(
        max_length=100, required=False, allow_blank=True, default="", help_text="A ready sentence: see reject-reasons of the lab."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Neither of the two is no reason."""
        if not (attrs["reason"].strip() or attrs["choice"]):
            raise serializers.ValidationError({"reason": _("Say why, in words or with a ready sentence.")})
        return attrs


class CheckInIn(StrictSerializer):
    override_reason = Text(
        max_length=500,
        required=False,
        allow_blank=True,
        default="",
        help_text="Why the person may work without the licence that the session needs now; kept in the audit trail.",
    )


class NoteIn(StrictSerializer):
    note = Text(max_length=500, required=False, allow_blank=True, default="", help_text="Kept with the session.")


class NamedOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()


class FiguresOut(serializers.Serializer):
    """gross - deducted = payable now; payable now - refunded = final cost."""

    gross_fen = serializers.IntegerField()
    deducted_fen = serializers.IntegerField()
    payable_now_fen = serializers.IntegerField()
    refunded_fen = serializers.IntegerField()
    final_cost_fen = serializers.IntegerField()
    estimate = serializers.BooleanField(help_text="The final cost rests on something that is not known yet.")
    charged = serializers.BooleanField(help_text="False: quoted. True: what was charged for the agreed use.")
    waits_for_customer = serializers.BooleanField(help_text="New figures wait to be accepted.")


class ReservationOut(SaidOut):
    id = serializers.IntegerField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(choices=[str(state) for state in ReservationState])
    instrument = NamedOut()
    organisation = NamedOut()
    requested_by = serializers.CharField()
    booked_by = serializers.CharField(help_text="The colleague who booked it in that name; empty: nobody did.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    service_mode = serializers.CharField()
    purpose = serializers.CharField()
    research_project = serializers.CharField()
    service_direction = serializers.CharField(help_text="Empty: it was not said.")
    fund_source = serializers.CharField()
    imported = serializers.BooleanField(help_text="It was taken over from a list of the lab's.")
    awaits_leader = serializers.BooleanField(help_text="The leader of the group that pays has to agree first.")
    created_at = serializers.DateTimeField()
    figures = FiguresOut(allow_null=True)


class TransitionOut(serializers.Serializer):
    action = serializers.CharField()
    from_state = serializers.CharField()
    to_state = serializers.CharField()
    by = serializers.CharField(help_text="Empty when the platform did it.")
    at = serializers.DateTimeField()
    reason = serializers.CharField()


class ReservationDetailOut(ReservationOut):
    transitions = TransitionOut(many=True)


class ReservationParameters(PageParameters):
    state = serializers.ChoiceField(choices=[str(state) for state in ReservationState], required=False)
    instrument = IdParameter(required=False)

    def get_fields(self) -> dict[str, Any]:
        first = Day(required=False, help_text="First local day; what touches it is listed.")
        last = Day(required=False, help_text="Last local day; what touches it is listed.")
        return {**super().get_fields(), "from": first, "to": last}


class SlotParameters(StrictSerializer):
    service_mode = serializers.CharField(
        max_length=20, required=False, default="", help_text="With assisted, only what somebody of the lab can assist in is free."
    )
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, default=7, required=False)

    def get_fields(self) -> dict[str, Any]:
        first = Day(required=False, help_text="First day at the site; today when it is left out.")
        return {"from": first, **super().get_fields()}


class SlotOut(serializers.Serializer):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    free = serializers.BooleanField()
    code = serializers.CharField(help_text="Why it is not free; empty when it is.")
    reason = serializers.CharField(help_text="The same in words.")


class ClosedOut(serializers.Serializer):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    cause = serializers.ChoiceField(choices=[str(cause) for cause in ClosedCause])
    reason = serializers.CharField(help_text="The same in words.")


class DayOut(serializers.Serializer):
    date = serializers.DateField()
    slots = SlotOut(many=True)
    closed = ClosedOut(many=True, help_text="The closed time of the day, and which layer of the calendar closes it.")


class SlotsOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    time_zone = serializers.CharField()
    days = DayOut(many=True)


class FeedParameters(StrictSerializer):
    date = Day(help_text="A local day of the platform.")


class FeedRowOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    starts_at = serializers.DateTimeField(help_text="Buffers included.")
    ends_at = serializers.DateTimeField()
    kind = serializers.CharField(help_text="reservation, maintenance or subscribed (a followed calendar of the lab)")
    reservation = serializers.IntegerField(allow_null=True, help_text="Only where you may see it, as the two below.")
    state = serializers.CharField()
    customer = serializers.CharField(help_text="The customer's name.")


class FeedOut(serializers.Serializer):
    date = serializers.DateField()
    time_zone = serializers.CharField()
    results = FeedRowOut(many=True)
