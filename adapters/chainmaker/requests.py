"""Requests: payloads, their ids and their signatures (ChainMaker pb-go `common.Payload`, `common.TxRequest`).

A transaction's id is a hash of all that is signed, of the account and of the number that makes it unique; its times are whole
minutes. So the same call, signed again within its minute, is the same transaction.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence

from adapters.chainmaker.credentials import Credential
from adapters.chainmaker.stubs import chainmaker_pb2 as pb

INVOKE, QUERY, SUBSCRIBE = 0, 1, 2
WINDOW_S = 60
"""Within so many seconds a call that is signed again is the same transaction."""

_DOMAIN = b"relayhub/chainmaker/transaction\x00"
Parameters = Mapping[str, bytes]


def query(chain: str, member: Credential, contract: str, method: str, parameters: Parameters, now: int) -> bytes:
    """A signed question.

    Args:
        chain: the chain's id.
        member: who asks.
        contract: whom, a contract or a system contract.
        method: what.
        parameters: by name.
        now: Unix seconds.

    Returns:
        Protobuf of a `TxRequest`.
    """
    return _question(QUERY, chain, member, contract, method, parameters, now)


def subscription(chain: str, member: Credential, method: str, parameters: Parameters, now: int) -> bytes:
    """A signed subscription; arguments as for `query`."""
    return _question(SUBSCRIBE, chain, member, "SUBSCRIBE_MANAGE", method, parameters, now)


def transaction(
    chain: str,
    member: Credential,
    contract: str,
    method: str,
    parameters: Parameters,
    *,
    unique: bytes,
    now: int,
    expiration_s: int,
    gas_limit: int = 0,
    endorsers: Sequence[Credential] = (),
) -> pb.TxRequest:
    """A signed transaction, endorsed where endorsers are given.

    Args:
        chain: the chain's id.
        member: who sends it.
        contract: which contract is called.
        method: its method.
        parameters: by name, in order.
        unique: what makes it another transaction than the same call at the same time.
        now: Unix seconds.
        expiration_s: how long it may wait.
        gas_limit: 0 for none.
        endorsers: who signs it besides.
    """
    began = now // WINDOW_S * WINDOW_S
    payload = pb.Payload(
        chain_id=chain,
        tx_type=INVOKE,
        timestamp=began,
        expiration_time=began + expiration_s,
        contract_name=contract,
        method=method,
        limit=pb.Limit(gas_limit=gas_limit),
    )
    for key, value in parameters.items():
        payload.parameters.add(key=key, value=value)
    content = _DOMAIN + member.account + len(unique).to_bytes(8, "big") + unique + payload.SerializeToString()
    payload.tx_id = hashlib.sha256(content).hexdigest()
    signed = payload.SerializeToString()
    request = pb.TxRequest(payload=payload, sender=endorse(member, signed))
    request.endorsers.extend(endorse(endorser, signed) for endorser in endorsers)
    return request


def endorse(member: Credential, message: bytes) -> pb.EndorsementEntry:
    """A member's signature with its certificate."""
    signer = pb.Member(org_id=member.organisation, member_info=member.pem)
    return pb.EndorsementEntry(signer=signer, signature=member.key.sign(message))


def transaction_bytes(tx_id: str) -> bytes:
    """A transaction's id as 32 bytes; an id in another form than 64 hexadecimal digits is hashed."""
    if len(tx_id) == 64:
        try:
            return bytes.fromhex(tx_id)
        except ValueError:
            pass
    return hashlib.sha256(tx_id.encode()).digest()


def _question(
    kind: int, chain: str, member: Credential, contract: str, method: str, parameters: Parameters, now: int
) -> bytes:
    payload = pb.Payload(
        chain_id=chain,
        tx_type=kind,
        tx_id=secrets.token_hex(32),
        timestamp=now,
        contract_name=contract,
        method=method,
    )
    for key, value in parameters.items():
        payload.parameters.add(key=key, value=value)
    return pb.TxRequest(payload=payload, sender=endorse(member, payload.SerializeToString())).SerializeToString()
