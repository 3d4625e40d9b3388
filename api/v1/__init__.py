"""Weft's own REST API."""
