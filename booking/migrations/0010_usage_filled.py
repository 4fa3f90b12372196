from django.db import migrations, models

#: What was agreed before both sides were asked: the lab said so, and how it went against the booking follows from its times.
FILL = """
UPDATE booking_usagesession
   SET agreed_how = CASE WHEN agreed_at IS NULL THEN '' ELSE 'lab' END,
       outcome = CASE
           WHEN actual_ends_at IS NULL THEN 'pending'
           WHEN actual_ends_at = actual_starts_at THEN 'missed'
           ELSE coalesce(nullif(concat_ws('_',
                CASE WHEN actual_starts_at - booked_starts_at > interval '5 minutes' THEN 'late' END,
                CASE WHEN booked_ends_at - actual_ends_at > interval '5 minutes' THEN 'left_early'
                     WHEN actual_ends_at - booked_ends_at > interval '5 minutes' THEN 'overtime' END), ''), 'normal') END,
       ended_by_means = CASE WHEN actual_ends_at IS NULL THEN '' ELSE 'lab' END
"""


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0009_usage'),
    ]

    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='usagesession',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('agreed_at__isnull', True), ('agreed_how', '')), models.Q(('agreed_at__isnull', False), models.Q(('agreed_how', ''), _negated=True)), _connector='OR'), name='session_agreed_somehow'),
        ),
        migrations.AddConstraint(
            model_name='usagesession',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['pending', 'normal', 'late', 'left_early', 'overtime', 'late_overtime', 'late_left_early', 'missed'])), name='session_outcome_known'),
        ),
    ]
