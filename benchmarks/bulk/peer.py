"""django-import-export's dry run of a file: `python -m benchmarks.bulk.peer WAY FILE…`; prints JSON.

The resource is written as its documentation advises for large files, in three ways: see WAYS.
"""

import json
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path

import django
import tablib

django.setup()

from import_export.fields import Field  # noqa: E402 - models exist only after the set-up
from import_export.instance_loaders import ModelInstanceLoader  # noqa: E402
from import_export.resources import ModelResource  # noqa: E402
from import_export.results import Result  # noqa: E402
from import_export.widgets import CachedForeignKeyWidget  # noqa: E402

from contacts.models import AlternateContact, ContactStatus  # noqa: E402
from orgs.models import Account  # noqa: E402


class ContactLoader(ModelInstanceLoader):
    """Loads all contacts in one query. Its own cached loader knows one identifying column, not two."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        rows = self.get_queryset()
        self.known = {(row.account.aws_id, row.contact_type): row for row in rows}

    def get_instance(self, row) -> AlternateContact | None:
        """The contact of the row's account and type."""
        return self.known.get((row["AccountId"], row["AlternateContactType"]))


class ContactResource(ModelResource):
    """Contacts by account id and type; what is unchanged is skipped and reported."""

    account = Field("account", "AccountId", widget=CachedForeignKeyWidget(Account, "aws_id"))
    contact_type = Field("contact_type", "AlternateContactType")
    name = Field("name", "Name")
    title = Field("title", "Title")
    email = Field("email", "EmailAddress")
    phone = Field("phone", "PhoneNumber")
    status = Field("status", "Status")

    class Meta:
        model = AlternateContact
        fields = ("account", "contact_type", "name", "title", "email", "phone", "status")
        import_id_fields = ("account", "contact_type")
        use_bulk = True
        batch_size = 1000
        skip_unchanged = True
        report_skipped = True

    def get_queryset(self):
        """The account is asked for its id with every difference."""
        return super().get_queryset().select_related("account")

    def before_import_row(self, row, **kwargs) -> None:
        """What gets values is set; a constraint of the table demands it."""
        row["Status"] = ContactStatus.SET


class CheckingResource(ContactResource):
    """The same, and each contact is validated, so that the dry run finds mistakes."""

    class Meta(ContactResource.Meta):
        clean_model_instances = True


class LoadingResource(ContactResource):
    """The fastest that we could make of it: all contacts in one query, and no differences to show."""

    class Meta(ContactResource.Meta):
        instance_loader_class = ContactLoader
        skip_html_diff = True


WAYS = {"checking": CheckingResource, "plain": ContactResource, "loading": LoadingResource}


def main() -> None:
    """Dry-run each file once."""
    way, rounds = WAYS[sys.argv[1]], []
    for path in map(Path, sys.argv[2:]):
        before, started = time.process_time(), time.perf_counter()
        result = dry_run(way(), path)
        seconds, cpu = time.perf_counter() - started, time.process_time() - before
        rounds.append({"seconds": seconds, "cpu": cpu, "counts": dict(result.totals)})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rounds": rounds, "peak_mib": peak, "version": version("django-import-export")}))


def dry_run(way: ModelResource, path: Path) -> Result:
    """From the file to the result that can be shown."""
    dataset = tablib.Dataset().load(path.read_text(encoding="utf-8"), format="csv")
    result = way.import_data(dataset, dry_run=True)
    assert not result.has_errors(), result.base_errors or result.row_errors()[:1]
    return result


if __name__ == "__main__":
    main()
