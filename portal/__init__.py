"""People: the pages of the portal."""
