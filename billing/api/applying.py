"""/api/v1/voucher-announcements, and what a firm hands in with a scan: applications for vouchers, and declarations of facts."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.firms import ApplicationOut, DeclarationOut, application_out, declaration_out
from billing.firms.models import FirmDeclaration
from billing.firms.rules.declarations import FIELDS, LABELS, LEVELS, TIES
from billing.firms.services import declaring
from billing.firms.services.declaring import Declaration
from billing.vouchers import queries as wallets
from billing.vouchers.models import VoucherAnnouncement, VoucherApplication
from billing.vouchers.services import applying
from billing.vouchers.services.applying import Application
from config.kernel.access import Role
from config.kernel.api.fields import BIGGEST, Day, Text
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.errors import Forbidden
from instruments.services.uploads import received

_TEXT = 4000  # longer is refused as input; the service says what really fits
_SCAN = "PDF, JPEG or PNG."


class _Number(serializers.IntegerField):
    """A whole number in a form, where all is text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": BIGGEST, **kwargs})


class QuotaOut(serializers.Serializer):
    id = serializers.IntegerField()
    zone = serializers.CharField(help_text="A policy zone; empty: none.")
    code_prefix = serializers.CharField(help_text="The beginning of division codes; empty with an empty zone: everywhere.")
    amount_fen = serializers.IntegerField()
    left_fen = serializers.IntegerField(allow_null=True, help_text="Null: not published yet.")


class AnnouncementOut(serializers.Serializer):
    id = serializers.IntegerField()
    programme = serializers.CharField()
    title = serializers.CharField()
    title_en = serializers.CharField()
    notice = serializers.CharField()
    state = serializers.CharField(help_text="draft, future, current or ended, by the window of applications.")
    opens_on = serializers.DateField()
    closes_on = serializers.DateField(help_text="The last day.")
    face_fen = serializers.IntegerField(allow_null=True, help_text="What every voucher is worth; null: as much as is asked for.")
    most_fen = serializers.IntegerField()
    quotas = QuotaOut(many=True)


class ApplyIn(StrictSerializer):
    organisation = _Number()
    quota = _Number(help_text="From which of the announcement's quotas.")
    asked_fen = _Number(help_text="Of a voucher with a face value that, else at most the announcement's most_fen.")
    purpose = Text(max_length=_TEXT)
    file = serializers.FileField(allow_empty_file=True, help_text=_SCAN)


