"""SQLAlchemy rows, one noun a file. They know no Flask and no engine."""
