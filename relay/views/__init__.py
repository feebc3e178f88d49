"""What people are shown, read from the database without SQLAlchemy so that a command answers at once."""
