"""Pages as somebody reads them, where a test looks for a whole value."""


def plain(text: str) -> str:
    """The page without the marks on what changed within a value."""
    return text.replace("<mark>", "").replace("</mark>", "")
