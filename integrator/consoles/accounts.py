"""Local accounts, in the sandbox only: a password (argon2id) and a code of an authenticator app, both always.

Nobody gets a default password: an account begins with a one-time set-up code, good for a week, that a command prints.
"""

from __future__ import annotations

import re
import secrets
from base64 import b32encode
from collections.abc import Callable, Collection
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import BigInteger, Column, Connection, Row, String, Table, Text, insert, select, update
from sqlalchemy.exc import IntegrityError

from integrator.consoles.database import Database, metadata
from integrator.consoles.people import Person
from integrator.consoles.rights import ROLES
from integrator.consoles.sessions import end_all
from integrator.consoles.signin import totp
from integrator.consoles.vault import Vault, digest
from integrator.errors import ConfigurationError

SETUP = 7 * 86_400  # seconds
SHORTEST = 12  # characters of a password; NIST SP 800-63B asks no other rules
LONGEST = 256
_NAME = re.compile(r"[a-z][a-z0-9-]{2,30}").fullmatch

account_table = Table(
    "console_account",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("roles", String(80), nullable=False),
    Column("org", String(10)),
    Column("password", Text),
    Column("totp", Text),  # sealed
    Column("step", BigInteger, nullable=False, default=-1),  # the last code that was used
    Column("setup", String(64)),  # hash of the set-up code
    Column("setup_until", BigInteger),
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is listed."""

    id: str
    name: str
    roles: frozenset[str]
    org: str | None
    ready: bool  # has a password and a code

    @property
    def person(self) -> Person:
        return Person(self.id, self.name, self.roles, self.org)


class Accounts:
    """All local accounts. Methods block: argon2 takes its 50 ms on purpose."""

    def __init__(
        self, database: Database, vault: Vault, now: Callable[[], float], hasher: PasswordHasher | None = None
    ) -> None:
        self._database, self._vault, self._now = database, vault, now
        self._hasher = hasher or PasswordHasher()  # argon2id with the parameters of RFC 9106, second choice
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))  # compared with when there is no such account

    def add(self, name: str, roles: Collection[str], org: str | None = None) -> str:
        """Make an account; its set-up code. Raises `ConfigurationError`."""
        if not _NAME(name):
            raise ConfigurationError(f"{name!r} is no account name", advice="3 to 31 lower case letters, digits and -.")
        if not roles or set(roles) - set(ROLES) or "citizen" in roles:
            raise ConfigurationError(
                "an account needs a role", advice="dpo, hub_dpo, auditor or steward; citizens sign in by OpenID."
            )
        if ("dpo" in roles) != (org is not None):
            raise ConfigurationError("a dpo answers for one organisation", advice="Give --org with the role dpo only.")
        row = {
            "id": f"local-{secrets.token_hex(8)}",
            "name": name,
            "roles": " ".join(sorted(roles)),
            "org": org,
            "step": -1,
        }
        try:
            self._database.now(lambda connection: connection.execute(insert(account_table).values(row)))
        except IntegrityError as error:
            raise ConfigurationError(
                f"there is an account {name} already", advice="`reset` gives it a new set-up."
            ) from error
        return self.reset(name)

    def reset(self, name: str) -> str:
        """A new set-up code; password, app and sessions of before are worth nothing any more."""
        code = b32encode(secrets.token_bytes(15)).decode().lower()  # 24 characters, 120 bits
        values = {
            "password": None, "totp": None, "setup": digest(code), "setup_until": int(self._now()) + SETUP, "step": -1,
        }  # fmt: skip

        def write(connection: Connection) -> None:
            row = connection.execute(select(account_table).where(account_table.c.name == name)).one_or_none()
            if row is None:
                raise ConfigurationError(f"no account {name}", advice="integrator audit accounts list")
            connection.execute(update(account_table).where(account_table.c.id == row.id).values(values))
            end_all(connection, row.id)

        self._database.now(write)
        return "-".join(code[start : start + 4] for start in range(0, len(code), 4))

    def all(self) -> list[Account]:
        """Every account, by name."""
        query = select(account_table).order_by(account_table.c.name)
        return [_account(row) for row in self._database.now(lambda connection: connection.execute(query).all())]

    def to_set_up(self, code: str) -> Account | None:
        """Whose set-up code this is, while it is good."""
        plain = code.replace("-", "").replace(" ", "").lower()
        query = select(account_table).where(account_table.c.setup == digest(plain))
        row = self._database.now(lambda connection: connection.execute(query).one_or_none())
        return _account(row) if row is not None and row.setup_until >= self._now() else None

    def set_up(self, code: str, password: str, secret: str, typed: str) -> Person | None:
        """Give an account its password and its app, once; None when the code of the app or of the set-up is not right."""
        account, step = self.to_set_up(code), totp.step_of(secret, typed, self._now())
        if account is None or step is None or not SHORTEST <= len(password) <= LONGEST:
            return None
        values = {
            "password": self._hasher.hash(password), "totp": self._vault.seal("totp", secret), "step": step,
            "setup": None, "setup_until": None,
        }  # fmt: skip
        where = (account_table.c.id == account.id) & account_table.c.setup.is_not(None)
        changed = self._database.now(lambda c: c.execute(update(account_table).where(where).values(values)).rowcount)
        return account.person if changed else None

    def check(self, name: str, password: str, typed: str) -> Person | None:
        """Who this is, or None; takes as long whatever is wrong."""
        query = select(account_table).where(account_table.c.name == name)
        row = self._database.now(lambda connection: connection.execute(query).one_or_none())
        right = self._matches(row.password if row is not None and row.password else self._nobody, password)
        if row is None or not right or not row.password or not row.totp:
            return None
        step = totp.step_of(self._vault.open("totp", row.totp), typed, self._now(), row.step)
        if step is None:
            return None
        where = (account_table.c.id == row.id) & (account_table.c.step < step)  # two at the same time: one gets in
        used = self._database.now(lambda c: c.execute(update(account_table).where(where).values(step=step)).rowcount)
        return _account(row).person if used else None

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(row.id, row.name, frozenset(row.roles.split()), row.org, row.password is not None)
