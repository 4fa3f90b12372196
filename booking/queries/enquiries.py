"""Every read about questions to labs that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from booking.access import CUSTOMERS
from booking.models import Enquiry, EnquiryAttachment, EnquiryMessage, EnquirySeen, Need
from booking.rules.enquiries import EnquiryState, Side
from booking.services.enquiry_sides import side_within, thread_side
from config.kernel.access import Actor, Role, get_visible, visible_to
from instruments.models import Organisation, User
from instruments.rules.answer_time import Waiting, waiting
from instruments.services.answer_time import zones_of_owners

LAB_READERS = (Role.LAB_MANAGER, Role.OWNER_FINANCE)


def customer_contact(enquiry: Enquiry) -> User:
    """Who speaks for the customer in a thread: who asked, or, where the lab began it, who asked for the booking or sample job."""
    thing, first = enquiry.reservation or enquiry.sample_job, enquiry.messages.order_by("pk").first()
    began = first is not None and first.side == Side.LAB
    return thing.requested_by if began and thing is not None else enquiry.asked_by


def enquiries_visible(actor: Actor) -> QuerySet[Enquiry]:
    """The threads that the actor reads, the one written in last first; ``is_unread`` says that somebody else wrote since."""
    rows = Enquiry.objects.select_related(
        "lab",
        "organisation",
        "asked_by",
        "instrument",
        "resource",
        "resource_request__resource",
        "need",
        "reservation__instrument",
        "sample_job__resource",
    )
    return visible_to(rows, actor).annotate(is_unread=_news_for(actor)).order_by("-last_message_at", "-pk")


def _news_for(actor: Actor) -> Exists:
    """Whether somebody else wrote in the thread after what the person has read."""
    reader = actor.user_id or 0
    read_to = EnquirySeen.objects.filter(enquiry_id=OuterRef("enquiry_id"), user_id=reader).values("message_id")
    return Exists(
        EnquiryMessage.objects.filter(enquiry_id=OuterRef("pk"))
        .exclude(author_id=reader)
        .annotate(read_to=Coalesce(Subquery(read_to), 0))
        .filter(pk__gt=F("read_to"))
    )


def my_enquiries(actor: Actor) -> QuerySet[Enquiry]:
    """What the actor's organisations asked."""
    return enquiries_visible(actor).filter(organisation_id__in=actor.organisations(*CUSTOMERS))


def lab_enquiries(actor: Actor) -> QuerySet[Enquiry]:
    """What the actor's labs are asked: what waits first, the most urgent of it at the top."""
    rows = enquiries_visible(actor).filter(lab_id__in=actor.organisations(*LAB_READERS))
    return rows.order_by(F("answer_due_at").asc(nulls_last=True), "-last_message_at", "-pk")


def enquiry_for(actor: Actor, enquiry_id: int) -> Enquiry:
    """One thread with its messages and their files. Raises NotFound."""
    files = EnquiryAttachment.objects.select_related("file").order_by("position")
    messages = EnquiryMessage.objects.select_related("author").prefetch_related(Prefetch("attachments", files)).order_by("pk")
    return get_visible(enquiries_visible(actor).prefetch_related(Prefetch("messages", messages)), actor, pk=enquiry_id)


def waiting_of(enquiries: Iterable[Enquiry], now: datetime) -> dict[int, Waiting]:
    """How long threads wait for their lab, by id; without those that do not. The promise is the one that was shown to who asked."""
    open_ones = [
        (each, each.waiting_since, each.answer_due_at)
        for each in enquiries
        if each.waiting_since is not None and each.answer_due_at is not None
    ]
    zones = zones_of_owners({each.lab_id for each, _since, _due in open_ones})
    return {each.pk: waiting(since, due, zones[each.lab_id], now) for each, since, due in open_ones}


def side_of(actor: Actor, enquiry: Enquiry) -> Side:
    """On which side the actor reads."""
    return side_within(actor, enquiry) or Side.LAB


