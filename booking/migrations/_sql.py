"""What only SQL can say about the tables of bookings, for the migrations that say it."""

NO_OVERLAP = """
ALTER TABLE booking_occupancy ADD CONSTRAINT occupancy_no_overlap EXCLUDE USING gist
    (int8range(calendar_id, calendar_id, '[]') WITH &&, during WITH &&) WHERE (blocking);
ALTER TABLE booking_occupancy ADD CONSTRAINT occupancy_half_open CHECK
    (lower_inc(during) AND NOT upper_inc(during) AND NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during));
"""
OVERLAP_AGAIN = """
ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_no_overlap;
ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_half_open;
"""
LONGEST = """
CREATE FUNCTION jishi_longest_free_minutes(free tstzmultirange, ends_at timestamptz, continues_until timestamptz)
RETURNS smallint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE longest interval;
BEGIN
    IF isempty(free) THEN
        RETURN 0;
    END IF;
    IF continues_until IS NOT NULL AND upper(free) = ends_at THEN
        free := free + tstzmultirange(tstzrange(ends_at, continues_until));
    END IF;
    SELECT max(upper(r) - lower(r)) INTO longest FROM unnest(free) AS r;
    RETURN floor(extract(epoch FROM longest) / 60);
END $$;
"""
NO_LONGEST = "DROP FUNCTION jishi_longest_free_minutes(tstzmultirange, timestamptz, timestamptz);"
# Whether and from when a calendar is free within some days is read from the key's index alone, thousands of times for one search.
_OTHER_KEY = """
ALTER TABLE booking_dayavailability
    DROP CONSTRAINT booking_dayavailability_pkey,
    ADD CONSTRAINT booking_dayavailability_pkey PRIMARY KEY (calendar_id, local_on){};
"""
KEY_WITH_ANSWER = _OTHER_KEY.format(" INCLUDE (longest_free_minutes, free_until, first_free_at, starts_at, ends_at)")
KEY_ALONE = _OTHER_KEY.format("")
# The pieces of downtimes, which had no numbers.
PIECES = """
UPDATE booking_occupancy o SET piece = n.number
  FROM (SELECT id, row_number() OVER (PARTITION BY downtime_id ORDER BY during) AS number
          FROM booking_occupancy WHERE downtime_id IS NOT NULL) n
 WHERE n.id = o.id
"""
# What calendar programs were told of bookings until now: how often each changed, and which were given up lately that had taken time.
TOLD_OF_BOOKINGS = """
INSERT INTO booking_busychange (calendar_id, name, during, taken, sequence, changed_at)
SELECT o.calendar_id, 'r' || o.reservation_id, o.during, o.blocking, h.steps - 1, h.at
  FROM booking_occupancy o
  JOIN booking_reservation r ON r.id = o.reservation_id
  LEFT JOIN booking_instrumentpolicy p ON p.instrument_id = r.instrument_id
 CROSS JOIN LATERAL (
       SELECT count(*) AS steps, max(t.at) AS at, bool_or(t.to_state = 'approved') AS approved
         FROM booking_reservationtransition t WHERE t.reservation_id = r.id HAVING count(*) > 0) h
 WHERE o.source = 'reservation' AND upper(o.during) > now() - interval '30 days'
   AND (o.blocking OR (r.state IN ('rejected', 'cancelled', 'no_show', 'expired') AND h.at > now() - interval '90 days'
        AND (h.approved OR NOT coalesce(NOT p.pending_blocks AND p.approval_required, false))))
"""
# What ``booking.services.catalogue_facts`` tells of the instruments that are in the catalogue already.
NUMBERS_OF_POLICIES = """
UPDATE instruments_catalogueentry e
   SET notice_minutes = coalesce(p.notice_minutes, 120), horizon_days = coalesce(p.horizon_days, 60),
       granularity_minutes = coalesce(p.granularity_minutes, 30), min_minutes = coalesce(p.min_minutes, 60),
       max_minutes = CASE WHEN p.rules @? '$.unlimited[*]' THEN NULL ELSE coalesce(p.max_minutes, 480) END
  FROM instruments_instrument i LEFT JOIN booking_instrumentpolicy p ON p.instrument_id = i.id
 WHERE e.instrument_id = i.id;
"""