class DeclareIn(StrictSerializer):
    """``kind`` says which of the others belong to it: figures (year, staff, revenue_fen, assets_fen, net_assets_fen, capital_fen),
    place (region_code, policy_zones, perhaps founded_on, industry_code), label (label, level, number), controller (party_kind, name,
    uscc or mark), affiliate (tie, name, uscc); all but figures with valid_from and perhaps valid_to."""

    kind = serializers.ChoiceField(choices=list(FIELDS))
    file = serializers.FileField(allow_empty_file=True, help_text=_SCAN)
    year = _Number(required=False)
    staff = _Number(required=False)
    revenue_fen = _Number(required=False)
    assets_fen = _Number(required=False)
    net_assets_fen = _Number(required=False, help_text="At most assets_fen; 0 where debts are larger.")
    capital_fen = _Number(required=False)
    region_code = Text(max_length=_TEXT, required=False)
    policy_zones = serializers.ListField(child=Text(max_length=_TEXT), required=False)
    founded_on = Day(required=False, help_text="The day on the licence.")
    industry_code = Text(max_length=_TEXT, required=False, help_text="GB/T 4754, a letter, digits or both: C2614.")
    label = serializers.ChoiceField(choices=LABELS, required=False)  # type: ignore[assignment]  # a field of that name
    level = serializers.ChoiceField(choices=LEVELS, required=False)
    number = Text(max_length=_TEXT, required=False)
    party_kind = serializers.ChoiceField(choices=["organisation", "person"], required=False)
    tie = serializers.ChoiceField(choices=TIES, required=False)
    name = Text(max_length=_TEXT, required=False)
    uscc = Text(max_length=_TEXT, required=False)
    mark = Text(max_length=_TEXT, required=False, help_text="Of a person, the last four characters of the identity number.")
    valid_from = Day(required=False)
    valid_to = Day(required=False, help_text="The last day.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        own = FIELDS[attrs["kind"]]
        foreign = {name for name in attrs if name not in (*own, "kind", "file")} - {
            "policy_zones" if not attrs.get("policy_zones") else ""
        }
        if foreign:
            words = f"{attrs['kind']} takes {', '.join(own)}: leave this out"
            raise serializers.ValidationError({name: serializers.ErrorDetail(words, code="invalid") for name in sorted(foreign)})
        return {name: value for name, value in attrs.items() if name not in foreign}


def announcement_out(row: VoucherAnnouncement) -> dict[str, Any]:
    """An announcement as JSON."""
    return {
        "id": row.pk,
        "programme": row.programme.code,
        "title": row.title,
        "title_en": row.title_en,
        "notice": row.notice,
        "state": wallets.announcement_state(row, timezone.localdate()),
        "opens_on": row.opens_on.isoformat(),
        "closes_on": row.closes_on.isoformat(),
        "face_fen": row.face_fen,
        "most_fen": row.most_fen,
        "quotas": [
            {
                "id": quota.pk,
                "zone": quota.zone,
                "code_prefix": quota.code_prefix,
                "amount_fen": quota.amount_fen,
                "left_fen": quota.account.left_fen if quota.account is not None else None,
            }
            for quota in row.quotas.all()
        ],
    }


class AnnouncementView(ApiView):
    """What vouchers can be applied for; anybody may look."""

    token_scopes = {"GET": "read"}
    permission_classes = [IsAuthenticatedOrReadOnly]
    queryset = VoucherAnnouncement.objects.none()
    serializer_class = AnnouncementOut

    @extend_schema(responses=AnnouncementOut(many=True))
    def list(self, request: Request) -> Response:
        """The latest window first."""
        return self.paged(wallets.announcements(self.actor), announcement_out)

    @extend_schema(responses=AnnouncementOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(announcement_out(wallets.announcement_for(self.actor, int(pk))))


class ApplyView(ApiView):
    """Applying for a voucher; takes multipart."""

    token_scopes = {"POST": "manage"}
    parser_classes = [MultiPartParser]
    queryset = VoucherApplication.objects.none()
    serializer_class = ApplyIn

    @extend_schema(request={"multipart/form-data": ApplyIn}, responses={201: ApplicationOut})
    def apply(self, request: Request, pk: str) -> Response:
        """Once for each organisation and announcement; every unmet condition of the programme is told."""
        self.actor.require(Role.FIRM_ADMIN)
        asked = self.valid(request)
        if asked["organisation"] not in self.actor.organisations(Role.FIRM_ADMIN):
            raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
        scan = received(asked["file"])
        given = Application(asked["quota"], asked["asked_fen"], asked["purpose"], scan)
        made = applying.apply(self.actor, int(pk), asked["organisation"], given, self.now)
        return Response(application_out(made), status=201)


class DeclareView(ApiView):
    """Declaring facts of an organisation; takes multipart."""

    token_scopes = {"POST": "manage"}
    parser_classes = [MultiPartParser]
    queryset = FirmDeclaration.objects.none()
    serializer_class = DeclareIn

    @extend_schema(request={"multipart/form-data": DeclareIn}, responses={201: DeclarationOut})
    def declare(self, request: Request, pk: str) -> Response:
        """It counts once the operator has accepted it."""
        asked = self.valid(request)
        kind, scan = asked.pop("kind"), received(asked.pop("file"))
        made = declaring.declare(self.actor, int(pk), Declaration(kind, asked, scan), self.now)
        return Response(declaration_out(made), status=201)
