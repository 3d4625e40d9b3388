"""Pages, by their address."""
