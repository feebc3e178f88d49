"""What the application's stores hold under an app hash, by ICS-23: values of an EVM's store above all.

Keys are those of cosmos/evm, `x/vm/types/key.go`: ``02 ‖ address ‖ slot`` for a slot, ``04 ‖ address`` for the hash of a code. They
are computed here and never taken from a proof.
"""

from __future__ import annotations

from light_clients.cometbft.types import EvmStorePin
from light_clients.errors import CodeHashMismatch, GatewayAbsent
from light_clients.proofs.ics23 import IAVL, TENDERMINT, prove_value

STORAGE_PREFIX, CODE_HASH_PREFIX = b"\x02", b"\x04"


def slot_key(address: bytes, slot: bytes) -> bytes:
    """The key of a contract's slot.

    Args:
        address: 20 bytes.
        slot: 32 bytes.
    """
    return STORAGE_PREFIX + address + slot


def code_key(address: bytes) -> bytes:
    """The key of the hash of a contract's code.

    Args:
        address: 20 bytes.
    """
    return CODE_HASH_PREFIX + address


def value_under(app_hash: bytes, store: bytes, key: bytes, proof: bytes, store_proof: bytes) -> bytes | None:
    """What a store holds under a key.

    Args:
        app_hash: Root of the application's state.
        store: Name of the IAVL store.
        key: At least one byte.
        proof: From the root of the store to the key, or of its absence (``ics23:iavl``).
        store_proof: From the app hash to the root of the store (``ics23:simple``).

    Returns:
        The value, at least one byte, or ``None`` where the key is proved to be absent.

    Raises:
        ProofRefused: A proof does not hold, by its name.
        ProtobufRefused: One cannot be read.
    """
    return prove_value(app_hash, ((IAVL, key), (TENDERMINT, store)), (proof, store_proof))


def check_code(app_hash: bytes, pin: EvmStorePin, code_proof: bytes, store_proof: bytes) -> None:
    """Whether the gateway runs the pinned code.

    Args:
        app_hash: Root of the application's state.
        pin: The gateway.
        code_proof: From the root of the store to the hash of the code.
        store_proof: As for `value_under`.

    Raises:
        GatewayAbsent: There is no contract.
        CodeHashMismatch: Its code is another one.
        Refused: A proof does not hold, or cannot be read.
    """
    code_hash = value_under(app_hash, pin.store, code_key(pin.address), code_proof, store_proof)
    if code_hash is None:
        raise GatewayAbsent("There is no contract at the pinned address.", expected=pin.address)
    if code_hash != pin.code_hash:
        raise CodeHashMismatch("The gateway runs other code.", expected=pin.code_hash, found=code_hash)
