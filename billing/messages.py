"""The sentences for refusals."""
