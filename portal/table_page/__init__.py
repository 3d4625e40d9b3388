"""Parts of the page of a table: its links, grid, profiles, charts, map, downloads and examples."""
