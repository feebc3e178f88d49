"""What an operator remembers and holds in hand: chronicle, lanes, database, desk, key, configuration."""

import dataclasses
import stat

import pytest
import tomli_w

from adapters.protocol import LaneOpened, Position
from light_clients.crypto.secp256k1 import recover_address
from relay.errors import BadInput, NotFound
from relay.keys import KeyStore
from relay.observer import Proved
from relay.operator.chronicle import Chronicle
from relay.operator.configuration import load_config
from relay.operator.database import Checkpoint, LedgerRow, OperatorDatabase, Signed
from relay.operator.desk import RESTS_S, RefusalDesk
from relay.operator.judge import Offer
from relay.operator.lanes import LaneBook, lane_of
from relay.operator.signer import FileSigner
from schemas.attestation import Place
from schemas.claim import Claim, Direction
from schemas.heads import outbox_genesis
from schemas.lane import Lane
from schemas.primitives import BlockHash, ChainWord, Head, LaneId
from schemas.suites import EVM, SM, keccak256


def word(label, kind=Head):
    return kind(keccak256(label.encode()))


LANE = Lane("hub", EVM, word("a", ChainWord), b"\x0a" * 20, word("b", ChainWord), b"\x0b" * 20, "default")


def opened(end, lane=LANE, **changes):
    event = LaneOpened(
        lane.lane_id,
        end,
        lane.hub,
        lane.source,
        lane.source_gateway,
        lane.destination,
        lane.destination_gateway,
        lane.channel,
        b"\x0c" * 20,
        bytes(word("code")),
        Position(7, bytes(word("block")), b"", 0),
    )
    return dataclasses.replace(event, **changes)


def offer(cursor=1, head="head"):
    claim = Claim(LANE.lane_id, Direction.OUTBOX, 1, word(head), 5, word("block", BlockHash))
    return Offer(cursor, claim, 1, "evm", Place(LANE.destination, LANE.destination_gateway, b"\x0c" * 20, 1))


# --- lanes


def test_a_lane_is_known_when_both_gateways_opened_their_end():
    book = LaneBook()
    assert book.add(LANE.source, LANE.source_gateway, opened(0)) == LANE
    assert book.get(LANE.lane_id).place(Direction.OUTBOX, 1) is None
    assert book.get(LANE.lane_id).place(Direction.OUTCOMES, 3) is None  # nobody said yet who verifies there
    book.learn(LANE.lane_id, 0, b"\x0c" * 20)
    assert book.get(LANE.lane_id).place(Direction.OUTCOMES, 3).chain == LANE.source
    book.add(LANE.destination, LANE.destination_gateway, opened(1))
    book.learn(LANE.lane_id, 1, b"\x0d" * 20)
    place = book.get(LANE.lane_id).place(Direction.OUTBOX, 3)
    assert place == Place(LANE.destination, LANE.destination_gateway, b"\x0d" * 20, 3)
    assert book.get(LANE.lane_id).claimed_chain(Direction.OUTBOX) == LANE.source
    assert book.get(LANE.lane_id).claimed_chain(Direction.OUTCOMES) == LANE.destination


def test_who_verifies_is_read_at_the_lanes_own_ends_and_again_when_it_is_doubted():
    book = LaneBook()
    book.add(LANE.source, LANE.source_gateway, opened(0))
    here, there = (LANE.source, LANE.source_gateway), (LANE.destination, LANE.destination_gateway)
    assert (book.doubted(*here), book.doubted(*there)) == ([(LANE.lane_id, 0)], [])
    assert book.doubted(LANE.source, b"\x1a" * 20) == []
    book.learn(LANE.lane_id, 0, b"\x0c" * 20)
    book.learn(LANE.lane_id, 1, b"\x0d" * 20)  # an end that is not open
    assert (book.doubted(*here), book.doubted(*there)) == ([], [])
    book.add(LANE.source, LANE.source_gateway, opened(0))  # read again: what is known stays
    assert book.doubted(*here) == []
    book.doubt(LANE.lane_id, 0)
    assert book.doubted(*here) == [(LANE.lane_id, 0)]
    assert book.get(LANE.lane_id).place(Direction.OUTCOMES, 3).verifier == b"\x0c" * 20


