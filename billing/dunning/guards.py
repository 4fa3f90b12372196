"""What the database itself refuses of dunning, whoever writes."""

from __future__ import annotations

#: Nobody lets the bills of an organisation wait who belongs to it: that is for the side that is owed.
BY_THE_OWNERS_FINANCE = """
PERFORM 1 FROM instruments_membership m WHERE m.user_id = NEW.given_by_id AND m.organisation_id = NEW.customer_id;
IF FOUND THEN
    RAISE EXCEPTION 'who owes does not exempt itself' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""
