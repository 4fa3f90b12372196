"""The sentences for refusals about the registry: its fields, its calendars, and files that are taken in."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import local_time, register, register_formatter

register(
    {
        "instrument.value_not_a_number": _("%(text)s is not an amount. Type digits, with a point before the decimals."),
        "instrument.value_negative": _("An amount of money must not be negative."),
        "instrument.value_too_big": _("This amount is too big to be right. Check the unit."),
        "instrument.date_not_understood": _("%(text)s is not a date. Type it like 2026-11-23."),
        "instrument.date_out_of_range": _("The year must be between %(first)s and %(last)s."),
        "instrument.region_code_invalid": _("%(text)s is not a region code: it has six digits."),
        "instrument.email_invalid": _("%(text)s is not an e-mail address. Type it like name@example.org."),
        "instrument.class_code_invalid": _("%(text)s is not a class code: it has two, four or six digits."),
        "instrument.class_code_unknown": _("%(text)s begins with a class that the national list does not have."),
        "instrument.status_unknown": _("%(text)s is not a status. Choose one of: %(known)s."),
        "instrument.choice_unknown": _("%(text)s is not one of the values here. Choose one of: %(known)s."),
        "instrument.list_too_long": _("%(found)s entries are too many: at most %(maximum)s."),
        "instrument.url_invalid": _("%(text)s is not a web address. It begins with https:// and has at most 200 characters."),
        "instrument.doi_invalid": _("%(text)s is no DOI. Write it like 10.1234/abc, or leave it empty."),
        "instrument.cstr_invalid": _("%(text)s is no CSTR identifier. Write it like CSTR:31253.11.name, or leave it empty."),
        "instrument.nation_code_invalid": _("%(text)s is not a country code: it has two letters, such as CN."),
        "instrument.service_mode_unknown": _("%(text)s is not a way of service. Choose from: %(known)s."),
        "instrument.owner_unknown": _("Only an owner institution can have instruments. Choose one that exists."),
        "instrument.site_unknown": _("This place does not belong to the owner. Choose one of its own."),
        "place.coordinate_missing": _("Give both latitude and longitude, or neither."),
        "place.coordinate_range": _("It lies between -%(limit)s and %(limit)s degrees."),
        "place.coordinate_unreadable": _("%(text)s is no number of degrees. Type it like 36.622."),
        "place.division_unknown": _("There is no division %(code)s. Use a six-digit code of the list, like 630104."),
        "place.review_needed": _(
            "Published instruments or tests are here, and the operator looks at changes of them first. Ask the operator to change this."
        ),
        "place.zone_kept": _(
            "Opening hours here are kept in %(zone)s. Remove them first, or move the instruments to a place in the other zone."
        ),
        "site.name_taken": _("There is a place called %(name)s already. Use it, or choose another name."),
        "calendar.no_such_wall_time": _(
            "The clock in %(zone)s never shows %(wall_time)s: it is put forward there. Choose another time."
        ),
        "calendar.year_out_of_range": _("The year must be between %(first)s and %(last)s."),
        "calendar.no_such_entry": _("This opening or closure does not exist any more. Load the page again."),
        "calendar.end_before_start": _("The end must be after the start."),
        "calendar.window_out_of_range": _("The end must be after the start, and at most %(maximum_days)s days later."),
        "calendar.weekday_unknown": _("Choose a day of the week."),
        "calendar.windows_overlap": _("Two windows overlap at %(time)s. Make one of them shorter."),
        "calendar.audience_unknown": _("Choose at least one group of customers: %(known)s."),
        "calendar.season_without_hours": _("A season needs hours. To close all of it, plan a closure instead."),
        "calendar.seasons_overlap": _(
            "These days belong to %(name)s already. Change its days, or let this season win over others."
        ),
        "calendar.no_such_occurrence": _("Nothing of this happens on that day (any more). Load the page again."),
        "calendar.outside_season": _("This day lies outside of the season %(name)s, where its hours do not count."),
        "recurrence.unsupported_frequency": _("%(frequency)s is not offered: choose daily, weekly, monthly or yearly."),
        "recurrence.unsupported_parameter": _("%(parameter)s cannot be used to repeat an opening."),
        "recurrence.unsupported_weekday": _("%(value)s is not a day of the week."),
        "recurrence.unsupported_month_day": _("%(value)s is not a day of a month: choose 1 to 31, or -1 for the last day."),
        "recurrence.unsupported_nth": _("Choose the first to the fifth such day of the month, or the last."),
        "recurrence.nth_and_weekday": _("Say which day of the week and which of these days in the month: exactly one of each."),
        "recurrence.only_monthly": _("Days of a month can only be given for what happens every month."),
        "recurrence.malformed": _("The repetition cannot be read at %(part)s."),
        "recurrence.out_of_range": _("This must be at least %(minimum)s."),
        "recurrence.until_and_count": _("Give either a last day or a number of times, not both."),
        "import.file_empty": _("The file is empty. Export it again."),
        "import.file_too_big": _("The file is too big: %(maximum_mb)s MB at most. Split it."),
        "import.file_packed": _("This is a %(kind)s file. Save the list as .xlsx or CSV and try again."),
        "import.file_binary": _("This is not a text file (byte %(position)s). Save the list as CSV and try again."),
        "import.file_missing": _("The file %(path)s cannot be read. Check the path and the permissions."),
        "import.encoding_unknown": _("There is no encoding called %(name)s. Try utf-8, gb18030 or cp1252."),
        "import.encoding_wrong": _(
            "Line %(line)s is not %(name)s (byte %(position)s). Declare the right encoding, or save the file as UTF-8."
        ),
        "import.encoding_none": _("No encoding fits this file. Save it as UTF-8 and try again."),
        "import.one_column": _("The file seems to separate its columns by a %(separator)s. Say so in the map (delimiter)."),
        "import.header_empty": _("Column %(column)s has no name in the first line. Name it, or remove it."),
        "import.header_twice": _("The name %(header)s stands over columns %(first)s and %(second)s. Rename one of them."),
        "import.too_many_columns": _("A row has %(found)s columns; at most %(maximum)s are read. Is this the right file?"),
        "import.too_many_rows": _("The file has more than %(maximum)s rows. Split it."),
        "import.too_many_cells": _(
            "With %(columns)s columns the file has more than %(maximum)s cells. Take out empty columns, or split it."
        ),
        "import.no_rows": _("There is a first line with names, and no row below it."),
        "import.row_length": _(
            "Line %(line)s has %(found)s cells where %(expected)s are named: it is cut off, or has a separator too many."
        ),
        "import.broken_quotes": _("From line %(line)s on, a quotation mark is opened and not closed (or closed twice)."),
        "import.field_too_long": _(
            "From line %(line)s on, a cell is longer than %(maximum)s characters: a quotation mark may not be closed."
        ),
        "import.column_missing": _("The file has no column %(columns)s, which is needed for %(for_field)s."),
        "import.owner_needed": _("Say whose instruments these are: name the owner, or use a map that reads it from each row."),
        "import.organisation_missing": _("The row does not say whose instrument this is."),
        "import.organisation_unknown": _(
            "Line %(line)s: there is no owner %(name)s. Create it first, or let the map create owners."
        ),
        "import.organisation_ambiguous": _("Line %(line)s: more than one owner is called %(name)s. Use its code instead."),
        "import.organisation_no_owner": _(
            "Line %(line)s: the code of %(name)s is that of an organisation that owns no instruments. Correct the code."
        ),
        "import.number_twice": _("The number %(number)s stands in line %(first_line)s already."),
        "import.booked_ahead": _(
            "%(name)s has %(count)s bookings or requests ahead, so no file retires it. Open it: tell an outage over those times, which "
            "lists them and moves or gives back each, and answer the requests; then import again. Or leave its state out of this row."
        ),
        "import.number_twice_for_owner": _("Line %(line)s: the number %(number)s stands in line %(first_line)s already."),
        "import.value_unknown": _("%(text)s has no meaning here. Known values: %(known)s."),
        "import.time_zone_unknown": _("There is no time zone called %(name)s. Use a name like Asia/Shanghai."),
        "import.map_unreadable": _("The map %(path)s is not readable JSON: %(detail)s."),
        "import.map_shape": _("The map needs an object with an object called fields."),
        "import.map_unknown_key": _("The map has %(place)s, which means nothing. Known: %(known)s."),
        "import.map_needs": _("The map needs %(place)s."),
        "import.map_choice": _("In the map, %(place)s must be one of: %(known)s."),
        "import.map_source": _(
            "In the map, %(place)s must name exactly one of column, first_of, join or constant, in the right shape."
        ),
        "import.changed": _("Was %(was)s, becomes %(becomes)s."),
        "import.changed_since": _("The registry has changed since the preview. Look at the new preview and confirm again."),
        "import.workbook_broken": _("This workbook cannot be read. Open it in a spreadsheet program and save it as .xlsx again."),
        "import.workbook_bomb": _(
            "Unpacked, this workbook is far bigger than a list of instruments. Save only the list as .xlsx."
        ),
        "import.workbook_macros": _("The workbook holds macros. Save it as .xlsx, without macros."),
        "import.workbook_entities": _("The workbook holds XML declarations that no spreadsheet program writes. It is not read."),
        "import.workbook_formula": _("Cell %(cell)s holds a formula. Copy the column and paste its values, then save."),
        "import.workbook_error_cell": _("Cell %(cell)s shows the error %(text)s. Mend it, then save."),
        "import.name_unknown": _("%(text)s is in no code list. Write it as the list does, or use its code."),
        "import.map_hours": _("In the map, hours_per_day needs a column and windows such as 08:00-18:00 for each value."),
        "import.identifier_not_written": _(
            "%(text)s has not the form of such an identifier. Where it is stored already it stays; it is not written anew."
        ),
        "import.cut": _("Cut from %(length)s to %(kept)s characters."),
        "import.repeated_same": _("The same number and the same content as line %(counting_line)s, which counts."),
        "import.repeated_differs": _("The same number as line %(counting_line)s, which counts; differs in %(fields)s."),
        "import.mended_invisible": _("Invisible characters removed from %(column)s: %(code_points)s."),
        "import.mended_double_encoding": _("Text in %(column)s had been encoded twice and was set right."),
    }
)

register_formatter("wall_time", local_time)
