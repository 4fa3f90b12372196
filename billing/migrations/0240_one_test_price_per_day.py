from django.db import migrations, models

# Of what was published for one day before there were revisions the order is that of publishing.
REVISIONS = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE billing_testitemprice DISABLE TRIGGER USER;
WITH counted AS (
    SELECT id, row_number() OVER (PARTITION BY test_item_id, effective_from ORDER BY id) AS place FROM billing_testitemprice)
UPDATE billing_testitemprice p SET revision = counted.place FROM counted WHERE counted.id = p.id AND counted.place > 1;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE billing_testitemprice ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    """Versions of a test item's price that start on one day are counted, so that no two stand side by side."""

    dependencies = [
        ('billing', '0239_home_region_pays'),
    ]

    operations = [
        migrations.AddField(
            model_name='testitemprice',
            name='revision',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.RunSQL(REVISIONS, migrations.RunSQL.noop),
        migrations.RemoveIndex(
            model_name='testitemprice',
            name='test_item_price_in_force',
        ),
        migrations.AddConstraint(
            model_name='testitemprice',
            constraint=models.UniqueConstraint(fields=('test_item', 'effective_from', 'revision'), name='test_item_price_one_per_day'),
        ),
    ]
