"""The sentences for refusals about editing, reviewing and reporting, and about tables that come back."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "instrument.review_needed": _(
            "The operator looks at this first. Save it as a draft on the instrument's page and hand it in there."
        ),
        "resource.review_needed": _("The operator looks at this first. Save it on its page: that hands it in."),
        "import.review_needed": _(
            "%(count)s rows would change what is published, and the operator looks at that first. Change those on their own pages."
        ),
        "instrument.changed_meanwhile": _(
            "Somebody else changed this instrument while you were typing. What you typed is still here: compare it, then save again."
        ),
        "instrument.customs_code_invalid": _("%(text)s does not look right. Type it as it stands on the declaration."),
        "instrument.funding_unknown": _("%(text)s is not a source of money. Choose one of: %(known)s."),
        "instrument.funding_twice": _("The source %(text)s is named twice. Add the amounts up."),
        "instrument.too_many_images": _("There are %(maximum)s pictures already. Take one away first."),
        "instrument.too_many_documents": _("There are %(maximum)s documents already. Take one away first."),
        "instrument_change.not_now": _("This cannot be done any more: the change is %(state)s. Reload the page."),
        "instrument_change.changed_meanwhile": _(
            "What it is about, or the proposal, has changed since this page was loaded. Look at the differences again, then decide."
        ),
        "instrument_change.clash": _(
            "%(count)s of these fields have changed since they were proposed. Say that the proposal replaces them, or refuse it."
        ),
        "instrument_change.another_open": _("Another change of this instrument is open. Finish that one first."),
        "instrument_change.nothing_to_do": _("The instrument is published already. Reload the page."),
        "instrument_change.own": _("You cannot decide about what your own organisation shares. A colleague has to."),
        "instrument_change.reason_missing": _("Give a reason: the owner reads it and mends the change."),
        "problem.text_missing": _("Say what is wrong: what you did, and what happened."),
        "problem.too_many_open": _("%(maximum)s of your reports are still open. Wait for the labs' answers, or call them."),
        "problem.state_unknown": _("Choose whether the problem is acknowledged or solved."),
        "sheet.not_a_workbook": _("This is not an .xlsx workbook. Download the table again, fill it in, and save it as .xlsx."),
        "sheet.too_big": _("The file is too big: %(maximum_mb)s MB at most. Download fewer columns, or remove rows."),
        "sheet.unpacks_too_big": _("The file unpacks to more than a table can hold. Download the table again and use that one."),
        "sheet.forbidden_content": _("The workbook holds %(what)s, which is not read here. Save it as a plain .xlsx."),
        "sheet.too_many_sheets": _("The workbook has more than %(maximum)s sheets. Keep the one that you downloaded."),
        "sheet.too_many_rows": _("The sheet has more than %(maximum)s rows. Hand it in in parts."),
        "sheet.too_many_columns": _("The sheet has more than %(maximum)s columns. Download the table again and use that one."),
        "sheet.cell_too_long": _("Row %(row)s has a cell of more than %(maximum)s characters. Shorten it."),
        "sheet.key_row_missing": _(
            "The hidden first row with the names of the columns is missing. Download the table again and copy your changes into it."
        ),
        "sheet.column_unknown": _("Column %(column)s is called %(name)s, which means nothing here. Remove the column."),
        "sheet.column_twice": _("Two columns are called %(name)s. Remove one of them."),
        "sheet.no_rows": _("There is nothing in the sheet below its two head rows."),
        "sheet.new_row": _("This row belongs to no instrument. Add new instruments on their own page, and remove the row here."),
        "sheet.new_test_item": _(
            "This row belongs to no test item. Add new test items on their own page, and remove the row here."
        ),
        "sheet.new_dataset": _("This row belongs to no data set. Add new data sets on their own page, and remove the row here."),
        "sheet.new_literature": _(
            "This row belongs to no work of literature. Add new works on their own page, and remove the row here."
        ),
        "sheet.new_germplasm": _(
            "This row belongs to no accession. Add new accessions on their own page, and remove the row here."
        ),
        "sheet.row_twice": _("What this row is about stands in row %(first_row)s already. Remove one of the two."),
        "sheet.instrument_unknown": _("This instrument is not one of yours. Remove the row."),
        "sheet.resource_unknown": _("This row belongs to nothing of this kind that is yours. Remove the row."),
        "sheet.kind_unknown": _("There is no table of %(text)s. Choose one of: %(known)s."),
        "sheet.descriptor_of_another": _(
            "%(name)s is a descriptor of the other standard than this accession's. Leave the cell empty, and use its own columns."
        ),
        "sheet.not_a_number": _("%(text)s is not a whole number. Type digits alone."),
        "sheet.changed_meanwhile": _(
            "The instrument has changed since the table was downloaded. Download it again and make your change there."
        ),
        "sheet.word_unknown": _("%(text)s is not one of the values of this column. Choose from the list in the cell."),
        "sheet.not_a_date": _("%(text)s is not a date. Type it like 2026-11-23."),
        "sheet.not_yes_or_no": _("%(text)s is neither yes nor no. Choose from the list in the cell."),
        "sheet.formula": _("The cell holds a formula. Type the value itself."),
        "sheet.not_applied": _("Nothing was saved: something changed since you looked. The rows below say what to do."),
        "sheet.applied_already": _("This table is saved already. Download it again for further changes."),
        "sheet.nothing_to_do": _("The table is the same as what is stored. There is nothing to save."),
    }
)
