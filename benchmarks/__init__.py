"""Measurements: how near the portal comes to AWS's published limits, with its peers beside it."""
