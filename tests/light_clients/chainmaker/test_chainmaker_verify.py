"""Headers of a chain of our own, in both suites: each check of the judge has a case that fails that check alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from light_clients.chainmaker import ChainMakerConfiguration, NodePin, apply, bootstrap, verify_header
from light_clients.errors import LightClientError
from schemas.primitives import BlockHash, Bytes32
from tests.support import chainmaker_opinion as opinion
from tests.support.certificate_authority import UNTIL, issue, root
from tests.support.chainmaker_chain import (
    BEGAN,
    QUORUM_KEY,
    ChainMakerChain,
    consensus_node,
    member,
    transaction,
)

NOW = BEGAN + 60
SUITES = pytest.mark.parametrize("suite", ["ecc", "sm"])


@cache
def chain(suite: str = "ecc") -> ChainMakerChain:
    built = ChainMakerChain(suite)
    built.grow([transaction("one"), transaction("two"), transaction("three")])
    return built


def judge(
    built: ChainMakerChain, now: int = NOW, configuration: ChainMakerConfiguration | None = None, **told: Any
) -> Any:
    """Verifies a block on top of a chain, made as `ChainMakerChain.make` is asked."""
    if built.height == 0:
        built.grow()
    state = built.state_stated(built.height, configuration)
    return verify_header(state, built.make(**told).block.SerializeToString(), now)


def refused(name: str, built: ChainMakerChain, **told: Any) -> LightClientError:
    with pytest.raises(LightClientError) as caught:
        judge(built, **told)
    assert caught.value.name == name, caught.value
    return caught.value


@SUITES
def test_a_chain_is_followed_from_its_first_block(suite: str) -> None:
    built = ChainMakerChain(suite)
    for count in (1, 2, 5):
        built.grow([transaction(f"{count} {number}") for number in range(count)])
    state = built.state(3)
    assert (state.height, state.block_hash, state.timestamp) == (3, built.hash_of(3), BEGAN + 3)
    assert [state.hash_at(height) for height in range(5)] == [*(built.hash_of(height) for height in range(4)), None]
    assert state.confirmations == 0
    assert state.expires_at == BEGAN + 3 + 14 * 24 * 3600


@pytest.mark.parametrize("version", [20, 220, 2201, 2300, 2_030_100, 2_030_200, 2_999_999])
def test_blocks_of_every_2_x_version_are_followed(version: int) -> None:
    built = ChainMakerChain(version=version)
    built.grow([transaction("one"), transaction("two")])
    assert built.state(1).height == 1


@pytest.mark.parametrize("version", [0, 19, 3_000_000, 2**32 - 1])
def test_another_version_is_refused(version: int) -> None:
    def change(header: Any) -> None:
        header.block_version = version

    refused("BlockVersionUnsupported", chain(), on_header=change)


def _set(**values: Any) -> Callable[[Any], None]:
    def change(target: Any) -> None:
        for name, value in values.items():
            setattr(target, name, value)

    return change


HEADERS = [
    ("ChainIdMismatch", {"chain_id": "chain2"}),
    ("HeaderGap", {"block_height": 3}),
    ("HeaderBehind", {"block_height": 1}),
    ("ParentMismatch", {"pre_block_hash": bytes(31) + b"\x01"}),
    ("HeaderFieldInvalid", {"pre_block_hash": b"\x01"}),
    ("HeaderFieldInvalid", {"tx_root": b"\x01"}),
    ("HeaderFieldInvalid", {"block_timestamp": -1}),
    ("HeaderFieldInvalid", {"block_height": 2**63}),
    ("ConfigurationHeightMismatch", {"pre_conf_height": 1}),
]


@pytest.mark.parametrize(("name", "values"), HEADERS)
def test_a_header_out_of_place_is_refused(name: str, values: dict[str, Any]) -> None:
    refused(name, chain(), on_header=_set(**values))


def test_a_header_ahead_of_our_clock_waits() -> None:
    refused("TimestampAhead", chain(), timestamp=NOW + 16)
    assert judge(chain(), timestamp=NOW + 15).timestamp == NOW + 15


def test_a_frozen_or_expired_client_judges_nothing() -> None:
    built = chain()
    state, block = built.state_stated(1), built.make().block.SerializeToString()
    for changed, now, name in ((state.freeze(), NOW, "ClientFrozen"), (state, state.expires_at, "ClientExpired")):
        with pytest.raises(LightClientError) as caught:
            verify_header(changed, block, now)
        assert caught.value.name == name
    assert verify_header(state, block, state.expires_at - 1).height == 2


def test_a_header_that_names_another_hash_is_refused() -> None:
    info = chain().make()
    info.block.header.block_hash = bytes(31) + b"\x01"
    _refused_block("HeaderHashMismatch", chain(), info.block.SerializeToString())


def test_the_fields_beside_the_hash_are_judged_too() -> None:
    info = chain().make()
    info.block.header.signature = chain().nodes[0].certificate.key.sign(b"another")
    _refused_block("MemberSignatureInvalid", chain(), info.block.SerializeToString())
    info.block.header.signature = b"\x30\x00"
    _refused_block("MemberSignatureInvalid", chain(), info.block.SerializeToString())


def _refused_block(name: str, built: ChainMakerChain, block: bytes) -> None:
    with pytest.raises(LightClientError) as caught:
        verify_header(built.state_stated(built.height), block, NOW)
    assert caught.value.name == name, caught.value


def test_a_proposer_is_a_consensus_node() -> None:
    refused("ProposerNotValidator", chain(), on_header=lambda header: header.ClearField("proposer"))
    refused("ProposerNotValidator", chain(), proposer=chain().new_node("org9"))
    stranger = chain().new_node("org1", "stranger")
    assert (
        judge(chain(), proposer=stranger).height == 2
    )  # under the roots of its organisation: a node's new certificate
    alone = root("alone", chain().scheme, organisation="org1")
    refused("MemberUntrusted", chain(), proposer=consensus_node("alone1", "org1", alone))


# --- votes ---------------------------------------------------------------------------------------------------------------


@SUITES
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 10])
def test_the_quorum_is_two_thirds_and_one(suite: str, count: int) -> None:
    first = ChainMakerChain(suite)
    built = ChainMakerChain(suite, [first.new_node(f"org{number}") for number in range(count)])
    quorum = count * 2 // 3 + 1
    assert len(judge(built, voters=built.nodes[:quorum]).voters) == quorum
    error = refused("VotesTooFew", built, voters=built.nodes[: quorum - 1])
    assert (error.expected, error.found) == (quorum, quorum - 1)


def test_what_a_set_says_of_its_own_majority_is_not_read() -> None:
    told = _set(sum=1, maj23=bytes(32))
    assert judge(chain(), on_votes=told).height == 2
    refused("VotesTooFew", chain(), voters=chain().nodes[:2], on_votes=_set(sum=4))


def test_votes_for_another_block_are_passed_over() -> None:
    built = chain()
    others = {built.nodes[1].node_id}

    def elsewhere(vote: Any) -> None:
        if vote.voter in others:
            vote.hash = bytes(32)

    refused("VotesTooFew", built, on_vote=elsewhere)
    assert built.nodes[1].node_id not in judge(built, voters=built.nodes, on_vote=elsewhere).voters


def test_counting_ends_at_the_quorum() -> None:
    built = chain()

    def spoil(votes: Any) -> None:
        votes.votes[3].value.endorsement.signature = b""

    assert len(judge(built, voters=built.nodes, on_votes=spoil).voters) == 3


VOTES = [
    ("VoteMisplaced", {"type": 0}),
    ("VoteMisplaced", {"height": 3}),
    ("VoteMisplaced", {"round": 1}),
    ("VoteMisplaced", {"voter": "Qmanother"}),
    ("VotesTooFew", {"hash": b""}),
]


@pytest.mark.parametrize(("name", "values"), VOTES)
def test_a_vote_of_another_kind_does_not_count(name: str, values: dict[str, Any]) -> None:
    refused(name, chain(), on_vote=_set(**values))


def test_votes_of_one_round_count_whatever_the_round() -> None:
    assert judge(chain(), on_vote=_set(round=7), on_votes=_set(round=7)).height == 2


def test_transactions_that_a_voter_calls_invalid_are_signed_with_its_vote() -> None:
    def call_invalid(vote: Any) -> None:
        vote.invalid_txs.extend(["a", "b"])

    assert judge(chain(), on_vote=call_invalid).height == 2
    refused("MemberSignatureInvalid", chain(), on_signed_vote=call_invalid)


def test_a_vote_by_a_stranger_is_refused() -> None:
    stranger = chain().new_node("org1", "stranger")
    refused("VoteForeign", chain(), voters=[*chain().nodes[:2], stranger])


def test_one_name_votes_once() -> None:
    def twice(votes: Any) -> None:
        votes.votes[2].CopyFrom(votes.votes[1])

    refused("VoteDuplicate", chain(), on_votes=twice)


def test_a_voter_under_another_name_is_refused() -> None:
    def rename(votes: Any) -> None:
        votes.votes[2].key = chain().nodes[3].node_id

    refused("VoteMisplaced", chain(), on_votes=rename)


def test_a_vote_signed_by_another_organisation_is_refused() -> None:
    built = chain()

    def lend(vote: Any) -> None:
        vote.voter = built.nodes[3].node_id

    def rename(votes: Any) -> None:
        votes.votes[2].key = built.nodes[3].node_id

    def only_third(vote: Any) -> None:
        if vote.voter == built.nodes[2].node_id:
            lend(vote)

    refused("MemberOrganisationMismatch", built, on_vote=only_third, on_votes=rename)


def test_more_votes_than_nodes_can_be_are_refused() -> None:
    def many(votes: Any) -> None:
        for number in range(257):
            votes.votes.add(key=str(number))

    refused("ProtobufFieldInvalid", chain(), on_votes=many)


def test_a_block_without_votes_is_refused() -> None:
    info = chain().make()
    info.block.additional_data.extra_data[0].key = "another"
    _refused_block("QuorumMissing", chain(), info.block.SerializeToString())
    info.block.ClearField("additional_data")
    _refused_block("QuorumMissing", chain(), info.block.SerializeToString())


def test_the_set_of_votes_stands_once() -> None:
    info = chain().make()
    again = info.block.additional_data.extra_data.add(key=QUORUM_KEY)
    again.value = info.block.additional_data.extra_data[0].value
    _refused_block("ProtobufFieldInvalid", chain(), info.block.SerializeToString())


# --- members -------------------------------------------------------------------------------------------------------------


def with_node(suite: str = "ecc", **certificate: Any) -> ChainMakerChain:
    """A chain of four whose third node has another certificate."""
    built = ChainMakerChain(suite)
    other = consensus_node("other", "org3", root("ca.org3", built.scheme, organisation="org3"), **certificate)
    return ChainMakerChain(suite, [*built.nodes[:2], other, built.nodes[3]])


MEMBERS = [
    ("MemberOrganisationMismatch", {"organisation": "org4"}),
    ("MemberOrganisationMismatch", {"organisation": None}),
    ("MemberRoleMismatch", {"units": ("client",)}),
    ("MemberRoleMismatch", {"units": ("client", "consensus")}),
    ("MemberRoleMismatch", {"units": ()}),
    ("MemberUntrusted", {"not_after": BEGAN + 1}),
    ("MemberUntrusted", {"not_before": BEGAN + 3}),
    ("MemberUntrusted", {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"}),
    ("MemberUntrusted", {"authority": True}),
]


@SUITES
@pytest.mark.parametrize(("name", "values"), MEMBERS)
def test_a_voter_without_a_sound_certificate_is_refused(suite: str, name: str, values: dict[str, Any]) -> None:
    refused(name, with_node(suite, **values))


def test_a_role_may_be_written_in_any_case() -> None:
    assert judge(with_node(units=("Consensus",))).height == 2


@pytest.mark.parametrize(
    "info", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n"]
)
def test_a_member_without_a_certificate_is_refused(info: bytes) -> None:
    def change(vote: Any) -> None:
        vote.endorsement.signer.member_info = info

    refused("MemberUntrusted", chain(), on_signed_vote=change)


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6])
def test_other_types_of_members_are_refused_by_name(kind: int) -> None:
    def change(vote: Any) -> None:
        vote.endorsement.signer.member_type = kind

    error = refused("MemberTypeUnsupported", chain(), on_signed_vote=change)
    names = {1: "hash", 2: "public key", 3: "DID", 4: "alias", 5: "address", 6: "unknown"}
    assert names[kind] in error.message


@SUITES
def test_the_hash_of_a_pinned_certificate_names_a_member(suite: str) -> None:
    built = chain(suite)
    pins = tuple(NodePin(node.node_id, node.certificate.pem) for node in built.nodes)

    def by_hash(vote: Any) -> None:
        node = next(node for node in built.nodes if node.node_id == vote.voter)
        digest = opinion.digest(built.hash_name, node.certificate.der)
        vote.endorsement.signer.CopyFrom(member(node, member_type=1, member_info=digest))

    assert judge(built, configuration=ChainMakerConfiguration(pins=pins), on_signed_vote=by_hash).height == 2
    refused(
        "MemberTypeUnsupported", built, configuration=ChainMakerConfiguration(pins=pins[1:]), on_signed_vote=by_hash
    )


def test_a_pinned_node_signs_with_its_pinned_certificate() -> None:
    built = chain()
    other = built.new_node("org2", "other")
    wrong = ChainMakerConfiguration(pins=(NodePin(built.nodes[1].node_id, other.certificate.pem),))
    refused("MemberUnpinned", built, configuration=wrong)
    both = replace(wrong, pins=(*wrong.pins, NodePin(built.nodes[1].node_id, built.nodes[1].certificate.der)))
    assert judge(built, configuration=both).height == 2


def two_of_one() -> tuple[ChainMakerChain, tuple[NodePin, ...]]:
    """A chain of four whose first two nodes are of one organisation."""
    built = ChainMakerChain()
    nodes = [*built.nodes[:1], built.new_node("org1", "consensus2.org1"), *built.nodes[2:]]
    pins = tuple(NodePin(node.node_id, node.certificate.pem) for node in nodes[:2])
    return ChainMakerChain(nodes=nodes), pins


def test_several_nodes_of_one_organisation_need_pins() -> None:
    built, pins = two_of_one()
    third = built.nodes[2]
    refused("MemberUnpinned", built, proposer=third)
    refused("MemberUnpinned", built, proposer=third, configuration=ChainMakerConfiguration(pins=pins[:1]))
    refused("MemberUnpinned", built, configuration=ChainMakerConfiguration(pins=()))
    assert judge(built, configuration=ChainMakerConfiguration(pins=pins)).height == 2
    swapped = (NodePin(pins[0].node_id, pins[1].certificate), NodePin(pins[1].node_id, pins[0].certificate))
    refused("MemberUnpinned", built, proposer=third, configuration=ChainMakerConfiguration(pins=swapped))


def test_one_key_counts_once() -> None:
    built, pins = two_of_one()
    first = built.nodes[0].certificate
    same = tuple(NodePin(pin.node_id, first.pem) for pin in pins)
    built.nodes[1] = replace(built.nodes[1], certificate=first)
    refused("VoteDuplicate", built, configuration=ChainMakerConfiguration(pins=same))


def test_refused_certificates_do_not_vote() -> None:
    built = chain()
    listed = (Bytes32(opinion.digest("sha256", built.nodes[2].certificate.der)),)
    refused("MemberUntrusted", built, configuration=ChainMakerConfiguration(refused_certificates=listed))
    assert judge(
        built,
        configuration=ChainMakerConfiguration(refused_certificates=listed),
        voters=[*built.nodes[:2], built.nodes[3]],
    )


@SUITES
def test_intermediate_authorities_are_followed(suite: str) -> None:
    built = ChainMakerChain(suite)
    above = root("ca.org3", built.scheme, organisation="org3")
    between = issue(above, "between.org3", authority=True, organisation="org3")
    late = issue(above, "late.org3", authority=True, organisation="org3", not_before=UNTIL - 1)
    for middle, name in ((between, ""), (late, "MemberUntrusted")):
        node = consensus_node("under", "org3", middle)
        built.nodes[2] = node
        chained = ChainMakerChain(suite, built.nodes)
        roots = next(item for item in chained.config.trust_roots if item.org_id == "org3").root
        if name:
            refused("MemberUntrusted", chained)  # the intermediate alone is no root
        roots.extend([above.pem.decode(), "unreadable"])
        if name:
            refused(name, chained)
        else:
            assert judge(chained).height == 2


def test_an_organisation_without_roots_is_not_trusted() -> None:
    built = ChainMakerChain()
    del built.config.trust_roots[2]
    refused("MemberUntrusted", built)


def test_an_old_root_beside_a_new_one_does_no_harm() -> None:
    built = ChainMakerChain()
    old = root("old.org3", built.scheme, organisation="org3", not_after=BEGAN - 1)
    roots = next(item for item in built.config.trust_roots if item.org_id == "org3").root
    roots.insert(0, old.pem.decode())
    assert judge(built).height == 2


def test_a_node_of_the_other_kind_of_key_is_a_node_all_the_same() -> None:
    built = ChainMakerChain()
    authority = root("ca.org3", "sm2-sm3", organisation="org3")
    built = ChainMakerChain(nodes=[*built.nodes[:2], consensus_node("mixed", "org3", authority), built.nodes[3]])
    assert judge(built).height == 2


# --- bootstrap -----------------------------------------------------------------------------------------------------------


def test_a_pin_that_is_another_block_is_refused() -> None:
    built = chain()
    with pytest.raises(LightClientError) as caught:
        bootstrap(built.block(0), built.hash_of(1), ChainMakerConfiguration())
    assert caught.value.name == "PinMismatch"


@pytest.mark.parametrize(
    "stated", [b"", b"\xff", b"\x1a\x14permissionedWithCert\x2a\x08\x0a\x06SHA256\x42\x02\x08\x01"]
)
def test_a_pin_without_a_configuration_is_refused(stated: bytes) -> None:
    built = chain()
    with pytest.raises(LightClientError) as caught:
        bootstrap(built.block(1), built.hash_of(1), ChainMakerConfiguration(chain_config=stated))
    assert caught.value.name == "ConfigurationInvalid"


def test_a_stated_configuration_of_another_chain_is_refused() -> None:
    built = chain()
    stated = ChainMakerChain(chain_id="chain2").config.SerializeToString()
    with pytest.raises(LightClientError) as caught:
        bootstrap(built.block(1), built.hash_of(1), ChainMakerConfiguration(chain_config=stated))
    assert caught.value.name == "ConfigurationInvalid"


def test_a_pinned_certificate_that_cannot_be_read_is_refused_at_once() -> None:
    built = chain()
    with pytest.raises(LightClientError) as caught:
        bootstrap(built.block(0), built.hash_of(0), ChainMakerConfiguration(pins=(NodePin("Qm", b"none"),)))
    assert caught.value.name == "ConfigurationInvalid"


@pytest.mark.parametrize(
    "option",
    [{"trusting_period_s": 0}, {"trusting_period_s": 2**32}, {"maximum_drift_s": -1}, {"maximum_drift_s": 2**32}],
)
def test_numbers_of_the_configuration_have_a_range(option: dict[str, int]) -> None:
    with pytest.raises(LightClientError) as caught:
        ChainMakerConfiguration(**option)
    assert caught.value.name == "ConfigurationInvalid"


def test_a_client_that_starts_in_the_middle_follows_like_any_other() -> None:
    built = ChainMakerChain()
    for _ in range(3):
        built.grow()
    state = built.state_stated(2)
    state = apply(state, verify_header(state, built.block(3), NOW))
    assert (state.block_hash, state.oldest_height) == (BlockHash(built.hash_of(3)), 2)
