"""Tables: the journal of Parquet files (the truth), the serving copy, queries, types, reading files."""
