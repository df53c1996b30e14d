"""The rules: pure values and decisions, told the time, touching nothing."""
