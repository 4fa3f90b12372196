import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0008_frozen_orders'),
        ('instruments', '0015_research_groups'),
    ]

    operations = [
        migrations.CreateModel(
            name='InternalSlip',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=40)),
                ('period_on', models.DateField()),
                ('total_fen', models.BigIntegerField()),
                ('covered_fen', models.BigIntegerField()),
                ('content', models.JSONField()),
                ('issued_at', models.DateTimeField()),
                ('charge', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='internal_slip', to='billing.charge')),
                ('fund_card', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='slips', to='instruments.fundcard')),
                ('group', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='slips', to='instruments.researchgroup')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='instruments.organisation')),
            ],
            options={
                'indexes': [models.Index(fields=['organisation', '-period_on', '-id'], name='internal_slip_by_month')],
                'constraints': [models.UniqueConstraint(fields=('organisation', 'number'), name='internal_slip_number_once'), models.CheckConstraint(condition=models.Q(('covered_fen__gte', 0), ('total_fen__gt', 0), ('total_fen__gte', models.F('covered_fen'))), name='internal_slip_adds_up'), models.CheckConstraint(condition=models.Q(models.Q(('fund_card__isnull', False), ('group__isnull', False)), models.Q(('covered_fen', 0), ('fund_card__isnull', True), ('group__isnull', True)), _connector='OR'), name='internal_slip_card_and_group')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='internalslip',
            trigger=pgtrigger.compiler.Trigger(name='internal_slip_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='101a228a3f97177b821e9327c5f643868ae0598c', operation='UPDATE OR DELETE', pgid='pgtrigger_internal_slip_append_only_d4b47', table='billing_internalslip', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='internalslip',
            trigger=pgtrigger.compiler.Trigger(name='internal_slip_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='e6dc239d30031404e7bf38be2e6c0a75e5fec3d1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_internal_slip_no_truncate_4a411', table='billing_internalslip', when='BEFORE')),
        ),
    ]
