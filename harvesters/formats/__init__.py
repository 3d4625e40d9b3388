"""Harvest formats: each reads and describes, and knows no database and no Flask."""
