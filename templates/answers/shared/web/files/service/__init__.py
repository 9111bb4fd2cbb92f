"""What every page needs, on the standard library and psycopg2."""
