"""The audit, measured among millions of events: finding, verification, writing and export."""
