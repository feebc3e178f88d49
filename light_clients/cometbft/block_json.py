"""The JSON of a CometBFT node's RPC as the bytes that this family reads (CometBFT RPC: /commit, /validators, /abci_query).

Only the form changes: nothing is judged here, and nothing is taken from the JSON that the bytes do not say again. Hashes and
addresses are hexadecimal, keys and signatures base64, heights and powers texts of decimal digits, times RFC 3339 in UTC.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from light_clients.cometbft.encoding import ZERO_TIME_SECONDS, block_id_bytes, timestamp_bytes
from light_clients.cometbft.types import ABSENT, FOR_BLOCK, FOR_NIL, BlockId
from light_clients.errors import HeaderJsonInvalid
from light_clients.protobuf import integer_field, message_field, octets_field, text_field

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?Z", re.ASCII)
_DECIMAL = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)

_KEY_FIELDS = {"tendermint/PubKeyEd25519": 1, "tendermint/PubKeySecp256k1": 2}
"""Field of PublicKey by the name of the key's type."""

_HEADER_HASHES = (
    "last_commit_hash",
    "data_hash",
    "validators_hash",
    "next_validators_hash",
    "consensus_hash",
    "app_hash",
    "last_results_hash",
    "evidence_hash",
    "proposer_address",
)

_PROOF_TYPES = ("ics23:iavl", "ics23:simple")


def bundle_from_json(
    signed_header: Any, validators: Sequence[Any], trusted_validators: Sequence[Any] = (), trusted_height: int = 0
) -> bytes:
    """A bundle out of what a node answers.

    Args:
        signed_header: ``result.signed_header`` of /commit.
        validators: ``result.validators`` of /validators at the same height, of all pages.
        trusted_validators: Those of the block after the trusted one; empty where they are not needed.
        trusted_height: The trusted height; 0 where they are not needed.

    Returns:
        A bundle as `codec` reads it.

    Raises:
        HeaderJsonInvalid: A field is missing or has another form.
    """
    header, commit = _field(signed_header, "header"), _field(signed_header, "commit")
    signed = message_field(1, header_from_json(header)) + message_field(2, commit_from_json(commit))
    trusted = b""
    if trusted_height:
        trusted += message_field(3, integer_field(2, trusted_height))
    if trusted_validators:
        trusted += message_field(4, validators_from_json(trusted_validators))
    return message_field(1, signed) + message_field(2, validators_from_json(validators)) + trusted


def header_from_json(header: Any) -> bytes:
    """Protobuf of a Header.

    Args:
        header: ``header`` of a block or of a signed header.

    Raises:
        HeaderJsonInvalid: A field is missing or has another form.
    """
    version = _field(header, "version")
    versions = integer_field(1, _decimal(version.get("block", "0"))) + integer_field(
        2, _decimal(version.get("app", "0"))
    )
    return b"".join(
        (
            message_field(1, versions),
            text_field(2, _text(_field(header, "chain_id", str))),
            integer_field(3, _decimal(_field(header, "height", str))),
            message_field(4, time_from_json(_field(header, "time", str))),
            message_field(5, block_id_bytes(_block_id(header.get("last_block_id")))),
            *(
                octets_field(number, _hexadecimal(_field(header, name, str)))
                for number, name in enumerate(_HEADER_HASHES, 6)
            ),
        )
    )


def commit_from_json(commit: Any) -> bytes:
    """Protobuf of a Commit.

    Args:
        commit: ``commit`` of a signed header.

    Raises:
        HeaderJsonInvalid: A field is missing or has another form.
    """
    return b"".join(
        (
            integer_field(1, _decimal(_field(commit, "height", str))),
            integer_field(2, _small(commit, "round")),
            message_field(3, block_id_bytes(_block_id(_field(commit, "block_id")))),
            *(message_field(4, _vote(vote)) for vote in _field(commit, "signatures", list)),
        )
    )


def validators_from_json(validators: Sequence[Any]) -> bytes:
    """Protobuf of a ValidatorSet without a proposer, in the order in which sets are hashed: by power, then by address.

    Args:
        validators: Of /validators, of all pages.

    Raises:
        HeaderJsonInvalid: A field is missing or has another form.
    """
    written = ((-_decimal(_field(member, "voting_power", str)), _validator(member)) for member in validators)
    # The address is the first field, so that the order of the bytes is the order of the addresses.
    return b"".join(message_field(1, validator) for _, validator in sorted(written))


