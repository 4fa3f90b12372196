"""The parts a programme is made of, one file per family; each reads its piece of the document and applies itself.

A new kind of part is a class here, an entry in its family's table and a definition in programme.schema.json.
"""
