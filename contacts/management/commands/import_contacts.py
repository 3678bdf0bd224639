"""Plans the changes of a file, as a person, and with --apply sends them."""

import io
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from audit.context import Context
from contacts.bulk.commands import ChangeSetCommand
from contacts.bulk.files import read_lines
from contacts.bulk.line import Line
from contacts.bulk.plan import make_plan
from contacts.bulk.telling import address_of, facts_of, many, plan_lines
from contacts.models import ChangeSet, SetKind
from portal.commands import Progress, failed, wrong_usage
from portal.tables import SIZE_LIMIT, NotATable

STANDARD_INPUT = "-"


class Command(ChangeSetCommand):
    """import_contacts FILE --as USER --reason TEXT [--apply] [--skip-refused] [--wait SECONDS] [--json]"""

    name = "import_contacts"
    help = (
        "Plan the changes that a CSV or XLSX file asks for; with --apply, send them. "
        "Exit 0: no line is refused, and with --apply --wait everything is as the file says."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="CSV or XLSX; - reads CSV from standard input.")
        super().add_arguments(parser)
        parser.add_argument("--apply", action="store_true", help="Send the plan. Without it nothing is sent.")
        parser.add_argument(
            "--skip-refused", action="store_true", help="Send the other lines where some are refused."
        )

    def act(self, options: dict[str, Any], context: Context) -> None:
        change_set = self._plan(options["file"], context)
        refused = change_set.counts.get("refused", 0)
        mistakes = f"{many(refused, 'line', 'is', 'are')} refused."
        self.say(options, *plan_lines(change_set))
        if not options["apply"]:
            words = f"Nothing was sent. The plan is kept: {address_of(change_set)}"
            self.answer(options, facts_of(change_set), words)
            if refused:
                raise failed(mistakes)
        elif refused and not options["skip_refused"]:
            self.discard(options, change_set, "Nothing was sent, and the plan was discarded.")
            raise failed(f"{mistakes} Mend them, or send the other lines with --skip-refused.")
        elif not change_set.writes:
            self.discard(
                options, change_set, "Nothing to send: these values were there when AWS was last read."
            )
        else:
            self.send(options, change_set, context, without_refused=options["skip_refused"])

    def _plan(self, file: str, context: Context) -> ChangeSet:
        name = "standard input" if file == STANDARD_INPUT else Path(file).name
        try:
            with _open(file) as stream, self.progress("Lines") as bar:
                lines = _counted(read_lines(stream, name), bar)
                return make_plan(lines, kind=SetKind.FILE, title=name, file_name=name, context=context)
        except NotATable as error:
            raise wrong_usage(str(error)) from error
        except OSError as error:
            raise wrong_usage(f"{file} cannot be read: {error.strerror}.") from error


def _open(file: str) -> BinaryIO:
    if file == STANDARD_INPUT:  # a pipe cannot be read twice; one byte too many says that it is too large
        return io.BytesIO(sys.stdin.buffer.read(SIZE_LIMIT + 1))
    return Path(file).open("rb")


def _counted(lines: Iterable[Line], bar: Progress) -> Iterator[Line]:
    for line in lines:
        yield line
        bar.step()
