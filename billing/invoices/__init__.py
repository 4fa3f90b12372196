"""VAT invoices (发票) for bills: asked for, recorded and checked, taken to the tax platform and back. Never made by us."""