def may_write(actor: Actor, enquiry: Enquiry) -> bool:
    """Whether the actor asks or answers in the thread."""
    return side_within(actor, enquiry) is not None


def unread_count(actor: Actor) -> int:
    """In how many threads somebody else wrote something that the actor has not read."""
    return visible_to(Enquiry.objects.filter(_news_for(actor)), actor).count()


def waiting_count(actor: Actor) -> int:
    """How many questions wait for the actor's labs."""
    return lab_enquiries(actor).filter(state=EnquiryState.OPEN).count()


def enquiries_about(actor: Actor, **about: int) -> list[Enquiry]:
    """The newest threads that the actor's organisations have about one thing (``instrument_id=7``)."""
    return list(my_enquiries(actor).filter(**about)[:5]) if actor.user_id is not None else []


@dataclass(frozen=True, slots=True)
class Asking:
    """Threads about one thing that is of both sides, the newest first, and on which ``side`` the actor may begin another; None: on none,
    as where the lab would ask itself."""

    threads: list[Enquiry]
    side: Side | None


def asking_about(actor: Actor, customer_id: int, lab_id: int, contact_id: int, **about: int) -> Asking:
    """As the actor may see it: one query. ``contact_id``: who asked for the booking or the sample job."""
    return Asking(threads_about(actor, **about), begins_on(actor, customer_id, lab_id, contact_id))


def begins_on(actor: Actor, customer_id: int, lab_id: int, contact_id: int) -> Side | None:
    """On which side the actor may begin a thread about what is of both sides."""
    side = thread_side(actor, customer_id, lab_id)
    asks_herself = customer_id == lab_id and side is Side.LAB and contact_id == actor.user_id
    return None if asks_herself else side


def threads_about(actor: Actor, **about: int) -> list[Enquiry]:
    """The newest threads about a reservation or a sample job (``reservation_id=7``), whichever side began."""
    return list(enquiries_visible(actor).filter(**about)[:5])


def needs_of(actor: Actor) -> QuerySet[Need]:
    """What the actor's organisations put to several labs, newest first; ``asked`` and ``answered`` are numbers of labs."""
    open_ones = Enquiry.objects.filter(need_id=OuterRef("pk"), state=EnquiryState.OPEN).order_by().values("need_id")
    rows = Need.objects.select_related("organisation", "asked_by").annotate(
        asked=Count("enquiries"), waiting=Coalesce(Subquery(open_ones.annotate(n=Count("pk")).values("n")), 0)
    )
    return visible_to(rows, actor).order_by("-asked_at", "-pk")


def need_for(actor: Actor, need_id: int) -> tuple[Need, list[Enquiry]]:
    """One need with its threads, by lab. Raises NotFound."""
    need = get_visible(needs_of(actor), actor, pk=need_id)
    threads = enquiries_visible(actor).filter(need=need).order_by("lab__name_pinyin", "lab_id")
    return need, list(threads)


def labs_by_id(actor: Actor, lab_ids: Iterable[int]) -> list[Organisation]:
    """The owners with these ids that the actor may see, by name."""
    rows = Organisation.objects.filter(pk__in=list(lab_ids), kind="owner")
    return list(visible_to(rows, actor).order_by("name_pinyin", "pk"))


def may_ask(actor: Actor, lab_id: int) -> bool:
    """Whether the way to ask a lab is shown: to visitors and strangers, and to people of the house who would not answer themselves."""
    if lab_id not in actor.organisations():
        return True
    return lab_id in actor.organisations(*CUSTOMERS) - actor.organisations(Role.LAB_MANAGER)


def asking_organisations(actor: Actor, lab_id: int = 0) -> list[Organisation]:
    """For whom the actor may ask, by name: every customer organisation of theirs, the lab's own house for who does not manage it."""
    own = actor.organisations(*CUSTOMERS) - ({lab_id} & actor.organisations(Role.LAB_MANAGER))
    return list(visible_to(Organisation.objects.filter(pk__in=own), actor).order_by("name_pinyin", "pk")) if own else []
