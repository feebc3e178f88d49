"""Operators: who signs, for which organisation. On a development hub they are three local processes with their own folders.

The hub knows an operator by the address of its signing key; the key itself is the operator's own. On a development hub
`write_operator_files` writes `operators/NAME/operator.toml`, from which a running operator takes up new ledgers.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli_w
from sqlalchemy import Row, insert, select, update

from adapters.protocol import MachineTraits
from adapters.solidity.contracts import back_ends
from light_clients.crypto import sm2
from light_clients.crypto.errors import PublicKeyInvalid
from relay.clients import options_of_state
from relay.config import HubConfig
from relay.errors import BadInput, Duplicate, NotFound, NotNow
from relay.evidence.decisions import note_operator
from relay.home import Home
from relay.keys import SM2, KeyStore
from relay.signers import account_on, scheme_of
from relay.store import Store
from relay.store.tables import chains, operators
from schemas.primitives import SchemaError, account_bytes, bytes_from_hex, name_text
from schemas.suites import keccak256

DEVELOPMENT_OPERATORS = ("org-1", "org-2", "org-3")
SIGNER_KEY = "signer"
SM2_KEY = "signer-sm2"
SHORTEST_ACCOUNT = 20
"""Bytes of an account on an EVM; no ledger that can be joined has shorter ones."""


def add_operator(store: Store, name: str, signer: bytes, organisation: str, sm2_key: bytes = b"") -> None:
    """Register an operator by its signer, or the SM2 key of one that is registered by that very signer.

    Args:
        store: the database.
        name: its name, in any script.
        signer: its signing key's address, 20 bytes, or public key, 64 bytes (X, Y) or 65 with 04 before them. Ledgers whose
            machine recovers no signer (ChainMaker) need the public key.
        organisation: who it belongs to; a quorum counts organisations.
        sm2_key: public key of its SM2 key, 64 bytes (X, Y) or 65 with 04 before them, or empty. Ledgers whose committees check
            SM2 need it.

    Raises:
        BadInput: a name, the address or a key cannot be used.
        Duplicate: the name or the signer is registered already.
    """
    try:
        name_text(name, "operator name")
        name_text(organisation, "organisation")
    except SchemaError as error:
        raise BadInput(f"{error}.", "Choose another name.") from None
    if "/" in name or name.startswith("."):
        raise BadInput(f"The operator name {name!r} cannot be a folder's name.", "Leave out slashes and a leading dot.")
    public_key = None
    if len(signer) == 65 and signer[0] == 4:
        signer = signer[1:]
    if len(signer) == 64:
        public_key, signer = signer, keccak256(signer)[12:]
    if len(signer) != 20 or not any(signer):
        raise BadInput(
            "A signer is an address of 20 bytes that is not zero, or a public key of 64.",
            "Give --signer 0x and 40 digits, or 128 of the public key.",
        )
    sm2_key = _sm2_key(sm2_key) if sm2_key else b""
    with store.write() as connection:
        other = connection.execute(select(operators).where(operators.c.sm2_key == sm2_key)).first() if sm2_key else None
        if other is not None:
            raise Duplicate(f"The SM2 key is that of {other.name} already.", "See: relayhub operator list.")
        taken = connection.execute(
            select(operators).where((operators.c.name == name) | (operators.c.signer == signer))
        ).first()
        if taken is not None and sm2_key and _same(taken, name, signer, organisation) and not taken.sm2_key:
            connection.execute(update(operators).where(operators.c.name == name).values(sm2_key=sm2_key))
            note_operator(connection, name)
            return
        if taken is not None:
            what = f"named {name}" if taken.name == name else f"with the signer 0x{signer.hex()} ({taken.name})"
            raise Duplicate(f"There is an operator {what} already.", "See: relayhub operator list.")
        connection.execute(
            insert(operators).values(
                signer=signer,
                name=name,
                organisation=organisation,
                public_key=public_key,
                sm2_key=sm2_key or None,
                state="active",
                created_at=time.time(),
            )
        )
        note_operator(connection, name)


def _same(row: Row[Any], name: str, signer: bytes, organisation: str) -> bool:
    return (row.name, bytes(row.signer), row.organisation) == (name, signer, organisation)


def _sm2_key(key: bytes) -> bytes:
    """An SM2 public key as it is kept: X and Y.

    Raises:
        BadInput: it is no point of the curve.
    """
    key = key[1:] if len(key) == 65 and key[0] == 4 else key
    try:
        sm2.check_public_key(key)
    except PublicKeyInvalid:
        raise BadInput(
            "The SM2 key is no public key of the curve.", "Give --sm2-key 0x and 128 digits: X and Y."
        ) from None
    return key


def address(text: str) -> bytes:
    """Read an address of 20 bytes from a command line.

    Raises:
        BadInput: it is none.
    """
    try:
        found = bytes_from_hex(text)
    except SchemaError:
        found = b""
    if len(found) != 20:
        raise BadInput(f"{text[:80]!r} is no address.", "Give 0x and 40 hexadecimal digits.")
    return found


def all_operators(store: Store) -> list[Row[Any]]:
    """Every operator by name, struck ones included."""
    with store.read() as connection:
        return list(connection.execute(select(operators).order_by(operators.c.name)).all())


def members(store: Store) -> list[Row[Any]]:
    """Operators that may sign, in the order of a new epoch's bitmap: by name."""
    return [row for row in all_operators(store) if row.state == "active"]


