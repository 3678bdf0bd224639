"""Bulk changes: read, plan, run, report, undo."""
