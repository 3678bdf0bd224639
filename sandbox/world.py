"""The state of the local AWS: one organization, its accounts, their contacts, roles and sessions."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from sandbox.policy_language import Document, parse
from sandbox.records import ACCOUNT_MANAGEMENT, Account, Contact, Organization, Session, Unit, as_json

KEEP_SUPERSEDED_SECONDS = 900
Event = dict[str, Any]  # Any: the JSON value of one change


class Journal(Protocol):
    def append(self, event: Event) -> None: ...


class World:
    """Every change is an event: applied in memory and written to the journal before AWS answers."""

    def __init__(self, organization: Organization, partition: str = "aws") -> None:
        self.organization = organization
        self.partition = partition
        self.feature_set = "ALL"
        self.units: dict[str, Unit] = {}
        self.accounts: dict[str, Account] = {}
        self.trusted: dict[str, float] = {}
        self.delegated: dict[tuple[str, str], float] = {}
        self.sessions: dict[str, Session] = {}
        self.policies: dict[tuple[str, str], dict[str, Document]] = {}
        self.trusts: dict[tuple[str, str], Document] = {}
        self.scps: dict[str, dict[str, Document]] = {}
        self.journal: Journal | None = None
        self.lock = threading.RLock()
        self.clock: Callable[[], float] = time.time
        self._contacts: dict[tuple[str, str], list[tuple[float, Contact | None]]] = {}

    # Questions

    @property
    def organization_id(self) -> str:
        return self.organization.organization_id

    @property
    def management_id(self) -> str:
        return self.organization.management_id

    def is_member(self, account_id: str) -> bool:
        account = self.accounts.get(account_id)
        return account is not None and account.parent_id is not None

    def members(self) -> list[Account]:
        return [account for account in self.accounts.values() if account.parent_id is not None]

    def is_delegated(self, account_id: str, principal: str | None = None) -> bool:
        """Whether the account is a delegated administrator of this service, or of any."""
        return any(
            holder == account_id and principal in (None, service) for holder, service in self.delegated
        )

    def contact(self, account_id: str, contact_type: str, lag_seconds: float = 0) -> Contact | None:
        """Give the contact as it could be read `lag_seconds` after its last write."""
        versions = self._contacts.get((account_id, contact_type), [])
        if lag_seconds <= 0:
            return versions[-1][1] if versions else None
        limit = self.clock() - lag_seconds
        return next((contact for at, contact in reversed(versions) if at <= limit), None)

    def path(self, unit_id: str) -> str:
        """Give the unit's Path: organization, root, units, its own id and a trailing slash."""
        unit = self.units[unit_id]
        above = self.path(unit.parent_id) if unit.parent_id else f"{self.organization_id}/"
        return f"{above}{unit_id}/"

    # Policies; the documents were checked before they came here

    @property
    def has_policies(self) -> bool:
        return bool(self.policies or self.scps)

    def has_policy(self, account_id: str, principal: str, name: str) -> bool:
        return name in self.policies.get((account_id, principal), {})

    def policies_of(self, account_id: str, principal: str) -> list[Document] | None:
        """Give the inline policies of "user/NAME" or "role/NAME"; nothing where it never had one."""
        documents = self.policies.get((account_id, principal))
        return None if documents is None else list(documents.values())

    def scps_of(self, account_id: str) -> list[Document]:
        """Give the service control policies of the account and of every unit above it."""
        targets, unit_id = [account_id], self.accounts[account_id].parent_id
        while unit_id:
            targets.append(unit_id)
            unit_id = self.units[unit_id].parent_id
        return [document for target in targets for document in self.scps.get(target, {}).values()]

    # Changes

    def set_contact(
        self, account_id: str, contact_type: str, contact: Contact | None, at: float | None = None
    ) -> None:
        self._change(
            kind="contact",
            account_id=account_id,
            type=contact_type,
            value=as_json(contact) if contact else None,
            at=self.clock() if at is None else at,
        )

    def set_account(self, account: Account) -> None:
        self._change(kind="account", value=as_json(account))

    def set_unit(self, unit: Unit) -> None:
        self._change(kind="unit", value=as_json(unit))

    def set_trusted(self, principal: str, is_trusted: bool) -> None:
        self._change(kind="trusted", principal=principal, at=self.clock() if is_trusted else None)

    def set_delegated(self, account_id: str, principal: str, is_delegated: bool) -> None:
        at = self.clock() if is_delegated else None
        self._change(kind="delegated", account_id=account_id, principal=principal, at=at)

    def set_feature_set(self, feature_set: str) -> None:
        self._change(kind="feature_set", value=feature_set)

    def set_policy(self, account_id: str, principal: str, name: str, document: str | None) -> None:
        """Attach an inline policy, or take it off; who lost the last one has none, and may do nothing."""
        self._change(kind="policy", account_id=account_id, principal=principal, name=name, document=document)

    def set_trust(self, account_id: str, role: str, document: str) -> None:
        """Say in IAM's language who may assume the role, in place of the external id alone."""
        self._change(kind="trust", account_id=account_id, role=role, document=document)

    def set_scp(self, target: str, name: str, document: str | None) -> None:
        """Attach a service control policy to a root, unit or account, or detach it."""
        self._change(kind="scp", target=target, name=name, document=document)

    def set_session(self, session: Session) -> None:
        self._change(kind="session", value=as_json(session))

    def replace_delegated_administrator(self, account_id: str | None) -> None:
        """Make this account, or none, the delegated administrator of Account Management."""
        for holder, principal in list(self.delegated):
            if principal == ACCOUNT_MANAGEMENT and holder != account_id:
                self.set_delegated(holder, principal, False)
        if account_id and not self.is_delegated(account_id, ACCOUNT_MANAGEMENT):
            self.set_delegated(account_id, ACCOUNT_MANAGEMENT, True)

    def _change(self, **event: Any) -> None:  # Any: the fields of the event
        with self.lock:
            self.apply(event)
            if self.journal:
                self.journal.append(event)

    # Events

    def apply(self, event: Event) -> None:
        """Take over one event; applying it twice changes nothing more."""
        getattr(self, f"_apply_{event['kind']}")(event)

    def events(self) -> Iterator[Event]:
        """Give the events that build this world as it is now."""
        yield {"kind": "feature_set", "value": self.feature_set}
        yield from ({"kind": "unit", "value": as_json(unit)} for unit in self.units.values())
        yield from ({"kind": "account", "value": as_json(account)} for account in self.accounts.values())
        yield from ({"kind": "trusted", "principal": name, "at": at} for name, at in self.trusted.items())
        for (account_id, principal), at in self.delegated.items():
            yield {"kind": "delegated", "account_id": account_id, "principal": principal, "at": at}
        yield from self._policy_events()
        now = self.clock()
        living = (session for session in self.sessions.values() if session.expires_at > now)
        yield from ({"kind": "session", "value": as_json(session)} for session in living)
        for (account_id, contact_type), versions in self._contacts.items():
            at, contact = versions[-1]
            value = as_json(contact) if contact else None
            yield {
                "kind": "contact",
                "account_id": account_id,
                "type": contact_type,
                "value": value,
                "at": at,
            }

    def _apply_contact(self, event: Event) -> None:
        contact = Contact(**event["value"]) if event["value"] else None
        versions = self._contacts.setdefault((event["account_id"], event["type"]), [])
        versions.append((event["at"], contact))
        oldest = event["at"] - KEEP_SUPERSEDED_SECONDS
        while len(versions) > 1 and versions[1][0] <= oldest:
            del versions[0]

    def _apply_account(self, event: Event) -> None:
        account = Account(**event["value"])
        self.accounts[account.account_id] = account

    def _apply_unit(self, event: Event) -> None:
        unit = Unit(**event["value"])
        self.units[unit.unit_id] = unit

    def _apply_trusted(self, event: Event) -> None:
        self.trusted.pop(event["principal"], None)
        if event["at"] is not None:
            self.trusted[event["principal"]] = event["at"]

    def _apply_delegated(self, event: Event) -> None:
        key = (event["account_id"], event["principal"])
        self.delegated.pop(key, None)
        if event["at"] is not None:
            self.delegated[key] = event["at"]

    def _apply_feature_set(self, event: Event) -> None:
        self.feature_set = event["value"]

    def _policy_events(self) -> Iterator[Event]:
        for (account_id, principal), documents in self.policies.items():
            whose: Event = {"kind": "policy", "account_id": account_id, "principal": principal}
            yield {**whose, "name": "", "document": None}  # who lost the last one still may do nothing
            for name, document in documents.items():
                yield {**whose, "name": name, "document": json.dumps(document)}
        for (account_id, role), document in self.trusts.items():
            yield {"kind": "trust", "account_id": account_id, "role": role, "document": json.dumps(document)}
        for target, documents in self.scps.items():
            for name, document in documents.items():
                yield {"kind": "scp", "target": target, "name": name, "document": json.dumps(document)}

    def _apply_policy(self, event: Event) -> None:
        documents = self.policies.setdefault((event["account_id"], event["principal"]), {})
        _keep(documents, event)

    def _apply_trust(self, event: Event) -> None:
        document = parse(event["document"], names_principals=True)
        self.trusts[(event["account_id"], event["role"])] = document

    def _apply_scp(self, event: Event) -> None:
        _keep(self.scps.setdefault(event["target"], {}), event)
        if not self.scps[event["target"]]:
            del self.scps[event["target"]]

    def _apply_session(self, event: Event) -> None:
        session = Session(**event["value"])
        self.sessions[session.key_id] = session


def _keep(documents: dict[str, Document], event: Event) -> None:
    documents.pop(event["name"], None)
    if event["document"] is not None:
        documents[event["name"]] = parse(event["document"])
