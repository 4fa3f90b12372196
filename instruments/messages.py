"""The sentences for refusals about people, organisations, instruments and imports."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "name.empty": _("Type a name."),
        "name.too_long": _("This has %(length)s characters; at most %(max_length)s fit."),
        "name.control_character": _("This contains control characters (%(code_points)s). Type it again without them."),
        "name.direction_control": _("This contains characters that turn the writing direction (%(code_points)s). Remove them."),
        "name.invisible_character": _("This contains invisible characters (%(code_points)s). Type it again without them."),
        "name.unassigned_character": _("This contains characters that have no meaning (%(code_points)s). Remove them."),
        "saved_search.too_many": _("You keep %(maximum)s searches already. Delete one that you no longer need."),
        "saved_search.too_long": _("This search is too long to be kept. Use fewer words."),
        "person.language_unknown": _("Choose one of these languages: %(known)s."),
        "identifier.invalid": _("This number is not valid: a character is wrong or missing. Compare it with your licence."),
        "identifier.unknown_scheme": _("The kind of identifier %(scheme)s is not known. Choose one from the list."),
        "organisation.identifier_needed": _(
            "A firm needs its unified social credit code (or its foreign registration number). It stands on the licence."
        ),
        "organisation.kind_unknown": _("Choose what kind of organisation it is."),
        "organisation.owner_class_unknown": _("Choose the institution's class from the list; only owners have one."),
        "organisation.region_unknown": _("Choose the region, or type its six-digit code."),
        "organisation.staff_out_of_range": _("The number of staff must be between 0 and 10,000,000."),
        "organisation.revenue_out_of_range": _("The revenue must not be negative or beyond what a firm can earn."),
        "organisation.too_many_zones": _("At most %(maximum)s policy zones."),
        "organisation.account_number_invalid": _("A bank account number has 5 to 40 digits, letters, blanks or hyphens."),
        "organisation.code_taken": _("%(name)s is here already with this code. Ask to join it instead of creating it again."),
        "organisation.looks_alike": _("This looks like %(names)s. If yours is another organisation, confirm that and go on."),
        "organisation.too_many_claimed": _(
            "You have %(maximum)s organisations that are not verified. Have one verified before you create another."
        ),
        "organisation.change_while_verifying": _(
            "Name, code, region, size and zones cannot change while they are being checked. Wait for the decision."
        ),
        "members.role_unknown": _("Choose one of these roles: %(known)s."),
        "members.role_needed": _("Choose at least one role, or remove the person."),
        "members.own_official_role": _("Nobody gives an official role to themselves. Ask another operator."),
        "members.last_administrator": _(
            "This is the last administrator. Make somebody else administrator first, then try again."
        ),
        "invitation.email_invalid": _("This is not an e-mail address. Type it like name@example.org."),
        "invitation.member_already": _("%(email)s has this role already."),
        "invitation.too_many": _("%(maximum)s invitations are open. Withdraw some before you send more."),
        "invitation.too_often": _("%(maximum)s invitations were sent within a day. Try again tomorrow."),
        "invitation.other_address": _("This invitation was sent to another e-mail address. Log in with that one."),
        "invitation.used": _("This invitation has been used already."),
        "invitation.withdrawn": _("This invitation was withdrawn. Ask for a new one."),
        "invitation.expired": _("This invitation has expired. Ask for a new one."),
        "invitation.organisation_suspended": _("The organisation is suspended. Ask the platform's operator."),
        "join.asked_already": _("You have asked to join %(name)s already. Its administrator will decide."),
        "join.member_already": _("You are in %(name)s already."),
        "join.office": _("A government office is joined by invitation only. Ask its operator."),
        "join.decided_already": _("Somebody has decided about this request already."),
        "join.nothing_found": _("No organisation has this code here. Check it, or create the organisation."),
        "verification.verified_already": _("The organisation is verified already."),
        "verification.suspended": _("The organisation is suspended. Ask the platform's operator."),
        "verification.open_already": _("A licence has been handed in already and is being checked."),
        "verification.own_organisation": _("Nobody decides about their own organisation. Another operator has to do this."),
        "verification.decided_already": _("Somebody has decided about this already."),
        "verification.reason_needed": _("Type the reason: the organisation will read it."),
        "verification.reason_too_long": _("The reason may have %(maximum)s characters at most."),
        "bootstrap.done_already": _("There is an operator already. Further ones are invited from the organisation's page."),
        "bootstrap.address_taken": _("There is an account with this e-mail address already. Use another one."),
        "upload.empty": _("Choose a file; the one that came was empty."),
        "upload.too_big": _("The file is too big: %(megabytes)s MB at most."),
        "upload.unknown_type": _("The file must be a PDF, JPEG or PNG. Save it as one of these and try again."),
        "upload.unreadable_image": _("The image cannot be read. Save or scan it again."),
        "upload.too_many_pixels": _("The image is too large: %(megapixels)s megapixels at most."),
        "tokens.scope_needed": _("This token may not do that: it needs the scope %(scope)s."),
        "tokens.expires_in_past": _("The last day must be in the future."),
        "tokens.session_only": _("This works only when logged in with a browser session, not with a token."),
        "tokens.too_many": _("You have %(maximum)s valid tokens. Revoke one before you make another."),
    }
)
