"""A campaign bot: it publishes what people approved, exactly, once, and keeps a record nobody can bend."""

__version__ = "0.1.0"
