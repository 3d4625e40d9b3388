"""Getting records from departments' systems."""
