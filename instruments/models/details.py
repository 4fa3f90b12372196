"""What an instrument has more than one of, or only sometimes: customs record, funding, pictures, documents."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from instruments.models.instrument import FundingSource, Instrument


class CustomsRecord(models.Model):
    """The customs block of an instrument that was imported free of tax (national record type 5).

    ``may_share`` and ``may_charge`` say what customs allows; None while nobody has asked. ``exemption_item`` is the goods' number in the
    certificate of exemption, ``supervision_notes`` what happened since, as it was reported to customs.
    """

    instrument = models.OneToOneField(Instrument, on_delete=models.CASCADE, related_name="customs")
    declaration_number = models.CharField(max_length=18, blank=True)
    item_number = models.CharField(max_length=2, blank=True)
    declared_name = models.CharField(max_length=300, blank=True)
    released_on = models.DateField(null=True, blank=True)
    imported_on = models.DateField(null=True, blank=True)
    exemption_number = models.CharField(max_length=50, blank=True)
    exemption_item = models.CharField(max_length=45, blank=True)
    contract_number = models.CharField(max_length=100, blank=True)
    port = models.CharField(max_length=100, blank=True)
    customs_office = models.CharField(max_length=100, blank=True)
    hs_code = models.CharField(max_length=12, blank=True)
    may_share = models.BooleanField(null=True, blank=True)
    may_charge = models.BooleanField(null=True, blank=True)
    supervision_notes = models.CharField(max_length=200, blank=True)


class InstrumentFunding(models.Model):
    """One source of the purchase money; ``amount_fen`` is None when only the source is known."""

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="fundings")
    source = models.CharField(max_length=20, choices=FundingSource.choices)
    amount_fen = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument", "source"], name="funding_source_once"),
            models.CheckConstraint(
                condition=models.Q(amount_fen__isnull=True) | models.Q(amount_fen__gte=0), name="funding_not_negative"
            ),
        ]


class InstrumentImage(models.Model):
    """A further picture, drawn anew; the main one is ``Instrument.photo``. ``position`` orders them from 1.

    One that was taken away keeps its row, so that it can be put back.
    """

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="images")
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    caption = models.CharField(max_length=200, blank=True)
    position = models.PositiveIntegerField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "position"], condition=models.Q(removed_at__isnull=True), name="image_position_once"
            )
        ]


class InstrumentDocument(models.Model):
    """A manual, a price list, a form: shown to everybody who sees the instrument, until it is taken away."""

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="documents")
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)
