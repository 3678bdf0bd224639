"""The sandbox for tests: started in this process, reached over HTTP, looked at and changed directly."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from sandbox import company, control
from sandbox.callers import KEY_PREFIX
from sandbox.journal import close_world, open_world
from sandbox.local_aws import LocalAws
from sandbox.records import Account, Contact
from sandbox.seed import demo_world
from sandbox.server import Server
from sandbox.world import World

MANAGEMENT_ID = company.MANAGEMENT_ID
PAGE_ACCOUNT_ID = company.PAGE_ACCOUNT_ID
STANDALONE_IDS = company.STANDALONE_IDS
PORTAL_ROLE = company.PORTAL_ROLE
EXTERNAL_ID = company.EXTERNAL_ID
REGIONS = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}


class Sandbox:
    """A running local AWS; a context manager. Without a state file it forgets everything when it stops."""

    def __init__(
        self,
        *,
        accounts: int = 30,
        seed: int = 7,
        partition: str = "aws",
        state: Path | None = None,
        **switches: Any,  # Any: values of switches
    ) -> None:
        self.partition = partition
        self._make = lambda: demo_world(accounts, seed, partition)
        self._state = state
        self._switches = switches
        self._port = 0

    def start(self) -> Self:
        """Listen on a free port, or after a stop on the one used before."""
        world = open_world(self._state, self._make) if self._state else self._make()
        self.aws = LocalAws(world, **self._switches)
        self._server = Server(self.aws, port=self._port)
        self._server.start(stops_within=0.01)
        self._port = self._server.server_address[1]
        return self

    def stop(self) -> None:
        self._server.stop()
        close_world(self.world)

    def restart(self) -> None:
        """Stop and start on the same port; only what the state file holds is still there."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def world(self) -> World:
        return self.aws.world

    @property
    def url(self) -> str:
        return self._server.url

    def env(self, account_id: str = MANAGEMENT_ID, *, is_admin: bool = False) -> dict[str, str]:
        """Give the variables that send boto3 and the AWS CLI here as a user of this account."""
        key = f"{KEY_PREFIX}{account_id}{'ADMIN' if is_admin else ''}"
        region = REGIONS[self.partition]
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": "any-secret-will-do",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def switch(self, **values: Any) -> None:  # Any: values of switches
        self.aws.set_switches(values)

    def log(self, after: int = 0, **wanted: Any) -> list[dict[str, Any]]:  # Any: fields of an attempt
        """Give the attempts after this number that have these values."""
        return [
            attempt
            for attempt in self.aws.log.after(after)
            if all(attempt[name] == value for name, value in wanted.items())
        ]

    def contact(self, account_id: str, contact_type: str) -> dict[str, str] | None:
        """Give what AWS holds now: name, title, email, phone; or nothing."""
        contact = self.world.contact(account_id, contact_type)
        return asdict(contact) if contact else None

    def set_contact(self, account_id: str, contact_type: str, **details: str) -> None:
        """Set name, title, email and phone as somebody else would; no details remove the contact."""
        contact = Contact(**details) if details else None
        control.set_contact(self.aws, account_id, contact_type, contact)

    def set_account(self, account_id: str, **values: Any) -> Account:  # Any: fields of an account
        """Join, move (unit="Workloads/Prod"), take out (unit=None), or set state, name, email, roles."""
        return control.upsert_account(self.aws, {"account_id": account_id, **values})

    def set_policy(self, account_id: str, principal: str, document: dict[str, Any] | str) -> None:
        """Let "user/portal" or "role/NAME" of an account do what this policy allows, and nothing else."""
        text = document if isinstance(document, str) else json.dumps(document)
        for name in list(self.world.policies.get((account_id, principal), {})):
            self.world.set_policy(account_id, principal, name, None)
        self.world.set_policy(account_id, principal, "Test", text)

    def set_scp(self, target: str, document: dict[str, Any] | str | None) -> None:
        """Attach a service control policy to a root, unit or account, or detach it."""
        text = json.dumps(document) if isinstance(document, dict) else document
        control.set_scp(self.aws, target, text)

    def expire_sessions(self) -> None:
        control.expire_sessions(self.aws)
