"""One file a platform; none knows the database, nor another platform."""
