"""Blocks that change who decides, and what no client can follow."""

from __future__ import annotations

from typing import Any

import pytest

from light_clients.chainmaker import ChainMakerConfiguration, apply, bootstrap, verify_header
from light_clients.chainmaker.chain_config import read_membership
from light_clients.errors import LightClientError
from tests.support.chainmaker_chain import BEGAN, ChainMakerChain, transaction

NOW = BEGAN + 60


def refused(built: ChainMakerChain, block: bytes) -> LightClientError:
    with pytest.raises(LightClientError) as caught:
        verify_header(built.state_stated(built.height), block, NOW)
    return caught.value


def changed(built: ChainMakerChain, config: Any, **told: Any) -> bytes:
    """A configuration block on top that is not added."""
    info = built.make([built.config_transaction(config, **told)], block_type=1)
    return bytes(info.block.SerializeToString())


@pytest.mark.parametrize("suite", ["ecc", "sm"])
def test_validators_and_roots_change_with_a_block(suite: str) -> None:
    built = ChainMakerChain(suite)
    built.grow()
    fifth = built.new_node("org5")
    built.change([*built.nodes, fifth])
    built.grow(voters=[*built.nodes[2:], built.nodes[0]], proposer=fifth)
    built.change(built.nodes[1:], method="TRUST_ROOT_DELETE")
    built.grow()
    state = built.state(5)
    assert [known.first_height for known in state.memberships] == [1, 3, 5]
    assert [len(known.nodes) for known in state.memberships] == [4, 5, 4]
    assert state.configuration_height == 4
    assert state.membership.sequence == 2


def test_the_old_nodes_decide_the_block_that_removes_them() -> None:
    built = ChainMakerChain()
    following = [built.new_node(f"new{number}") for number in range(4)]
    built.change(following)
    state = built.state(1)
    stranger = ChainMakerChain(nodes=following)
    assert {node.node_id for node in state.membership.nodes} == {node.node_id for node in stranger.nodes}
    built.grow()
    assert built.state(2).height == 2


def test_a_client_starts_at_a_configuration_block() -> None:
    built = ChainMakerChain()
    built.grow()
    built.change([*built.nodes, built.new_node("org5")])
    built.grow()
    state = bootstrap(built.block(2), built.hash_of(2), ChainMakerConfiguration())
    assert apply(state, verify_header(state, built.block(3), NOW)).height == 3


@pytest.mark.parametrize("told", [{"code": 4}, {"contract_code": 1}, {"result": b""}, {"tx_type": 1}])
def test_a_change_that_failed_changes_nothing(told: dict[str, Any]) -> None:
    built = ChainMakerChain()
    config = built.config_of([*built.nodes, built.new_node("org5")], 1)
    built.grow([built.config_transaction(config, **told)], block_type=1)
    built.grow()
    state = built.state(2)
    assert len(state.memberships) == 1
    assert state.configuration_height == 0


@pytest.mark.parametrize("method", ["GET_CHAIN_CONFIG", "GET_CHAIN_CONFIG_AT", "PERMISSION_LIST"])
def test_a_method_that_only_reads_changes_nothing(method: str) -> None:
    built = ChainMakerChain()
    config = built.config_of([built.new_node("org5")], 1)
    built.grow([built.config_transaction(config, method=method)], block_type=1)
    built.configuration_height = 1
    built.grow()
    state = built.state(2)
    assert len(state.memberships) == 1
    assert state.configuration_height == 1


def test_a_type_with_the_bit_of_a_coinbase_is_a_configuration_block_too() -> None:
    built = ChainMakerChain()
    config = built.config_of([*built.nodes, built.new_node("org5")], 1)
    info = built.make([built.config_transaction(config)], block_type=5)
    verified = verify_header(built.state(), info.block.SerializeToString(), NOW)
    assert verified.membership is not None


def test_a_hidden_change_is_seen_at_the_next_header() -> None:
    built = ChainMakerChain()
    config = built.config_of([*built.nodes, built.new_node("org5")], 1)
    built.grow([built.config_transaction(config)], block_type=0)
    built.configuration_height = 1
    assert refused(built, built.make().block.SerializeToString()).name == "ConfigurationHeightMismatch"


@pytest.mark.parametrize("sequence", [0, 2, 7])
def test_the_sequence_grows_by_one(sequence: int) -> None:
    built = ChainMakerChain()
    error = refused(built, changed(built, built.config_of(built.nodes, sequence)))
    assert (error.name, error.expected, error.found) == ("ConfigurationChangeInvalid", 1, sequence)


def test_chain_and_hash_stay() -> None:
    built = ChainMakerChain()
    other = built.config_of(built.nodes, 1, chain_id="chain2")
    assert refused(built, changed(built, other)).name == "ConfigurationChangeInvalid"
    other = built.config_of(built.nodes, 1)
    other.crypto.hash = "SM3"
    assert refused(built, changed(built, other)).name == "ConfigurationChangeInvalid"


@pytest.mark.parametrize("count", [0, 257])
def test_there_are_as_many_nodes_as_can_be(count: int) -> None:
    built = ChainMakerChain()
    config = built.config_of(built.nodes, 1)
    del config.consensus.nodes[:]
    if count:
        config.consensus.nodes.add(org_id="org1", node_id=[str(number) for number in range(count)])
    assert refused(built, changed(built, config)).name == "ConfigurationChangeInvalid"


def test_no_node_stands_twice() -> None:
    built = ChainMakerChain()
    config = built.config_of(built.nodes, 1)
    config.consensus.nodes.add(org_id="org1", node_id=[built.nodes[2].node_id])
    assert refused(built, changed(built, config)).name == "ConfigurationChangeInvalid"


