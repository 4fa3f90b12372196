"""The same schema as the migrations that it replaces, in a fraction of their time: a new database runs this one alone.

A database that has run some of the others goes on with them. tests/config/test_migrations.py holds the two against each other.
"""

import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

from config.kernel.migrations._sql import CACHE_TABLE, NO_CACHE_TABLE
from config.kernel.table_operations import CreateTogether
from config.kernel.trigger_operations import InstallTriggers


class Migration(migrations.Migration):

    replaces = [
        ('kernel', '0001_initial'),
        ('kernel', '0002_cache_table'),
        ('kernel', '0003_stored_file_by_hash'),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='Heartbeat',
                fields=[
                    ('name', models.CharField(max_length=100, primary_key=True, serialize=False)),
                    ('at', models.DateTimeField()),
                    ('detail', models.JSONField(default=dict)),
                ],
            ),
            migrations.CreateModel(
                name='ApiToken',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=100)),
                    ('key_sha256', models.CharField(max_length=64, unique=True)),
                    ('scopes', models.JSONField(default=list)),
                    ('created_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField(null=True)),
                    ('revoked_at', models.DateTimeField(null=True)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='IdempotencyRecord',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('route', models.CharField(max_length=80)),
                    ('key', models.CharField(max_length=255)),
                    ('fingerprint', models.CharField(max_length=64)),
                    ('result', models.JSONField(null=True)),
                    ('created_at', models.DateTimeField()),
                    ('actor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(fields=['created_at'], name='idempotency_age')],
                    'constraints': [models.UniqueConstraint(fields=('actor', 'route', 'key'), name='idempotency_once')],
                },
            ),
            migrations.CreateModel(
                name='StoredFile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('sha256', models.CharField(max_length=64)),
                    ('size_bytes', models.PositiveBigIntegerField()),
                    ('media_type', models.CharField(max_length=100)),
                    ('file_name', models.CharField(max_length=200)),
                    ('path', models.CharField(max_length=300)),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(fields=['sha256'], name='stored_file_by_hash')],
                },
            ),
            migrations.CreateModel(
                name='AuditEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField(db_index=True)),
                    ('actor_name', models.CharField(blank=True, max_length=200)),
                    ('action', models.CharField(max_length=80)),
                    ('object_type', models.CharField(max_length=80)),
                    ('object_id', models.CharField(max_length=40)),
                    ('before', models.JSONField(default=dict)),
                    ('after', models.JSONField(default=dict)),
                    ('reason', models.TextField(blank=True)),
                    ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(fields=['object_type', 'object_id'], name='audit_object')],
                    'triggers': [pgtrigger.compiler.Trigger(name='audit_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7e23713e40e8d3350609838da76c27d371f181aa', operation='UPDATE OR DELETE', pgid='pgtrigger_audit_append_only_5f487', table='kernel_auditentry', when='BEFORE')), pgtrigger.compiler.Trigger(name='audit_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';", hash='b6c30716e07c3eb44e517a4313b3da0bdb650151', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_audit_no_truncate_eff43', table='kernel_auditentry', when='BEFORE'))],
                },
            ),
        ]),
        migrations.RunSQL(CACHE_TABLE, NO_CACHE_TABLE),
    ]
