"""A local AWS over HTTP: Organizations, Account Management and STS, strict where AWS is strict."""
