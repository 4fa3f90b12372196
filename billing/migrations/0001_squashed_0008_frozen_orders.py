"""The same schema as the migrations that it replaces, in a fraction of their time: a new database runs this one alone.

A database that has run some of the others goes on with them. tests/config/test_migrations.py holds the two against each other.
"""

import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

from billing.migrations._sql import NO_OVERLAP, OVERLAP_AGAIN
from config.kernel.trigger_operations import InstallTriggers


class Migration(migrations.Migration):

    replaces = [('billing', '0001_initial'), ('billing', '0002_initial'), ('billing', '0003_programme_version_no_overlap'), ('billing', '0004_quote_held_at'), ('billing', '0005_test_item_prices'), ('billing', '0006_ask_the_lab'), ('billing', '0007_ask_the_lab_guards'), ('billing', '0008_frozen_orders')]

    initial = True

    dependencies = [
        ('booking', '0015_offers_are_kept'),
        ('instruments', '0014_settled_news'),
        ('kernel', '0002_cache_table'),
    ]

    operations = [
        migrations.CreateModel(
            name='NumberSeries',
            fields=[
                ('key', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('last', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Quotation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=60, null=True, unique=True)),
                ('content', models.JSONField(null=True)),
                ('content_sha256', models.CharField(blank=True, max_length=64)),
                ('render_state', models.CharField(choices=[('queued', 'Queued'), ('rendering', 'Rendering'), ('done', 'Done'), ('failed', 'Failed')], default='queued', max_length=12)),
                ('render_error', models.CharField(blank=True, max_length=300)),
                ('state', models.CharField(max_length=20)),
                ('title', models.CharField(max_length=200)),
                ('tax_note', models.CharField(blank=True, max_length=300)),
                ('terms', models.TextField(blank=True)),
                ('valid_until', models.DateField()),
                ('total_fen', models.BigIntegerField()),
                ('created_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('enquiry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quotations', to='booking.enquiry')),
                ('pdf', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.storedfile')),
                ('sent_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'valid_until'], name='quotation_by_validity')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'sent', 'accepted', 'declined', 'expired', 'withdrawn'])), name='quotation_state_known'), models.CheckConstraint(condition=models.Q(('total_fen__gte', 0)), name='quotation_not_negative'), models.CheckConstraint(condition=models.Q(models.Q(('content__isnull', True), ('number__isnull', True), ('sent_at__isnull', True)), models.Q(('content__isnull', False), ('number__isnull', False), ('sent_at__isnull', False)), _connector='OR'), name='quotation_numbered_when_sent'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state__in', ['draft', 'sent'])), models.Q(models.Q(('state__in', ['draft', 'sent']), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='quotation_ended_with_its_state')],
                'triggers': [pgtrigger.compiler.Trigger(name='quotation_frozen', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE kept text;', func="\n            IF NEW.state <> OLD.state AND NOT OLD.state || '>' || NEW.state = ANY(ARRAY['draft>sent', 'draft>withdrawn', 'sent>accepted', 'sent>declined', 'sent>expired', 'sent>withdrawn']::text[]) THEN\n                RAISE EXCEPTION 'frozen: % % cannot go from % to %', TG_TABLE_NAME, OLD.id, OLD.state, NEW.state\n                    USING ERRCODE = '23001';\n            END IF;\n            IF OLD.state = 'sent' AND to_jsonb(OLD) - ARRAY['state', 'reason', 'ended_by_id', 'ended_at', 'render_state', 'render_error', 'pdf_id']::text[] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['state', 'reason', 'ended_by_id', 'ended_at', 'render_state', 'render_error', 'pdf_id']::text[] THEN\n                RAISE EXCEPTION 'frozen: % % cannot be changed', TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';\n            END IF;\n\n            IF OLD.state = 'accepted' AND to_jsonb(OLD) - ARRAY['render_state', 'render_error', 'pdf_id']::text[] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['render_state', 'render_error', 'pdf_id']::text[] THEN\n                RAISE EXCEPTION 'frozen: % % cannot be changed', TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';\n            END IF;\n\n            IF OLD.state = 'declined' AND to_jsonb(OLD) - ARRAY['render_state', 'render_error', 'pdf_id']::text[] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['render_state', 'render_error', 'pdf_id']::text[] THEN\n                RAISE EXCEPTION 'frozen: % % cannot be changed', TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';\n            END IF;\n\n            IF OLD.state = 'expired' AND to_jsonb(OLD) - ARRAY['render_state', 'render_error', 'pdf_id']::text[] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['render_state', 'render_error', 'pdf_id']::text[] THEN\n                RAISE EXCEPTION 'frozen: % % cannot be changed', TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';\n            END IF;\n\n            IF OLD.state = 'withdrawn' AND to_jsonb(OLD) - ARRAY['render_state', 'render_error', 'pdf_id']::text[] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['render_state', 'render_error', 'pdf_id']::text[] THEN\n                RAISE EXCEPTION 'frozen: % % cannot be changed', TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';\n            END IF;\n            FOREACH kept IN ARRAY ARRAY['ended_by_id', 'ended_at', 'pdf_id']::text[] LOOP\n                IF coalesce(to_jsonb(OLD) -> kept, 'null') <> 'null'\n                   AND to_jsonb(OLD) -> kept IS DISTINCT FROM to_jsonb(NEW) -> kept THEN\n                    RAISE EXCEPTION 'frozen: % of % % cannot be changed', kept, TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';\n                END IF;\n            END LOOP;\n            RETURN NEW;\n        ", hash='ed9787689c57315f3c3e5780b1de0b9b1739ea26', operation='UPDATE', pgid='pgtrigger_quotation_frozen_c42a4', table='billing_quotation', when='BEFORE')), pgtrigger.compiler.Trigger(name='quotation_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f70cd6f68c61fad2a83cf259932663b56c17583c', operation='DELETE', pgid='pgtrigger_quotation_kept_0a03b', table='billing_quotation', when='BEFORE')), pgtrigger.compiler.Trigger(name='quotation_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='00837a85308ba7e8b70065918496e9ab7f0ca676', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_quotation_no_truncate_ffbb1', table='billing_quotation', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='PriceVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('effective_from', models.DateField()),
                ('document', models.JSONField()),
                ('published_at', models.DateTimeField()),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='price_versions', to='instruments.instrument')),
                ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('instrument', 'effective_from'), name='price_version_one_per_day')],
                'triggers': [pgtrigger.compiler.Trigger(name='price_version_immutable', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='eb010c9cdef4131ce2da2e91c725c804c3d99825', operation='UPDATE OR DELETE', pgid='pgtrigger_price_version_immutable_9316c', table='billing_priceversion', when='BEFORE')), pgtrigger.compiler.Trigger(name='price_version_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='fd385056f336427f538b094b5085b57958f9c408', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_price_version_no_truncate_2d7b0', table='billing_priceversion', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Programme',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=40, unique=True)),
                ('created_at', models.DateTimeField()),
                ('issuer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='programmes', to='instruments.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='Quote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gross_fen', models.BigIntegerField()),
                ('deducted_fen', models.BigIntegerField()),
                ('refunded_fen', models.BigIntegerField()),
                ('payable_now_fen', models.BigIntegerField()),
                ('final_cost_fen', models.BigIntegerField()),
                ('estimate', models.BooleanField()),
                ('inputs', models.JSONField()),
                ('inputs_sha256', models.CharField(max_length=64)),
                ('result', models.JSONField()),
                ('engine_version', models.CharField(max_length=20)),
                ('created_at', models.DateTimeField()),
                ('revision', models.PositiveIntegerField()),
                ('valid_until', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(null=True)),
                ('held_at', models.DateTimeField(null=True)),
                ('accepted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reservation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quotes', to='booking.reservation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('reservation', 'revision'), name='quote_revision_unique'), models.CheckConstraint(condition=models.Q(('deducted_fen__gte', 0), ('final_cost_fen__gte', 0), ('gross_fen__gte', 0), ('refunded_fen__gte', 0), ('payable_now_fen', django.db.models.expressions.CombinedExpression(models.F('gross_fen'), '-', models.F('deducted_fen'))), ('final_cost_fen', django.db.models.expressions.CombinedExpression(models.F('payable_now_fen'), '-', models.F('refunded_fen')))), name='quote_adds_up')],
                'triggers': [pgtrigger.compiler.Trigger(name='quote_frozen', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."gross_fen" IS DISTINCT FROM (NEW."gross_fen") OR OLD."deducted_fen" IS DISTINCT FROM (NEW."deducted_fen") OR OLD."refunded_fen" IS DISTINCT FROM (NEW."refunded_fen") OR OLD."payable_now_fen" IS DISTINCT FROM (NEW."payable_now_fen") OR OLD."final_cost_fen" IS DISTINCT FROM (NEW."final_cost_fen") OR OLD."estimate" IS DISTINCT FROM (NEW."estimate") OR OLD."inputs" IS DISTINCT FROM (NEW."inputs") OR OLD."inputs_sha256" IS DISTINCT FROM (NEW."inputs_sha256") OR OLD."result" IS DISTINCT FROM (NEW."result") OR OLD."engine_version" IS DISTINCT FROM (NEW."engine_version") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."reservation_id" IS DISTINCT FROM (NEW."reservation_id") OR OLD."revision" IS DISTINCT FROM (NEW."revision") OR OLD."valid_until" IS DISTINCT FROM (NEW."valid_until") OR OLD."held_at" IS DISTINCT FROM (NEW."held_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='0e9de0f4ba3999e4d240b8afdd6e9dc9cd7f80ab', operation='UPDATE', pgid='pgtrigger_quote_frozen_a9a65', table='billing_quote', when='BEFORE')), pgtrigger.compiler.Trigger(name='quote_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b4be491b9574129c5c9df9cf6ebfabbf27c5f7bf', operation='DELETE', pgid='pgtrigger_quote_kept_867df', table='billing_quote', when='BEFORE')), pgtrigger.compiler.Trigger(name='quote_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='801b90b10e62a7b5f7fa53a80e5f1558970dd734', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_quote_no_truncate_680ff', table='billing_quote', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='TestItemPrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('effective_from', models.DateField()),
                ('unit', models.CharField(max_length=20)),
                ('amount_fen', models.BigIntegerField(null=True)),
                ('class_fen', models.JSONField(default=dict)),
                ('published_at', models.DateTimeField()),
                ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('test_item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='price_versions', to='instruments.testitem')),
            ],
            options={
                'indexes': [models.Index(fields=['test_item', 'effective_from', 'id'], name='test_item_price_in_force')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount_fen__isnull', True), ('amount_fen__gte', 0), _connector='OR'), name='test_item_price_not_negative')],
                'triggers': [pgtrigger.compiler.Trigger(name='test_item_price_immutable', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a096bed7c0d1024e62394f7969a2976564627988', operation='UPDATE OR DELETE', pgid='pgtrigger_test_item_price_immutable_c50ac', table='billing_testitemprice', when='BEFORE')), pgtrigger.compiler.Trigger(name='test_item_price_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='65f7ec65682d89258b60121b15e417ac4781f60c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_test_item_price_no_truncate_eecf9', table='billing_testitemprice', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='CommissionSheet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=60, null=True, unique=True)),
                ('content', models.JSONField(null=True)),
                ('content_sha256', models.CharField(blank=True, max_length=64)),
                ('render_state', models.CharField(choices=[('queued', 'Queued'), ('rendering', 'Rendering'), ('done', 'Done'), ('failed', 'Failed')], default='queued', max_length=12)),
                ('render_error', models.CharField(blank=True, max_length=300)),
                ('state', models.CharField(max_length=20)),
                ('title', models.CharField(max_length=200)),
                ('total_fen', models.BigIntegerField()),
                ('terms', models.TextField(blank=True)),
                ('confidentiality', models.CharField(default='ordinary', max_length=20)),
                ('confidentiality_note', models.CharField(blank=True, max_length=500)),
                ('report_form', models.CharField(default='electronic', max_length=20)),
                ('report_note', models.CharField(blank=True, max_length=500)),
                ('sample_handling', models.CharField(default='return', max_length=20)),
                ('sample_note', models.CharField(blank=True, max_length=500)),
                ('due_on', models.DateField(null=True)),
                ('created_at', models.DateTimeField()),
                ('issued_at', models.DateTimeField(null=True)),
                ('in_force_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('issued_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lab', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='instruments.organisation')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='commission_sheets', to='instruments.organisation')),
                ('pdf', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.storedfile')),
                ('signed_pdf', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.storedfile')),
                ('quotation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='sheet', to='billing.quotation')),
            ],
            options={
                'indexes': [models.Index(fields=['lab', 'state', '-created_at'], name='commission_by_lab'), models.Index(fields=['organisation', '-created_at'], name='commission_by_customer')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'issued', 'in_force', 'finished', 'cancelled'])), name='commission_state_known'), models.CheckConstraint(condition=models.Q(('confidentiality__in', ['ordinary', 'results', 'everything'])), name='commission_confidentiality_known'), models.CheckConstraint(condition=models.Q(('report_form__in', ['electronic', 'paper', 'both', 'data_only'])), name='commission_report_form_known'), models.CheckConstraint(condition=models.Q(('sample_handling__in', ['return', 'dispose', 'keep', 'none'])), name='commission_sample_handling_known'), models.CheckConstraint(condition=models.Q(models.Q(('content__isnull', True), ('issued_at__isnull', True), ('number__isnull', True)), models.Q(('content__isnull', False), ('issued_at__isnull', False), ('number__isnull', False)), _connector='OR'), name='commission_numbered_when_issued'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state__in', ['draft', 'issued', 'in_force'])), models.Q(models.Q(('state__in', ['draft', 'issued', 'in_force']), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='commission_ended_with_its_state'), models.CheckConstraint(condition=models.Q(models.Q(('in_force_at__isnull', False), ('state__in', ['finished', 'in_force'])), models.Q(models.Q(('state__in', ['finished', 'in_force']), _negated=True), ('in_force_at__isnull', True)), _connector='OR'), name='commission_in_force_with_its_state')],
                'triggers': [pgtrigger.compiler.Trigger(name='commission_frozen', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE kept text;', func="\n            IF NEW.state <> OLD.state AND NOT OLD.state || '>' || NEW.state = ANY(ARRAY['draft>cancelled', 'draft>issued', 'issued>cancelled', 'issued>in_force', 'in_force>finished']::text[]) THEN\n                RAISE EXCEPTION 'frozen: % % cannot go from % to %', TG_TABLE_NAME, OLD.id, OLD.state, NEW.state\n                    USING ERRCODE = '23001';\n            END IF;\n            IF OLD.state = 'issued' AND to_jsonb(OLD) - ARRAY['state', 'in_force_at', 'reason', 'ended_by_id', 'ended_at', 'render_state', 'render_error', 'pdf_id']::text[] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['state', 'in_force_at', 'reason', 'ended_by_id', 'ended_at', 'render_state', 'render_error', 'pdf_id']::text[] THEN\n                RAISE EXCEPTION 'frozen: % % cannot be changed', TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';\n            END IF;\n\n            IF OLD.state = 'in_force' AND to_jsonb(OLD) - ARRAY['state', 'ended_by_id', 'ended_at', 'render_state', 'render_error', 'pdf_id', 'signed_pdf_id']::text[] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['state', 'ended_by_id', 'ended_at', 'render_state', 'render_error', 'pdf_id', 'signed_pdf_id']::text[] THEN\n                RAISE EXCEPTION 'frozen: % % cannot be changed', TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';\n            END IF;\n\n            IF OLD.state = 'finished' AND to_jsonb(OLD) - ARRAY['render_state', 'render_error', 'pdf_id', 'signed_pdf_id']::text[] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['render_state', 'render_error', 'pdf_id', 'signed_pdf_id']::text[] THEN\n                RAISE EXCEPTION 'frozen: % % cannot be changed', TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';\n            END IF;\n\n            IF OLD.state = 'cancelled' AND to_jsonb(OLD) - ARRAY['render_state', 'render_error', 'pdf_id']::text[] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['render_state', 'render_error', 'pdf_id']::text[] THEN\n                RAISE EXCEPTION 'frozen: % % cannot be changed', TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';\n            END IF;\n            FOREACH kept IN ARRAY ARRAY['ended_by_id', 'ended_at', 'in_force_at', 'pdf_id', 'signed_pdf_id']::text[] LOOP\n                IF coalesce(to_jsonb(OLD) -> kept, 'null') <> 'null'\n                   AND to_jsonb(OLD) -> kept IS DISTINCT FROM to_jsonb(NEW) -> kept THEN\n                    RAISE EXCEPTION 'frozen: % of % % cannot be changed', kept, TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';\n                END IF;\n            END LOOP;\n            RETURN NEW;\n        ", hash='3f9bee6266756f3370348ac6ccce66ddef31c128', operation='UPDATE', pgid='pgtrigger_commission_frozen_e6d52', table='billing_commissionsheet', when='BEFORE')), pgtrigger.compiler.Trigger(name='commission_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='c0a6496be135090ef5e8e45670d0272e73d758c0', operation='DELETE', pgid='pgtrigger_commission_kept_2cefa', table='billing_commissionsheet', when='BEFORE')), pgtrigger.compiler.Trigger(name='commission_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='b44aaa237513e53119a36cac962fcdf252ac78c3', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_commission_no_truncate_e6421', table='billing_commissionsheet', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='QuotationLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('kind', models.CharField(max_length=20)),
                ('subject_name', models.CharField(blank=True, max_length=500)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('quantity', models.DecimalField(decimal_places=3, max_digits=10)),
                ('unit', models.CharField(max_length=20)),
                ('unit_price_fen', models.BigIntegerField()),
                ('published_fen', models.BigIntegerField(null=True)),
                ('amount_fen', models.BigIntegerField()),
                ('instrument', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='instruments.instrument')),
                ('quotation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='billing.quotation')),
                ('resource', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='instruments.resource')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('quotation', 'position'), name='quotation_line_position'), models.CheckConstraint(condition=models.Q(models.Q(('instrument__isnull', False), ('kind', 'instrument_time'), ('resource__isnull', True)), models.Q(('instrument__isnull', True), ('kind', 'test'), ('resource__isnull', False)), models.Q(('instrument__isnull', True), ('kind', 'other'), ('resource__isnull', True)), _connector='OR'), name='quotation_line_of_one_thing'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0), ('quantity__gt', 0), ('unit_price_fen__gte', 0)), name='quotation_line_positive'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('quantity'), '*', models.F('unit_price_fen')), '-', models.Value(1))), ('amount_fen__lte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('quantity'), '*', models.F('unit_price_fen')), '+', models.Value(1)))), name='quotation_line_adds_up')],
                'triggers': [pgtrigger.compiler.Trigger(name='quotation_line_frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP <> 'INSERT' THEN\n    PERFORM 1 FROM billing_quotation q WHERE q.id = OLD.quotation_id AND q.state = 'draft' FOR SHARE;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION 'frozen: the lines of a quotation that was sent cannot be changed' USING ERRCODE = '23001';\n    END IF;\nEND IF;\nIF TG_OP <> 'DELETE' THEN\n    PERFORM 1 FROM billing_quotation q WHERE q.id = NEW.quotation_id AND q.state = 'draft' FOR SHARE;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION 'frozen: the lines of a quotation that was sent cannot be changed' USING ERRCODE = '23001';\n    END IF;\n    RETURN NEW;\nEND IF;\nRETURN OLD;\n", hash='51ffdfe324ec56d6c73ff8fb122fdc810f27eff2', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_quotation_line_frozen_897f5', table='billing_quotationline', when='BEFORE')), pgtrigger.compiler.Trigger(name='quotation_line_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='2d806115a9dc667df17ef577ac54a7f310a3b742', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_quotation_line_no_truncate_0cb71', table='billing_quotationline', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Charge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gross_fen', models.BigIntegerField()),
                ('deducted_fen', models.BigIntegerField()),
                ('refunded_fen', models.BigIntegerField()),
                ('payable_now_fen', models.BigIntegerField()),
                ('final_cost_fen', models.BigIntegerField()),
                ('estimate', models.BooleanField()),
                ('inputs', models.JSONField()),
                ('inputs_sha256', models.CharField(max_length=64)),
                ('result', models.JSONField()),
                ('engine_version', models.CharField(max_length=20)),
                ('created_at', models.DateTimeField()),
                ('reservation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='charge', to='booking.reservation')),
                ('price_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.priceversion')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('deducted_fen__gte', 0), ('final_cost_fen__gte', 0), ('gross_fen__gte', 0), ('refunded_fen__gte', 0), ('payable_now_fen', django.db.models.expressions.CombinedExpression(models.F('gross_fen'), '-', models.F('deducted_fen'))), ('final_cost_fen', django.db.models.expressions.CombinedExpression(models.F('payable_now_fen'), '-', models.F('refunded_fen')))), name='charge_adds_up')],
                'triggers': [pgtrigger.compiler.Trigger(name='charge_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='2d13da0308a8144eec66fbe7dddb9bb5ed34b354', operation='UPDATE OR DELETE', pgid='pgtrigger_charge_append_only_7cf22', table='billing_charge', when='BEFORE')), pgtrigger.compiler.Trigger(name='charge_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='fb027cb3eabd0580a7e1c2c2c560a4ad6220ec09', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_charge_no_truncate_24451', table='billing_charge', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200, unique=True)),
                ('kind', models.CharField(db_index=True, max_length=30)),
                ('limited', models.BooleanField()),
                ('granted_fen', models.BigIntegerField(default=0)),
                ('held_fen', models.BigIntegerField(default=0)),
                ('posted_fen', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('organisation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='instruments.organisation')),
                ('programme', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='billing.programme')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('granted_fen__gte', 0), ('held_fen__gte', 0), ('posted_fen__gte', 0)), name='account_not_negative'), models.CheckConstraint(condition=models.Q(('limited', False), ('granted_fen__gte', django.db.models.expressions.CombinedExpression(models.F('held_fen'), '+', models.F('posted_fen'))), _connector='OR'), name='account_never_overspent')],
            },
        ),
        migrations.CreateModel(
            name='ProgrammeVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(max_length=40)),
                ('valid', django.contrib.postgres.fields.ranges.DateRangeField()),
                ('document', models.JSONField()),
                ('document_sha256', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField()),
                ('published_at', models.DateTimeField(null=True)),
                ('approver', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('programme', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='billing.programme')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('programme', 'label'), name='programme_version_label'), models.CheckConstraint(condition=models.Q(('published_at__isnull', True), models.Q(('approver__isnull', False), models.Q(('approver', models.F('author')), _negated=True)), _connector='OR'), name='programme_version_two_people')],
                'triggers': [pgtrigger.compiler.Trigger(name='programme_version_immutable', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."published_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='ed564b4df367d10dfd4369b7be7b01346f6dc913', operation='UPDATE OR DELETE', pgid='pgtrigger_programme_version_immutable_29344', table='billing_programmeversion', when='BEFORE')), pgtrigger.compiler.Trigger(name='programme_version_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='83a774705251d5847559558811ece1e64e771614', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_programme_version_no_truncate_63c7e', table='billing_programmeversion', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='CommissionReservation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('linked_at', models.DateTimeField()),
                ('linked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reservation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='commission', to='booking.reservation')),
                ('sheet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reservations', to='billing.commissionsheet')),
            ],
            options={
                'triggers': [pgtrigger.compiler.Trigger(name='commission_reservation_unchanged', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8e71211a8918c139082b7ef62d0b73d2ac9c328e', operation='UPDATE', pgid='pgtrigger_commission_reservation_unchanged_340ee', table='billing_commissionreservation', when='BEFORE')), pgtrigger.compiler.Trigger(name='commission_reservation_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    PERFORM 1 FROM billing_commissionsheet s WHERE s.id = OLD.sheet_id AND s.state IN ('draft', 'issued');\n                    IF NOT FOUND THEN\n                        RAISE EXCEPTION 'append-only: the sheet is signed' USING ERRCODE = '23001';\n                    END IF;\n                    RETURN OLD;\n                ", hash='18dd69710db3485a33ff537fd26578545d2151bb', operation='DELETE', pgid='pgtrigger_commission_reservation_kept_376fc', table='billing_commissionreservation', when='BEFORE')), pgtrigger.compiler.Trigger(name='commission_reservation_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='06f6d1233f622f642753808db6af97ca5fd60370', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_commission_reservation_no_truncate_50437', table='billing_commissionreservation', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='CommissionSignature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('side', models.CharField(max_length=10)),
                ('method', models.CharField(max_length=10)),
                ('name', models.CharField(max_length=100)),
                ('signed_at', models.DateTimeField()),
                ('content_sha256', models.CharField(max_length=64)),
                ('scan_sha256', models.CharField(blank=True, max_length=64)),
                ('scan', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.storedfile')),
                ('sheet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='billing.commissionsheet')),
                ('signed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('sheet', 'side'), name='commission_signed_once_by_a_side'), models.UniqueConstraint(fields=('sheet', 'signed_by'), name='commission_signed_by_two_people'), models.CheckConstraint(condition=models.Q(('side__in', ['customer', 'lab'])), name='commission_signature_side_known'), models.CheckConstraint(condition=models.Q(models.Q(('method', 'scan'), ('scan__isnull', False)), models.Q(('method', 'system'), ('scan__isnull', True)), _connector='OR'), name='commission_scan_is_kept')],
                'triggers': [pgtrigger.compiler.Trigger(name='commission_signature_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6f0625b53b710e50e44916269ae683cea1e024b4', operation='UPDATE OR DELETE', pgid='pgtrigger_commission_signature_append_only_e9fc3', table='billing_commissionsignature', when='BEFORE')), pgtrigger.compiler.Trigger(name='commission_signature_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='c8774719f41508ebcdc828805ea8030b09934725', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_commission_signature_no_truncate_d8c5c', table='billing_commissionsignature', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Award',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(max_length=30)),
                ('total_fen', models.BigIntegerField()),
                ('payers', models.JSONField()),
                ('service_on', models.DateField()),
                ('created_at', models.DateTimeField()),
                ('payee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='awards', to='instruments.organisation')),
                ('charge', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='awards', to='billing.charge')),
                ('programme_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='awards', to='billing.programmeversion')),
            ],
            options={
                'indexes': [models.Index(fields=['service_on', 'payee'], name='award_by_month')],
                'constraints': [models.UniqueConstraint(fields=('charge', 'programme_version'), name='award_once'), models.CheckConstraint(condition=models.Q(('total_fen__gt', 0)), name='award_positive')],
                'triggers': [pgtrigger.compiler.Trigger(name='award_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7e46edb924b0499f9ec590832d8e3365946f7c8e', operation='UPDATE OR DELETE', pgid='pgtrigger_award_append_only_e150a', table='billing_award', when='BEFORE')), pgtrigger.compiler.Trigger(name='award_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='20db7877ad1f0f83a3d17813dca60388e3ccbc9e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_award_no_truncate_c386d', table='billing_award', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=60, unique=True)),
                ('period_on', models.DateField()),
                ('total_fen', models.BigIntegerField()),
                ('line_count', models.PositiveIntegerField()),
                ('content', models.JSONField()),
                ('content_sha256', models.CharField(max_length=64)),
                ('issued_at', models.DateTimeField()),
                ('render_state', models.CharField(choices=[('queued', 'Queued'), ('rendering', 'Rendering'), ('done', 'Done'), ('failed', 'Failed')], default='queued', max_length=12)),
                ('render_percent', models.PositiveSmallIntegerField(default=0)),
                ('render_error', models.CharField(blank=True, max_length=300)),
                ('issued_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('payee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='instruments.organisation')),
                ('pdf', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.storedfile')),
                ('programme_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='billing.programmeversion')),
                ('xlsx', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.storedfile')),
            ],
            options={
                'indexes': [models.Index(fields=['period_on', 'payee'], name='statement_by_month')],
                'triggers': [pgtrigger.compiler.Trigger(name='statement_frozen', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."programme_version_id" IS DISTINCT FROM (NEW."programme_version_id") OR OLD."payee_id" IS DISTINCT FROM (NEW."payee_id") OR OLD."period_on" IS DISTINCT FROM (NEW."period_on") OR OLD."total_fen" IS DISTINCT FROM (NEW."total_fen") OR OLD."line_count" IS DISTINCT FROM (NEW."line_count") OR OLD."content" IS DISTINCT FROM (NEW."content") OR OLD."content_sha256" IS DISTINCT FROM (NEW."content_sha256") OR OLD."issued_at" IS DISTINCT FROM (NEW."issued_at") OR OLD."issued_by_id" IS DISTINCT FROM (NEW."issued_by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3768ff94f58216301524f64021df128fa305ecc7', operation='UPDATE', pgid='pgtrigger_statement_frozen_dc055', table='billing_statement', when='BEFORE')), pgtrigger.compiler.Trigger(name='statement_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='364bfc19ef04e0580b25e1efb8e7b3a42a863a9a', operation='DELETE', pgid='pgtrigger_statement_kept_13667', table='billing_statement', when='BEFORE')), pgtrigger.compiler.Trigger(name='statement_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='5fdcabb3738a249ddb15058ece418ed0ef9dd9bb', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_statement_no_truncate_c8523', table='billing_statement', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('grant', 'Grant'), ('hold', 'Hold'), ('post', 'Post'), ('void', 'Void'), ('expire', 'Expire'), ('reverse', 'Reverse')], max_length=10)),
                ('amount_fen', models.BigIntegerField()),
                ('source_type', models.CharField(max_length=30)),
                ('source_id', models.BigIntegerField()),
                ('reason', models.CharField(max_length=100)),
                ('at', models.DateTimeField()),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('credit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credits', to='billing.account')),
                ('debit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='debits', to='billing.account')),
                ('hold', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ends', to='billing.transfer')),
                ('programme_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='billing.programmeversion')),
            ],
            options={
                'indexes': [models.Index(fields=['source_type', 'source_id'], name='transfer_by_source')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount_fen__gt', 0)), name='transfer_positive'), models.CheckConstraint(condition=models.Q(('debit', models.F('credit')), _negated=True), name='transfer_two_accounts'), models.CheckConstraint(condition=models.Q(models.Q(('hold__isnull', False), ('kind__in', ['post', 'void', 'expire'])), models.Q(models.Q(('kind__in', ['post', 'void', 'expire']), _negated=True), ('hold__isnull', True)), _connector='OR'), name='transfer_end_names_hold'), models.UniqueConstraint(condition=models.Q(('kind__in', ['post', 'void', 'expire'])), fields=('hold',), name='transfer_hold_ends_once')],
                'triggers': [pgtrigger.compiler.Trigger(name='transfer_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e177e99ac4de9f538a9f1e2bf625c98565b6c72f', operation='UPDATE OR DELETE', pgid='pgtrigger_transfer_append_only_2d09f', table='billing_transfer', when='BEFORE')), pgtrigger.compiler.Trigger(name='transfer_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='3d9827c800e00017ba89ad99586bb21f5327becd', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_transfer_no_truncate_737ae', table='billing_transfer', when='BEFORE')), pgtrigger.compiler.Trigger(name='transfer_within_hold', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF NEW.hold_id IS NOT NULL THEN\n    PERFORM 1 FROM billing_transfer h\n      WHERE h.id = NEW.hold_id AND h.kind = 'hold' AND h.debit_id = NEW.debit_id AND h.credit_id = NEW.credit_id\n        AND NEW.amount_fen <= h.amount_fen;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION 'a hold is ended on its own accounts and by at most its amount' USING ERRCODE = '23514';\n    END IF;\nEND IF;\nRETURN NEW;\n", hash='feffa2aebafdf19e583e1200f2d0d2bd1b2d8abc', operation='INSERT', pgid='pgtrigger_transfer_within_hold_4e50e', table='billing_transfer', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='StatementLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('award', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='statement_line', to='billing.award')),
                ('statement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='billing.statement')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('statement', 'position'), name='statement_line_position')],
                'triggers': [pgtrigger.compiler.Trigger(name='statement_line_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='05c1677ce7d2402fa6949f2b780b91fd13efeb0d', operation='UPDATE OR DELETE', pgid='pgtrigger_statement_line_append_only_89179', table='billing_statementline', when='BEFORE')), pgtrigger.compiler.Trigger(name='statement_line_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='aa2e0da6a4a72b946d724154097ee615c309ac7d', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_statement_line_no_truncate_3bee4', table='billing_statementline', when='BEFORE'))],
            },
        ),
        migrations.RunSQL(NO_OVERLAP, OVERLAP_AGAIN),
        InstallTriggers(),
    ]
