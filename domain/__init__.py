"""The types that all rooms share: frozen dataclasses and errors, without input or output."""
