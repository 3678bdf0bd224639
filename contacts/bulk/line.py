"""What every door of a bulk change hands to the plan: one line for one contact. Pure."""

from typing import NamedTuple


class Problem(NamedTuple):
    """Why a line is refused: the column as the file names it, or empty, and what to do in a sentence."""

    field: str
    text: str

    @property
    def facts(self) -> dict[str, str]:
        """As PlannedChange keeps it."""
        return {"field": self.field, "text": self.text}


class Line(NamedTuple):
    """What is wanted of one contact, before it is held against what we know.

    values has those of name, title, email and phone that are to be set; what is not there keeps its value,
    and None deletes the contact. As typed: the plan trims, unless is_raw, and says so.
    """

    number: int  # the line of the file, or the place in the selection, from 1
    account_id: str  # as given, even where it is no id
    contact_type: str
    values: dict[str, str] | None
    problems: tuple[Problem, ...] = ()  # mistakes found so far: the line is refused, and keeps them all
    remarks: tuple[str, ...] = ()
    is_raw: bool = False
    is_left_out: bool = False
    undoes: int | None = None  # the change that this line rolls back, by its key
