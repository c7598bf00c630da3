"""The words of the house: frozen dataclasses and errors, no input and no output."""
