"""The pages of organizations and people."""
