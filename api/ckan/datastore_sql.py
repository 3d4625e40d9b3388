"""`datastore_search_sql`."""