def test_nobody_signs_where_the_verifier_has_no_committee():
    book = LaneBook()
    book.add(LANE.source, LANE.source_gateway, opened(0))
    book.learn(LANE.lane_id, 0, b"")
    assert book.get(LANE.lane_id).place(Direction.OUTCOMES, 3) is None
    assert book.get(LANE.lane_id).verifying_end(Direction.OUTCOMES).committee == b""


@pytest.mark.parametrize(
    "change",
    [
        {"hub": "another"},
        {"source": word("c", ChainWord)},
        {"source_gateway": b"\x1a" * 20},
        {"destination": word("c", ChainWord)},
        {"destination_gateway": b"\x1a" * 20},
        {"channel": "another"},
        {"channel": ""},
        {"lane_id": word("c", LaneId)},
        {"end": 1},
        {"end": 2},
    ],
)
def test_an_opening_whose_preimages_do_not_hash_to_the_lane_at_this_end_is_left_out(change):
    book = LaneBook()
    assert book.add(LANE.source, LANE.source_gateway, dataclasses.replace(opened(0), **change)) is None
    assert book.get(LANE.lane_id) is None


@pytest.mark.parametrize(("chain", "gateway"), [(LANE.destination, LANE.source_gateway), (LANE.source, b"\x1a" * 20)])
def test_an_opening_by_another_gateway_than_its_own_is_left_out(chain, gateway):
    assert LaneBook().add(chain, gateway, opened(0)) is None


def test_the_suite_follows_from_the_lanes_id():
    lane = dataclasses.replace(LANE, suite=SM)
    assert lane_of(opened(0, lane)).suite is SM


# --- chronicle


def test_a_chronicle_counts_by_nonce_and_by_height():
    known = Chronicle.from_opening(LANE.lane_id, Direction.OUTBOX, EVM, 3)
    assert (known.nonce, known.head) == (0, outbox_genesis(LANE.lane_id))
    known.heads, known.heights, known.proved_height = [word("1"), word("2"), word("3")], [5, 5, 8], 9
    assert [known.nonce_at(height) for height in (3, 4, 5, 7, 8, 99)] == [0, 0, 2, 2, 3, 3]
    assert known.head_after(0) == outbox_genesis(LANE.lane_id)
    assert known.head_after(3) == known.head == word("3")
    assert [known.restart_height(nonce) for nonce in (0, 1, 2, 3)] == [3, 5, 5, 9]
    assert known.reaches_back_to(0, 3)
    assert not known.reaches_back_to(0, 2)
    known.forget()
    assert (known.nonce, known.proved_height) == (0, 3)


def test_a_chronicle_keeps_no_more_than_its_bound(monkeypatch):
    from relay.observer import Entry, History
    from relay.operator import chronicle as module

    monkeypatch.setattr(module, "ENTRIES_KEPT", 4)
    known = Chronicle.from_opening(LANE.lane_id, Direction.OUTBOX, EVM, 3)
    history = History(known.track)
    for nonce in range(1, 11):
        event = opened(0, position=Position(10 + nonce, b"", b"", 0))
        history.entries.append(Entry(nonce, event, b"", word(str(nonce))))
    known.extend(history, 30)
    assert (known.base_nonce, known.base_head, known.base_height) == (6, word("6"), 16)
    assert (known.nonce, known.nonce_at(18), known.head_after(8)) == (10, 8, word("8"))
    assert not known.reaches_back_to(5, 40)


# --- database


@pytest.fixture
def database(tmp_path):
    database = OperatorDatabase(tmp_path / "folder" / "operator.db")
    yield database
    database.close()


def signed(head="head", digest="digest", nonce=1, **changes):
    row = Signed(
        bytes(LANE.lane_id), 0, nonce, bytes(word(head)), bytes(word(digest)), 1, 5, bytes(word("block")), b"\x01" * 65
    )
    return dataclasses.replace(row, **changes)


def test_a_second_head_for_one_nonce_is_never_recorded(database):
    assert database.record(b"ledger", [signed()], []) == [True]
    assert database.record(b"ledger", [signed(), signed("other"), signed("other", nonce=2)], []) == [True, False, True]
    key = (bytes(LANE.lane_id), 0, 1)
    assert database.signed([key]) == {key: signed()}


def test_two_heads_in_one_batch_are_one_too_many(database):
    assert database.record(b"ledger", [signed(), signed("other")], []) == [True, False]


