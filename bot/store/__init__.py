"""The database: rows become frozen values at this door, and nothing but values leaves it."""
