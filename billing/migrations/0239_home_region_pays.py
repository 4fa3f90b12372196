import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    """The payer of a list may be a partner region, which is named by its platform."""

    dependencies = [
        ('billing', '0238_what_is_given_up'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='paymentlist',
            name='payment_list_frozen',
        ),
        migrations.AlterField(
            model_name='paymentlist',
            name='payer',
            field=models.CharField(blank=True, default='', max_length=80),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentlist',
            trigger=pgtrigger.compiler.Trigger(name='payment_list_frozen', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."total_fen" IS DISTINCT FROM (NEW."total_fen") OR OLD."content" IS DISTINCT FROM (NEW."content") OR OLD."content_sha256" IS DISTINCT FROM (NEW."content_sha256") OR OLD."issued_at" IS DISTINCT FROM (NEW."issued_at") OR OLD."issued_by_id" IS DISTINCT FROM (NEW."issued_by_id") OR OLD."batch_id" IS DISTINCT FROM (NEW."batch_id") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."payer" IS DISTINCT FROM (NEW."payer") OR OLD."line_count" IS DISTINCT FROM (NEW."line_count") OR OLD."issued_for_id" IS DISTINCT FROM (NEW."issued_for_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='7472cd8dc6976bc5e9b383edca5e720fd259593f', operation='UPDATE', pgid='pgtrigger_payment_list_frozen_7976b', table='billing_paymentlist', when='BEFORE')),
        ),
    ]