def test_the_same_head_at_another_block_or_epoch_is_recorded_anew(database):
    database.record(b"ledger", [signed()], [])
    later = signed(digest="later", epoch=2, height=6, signature=b"\x02" * 65)
    assert database.record(b"ledger", [later], []) == [True]
    assert list(database.signed([(bytes(LANE.lane_id), 0, 1)]).values()) == [later]


def test_direction_and_lane_are_part_of_the_key(database):
    rows = [signed(), signed("other", direction=1), signed("other", lane_id=bytes(word("lane")))]
    assert database.record(b"ledger", rows, []) == [True, True, True]


def test_everything_is_there_after_reopening(database):
    point = Checkpoint(LANE.lane_id, Direction.OUTBOX, 3, word("head"), 9)
    database.record(b"ledger", [signed()], [point])
    proofs = [Proved(3, word("head"), 9, BlockHash(b"\x09" * 32)), Proved(4, word("next"), 11, BlockHash(b"\x0b" * 32))]
    key = (LANE.lane_id, 0)
    database.save_look(b"ledger", LedgerRow(b"state", b"header", 10), [], {key: proofs[:1]})
    database.save_look(b"ledger", LedgerRow(b"state", b"header", 12), [opened(0)], {key: proofs})
    again = OperatorDatabase(database.path)
    assert again.proved(b"ledger") == {key: proofs}
    assert again.proved(b"other") == {}
    assert again.ledger(b"ledger") == LedgerRow(b"state", b"header", 12)
    assert again.ledger(b"other") is None
    assert again.openings(b"ledger") == [opened(0)]
    assert again.openings(b"other") == []
    assert again.checkpoints(b"ledger") == [point]
    assert again.checkpoints(b"other") == []
    assert len(again.signed([(bytes(LANE.lane_id), 0, 1), (bytes(LANE.lane_id), 0, 2)])) == 1
    again.close()


def test_the_database_is_its_owners_alone(database):
    assert stat.S_IMODE(database.path.stat().st_mode) == 0o600


def test_what_is_no_database_is_told_in_one_line(tmp_path):
    file = tmp_path / "operator.db"
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(BadInput) as told:
        OperatorDatabase(file)
    assert "\n" not in str(told.value)


# --- desk


def test_a_claim_in_hand_is_not_taken_twice_and_a_refused_one_rests_longer_each_time():
    now = [0.0]
    desk = RefusalDesk(clock=lambda: now[0])
    assert desk.accept(1)
    assert not desk.accept(1)
    for rest_s in (*RESTS_S, RESTS_S[-1]):
        desk.refuse(offer(), "HeadMismatch", "text")
        now[0] += rest_s - 0.01
        assert not desk.accept(1)
        now[0] += 0.02
        assert desk.accept(1)
    desk.done(offer())
    assert desk.accept(1)
    desk.refuse(offer(), "HeadMismatch", "text")
    assert not desk.accept(1)
    desk.forget()
    assert desk.accept(1)


def test_refusals_in_memory_have_a_bound(monkeypatch):
    monkeypatch.setattr("relay.operator.desk.REFUSALS_KEPT", 3)
    desk = RefusalDesk(clock=lambda: 0.0)
    for cursor in range(1, 6):
        desk.refuse(offer(cursor), "HeadMismatch", "text")
    assert [desk.accept(cursor) for cursor in range(1, 6)] == [True, True, False, False, False]


# --- key


def test_the_key_file_signs_as_its_address(tmp_path):
    key = KeyStore(tmp_path).new("signer")
    signer = FileSigner.load(tmp_path / "signer.json")
    digest = keccak256(b"digest")
    assert signer.address == key.address == recover_address(digest, signer.sign(digest))
    assert key.private.hex() not in repr(signer)


def test_a_key_file_that_others_may_read_is_refused(tmp_path):
    KeyStore(tmp_path).new("signer")
    (tmp_path / "signer.json").chmod(0o640)
    with pytest.raises(BadInput):
        FileSigner.load(tmp_path / "signer.json")


# --- configuration

CHAIN = {
    "name": "alpha",
    "chain_id": "eip155:1337",
    "first_block": "0x" + "11" * 32,
    "endpoints": ["http://127.0.0.1:8545"],
    "consensus": "qbft",
    "gateway": "0x" + "22" * 20,
    "gateway_code_hash": "0x" + "33" * 32,
    "pinned_height": 7,
    "pinned_hash": "0x" + "44" * 32,
}
FILE = {
    "name": "org-1",
    "organisation": "org-1",
    "hub_url": "http://127.0.0.1:8080",
    "key_file": "signer.json",
    "database": "operator.db",
    "chains": [CHAIN],
}


