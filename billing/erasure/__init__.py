"""Erasing a person: what names them is made unreadable everywhere but in papers that the law keeps; amounts and papers stay."""
