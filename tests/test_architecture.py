"""The house keeps its plan: imports point one way, and each table has its one writer."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("portal", "audit", "orgs", "contacts", "sandbox")

# Each room may import the rooms before it. portal/urls.py, portal/celery.py (by task name only) and the
# supervisor's commands are the front door: they alone know everybody.
KNOWS = {
    "portal": {"portal"},
    "audit": {"portal", "audit"},
    "orgs": {"portal", "audit", "orgs"},
    "contacts": {"portal", "audit", "orgs", "contacts"},
    "sandbox": {"sandbox"},
}
# portal/demo.py connects the sandbox, so it knows the company that the sandbox makes up.
FRONT_DOOR = {"portal/urls.py", "portal/demo.py"}
# Inside contacts, the path of a write points one way as well.
LAYERS = [
    "details",
    "models",
    "compare",
    "fingerprint",
    "events",
    "alerts",
    "mirror",
    "settle",
    "approval",
    "sending",
    "delivery",
    "change_sets",
    "set_of_one",
    "steering",
    "changes",
    "planned_changes",
    "bulk",
]


def modules(*rooms: str) -> list[Path]:
    return [
        path
        for room in rooms
        for path in sorted((ROOT / room).rglob("*.py"))
        if "migrations" not in path.parts and "__pycache__" not in path.parts
    ]


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", modules(*ROOMS), ids=where)
def test_imports_point_one_way(path: Path):
    room = path.relative_to(ROOT).parts[0]
    known = {name.split(".")[0] for name in imports(path)} & set(ROOMS)
    if where(path) not in FRONT_DOOR:
        assert known <= KNOWS[room]


@pytest.mark.parametrize("path", modules(*ROOMS), ids=where)
def test_only_the_gateway_imports_the_sdk(path: Path):
    sdk = {name for name in imports(path) if name.split(".")[0] in {"boto3", "botocore", "s3transfer"}}
    assert not sdk or where(path) == "portal/aws.py"


@pytest.mark.parametrize("layer", LAYERS)
def test_the_path_of_a_write_points_one_way(layer: str):
    above = {f"contacts.{name}" for name in LAYERS[LAYERS.index(layer) + 1 :]}
    files = modules(f"contacts/{layer}") or [ROOT / "contacts" / f"{layer}.py"]
    used = {".".join(name.split(".")[:2]) for path in files for name in imports(path)}
    assert not used & above


def writes_to(path: Path, model: str) -> bool:
    """Whether the module calls a writing method on the model's manager or querysets."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in WRITING and model in ast.unparse(node.value):
            return True
    return False


WRITING = {
    "create",
    "bulk_create",
    "insert_many",
    "point_many",
    "bulk_update",
    "update_or_create",
    "get_or_create",
    "update",
    "delete",
}
WRITERS = {
    "AuditEvent": {"audit/log.py"},
    "AuditSeal": {"audit/seals.py"},
    "Review": {"audit/reviews.py", "audit/periods.py"},
    "ReviewPeriod": {"audit/periods.py"},
    "AuditVerification": {"audit/verification.py"},
    "ProviderMembership": {"orgs/provider_groups.py", "orgs/grants.py"},
    "OutgoingMail": {"portal/mail.py"},
    "AuditPending": {"audit/log.py", "audit/seals.py"},
    "AlternateContact": {"contacts/mirror.py"},
    "Drift": {"contacts/mirror.py"},
    "ContactChange": {
        "contacts/change_sets.py",
        "contacts/changes.py",
        "contacts/delivery.py",
        "contacts/planned_changes.py",
        "contacts/settle.py",
    },
    "ChangeSet": {"contacts/change_sets.py", "contacts/set_of_one.py", "contacts/bulk/plan.py"},
    "PlannedChange": {
        "contacts/changes.py",
        "contacts/planned_changes.py",
        "contacts/set_of_one.py",
        "contacts/bulk/plan.py",
        "contacts/bulk/run.py",
    },
}


@pytest.mark.parametrize("model", WRITERS)
def test_each_table_has_its_writers(model: str):
    found = {where(path) for path in modules("portal", "audit", "orgs", "contacts") if writes_to(path, model)}
    assert found <= WRITERS[model]
