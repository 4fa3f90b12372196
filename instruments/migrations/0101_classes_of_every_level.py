from django.db import migrations

#: As ``instruments.rules.facets.class_path`` has it: a code without the noughts that fill it up, and the wider ones before it.
FILL = """
UPDATE instruments_catalogueentry e
   SET facets = ARRAY(SELECT value
                        FROM (SELECT unnest(e.facets) AS value
                              UNION SELECT 'c:' || left(e.class_code, n) FROM unnest(ARRAY[4, 6]) AS n
                                     WHERE substr(e.class_code, n - 1, 2) NOT IN ('', '0', '00')) AS each
                       ORDER BY value COLLATE "C")
 WHERE substr(e.class_code, 3) !~ '^0*$'
"""


class Migration(migrations.Migration):
    """What is in a finer class is found by that too."""

    dependencies = [
        ('instruments', '0100_former_codes_and_calendars'),
    ]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
