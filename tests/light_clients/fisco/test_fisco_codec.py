"""Headers as bytes: real hashes, strict forms, and one reading for each hash."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from light_clients import fisco, rlp
from light_clients.errors import (
    ClaimMalformed,
    ConfigurationInvalid,
    HeaderFieldInvalid,
    HeaderTooLarge,
    LightClientError,
    RlpRefused,
    ValidatorsTooMany,
)
from light_clients.fisco.block_json import bundle_from_json
from light_clients.fisco.codec import MAXIMUM_BUNDLE_SIZE, MAXIMUM_TIME_MS, encode_bundle, hashed_bytes, parse_header
from light_clients.fisco.errors import ParentsInvalid, SealersUnexpected
from light_clients.fisco.evidence import integer_bytes
from light_clients.fisco.seals import check_seals
from light_clients.fisco.types import (
    FiscoConfiguration,
)
from schemas.primitives import BlockHash
from tests.support.fisco_chain import FiscoChain, sealer_key
from tests.support.shared_vectors import shared_json

LINE_3 = FiscoConfiguration(3, "evm", "chain", "group")
REAL = [
    ("v2_1_c5360efd_sig", FiscoConfiguration(2, "sm"), (0, 1, 3)),
    ("v2_1_ed79502a_sig", FiscoConfiguration(2), (0, 1, 3)),
    ("v3_9_c403e7f3", LINE_3, (0, 1)),
]


@pytest.mark.parametrize(("name", "configuration", "signers"), REAL, ids=[name for name, *_ in REAL])
def test_real_headers_with_signatures(name: str, configuration: FiscoConfiguration, signers: tuple[int, ...]) -> None:
    vector = shared_json(f"fisco/{name}.json")
    block = vector.get("block") or vector["header"]
    bundle = bundle_from_json(block, configuration)
    parsed = parse_header(bundle, configuration)
    assert parsed.block_hash.hex0x() == block["hash"]
    assert check_seals(parsed, configuration) == signers
    state = fisco.bootstrap(bundle, BlockHash.from_hex(block["hash"]), configuration)
    assert (state.height, len(state.sealers)) == (block["number"], len(block["sealerList"]))


@pytest.mark.parametrize(("name", "configuration", "signers"), REAL, ids=[name for name, *_ in REAL])
def test_every_byte_of_a_real_header_counts(name: str, configuration: FiscoConfiguration, signers: Any) -> None:
    """A changed byte is refused or has no meaning: no other hash keeps its signatures."""
    vector = shared_json(f"fisco/{name}.json")
    bundle = bundle_from_json(vector.get("block") or vector["header"], configuration)
    parsed = parse_header(bundle, configuration)
    for place in range(0, len(bundle), 7):
        spoilt = bundle[:place] + bytes([bundle[place] ^ 1]) + bundle[place + 1 :]
        try:
            other = parse_header(spoilt, configuration)
            found = check_seals(other, configuration)
        except LightClientError:
            continue
        assert (other.block_hash, found) == (
            parsed.block_hash,
            signers,
        )  # a recovery byte, which a known key does not need


def items_of(line: int) -> list[Any]:
    return list(FiscoChain(line).newest.header)


def read(line: int, items: list[Any]) -> object:
    configuration = FiscoChain(line).configuration
    return parse_header(encode_bundle(items, []), configuration)


@pytest.mark.parametrize("line", [2, 3])
def test_what_is_written_is_read(line: int) -> None:
    block = FiscoChain(line).newest
    parsed = parse_header(block.bundle(), block.configuration)
    assert (parsed.height, parsed.block_hash) == (1, block.hash)
    assert [sealer.key for sealer in parsed.sealers] == [sealer.public for sealer in block.sealers]
    assert parsed.seals == tuple(block.seals())


LONG = b"\x01" * 33
FORMS: list[tuple[int, int, Any, type[LightClientError]]] = [
    *((2, place, b"", HeaderFieldInvalid) for place in (0, 1, 2, 3, 4, 5)),
    *((2, place, [], HeaderFieldInvalid) for place in (0, 5)),
    (2, 6, b"\x01" * 9, RlpRefused),
    *((2, place, LONG, RlpRefused) for place in (7, 8, 11)),
    (2, 9, integer_bytes(MAXIMUM_TIME_MS), HeaderFieldInvalid),
    (2, 10, b"", HeaderFieldInvalid),
    (2, 10, [[]], HeaderFieldInvalid),
    (2, 12, b"", HeaderFieldInvalid),
    (2, 12, [], ValidatorsTooMany),
    (2, 12, [number.to_bytes(64, "big") for number in range(257)], ValidatorsTooMany),
    (2, 12, [bytes(63)], HeaderFieldInvalid),
    (2, 12, [bytes(64), bytes(64)], HeaderFieldInvalid),
    (3, 0, b"\x01" * 5, RlpRefused),
    (3, 1, [], ParentsInvalid),
    (3, 1, b"", ParentsInvalid),
    (3, 1, [[b"", bytes(32)], [b"", bytes(32)]], ParentsInvalid),
    (3, 1, [[b"\x01", bytes(32)]], ParentsInvalid),
    (3, 1, [[b"", bytes(31)]], ParentsInvalid),
    (3, 1, [[b"", []]], ParentsInvalid),
    (3, 5, b"", ParentsInvalid),
    *((3, place, bytes(31), HeaderFieldInvalid) for place in (2, 3, 4)),
    *((3, 6, text, HeaderFieldInvalid) for text in (b"", b"01", b"0x1", b"-1", b"1" * 79, [])),
    (3, 7, integer_bytes(MAXIMUM_TIME_MS), HeaderFieldInvalid),
    (3, 8, b"\x01" * 9, RlpRefused),
    (3, 9, [bytes(64)] * 4, HeaderFieldInvalid),
    (3, 10, b"extra", HeaderFieldInvalid),
    (3, 11, [b"\x01"] * 3, HeaderFieldInvalid),
    (3, 11, [b"\x01", b"\x01", b"\x01", b""], HeaderFieldInvalid),
    (3, 11, [b"\x01", b"\x01", b"\x01", integer_bytes(2**48)], HeaderFieldInvalid),
    (3, 11, b"", HeaderFieldInvalid),
]


@pytest.mark.parametrize(("line", "place", "item", "name"), FORMS)
def test_forms_of_fields(line: int, place: int, item: Any, name: type[LightClientError]) -> None:
    items = items_of(line)
    assert items[place] != item
    with pytest.raises(name):
        read(line, [*items[:place], item, *items[place + 1 :]])


@pytest.mark.parametrize("line", [2, 3])
def test_the_number_of_items(line: int) -> None:
    with pytest.raises(HeaderFieldInvalid):
        read(line, [*items_of(line), b""])


def test_gas_used_of_zero_is_one_digit() -> None:
    block = FiscoChain(3).newest.with_item(6, b"0")
    assert parse_header(block.bundle(), block.configuration).height == 1


@pytest.mark.parametrize("item", [[b"header", [], []], [[], []], [[], [], []], [[], b"", []], [[], [], b""]])
def test_bundles_of_another_form(item: rlp.RlpItem) -> None:
    with pytest.raises(HeaderFieldInvalid):
        parse_header(rlp.encode(item), LINE_3)


def test_signatures_and_proofs_of_another_form() -> None:
    block = FiscoChain(2).newest
    for seal in (b"seal", [b"", b"", b""], [b"", []]):
        with pytest.raises(HeaderFieldInvalid):
            parse_header(rlp.encode([block.header, [seal], []]), block.configuration)
    with pytest.raises(ClaimMalformed):
        parse_header(rlp.encode([block.header, [], [b"step"]]), block.configuration)


def test_a_bundle_has_a_bound() -> None:
    with pytest.raises(HeaderTooLarge):
        parse_header(bytes(MAXIMUM_BUNDLE_SIZE + 1), LINE_3)


# One hash, one reading: the hashed header of line 3 has no lengths.


def test_a_sealer_is_not_read_as_extra_data() -> None:
    """A pinned hash alone does not say how many sealers there are; the size of the extra data does."""
    block = FiscoChain(3).newest
    *keys, last = block.header[9]  # type: ignore[misc]
    *weights, _ = block.header[11]  # type: ignore[misc]
    extra = bytes(last) + (1).to_bytes(8, "big")  # type: ignore[arg-type]
    forged = block.with_item(9, list(keys)).with_item(10, extra).with_item(11, list(weights))
    assert hashed_bytes(forged.header, replace(block.configuration, extra_data_size=72)) == hashed_bytes(
        block.header, block.configuration
    ), "the forged header hashes to the same"
    with pytest.raises(HeaderFieldInvalid):
        fisco.bootstrap(forged.bundle(()), block.hash, block.configuration)


def test_extra_data_of_the_configured_size() -> None:
    chain = FiscoChain(3)
    block = chain.newest.with_item(10, b"extra")
    configuration = replace(chain.configuration, extra_data_size=5)
    block_hash = BlockHash(configuration.hashing.hash(hashed_bytes(block.header, configuration)))
    assert fisco.bootstrap(encode_bundle(block.header, []), block_hash, configuration).height == 1


def test_the_roots_are_not_shifted_into_a_second_parent() -> None:
    chain = FiscoChain(3)
    header: list[Any] = list(chain.newest.header)
    header[1] = [*header[1], [b"\x01", bytes(32)]]
    with pytest.raises(ParentsInvalid):
        read(3, header)


def test_another_order_of_sealers_is_another_hash() -> None:
    chain = FiscoChain(2)
    block = chain.propose()
    turned = block.with_item(12, list(reversed(block.header[12])))  # type: ignore[arg-type]
    assert turned.hash != block.hash


# Configurations.


@pytest.mark.parametrize(
    "options",
    [
        {"line": 1},
        {"line": 2, "suite": "blake"},
        {"line": 2, "chain_id": "chain"},
        {"line": 2, "group_id": "group"},
        {"line": 2, "group_id": "1"},
        {"line": 2, "chain_id": "chain", "group_id": "1"},
        {"line": 2, "chain_id": "1", "group_id": "-1"},
        {"line": 2, "extra_data_size": 1},
        {"line": 3},
        {"line": 3, "chain_id": "chain"},
        {"line": 3, "chain_id": "chain", "group_id": "gröup"},
        {"line": 3, "chain_id": "chain", "group_id": "a\nb"},
        {"line": 3, "chain_id": "c" * 65, "group_id": "group"},
        {"line": 3, "chain_id": "chain", "group_id": "group", "extra_data_size": 4097},
        {"line": 3, "chain_id": "chain", "group_id": "group", "extra_data_size": -1},
        {"line": 2, "trusting_period_s": 0},
        {"line": 2, "trusting_period_s": 2**32},
        {"line": 2, "maximum_drift_s": -1},
        {"line": 2, "maximum_drift_s": 2**32},
    ],
)
def test_configurations_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationInvalid):
        FiscoConfiguration(**options)


def test_a_small_set_that_an_endpoint_made_up() -> None:
    chain = FiscoChain(3)
    state = chain.state()
    block = chain.mine(sealers=[sealer_key("made up", "evm")])
    with pytest.raises(SealersUnexpected):
        fisco.verify_header(state, block.bundle([0]), chain.now)


@pytest.mark.parametrize("line", [2, 3])
@pytest.mark.parametrize("count", [1, 4, 256])
def test_bundles_of_every_length_have_the_hash_of_their_header(line: int, count: int) -> None:
    """The length of a bundle stands in one, two or three bytes."""
    block = FiscoChain(line).newest
    keys: list[Any] = [number.to_bytes(64, "big") for number in range(1, count + 1)]
    block = block.with_item(12 if line == 2 else 9, keys)
    if line == 3:
        block = block.with_item(11, [b"\x01"] * count)
    bundle = encode_bundle(block.header, [])
    assert len(bundle) > 55
    assert parse_header(bundle, block.configuration).block_hash == block.hash
