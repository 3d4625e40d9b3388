"""Machines: the REST API, with keys and limits."""
