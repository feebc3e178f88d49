"""The beacon adapter before a replay server of a real network's recorded answers: what it fetches, the light client believes."""

import json
import random
from contextlib import closing

import pytest

from adapters.beacon import ADAPTER
from adapters.beacon.adapter import BeaconLedger
from adapters.beacon.options import BeaconOptions
from adapters.protocol import AdapterError, AdapterOptions, BadAnswer, Endpoint, Misconfigured, Rejected, Unreachable
from adapters.solidity.storage import head_slot
from light_clients import beacon, rlp
from light_clients.beacon.beacon_json import configuration_from_answers
from light_clients.errors import HeaderBehind
from light_clients.proofs.patricia import verify_account, verify_storage
from schemas.primitives import BlockHash, Bytes32, LaneId
from tests.support.beacon_replay import FIRST_BLOCK, BeaconReplay, recorded

CONFIGURATION = configuration_from_answers(recorded("genesis"), recorded("spec"), checkpoint_age_limit_s=3600)
PIN = BlockHash.from_hex(recorded("bootstrap_first")["root"])
CONTRACT = bytes.fromhex(recorded("el_proof_at_finalized")["proof"]["address"][2:])
NOW = CONFIGURATION.timestamp_of(200)


@pytest.fixture
def node():
    with BeaconReplay() as replay:
        yield replay


@pytest.fixture
def ledger(node):
    opened = opened_at(node)
    yield opened
    opened.close()


def opened_at(node, **extra):
    return BeaconLedger(AdapterOptions((Endpoint(node.url),), timeout_s=5.0, extra=extra))


def follow(ledger, state):
    """One look: the bundles that lead to the tip, judged one after the other; what brings nothing new is left out."""
    for bundle in ledger.headers(state.height + 1, ledger.tip()):
        try:
            state = beacon.apply(state, beacon.verify_header(state, bundle, NOW))
        except HeaderBehind:
            continue
    return state


def begin(ledger):
    return beacon.bootstrap(ledger.headers(16, 16)[0], PIN, CONFIGURATION)


def kinds(bundles):
    return [rlp.decode_list(bundle)[0].decode() for bundle in bundles]


class TestIdentity:
    def test_it_is_the_execution_chain(self, ledger):
        identity = ledger.identity()
        assert identity.chain_id == "eip155:5"
        assert identity.first_block == FIRST_BLOCK
        assert identity.software == "Geth/v1.14 (replay), Lodestar/replay"
        assert identity == ledger.identity()

    def test_two_ledgers_are_no_endpoint(self, node, ledger):
        node.blocks[136] = node.blocks[136] | {"hash": "0x" + "11" * 32}
        with pytest.raises(Misconfigured, match="different ledgers"):
            ledger.identity()

    def test_an_execution_client_that_is_behind_is_asked_later(self, node, ledger):
        del node.blocks[136]
        with pytest.raises(Unreachable, match="has not reached"):
            ledger.identity()

    def test_a_first_block_that_is_not_served_must_be_stated(self, node):
        del node.blocks[0]
        stated = b"\x06" * 32
        with (
            closing(BeaconLedger(AdapterOptions((Endpoint(node.url),)))) as ledger,
            pytest.raises(Misconfigured, match="state the hash"),
        ):
            ledger.identity()
        with closing(BeaconLedger(AdapterOptions((Endpoint(node.url),), expected_first_block=stated))) as ledger:
            assert ledger.identity().first_block == stated

    def test_what_is_no_beacon_node_is_said_to_be_none(self, node, ledger):
        node.get = lambda _: (404, {})
        with pytest.raises(Misconfigured, match="no beacon node"):
            ledger.identity()

    def test_a_chain_of_an_unknown_preset_cannot_be_followed(self, node, ledger):
        node.spec = {"data": node.spec["data"] | {"PRESET_BASE": "gnosis"}}
        with pytest.raises(Misconfigured, match="cannot be followed"):
            ledger.identity()


class TestHeaders:
    def test_a_client_begins_with_the_pinned_beacon_block_of_an_execution_block(self, ledger):
        bundles = ledger.headers(16, 16)
        assert kinds(bundles) == ["bootstrap"]
        state = begin(ledger)
        assert (state.height, state.newest.root) == (16, PIN)

    def test_it_is_led_over_two_changes_of_committee_at_once(self, ledger):
        assert ledger.tip() == 136
        bundles = ledger.headers(17, 136)
        assert kinds(bundles) == ["update", "update", "finality_update"]
        state = follow(ledger, begin(ledger))
        assert (state.height, state.period) == (136, 2)

    def test_it_is_led_step_by_step_as_the_chain_goes_on(self, node, ledger):
        node.slot = 36
        state = begin(ledger)
        heights = []
        for node.slot in (36, 50, 92, 98, 106, 108, 162):
            state = follow(ledger, state)
            heights.append(state.height)
        assert heights == [16, 24, 72, 80, 88, 88, 136]

    def test_what_the_tip_told_is_what_the_client_is_led_to(self, node, ledger):
        node.slot = 98
        tip = ledger.tip()
        node.slot = 162
        state = begin(ledger)
        for bundle in ledger.headers(17, tip):
            state = beacon.apply(state, beacon.verify_header(state, bundle, NOW))
        assert state.height == tip == 80

    def test_a_target_is_not_passed(self, ledger):
        ledger.tip()
        assert kinds(ledger.headers(17, 71)) == ["update"]
        assert kinds(ledger.headers(17, 72)) == ["update", "update"]

    def test_there_may_be_no_step(self, node, ledger):
        node.slot = 50
        ledger.tip()
        assert ledger.headers(25, 24) == []
        assert ledger.headers(17, 20) == []

    def test_a_committee_that_is_known_already_is_shown_once_more_at_the_end_of_its_period(self, node, ledger):
        node.slot = 92
        state = follow(ledger, begin(ledger))
        assert state.following is not None
        node.slot = 162
        bundles = ledger.headers(state.height + 1, ledger.tip())
        assert kinds(bundles) == ["update", "finality_update"]
        with pytest.raises(HeaderBehind):
            beacon.verify_header(state, bundles[0], NOW)
        assert follow(ledger, state).height == 136

    def test_what_is_not_final_or_not_kept_is_not_there(self, node, ledger):
        for first, last in ((17, 10_000), (10_000, 10_000), (24, 24)):
            with pytest.raises(Rejected) as caught:
                ledger.headers(first, last)
            assert caught.value.code == "no_state"
        node.slot = 1
        with pytest.raises(Unreachable, match="wait for finality"):
            ledger.tip()

    def test_a_block_between_slots_is_no_answer(self, node, ledger):
        node.spec = {"data": node.spec["data"] | {"SECONDS_PER_SLOT": "7"}}
        with pytest.raises(BadAnswer, match="no slot's time"):
            ledger.headers(16, 16)


