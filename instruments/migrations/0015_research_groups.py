import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('instruments', '0014_settled_news'),
    ]

    operations = [
        migrations.CreateModel(
            name='SpendingRules',
            fields=[
                ('organisation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='spending_rules', serialize=False, to='instruments.organisation')),
                ('card_needed', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='ResearchGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('threshold_fen', models.BigIntegerField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('leader', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='led_groups', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='research_groups', to='instruments.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='GroupMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('from_on', models.DateField()),
                ('until_on', models.DateField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='group_memberships', to=settings.AUTH_USER_MODEL)),
                ('group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='instruments.researchgroup')),
            ],
        ),
        migrations.CreateModel(
            name='FundCard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=40)),
                ('title', models.CharField(max_length=200)),
                ('valid_from', models.DateField()),
                ('valid_until', models.DateField()),
                ('threshold_fen', models.BigIntegerField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fund_cards', to='instruments.organisation')),
                ('group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cards', to='instruments.researchgroup')),
            ],
        ),
        migrations.AddConstraint(
            model_name='researchgroup',
            constraint=models.UniqueConstraint(fields=('organisation', 'name'), name='research_group_name_once'),
        ),
        migrations.AddConstraint(
            model_name='researchgroup',
            constraint=models.CheckConstraint(condition=models.Q(('threshold_fen__isnull', True), ('threshold_fen__gte', 0), _connector='OR'), name='research_group_threshold_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=models.UniqueConstraint(fields=('group', 'user'), name='group_member_once'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=models.CheckConstraint(condition=models.Q(('until_on__isnull', True), ('until_on__gte', models.F('from_on')), _connector='OR'), name='group_member_days_in_order'),
        ),
        migrations.AddConstraint(
            model_name='fundcard',
            constraint=models.UniqueConstraint(fields=('organisation', 'number'), name='fund_card_number_once'),
        ),
        migrations.AddConstraint(
            model_name='fundcard',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until__gte', models.F('valid_from'))), name='fund_card_days_in_order'),
        ),
        migrations.AddConstraint(
            model_name='fundcard',
            constraint=models.CheckConstraint(condition=models.Q(('threshold_fen__isnull', True), ('threshold_fen__gte', 0), _connector='OR'), name='fund_card_threshold_not_negative'),
        ),
    ]
