"""Builds the demo company: the same world for the same seed and number of accounts."""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import count

from sandbox import company
from sandbox.records import ACCOUNT_MANAGEMENT, CONTACT_TYPES, Account, Contact, Organization, Unit
from sandbox.world import World

FIRST_JOIN = 1_546_300_800.0  # 2019-01-01
YEAR = 31_557_600
OLD_STATES = ("SUSPENDED", "CLOSED", "PENDING_CLOSURE", "SUSPENDED", "CLOSED", "SUSPENDED")


def demo_world(accounts: int = 150, seed: int = 7, partition: str = "aws") -> World:
    """Make an organization of so many accounts, the management account among them, and two standalone."""
    chance = random.Random(seed)
    organization = Organization(company.ORGANIZATION_ID, company.ROOT_ID, company.MANAGEMENT_ID)
    world = World(organization, partition)
    unit_ids = _add_units(world, chance)
    _add_first_accounts(world, unit_ids, accounts)
    _add_members(world, unit_ids, accounts, chance)
    _add_standalone(world)
    world.set_trusted(ACCOUNT_MANAGEMENT, True)
    return world


def _add_units(world: World, chance: random.Random) -> dict[str, str]:
    world.set_unit(Unit(company.ROOT_ID, "Root", None))
    unit_ids = {"": company.ROOT_ID}
    for path, _, _ in company.UNITS:
        above, _, name = path.rpartition("/")
        tail = "".join(chance.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=8))
        unit_ids[path] = f"ou-{company.ROOT_ID[2:]}-{tail}"
        world.set_unit(Unit(unit_ids[path], name, unit_ids[above]))
    return unit_ids


def _add_first_accounts(world: World, unit_ids: dict[str, str], accounts: int) -> None:
    management = Account(
        account_id=company.MANAGEMENT_ID,
        name="northwind-management",
        email="aws+management@northwind.example",
        parent_id=unit_ids[""],
        joined_at=FIRST_JOIN,
        joined_method="INVITED",
        roles={company.PORTAL_ROLE: company.EXTERNAL_ID},
    )
    _add(world, management, (company.FINANCE, company.ON_CALL, company.SECURITY))
    if accounts > 1:
        page = _member(
            company.PAGE_ACCOUNT_ID, "analytics-portal-prod", unit_ids["Workloads/Prod"], FIRST_JOIN
        )
        _add(world, page, (company.FINANCE, company.ON_CALL, company.SECURITY))


def _add_members(world: World, unit_ids: dict[str, str], accounts: int, chance: random.Random) -> None:
    taken = {*world.accounts, *company.STANDALONE_IDS, *company.KNOWN_IDS.values()}
    names = _names()
    for number in range(len(world.accounts), accounts):
        unit, name = next(names)
        account_id = company.KNOWN_IDS.get(name) or _new_id(taken, number, chance)
        joined_at = FIRST_JOIN + chance.randrange(7 * YEAR)
        account = _member(account_id, name, unit_ids[unit], joined_at, _state(unit, number))
        _add(world, account, _contacts(unit, name, number, chance))


def _add_standalone(world: World) -> None:
    for account_id, name in company.STANDALONE.items():
        account = Account(
            account_id=account_id,
            name=name,
            email=f"aws+{name}@northwind.example",
            joined_at=FIRST_JOIN,
            roles={company.PORTAL_ROLE: company.EXTERNAL_ID},
        )
        _add(world, account, (company.FINANCE, None, company.ODD[3]))


def _add(world: World, account: Account, contacts: tuple[Contact | None, ...]) -> None:
    world.set_account(account)
    for contact_type, contact in zip(CONTACT_TYPES, contacts, strict=True):
        if contact:
            world.set_contact(account.account_id, contact_type, contact, account.joined_at)


def _member(account_id: str, name: str, unit_id: str, joined_at: float, state: str = "ACTIVE") -> Account:
    return Account(
        account_id=account_id,
        name=name,
        email=f"aws+{name}@northwind.example",
        state=state,
        parent_id=unit_id,
        joined_at=joined_at,
        tags={"owner": name.rpartition("-")[0] or name},
    )


def _names() -> Iterator[tuple[str, str]]:
    """Give (unit, account name) for ever: round after round through the units, no name twice."""
    uses: Counter[str] = Counter()
    for unit_round in count():
        for unit, share, ending in company.UNITS:
            products = company.PRODUCTS_BY_UNIT.get(unit, company.PRODUCTS)
            first = unit_round * share + company.FIRST_PRODUCT.get(unit, 0)
            for place in range(first, first + share):
                name = products[place % len(products)] + ending
                uses[name] += 1
                yield unit, name if uses[name] == 1 else f"{name}-{uses[name]}"


def _new_id(taken: set[str], number: int, chance: random.Random) -> str:
    while True:
        low, high = (10**8, 10**11) if number % 12 == 5 else (10**11, 10**12)
        account_id = f"{chance.randrange(low, high):012d}"
        if account_id not in taken:
            taken.add(account_id)
            return account_id


def _state(unit: str, number: int) -> str:
    if unit == "Suspended":
        return OLD_STATES[number % len(OLD_STATES)]
    return "PENDING_ACTIVATION" if unit == "Sandbox" and number % 17 == 0 else "ACTIVE"


def _contacts(unit: str, name: str, number: int, chance: random.Random) -> tuple[Contact | None, ...]:
    if number % 29 == 11:
        return (company.ONE_PERSON,) * 3
    missing = company.MISSING_IN_SANDBOX if unit in ("Sandbox", "Suspended") else company.MISSING
    return tuple(
        None if chance.random() < missing[kind] else _contact(name, kind, chance) for kind in CONTACT_TYPES
    )


def _contact(name: str, contact_type: str, chance: random.Random) -> Contact:
    if chance.random() < 0.08:
        return chance.choice(company.ODD)
    team = next((team for prefix, team in company.BY_PREFIX.items() if name.startswith(prefix)), None)
    if contact_type == "OPERATIONS" and team:
        return team
    return chance.choice(company.USUAL[contact_type])