class TestEvidence:
    def test_a_recorded_proof_opens_the_finalized_state(self, ledger):
        state = follow(ledger, begin(ledger))
        ledger_slots = ledger.rpc.call("eth_getProof", ["", [], "0x88"])
        account_proof = tuple(bytes.fromhex(node[2:]) for node in ledger_slots["accountProof"])
        account = verify_account(Bytes32(state.newest.state_root), CONTRACT, account_proof)
        path = tuple(bytes.fromhex(node[2:]) for node in ledger_slots["storageProof"][0]["proof"])
        assert verify_storage(account.storage_root, bytes(32), path) == 0x2A.to_bytes(32, "big")

    def test_it_has_no_header_and_the_paths_as_they_came(self, node, ledger):
        lane = LaneId(b"\x11" * 32)
        node.proof["storageProof"][0]["key"] = "0x" + head_slot(lane, 0).hex()
        (found,) = ledger.evidence(CONTRACT, [(lane, 0)], 136)
        assert (found.height, found.header) == (136, b"")
        assert [node_.hex() for node_ in found.account_proof] == [item[2:] for item in node.proof["accountProof"]]
        assert ledger.evidence(CONTRACT, [], 136) == []

    def test_a_state_that_is_not_there_is_told(self, ledger):
        with pytest.raises(Rejected) as caught:
            ledger.evidence(CONTRACT, [(LaneId(b"\x11" * 32), 0)], 9_999)
        assert caught.value.code == "no_state"


class TestFaults:
    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_busy_node_is_asked_later(self, node, ledger, status):
        node.status = status
        with pytest.raises(Unreachable):
            ledger.tip()

    def test_a_node_that_is_gone_is_unreachable(self):
        ledger = BeaconLedger(AdapterOptions((Endpoint("http://127.0.0.1:1#1"),)))
        with pytest.raises(Unreachable, match="cannot be reached"):
            ledger.tip()

    def test_credentials_stand_in_no_label(self):
        ledger = ADAPTER.open(AdapterOptions((Endpoint("http://me:secret@node:1#http://you:hidden@node:2/v?key=x"),)))
        assert (ledger.endpoint, ledger.beacon.label) == ("http://node:1", "http://node:2/v")

    def test_what_stands_in_the_url_stays_there(self, node):
        url = f"http://127.0.0.1:{node.port}#http://127.0.0.1:{node.port}/api?key=x"
        with closing(BeaconLedger(AdapterOptions((Endpoint(url),)))) as ledger:
            for question in (ledger.tip, lambda: ledger.beacon.updates(1, 1)):
                with pytest.raises(AdapterError):
                    question()
        assert node.paths[0] == "/api/eth/v1/beacon/light_client/finality_update?key=x"
        assert node.paths[1] == "/api/eth/v1/beacon/light_client/updates?start_period=1&count=1&key=x"

    def test_options_that_cannot_be_are_named(self):
        with pytest.raises(Misconfigured, match="of the beacon adapter"):
            BeaconOptions.read({"batch": "1"})
        with pytest.raises(Misconfigured, match="needs an endpoint"):
            ADAPTER.open(AdapterOptions(()))

    def test_more_updates_than_were_asked_for_are_refused(self, node, ledger):
        node.change = lambda asked, answer: answer * 5 if asked.endswith("/updates") else answer
        with pytest.raises(BadAnswer, match="more than were asked for"):
            ledger.headers(17, ledger.tip())


JUNK = [None, 0, -1, "", "0x", "zz", [], [None], {}, {"a": 1}, True, 1e300, "9" * 30, "0x" + "11" * 32, "capella"]


def spoil(value, chance):
    """The same JSON with some value replaced or dropped at random."""
    if chance.random() < 0.02:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {key: spoil(item, chance) for key, item in value.items() if chance.random() > 0.005}
    if isinstance(value, list):
        return [spoil(item, chance) for item in value]
    return value


def test_only_the_adapters_errors_leave_whatever_a_node_says(node):
    for seed in range(20):
        chance = random.Random(seed)
        node.change = lambda _, answer, chance=chance: spoil(json.loads(json.dumps(answer)), chance)
        ledger = opened_at(node)
        questions = [
            ledger.identity,
            ledger.tip,
            lambda ledger=ledger: ledger.headers(16, 16),
            lambda ledger=ledger: ledger.headers(17, 136),
            lambda ledger=ledger: ledger.evidence(CONTRACT, [(LaneId(b"\x11" * 32), 0)], 136),
        ]
        for question in questions:
            try:
                question()
            except AdapterError as error:
                assert str(error)  # noqa: PT017 - only this kind may leave
        ledger.close()
