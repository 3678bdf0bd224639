"""Bulk changes, measured: their plans, their queueing, the pages meanwhile, and the peer of the plan."""
