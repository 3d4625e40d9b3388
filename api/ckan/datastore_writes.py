"""Writing the DataStore."""
