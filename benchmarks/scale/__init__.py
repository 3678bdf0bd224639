"""Size, measured: discovery of a large organization, and every page over 100,000 accounts."""
