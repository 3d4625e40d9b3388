"""marshmallow schemas: JSON or form → frozen draft, row → JSON."""
