"""Reads that pages and API share, with what an actor may see applied once."""

from instruments.queries.people import (
    Member,
    Mine,
    actor_for,
    invitation_by_token,
    members_of,
    my_join_requests,
    my_organisations,
    next_step,
    open_invitations,
    open_join_requests,
    organisation_for,
    organisations_visible,
    tokens_of,
    verification_queue,
    verification_request_for,
    verification_requests,
)

__all__ = [
    "Member",
    "Mine",
    "actor_for",
    "invitation_by_token",
    "members_of",
    "my_join_requests",
    "my_organisations",
    "next_step",
    "open_invitations",
    "open_join_requests",
    "organisation_for",
    "organisations_visible",
    "tokens_of",
    "verification_queue",
    "verification_request_for",
    "verification_requests",
]