def proofs_from_json(response: Any) -> tuple[bytes, bytes]:
    """The two proofs of an answer to /abci_query with ``prove=true``.

    Args:
        response: ``result.response``.

    Returns:
        Protobufs of the proof in the store (``ics23:iavl``) and of the store (``ics23:simple``).

    Raises:
        HeaderJsonInvalid: There are not these two.
    """
    operations = _field(_field(response, "proofOps"), "ops", list)
    if tuple(_field(operation, "type", str) for operation in operations) != _PROOF_TYPES:
        raise HeaderJsonInvalid("The answer has not the two proofs ics23:iavl and ics23:simple; ask with prove=true.")
    first, second = (_base64(_field(operation, "data", str)) for operation in operations)
    return first, second


def time_from_json(text: str) -> bytes:
    """Protobuf of a Timestamp.

    Args:
        text: RFC 3339 in UTC, with up to nine digits of a second, from the year 1 to 9999.

    Raises:
        HeaderJsonInvalid: It is no such time.
    """
    read = _TIME.fullmatch(text)
    try:
        day = date(*map(int, read.groups()[:3])) if read else None
    except ValueError:
        day = None
    if read is None or day is None:
        raise HeaderJsonInvalid("A time is not of the form 2026-01-31T23:59:59.123456789Z.", found=text[:64])
    hour, minute, second = (int(part) for part in read.groups()[3:6])
    seconds = ZERO_TIME_SECONDS + (day.toordinal() - 1) * 86_400 + hour * 3_600 + minute * 60 + second
    return timestamp_bytes(seconds, int((read[7] or "").ljust(9, "0")))


def _vote(vote: Any) -> bytes:
    flag = _small(vote, "block_id_flag")
    if flag not in (ABSENT, FOR_BLOCK, FOR_NIL):
        raise HeaderJsonInvalid("A vote is absent (1), for the block (2) or for none (3).", found=flag)
    if flag == ABSENT:
        return integer_field(1, ABSENT) + message_field(3, timestamp_bytes(ZERO_TIME_SECONDS, 0))
    return b"".join(
        (
            integer_field(1, flag),
            octets_field(2, _hexadecimal(_field(vote, "validator_address", str))),
            message_field(3, time_from_json(_field(vote, "timestamp", str))),
            octets_field(4, _base64(_field(vote, "signature", str))),
        )
    )


def _validator(validator: Any) -> bytes:
    key = _field(validator, "pub_key")
    field = _KEY_FIELDS.get(_field(key, "type", str))
    if field is None:
        raise HeaderJsonInvalid("A validator has a key of ed25519 or secp256k1.", found=_field(key, "type", str)[:64])
    return b"".join(
        (
            octets_field(1, _hexadecimal(_field(validator, "address", str))),
            message_field(2, octets_field(field, _base64(_field(key, "value", str)))),
            integer_field(3, _decimal(_field(validator, "voting_power", str))),
        )
    )


def _block_id(value: Any) -> BlockId:
    if value is None:
        return BlockId(b"", 0, b"")
    # tendermint-rs writes part_set_header, nodes write parts.
    named = "parts" if isinstance(value, Mapping) and "parts" in value else "part_set_header"
    parts = _field(value, named)
    return BlockId(
        _hexadecimal(_field(value, "hash", str)), _small(parts, "total"), _hexadecimal(_field(parts, "hash", str))
    )


def _field(container: Any, name: str, kind: type = dict) -> Any:
    """A field that must be there, of one type; a flag is no number."""
    value = container.get(name) if isinstance(container, Mapping) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise HeaderJsonInvalid(f"The field {name} is missing, or is no {kind.__name__}.")
    return value


def _small(container: Any, name: str) -> int:
    """A number that stands as one: rounds, flags, numbers of parts."""
    value: int = _field(container, name, int)
    if not 0 <= value < 2**32:
        raise HeaderJsonInvalid(f"The field {name} is out of its range.", found=value)
    return value


def _text(text: str) -> str:
    if not text.isascii():
        raise HeaderJsonInvalid("The name of a chain is ASCII.", found=text[:64])
    return text


def _decimal(text: Any) -> int:
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise HeaderJsonInvalid("A number is not written in decimal digits.", found=str(text)[:64])
    return int(text)


def _hexadecimal(text: str) -> bytes:
    try:
        return binascii.unhexlify(text)
    except ValueError as error:
        raise HeaderJsonInvalid("A hash or address is not hexadecimal.", found=text[:80]) from error


def _base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    # The library forgives superfluous padding and bits.
    if base64.b64encode(data).decode() != text:
        raise HeaderJsonInvalid("A key, signature or proof is not base64.", found=text[:80])
    return data
