"""Standards that records go out and come in by: pure, from plain values to documents and back."""