def quorum_of(store: Store, threshold: int) -> int:
    """Organisations that must sign: the hub's threshold, but always more than half of all.

    Raises:
        NotNow: there are fewer organisations than the threshold.
    """
    organisations = {str(row.organisation) for row in members(store)}
    if len(organisations) < threshold:
        raise NotNow(
            f"A committee needs operators of {threshold} organisations and there are {len(organisations)}.",
            "Register them: relayhub operator add NAME --signer 0x… --organisation ORG.",
        )
    return max(threshold, len(organisations) // 2 + 1)


def accounts_on(rows: Sequence[Row[Any]], traits: MachineTraits) -> list[bytes]:
    """The accounts under which a ledger's committee knows operators, in order.

    Raises:
        NotNow: its committees check SM2, and of one operator no SM2 key is known.
    """
    missing = [str(row.name) for row in rows if not account_on(row, traits)]
    if missing:
        raise NotNow(
            f"The SM2 key of {', '.join(missing)} is not known, and committees on this ledger check SM2.",
            "Register it: relayhub operator add NAME --signer 0x… --organisation ORG --sm2-key 0x….",
        )
    return [account_on(row, traits) for row in rows]


def keys_of(rows: Sequence[Row[Any]], traits: MachineTraits) -> list[bytes]:
    """Public keys of operators, 64 bytes each, for a committee on a ledger whose machine recovers no signer; none elsewhere.

    Raises:
        NotNow: one is not known.
    """
    if traits.signatures == "chaincode" or not back_ends(traits.signatures):
        return []
    if scheme_of(traits) == SM2:
        accounts_on(rows, traits)
        return [bytes(row.sm2_key) for row in rows]
    missing = [str(row.name) for row in rows if not row.public_key]
    if missing:
        raise NotNow(
            f"The public key of {', '.join(missing)} is not known, and this ledger's machine needs it.",
            "Register the operator with --signer and its public key of 64 bytes.",
        )
    return [bytes(row.public_key) for row in rows]


def account_named(text: str) -> bytes:
    """Read an account or a program from a command line: hexadecimal bytes, or a name on a ledger whose programs have names.

    Raises:
        BadInput: it is neither.
    """
    if not text.startswith("0x"):
        try:
            return account_bytes(text.encode(), "name")
        except SchemaError as error:
            raise BadInput(f"{error}.", "Give 0x and hexadecimal digits, or a name.") from None
    try:
        found = account_bytes(bytes_from_hex(text), "account")
    except SchemaError:
        found = b""
    if len(found) < SHORTEST_ACCOUNT:
        raise BadInput(f"{text[:80]!r} is no address.", "Give 0x and hexadecimal digits: 40 on an EVM.")
    return found


def operator_named(store: Store, name: str) -> Row[Any]:
    """The operator of a name.

    Raises:
        NotFound: there is none.
    """
    for row in all_operators(store):
        if row.name == name:
            return row
    raise NotFound(f"There is no operator named {name!r}.", "See: relayhub operator list.")


def mark_struck(store: Store, name: str) -> None:
    """Record that an operator's signatures count no more."""
    with store.write() as connection:
        connection.execute(update(operators).where(operators.c.name == name).values(state="struck"))
        note_operator(connection, name)


def development_operators(home: Home, config: HubConfig, store: Store) -> None:
    """Make the three local operators of a development hub where they are missing, and write their files."""
    known = {row.name: row for row in all_operators(store)}
    for name in DEVELOPMENT_OPERATORS:
        keys = KeyStore(home.operators / name)
        key, second = keys.load_or_new(SIGNER_KEY), keys.load_or_new(SM2_KEY, kind=SM2)
        row = known.get(name)
        if row is None or (bytes(row.signer) == key.address and not row.sm2_key):
            add_operator(store, name, key.public_key, name, second.public_key)
    write_operator_files(home, config, store)


def write_operator_files(home: Home, config: HubConfig, store: Store) -> None:
    """Write each local operator's configuration: the hub's address and the ledgers with what pins them.

    It happens under the database's write lock, so that of two commands at once the later one writes what both did.
    """
    with store.write() as connection:
        rows = connection.execute(select(chains).where(chains.c.state != "retired").order_by(chains.c.name)).all()
        entries = [_chain_entry(row) for row in rows]
        for row in connection.execute(select(operators).order_by(operators.c.name)).all():
            folder = home.operators / row.name
            if not (folder / f"{SIGNER_KEY}.json").exists():
                continue  # an operator elsewhere keeps its own file
            content: dict[str, Any] = {
                "name": row.name,
                "organisation": row.organisation,
                "hub_url": f"http://127.0.0.1:{config.web_port}",
                "key_file": f"{SIGNER_KEY}.json",
                **({"sm2_key_file": f"{SM2_KEY}.json"} if (folder / f"{SM2_KEY}.json").exists() else {}),
                "database": "operator.db",
                "development": config.development,
                "chains": entries,
            }
            _replace(folder / "operator.toml", tomli_w.dumps(content).encode())


def _chain_entry(row: Row[Any]) -> dict[str, Any]:
    options = options_of_state(row.consensus, bytes(row.client_state))
    return {
        "name": row.name,
        "chain_id": row.chain_id,
        "first_block": "0x" + bytes(row.first_block).hex(),
        "adapter": row.adapter,
        "endpoints": [endpoint["url"] for endpoint in row.endpoints],
        "consensus": row.consensus,
        "gateway": "0x" + bytes(row.gateway).hex(),
        "gateway_code_hash": "0x" + bytes(row.gateway_code_hash).hex(),
        "pinned_height": row.pinned_height,
        "pinned_hash": "0x" + bytes(row.pinned_hash).hex(),
        **({"client": options} if options else {}),
        **({"gateway_pin": row.gateway_pin} if row.gateway_pin else {}),
        **({"adapter_options": row.adapter_options} if row.adapter_options else {}),
    }


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step and leave it alone where it says the same already."""
    if path.exists() and path.read_bytes() == content:
        return
    temporary = path.with_suffix(".new")
    temporary.write_bytes(content)
    temporary.chmod(0o600)
    temporary.replace(path)
