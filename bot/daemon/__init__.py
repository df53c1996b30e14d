"""The daemon: publishes what is due, plans, looks after what is in doubt, and signs the record."""
