from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):

    dependencies = [
        ("instruments", "0090_former_identifiers"),
        ("billing", "0183_prepaid_again"),
    ]

    operations = [
        migrations.AlterField(
            model_name="checkout",
            name="bill",
            field=models.ForeignKey(
                null=True, on_delete=models.deletion.PROTECT, related_name="checkouts", to="billing.bill"
            ),
        ),
        migrations.AddField(
            model_name="checkout",
            name="owner",
            field=models.ForeignKey(
                null=True, on_delete=models.deletion.PROTECT, related_name="+", to="instruments.organisation"
            ),
        ),
        migrations.AddField(
            model_name="checkout",
            name="customer",
            field=models.ForeignKey(
                null=True, on_delete=models.deletion.PROTECT, related_name="+", to="instruments.organisation"
            ),
        ),
        migrations.AddConstraint(
            model_name="checkout",
            constraint=models.UniqueConstraint(
                condition=Q(bill__isnull=True, state__in=["asked", "open"]),
                fields=("owner", "customer"),
                name="checkout_one_deposit_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkout",
            constraint=models.CheckConstraint(
                condition=Q(bill__isnull=False, owner__isnull=True, customer__isnull=True)
                | Q(bill__isnull=True, owner__isnull=False, customer__isnull=False) & ~Q(owner=F("customer")),
                name="checkout_of_bill_or_deposit",
            ),
        ),
    ]
