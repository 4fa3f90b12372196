
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0040_award_per_settlement_mode'),
        ('instruments', '0050_price_units'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PriceFamilyMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.AddField(
            model_name='priceversion',
            name='cost_sheet',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='testitemprice',
            name='cost_sheet',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='testitemprice',
            name='document',
            field=models.JSONField(null=True),
        ),
        migrations.CreateModel(
            name='PriceFamily',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='price_families', to='instruments.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='PriceDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('typed', models.JSONField()),
                ('revision', models.PositiveIntegerField(default=1)),
                ('updated_at', models.DateTimeField()),
                ('instrument', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='price_draft', to='instruments.instrument')),
                ('test_item', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='price_draft', to='instruments.testitem')),
                ('updated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('family', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='draft', to='billing.pricefamily')),
            ],
        ),
        migrations.AddField(
            model_name='priceversion',
            name='family',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.pricefamily'),
        ),
        migrations.AddField(
            model_name='testitemprice',
            name='family',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.pricefamily'),
        ),
        migrations.AddConstraint(
            model_name='testitemprice',
            constraint=models.CheckConstraint(condition=models.Q(('document__isnull', True), ('amount_fen__isnull', False), _connector='OR'), name='test_item_price_of_schedule'),
        ),
        migrations.AddField(
            model_name='pricefamilymember',
            name='family',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='billing.pricefamily'),
        ),
        migrations.AddField(
            model_name='pricefamilymember',
            name='instrument',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='price_family_member', to='instruments.instrument'),
        ),
        migrations.AddField(
            model_name='pricefamilymember',
            name='test_item',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='price_family_member', to='instruments.testitem'),
        ),
        migrations.AddConstraint(
            model_name='pricefamily',
            constraint=models.UniqueConstraint(fields=('organisation', 'name'), name='price_family_name_once'),
        ),
        migrations.AddConstraint(
            model_name='pricedraft',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('family__isnull', True), ('instrument__isnull', False), ('test_item__isnull', True)), models.Q(('family__isnull', True), ('instrument__isnull', True), ('test_item__isnull', False)), models.Q(('family__isnull', False), ('instrument__isnull', True), ('test_item__isnull', True)), _connector='OR'), name='price_draft_is_for_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='pricefamilymember',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('instrument__isnull', False), ('test_item__isnull', True)), models.Q(('instrument__isnull', True), ('test_item__isnull', False)), _connector='OR'), name='price_family_member_is_one_thing'),
        ),
    ]
