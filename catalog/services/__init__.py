"""Verbs by noun: `who`, what, then options by keyword."""