def write(folder, content):
    file = folder / "operator.toml"
    file.write_bytes(tomli_w.dumps(content).encode())
    return file


def test_a_configuration_is_read_with_paths_beside_the_file(tmp_path):
    config = load_config(write(tmp_path, FILE))
    (chain,) = config.chains
    assert (config.key_file, config.database) == (tmp_path / "signer.json", tmp_path / "operator.db")
    assert (chain.adapter, chain.first_height, chain.options.expected_chain) == ("evm", 7, "eip155:1337")
    assert chain.options.expected_first_block == b"\x11" * 32
    assert chain.believer.pin.address == b"\x22" * 20


def test_ledgers_in_other_scripts_are_welcome(tmp_path):
    assert load_config(write(tmp_path, FILE | {"chains": [CHAIN | {"name": "央行链"}]})).chains[0].name == "央行链"


@pytest.mark.parametrize(
    "change",
    [
        {"gateway": "0x" + "23" * 20},
        {"gateway_code_hash": "0x" + "34" * 32},
        {"consensus": "development"},
        {"pinned_hash": "0x" + "45" * 32},
        {"first_block": "0x" + "12" * 32},
    ],
)
def test_another_gateway_consensus_or_pin_is_another_memory(tmp_path, change):
    first = load_config(write(tmp_path, FILE)).chains[0].identity
    changed = FILE | {"development": True, "chains": [CHAIN | change]}
    assert load_config(write(tmp_path, changed)).chains[0].identity != first


def test_a_ledger_that_nobody_seals_is_not_followed_outside_of_a_development_network(tmp_path):
    unsealed = FILE | {"chains": [CHAIN | {"consensus": "development"}]}
    with pytest.raises(BadInput, match="nobody seals"):
        load_config(write(tmp_path, unsealed))
    assert load_config(write(tmp_path, unsealed | {"development": True})).chains[0].consensus == "development"


def test_other_endpoints_are_the_same_memory(tmp_path):
    first = load_config(write(tmp_path, FILE)).chains[0].identity
    changed = FILE | {"chains": [CHAIN | {"endpoints": ["http://127.0.0.1:9"]}]}
    assert load_config(write(tmp_path, changed)).chains[0].identity == first


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({key: FILE[key] for key in FILE if key != "hub_url"}, "hub_url"),
        (FILE | {"hub_url": "ftp://hub"}, "hub_url"),
        (FILE | {"threshold": 2}, "threshold"),
        (FILE | {"name": ""}, "name"),
        (FILE | {"organisation": "a\u200bb"}, "organisation"),
        (FILE | {"chains": [CHAIN | {"name": "a\nb"}]}, "chain name"),
        (FILE | {"chains": [CHAIN | {"chain_id": "1337"}]}, "1337"),
        (FILE | {"chains": [CHAIN | {"endpoints": []}]}, "endpoints"),
        (FILE | {"chains": [CHAIN | {"gateway": "0xzz"}]}, "gateway"),
        (FILE | {"chains": [CHAIN | {"pinned_height": -1}]}, "pinned_height"),
        (FILE | {"chains": [CHAIN | {"pinned_hash": "0x" + "00" * 32}]}, "pinned_hash"),
        (FILE | {"chains": [CHAIN | {"pinned_hash": "0x11"}]}, "pinned_hash"),
        (FILE | {"chains": [CHAIN, CHAIN | {"name": "again"}]}, "twice"),
    ],
)
def test_a_setting_that_cannot_be_is_named_in_one_line(tmp_path, content, names):
    with pytest.raises(BadInput) as told:
        load_config(write(tmp_path, content))
    assert names in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_or_no_toml_is_told_in_one_line(tmp_path):
    with pytest.raises(NotFound):
        load_config(tmp_path / "operator.toml")
    for content in (b"name = ", b"\xff\xfe"):
        (tmp_path / "operator.toml").write_bytes(content)
        with pytest.raises(BadInput):
            load_config(tmp_path / "operator.toml")


def test_a_folder_instead_of_a_file_is_told_in_one_line(tmp_path):
    with pytest.raises(BadInput):
        load_config(tmp_path)
