"""Use-cases: one verb, one transaction, its audit entry inside."""
