"""The sentences for refusals about test items, germplasm, data sets, literature, their imports and requests for them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register, register_formatter
from instruments.search_wording import UNIT_NAMES

for _suffix in ("was_unit", "becomes_unit"):
    register_formatter(_suffix, lambda code: str(UNIT_NAMES.get(code, code)))

register(
    {
        "resource.kind_unknown": _("There is no kind of resource called %(text)s. Known kinds: %(known)s."),
        "resource.instrument_unknown": _(
            "Instrument %(number)s does not exist, or may not be named here. Choose one from the list."
        ),
        "resource.number_out_of_range": _("Type a whole number between %(least)s and %(most)s, or leave it empty."),
        "resource.choice_unknown": _("%(text)s is not one of the choices: %(known)s."),
        "resource.media_type_invalid": _("%(text)s is no media type. Write it like text/csv or application/zip."),
        "resource.analyte_without_name": _("A detection limit stands without a name (%(text)s). Say what is measured."),
        "resource.qualification_without_scheme": _("Say which qualification it is, for example CMA or CNAS."),
        "resource.end_before_start": _("The end (%(last_on)s) lies before the beginning (%(first_on)s)."),
        "resource.language_invalid": _("%(text)s is no language code. Write it like zh, en or zh-Hans."),
        "resource.part_of_other_kind": _("A resource of kind %(kind)s has no such part. Send the part of its own kind."),
        "resource.export_not_for_kind": _("There is no export of this kind in that format. Formats for it: %(known)s."),
        "germplasm.descriptor_unknown": _("%(name)s is no descriptor of this standard."),
        "germplasm.number_missing": _("The accession needs its number."),
        "germplasm.scientific_name_missing": _("The record needs a scientific name."),
        "germplasm.date_not_understood": _(
            "%(text)s is no date of MCPD. Write YYYYMMDD, with hyphens for what is not known: 19880214, 198802--, 1988----."
        ),
        "germplasm.iso_date_not_understood": _("%(text)s is no date. Write 2019, 2019-05 or 2019-05-07."),
        "germplasm.country_invalid": _("%(text)s is no country code. Write three capital letters, for example CHN."),
        "germplasm.country_code_invalid": _("%(text)s is no country code. Write two capital letters, for example CN."),
        "germplasm.code_unknown": _("%(text)s is not in the standard's list: %(known)s."),
        "germplasm.not_a_number": _("%(text)s is not a number."),
        "germplasm.coordinate_not_understood": _("%(text)s is no place on earth. Write decimal degrees up to %(most)s."),
        "germplasm.dms_not_understood": _(
            "%(text)s cannot be read. Write degrees, minutes and seconds without blanks, for example 361230N or 1014600E."
        ),
        "germplasm.coordinates_differ": _(
            "%(dms)s means %(read)s degrees, but the decimal degrees say %(decimal)s. Only one of them can be right."
        ),
        "import.constant_unknown": _("%(text)s is not known here. Known names: %(known)s."),
        "import.constant_shape": _("%(text)s must have the form NAME=VALUE."),
        "import.number_column_missing": _("The file has no column for the accession number (%(known)s)."),
        "import.name_column_missing": _(
            "No column of the file says what each row is called. Give one a heading such as %(headings)s, or hand the file over as another"
            " list, where you say what each column means."
        ),
        "import.descriptor_of_another": _(
            "%(name)s is a descriptor of another standard than the number's column. Choose those of one standard, or leave it out."
        ),
        "import.instrument_not_found": _(
            "No instrument of the owner has the number or name %(text)s. Add the instrument first, or correct the cell."
        ),
        "import.bytes_not_understood": _("%(text)s is not a size. Write how many bytes it has, in digits alone."),
        "import.placeholder_row": _("The row names nothing and has no price; it was left out."),
        "import.repeated_row": _("The same test at the same price as line %(counting_line)s, which counts."),
        "import.price_zero": _("The price is written as zero: it is taken as a price on request, never as free of charge."),
        "import.number_repeated": _(
            "The number %(number)s stands on %(rows)s rows: each is a test of its own and known by everything but its price."
        ),
        "import.price_jump": _(
            "The price changes by much: %(was)s for %(was_unit)s becomes %(becomes)s for %(becomes_unit)s. It has to be confirmed."
        ),
        "import.price_jump_not_confirmed": _(
            "The price changes by much and nobody confirmed it: %(was)s for %(was_unit)s becomes %(becomes)s for %(becomes_unit)s."
            " Look at it, then confirm this line."
        ),
        "import.jumps_not_confirmed": _(
            "Large changes of prices that are not confirmed yet: %(count)s. Tick each one or change the file."
        ),
        "import.price_on_request": _("No price: it is given on request."),
        "import.currency_other": _("The price is in %(text)s, but prices here are in %(currency)s."),
        "resource_request.illegal_transition": _("This cannot be done any more: the request has moved on. Load the page again."),
        "resource_request.not_available": _("This resource cannot be requested: it is not published."),
        "resource_request.own_resource": _("This belongs to your own institution. Ask your colleagues for it."),
        "resource_request.purpose_missing": _("Say what it is for, so that the owner can decide."),
        "resource_request.terms_not_accepted": _("Read the terms and accept them, or do not request it."),
        "resource_request.terms_changed": _("The terms have changed since you opened the page. Read them and accept them again."),
        "resource_request.organisation_needed": _("Choose for which organisation you ask. You need to belong to one."),
        "resource_request.too_many_open": _(
            "%(maximum)s of your requests for this are open. Wait for an answer, or withdraw one."
        ),
        "resource_request.open_already": _("Your organisation has asked for this already and waits for an answer."),
        "resource_request.reason_missing": _("Say why, so that the requester knows what to do next."),
        "resource_request.mode_unknown": _("Say how it was delivered: %(known)s."),
        "resource_request.file_missing": _("Choose the file that is delivered."),
        "resource_request.file_not_wanted": _("A file belongs only to a delivery as a file."),
        "resource_request.file_is_program": _("This is a program. Deliver data, a document or an archive of them."),
        "resource_request.note_missing": _("Say when and where, or how the sample travels."),
        "resource_request.rating_out_of_range": _("Choose 1 to 5 stars."),
        "resource_request.no_file": _("Nothing was delivered as a file."),
    }
)
