"""What is always true of the days on which versions of programmes hold."""

from __future__ import annotations

from config.kernel.invariants import register_sql

# Ends only come earlier, so that the one with the earliest day is the one that counts, and each one's day before is that of the one above.
register_sql(
    "programmes.hold_as_documents_and_ends_say",
    counted="SELECT count(*) FROM billing_programmeversion",
    violations="""
        WITH said AS (
            SELECT v.id, v.valid, v.programme_id, p.code, v.label, (v.document #>> '{validity,first_day}')::date AS first_on,
                   (v.document #>> '{validity,last_day}')::date AS last_on
              FROM billing_programmeversion v JOIN billing_programme p ON p.id = v.programme_id),
        ended AS (
            SELECT e.id, e.version_id, e.successor_id, e.last_before, e.last_on,
                   lag(e.last_on) OVER (PARTITION BY e.version_id ORDER BY e.last_on DESC, e.id) AS above
              FROM billing_versionend e WHERE e.state = 'set')
        SELECT format('version %s of %s holds %s; its document and its ends say %s to %s', s.label, s.code, s.valid, s.first_on,
                      coalesce(c.last_on, s.last_on))
          FROM said s
          LEFT JOIN (SELECT version_id, min(last_on) AS last_on FROM ended GROUP BY version_id) c ON c.version_id = s.id
         WHERE s.valid IS DISTINCT FROM daterange(s.first_on, coalesce(c.last_on, s.last_on), '[]')
         UNION ALL
        SELECT format('end %s of version %s of %s is from %s to %s; before it the version held until %s', e.id, s.label, s.code,
                      e.last_before, e.last_on, coalesce(e.above, s.last_on))
          FROM ended e JOIN said s ON s.id = e.version_id
         WHERE e.last_before <> coalesce(e.above, s.last_on)
         UNION ALL
        SELECT format('end %s of version %s of %s on %s: what follows it, version %s, holds %s', e.id, s.label, s.code, e.last_on,
                      n.label, n.valid)
          FROM ended e JOIN said s ON s.id = e.version_id JOIN billing_programmeversion n ON n.id = e.successor_id
         WHERE n.published_at IS NULL OR n.programme_id <> s.programme_id OR lower(n.valid) <> e.last_on + 1""",
)
