"""What the processes of this benchmark agree on: people, sizes and files."""

EDITOR, APPROVER = "bulk-editor", "bulk-approver"
SMALL, LARGE = 10_000, 50_000
ROUNDS = 3  # small files, each about other contacts, so that each can be queued


def file_name(rows: int, number: int = 0, kind: str = "csv") -> str:
    """The file of so many rows; the small ones are numbered."""
    return f"{rows}-{number}.{kind}"