def test_a_configuration_that_cannot_be_read_is_refused() -> None:
    built = ChainMakerChain()
    block = changed(built, built.config, result=b"\x08\x80\x00")
    assert refused(built, block).name == "ConfigurationChangeInvalid"


def test_another_contract_in_a_configuration_block_is_refused() -> None:
    built = ChainMakerChain()
    for transactions in ([transaction("one", contract="CERT_MANAGE")], [transaction("x", contract="MULTI_SIGN")]):
        block = built.make(transactions, block_type=1).block.SerializeToString()
        assert refused(built, block).name == "ConfigurationChangeInvalid"


def test_a_configuration_block_without_transactions_says_nothing() -> None:
    built = ChainMakerChain()
    info = built.make(block_type=1, on_header=_empty)
    del info.block.txs[:]
    assert refused(built, info.block.SerializeToString()).name == "ConfigurationChangeInvalid"


def _empty(header: Any) -> None:
    header.tx_count, header.tx_root = 0, b""


def test_the_transactions_of_a_configuration_block_are_all_there() -> None:
    built = ChainMakerChain()
    info = built.make([built.config_transaction(built.config_of(built.nodes, 1)), transaction("two")], block_type=1)
    whole = info.block.SerializeToString()
    assert verify_header(built.state(), whole, NOW).membership is not None
    del info.block.txs[1]
    assert refused(built, info.block.SerializeToString()).name == "TransactionsMissing"
    info.block.txs.add().CopyFrom(info.block.txs[0])
    assert refused(built, info.block.SerializeToString()).name == "TransactionRootMismatch"


MODES = [
    ({"auth_type": "permissionedWithKey"}, "permissionedWithKey"),
    ({"auth_type": "public"}, "public"),
    ({"auth_type": ""}, "''"),
]


@pytest.mark.parametrize(("values", "told"), MODES)
def test_other_membership_modes_are_refused_by_name(values: dict[str, Any], told: str) -> None:
    built = ChainMakerChain()
    error = refused(built, changed(built, built.config_of(built.nodes, 1, **values)))
    assert error.name == "ConsensusUnsupported"
    assert told in error.message


@pytest.mark.parametrize(
    ("kind", "told"), [(0, "SOLO"), (3, "MaxBFT"), (4, "RAFT"), (5, "DPoS"), (9, "The consensus 9")]
)
def test_other_consensus_is_refused_by_name(kind: int, told: str) -> None:
    config = ChainMakerChain().config
    config.consensus.type = kind
    with pytest.raises(LightClientError) as caught:
        read_membership(config.SerializeToString(), 1)
    assert caught.value.name == "ConsensusUnsupported"
    assert told in caught.value.message


def test_other_hashes_are_refused_by_name() -> None:
    config = ChainMakerChain().config
    config.crypto.hash = "SHA3_256"
    with pytest.raises(LightClientError) as caught:
        read_membership(config.SerializeToString(), 1)
    assert caught.value.name == "ConsensusUnsupported"


def test_a_mode_may_be_written_in_any_case() -> None:
    built = ChainMakerChain()
    config = built.config_of(built.nodes, 1, auth_type="PermissionedWithCert")
    assert read_membership(config.SerializeToString(), 1).quorum == 3


def test_roots_of_one_organisation_may_stand_apart() -> None:
    config = ChainMakerChain().config
    config.trust_roots.add(org_id="org1", root=["another"])
    config.trust_roots.add(org_id="org9", root=["of nobody"])
    membership = read_membership(config.SerializeToString(), 1)
    assert [len(root.certificates) for root in membership.trust_roots] == [2, 1, 1, 1]


@pytest.mark.parametrize("told", [{"code": 4}, {"method": "GET_CHAIN_CONFIG"}, {"result": b""}, {"contract": "OTHER"}])
def test_a_pinned_block_shows_its_configuration(told: dict[str, Any]) -> None:
    built = ChainMakerChain()
    built.grow([built.config_transaction(built.config_of(built.nodes, 1), **told)], block_type=1)
    with pytest.raises(LightClientError) as caught:
        bootstrap(built.block(1), built.hash_of(1), ChainMakerConfiguration())
    assert caught.value.name == "ConfigurationChangeInvalid"


def test_a_pinned_configuration_block_comes_with_its_transactions() -> None:
    built = ChainMakerChain()
    info = built.blocks[0]
    del info.block.txs[:]
    with pytest.raises(LightClientError) as caught:
        bootstrap(built.block(0), built.hash_of(0), ChainMakerConfiguration())
    assert caught.value.name == "TransactionsMissing"


def test_a_first_block_may_state_its_configuration_as_a_parameter() -> None:
    built = ChainMakerChain()
    config = built.config.SerializeToString()
    first, write_set = transaction("genesis", contract="CHAIN_CONFIG", method="Genesis")
    first.payload.parameters.add(key="CHAIN_CONFIG", value=config)
    info = built._assemble([(first, write_set)], None, BEGAN, block_type=1)
    built.blocks = [info]
    assert len(built.state().membership.nodes) == 4


def test_only_four_memberships_are_kept() -> None:
    built = ChainMakerChain()
    for _ in range(6):
        built.change()
    state = built.state(6)
    assert [known.first_height for known in state.memberships] == [4, 5, 6, 7]
    assert state.membership_at(3) is None
    assert state.membership_at(8) is None
    assert state.membership_at(4) == state.memberships[0]
