"""Every check of a block, failed alone; synthetic channels of raft and SmartBFT with real signatures."""

import hashlib
from dataclasses import replace

import pytest

from light_clients import errors, fabric
from light_clients.fabric import errors as own
from light_clients.fabric.codec import header_der, read_block, skim_envelope
from light_clients.fabric.orderers import quorum
from tests.support import certificate_authority as authority
from tests.support import fabric_chain as f

NOW = f.START + 100
RAFT, BFT = f.Network("etcdraft"), f.Network("BFT")
HEAD = hashlib.sha256(b"a head").digest()


def envelope(network=BFT, **options):
    return f.moving(network, HEAD, **options)


@pytest.fixture(params=[RAFT, BFT], ids=["raft", "bft"])
def chain(request):
    return request.param.first()


def refused(error, chain, data, now=NOW, state=None):
    with pytest.raises(error) as caught:
        fabric.verify_header(state or chain.state(), data, now)
    assert type(caught.value) is error
    return caught.value


def test_blocks_follow_one_another(chain):
    for _ in range(3):
        chain = chain.with_block(chain.next(envelope(chain.network)))
    state = chain.followed()
    assert (state.height, state.block_hash) == (3, chain.blocks[3].hash)
    assert state.timestamp == f.START + 10
    assert state.confirmations == 0
    assert state.hash_at(1) == chain.blocks[1].hash
    assert state.hash_at(4) is None


def test_a_frozen_client_judges_nothing(chain):
    data = chain.signed(chain.next(envelope()))
    refused(errors.ClientFrozen, chain, data, state=chain.state().freeze())


def test_an_expired_client_judges_nothing(chain):
    data = chain.signed(chain.next(envelope()))
    state = chain.state(trusting_period_s=1_000)
    fabric.verify_header(state, data, f.START + 999)
    refused(errors.ClientExpired, chain, data, f.START + 1_000, state)


def test_blocks_are_given_in_order(chain):
    second = chain.with_block(chain.next(envelope()))
    refused(errors.HeaderGap, chain, second.signed(second.next(envelope())))
    refused(errors.HeaderBehind, chain, chain.signed(chain.blocks[0], ()))
    wrong = chain.next(envelope(), previous_hash=hashlib.sha256(b"another").digest())
    refused(errors.ParentMismatch, chain, chain.signed(wrong))


def test_the_envelopes_are_those_of_the_header(chain):
    block = chain.next(envelope(), envelope(nonce=b"\1" * 24))
    signed = replace(block, data_hash=hashlib.sha256(b"".join(block.envelopes)).digest())
    fewer = replace(signed, envelopes=block.envelopes[:1])
    swapped = replace(signed, envelopes=block.envelopes[::-1])
    for data in (fewer, swapped):
        refused(own.DataHashMismatch, chain, chain.signed(data))


def test_the_orderers_name_the_configuration_in_force(chain):
    refused(own.LastConfigMismatch, chain, chain.signed(chain.next(envelope(), last_config=1)))


def test_somebody_signed(chain):
    error = refused(errors.SealsTooFew, chain, chain.signed(chain.next(envelope()), ()))
    assert (error.expected, error.found) == (1, 0)


def test_raft_believes_one_orderer_and_smart_bft_a_quorum():
    chain, block = RAFT.first(), RAFT.first().next(envelope())
    fabric.verify_header(chain.state(), chain.signed(block, (3,)), NOW)
    fabric.verify_header(chain.state(), chain.signed(block, (3, 1)), NOW)
    chain, block = BFT.first(), BFT.first().next(envelope())
    fabric.verify_header(chain.state(), chain.signed(block, (4, 2, 1)), NOW)
    fabric.verify_header(chain.state(), chain.signed(block, (4, 2, 1, 3)), NOW)
    error = refused(errors.SealsTooFew, chain, chain.signed(block, (4, 2)))
    assert (error.expected, error.found) == (3, 2)


def test_the_quorum_is_more_than_what_the_faulty_could_split():
    assert [quorum(count) for count in (1, 2, 3, 4, 5, 6, 7, 10, 13)] == [1, 2, 2, 3, 4, 4, 5, 7, 9]
    for count in range(1, 120):
        faulty = max(each for each in range(count) if 3 * each + 1 <= count)
        honest_of_two_quorums = 2 * quorum(count) - count - faulty
        assert honest_of_two_quorums >= 1
        assert 2 * (quorum(count) - 1) - count - faulty < 1


def test_a_signer_counts_once(chain):
    block = chain.next(envelope())
    refused(errors.SealDuplicate, chain, chain.signed(block, (1, 1, 2)))


def test_no_more_signatures_than_consenters():
    chain = BFT.first()
    block = chain.next(envelope())
    refused(errors.SealsTooMany, chain, chain.signed(block, (1, 2, 3, 4, 1)))


def test_only_a_consenter_of_the_configuration_signs_on_smart_bft():
    chain = BFT.first()
    block = chain.next(envelope())
    refused(errors.SealForeign, chain, chain.signed(block, (1, 2, 5)))
    raft_form = f.raft_signature(block, BFT.orderer_organisation, BFT.orderer(1))
    error = refused(errors.SealForeign, chain, block.signed(raft_form))
    assert "creator" in error.message
    exchanged = f.bft_signature(block, 3, BFT.orderer(2))
    signed = [f.bft_signature(block, number, BFT.orderer(number)) for number in (1, 2)]
    refused(errors.SealForeign, chain, block.signed(*signed, exchanged))


def test_on_raft_the_signer_satisfies_the_policy_of_the_orderers():
    chain = RAFT.first()
    block = chain.next(envelope())
    organisation = RAFT.organisations[0]
    data = block.signed(f.raft_signature(block, organisation, organisation.member(f.PEER)))
    refused(own.BlockPolicyUnsatisfied, chain, data)
    stranger = f.Organisation("StrangerMSP")
    data = block.signed(f.raft_signature(block, stranger, stranger.member(f.ORDERER)))
    refused(own.MembershipUnknown, chain, data)
    impostor = replace(RAFT.orderer_organisation, intermediate=True)
    fake = replace(authority.root("ca.OrdererMSP"), key=authority.Key("another key"))
    forged = authority.issue(fake, "orderer9.OrdererMSP", units=(f.ORDERER,))
    data = block.signed(f.raft_signature(block, impostor, forged))
    refused(own.IdentityInvalid, chain, data)
    data = block.signed(f.raft_signature(block, RAFT.orderer_organisation, RAFT.orderer(1), identifier=b"\x08\x01"))
    refused(errors.SealForeign, chain, data)


def test_smart_bft_also_satisfies_the_policy_of_the_orderers():
    nobody = f.Item(f.signatures(f.roles_policy(1, ("Org1MSP", f.ADMIN))))
    root = BFT.root.changed(
        ("Orderer",), lambda group: replace(group, policies={**group.policies, "BlockValidation": nobody})
    )
    chain = BFT.first(root)
    refused(own.BlockPolicyUnsatisfied, chain, chain.signed(chain.next(envelope())))


def test_a_signature_is_over_value_own_header_and_header(chain):
    block = chain.next(envelope())
    other = replace(block, last_config=0, previous_hash=bytes(32))
    for signed in (other.header, block.header, block.value + block.header, b""):
        if chain.network.consensus == "BFT":
            made = f.bft_signature(block, 1, BFT.orderer(1), signed=signed)
        else:
            made = f.raft_signature(block, RAFT.orderer_organisation, RAFT.orderer(1), signed=signed)
        refused(errors.SealForeign, chain, block.signed(made))


def test_the_metadata_of_another_block_sign_nothing(chain):
    block = chain.next(envelope())
    twin = chain.next(envelope(nonce=b"\2" * 24))
    if chain.network.consensus == "BFT":
        made = [f.bft_signature(twin, number, BFT.orderer(number)) for number in (1, 2, 3)]
    else:
        made = [f.raft_signature(twin, RAFT.orderer_organisation, RAFT.orderer(1))]
    refused(errors.SealForeign, chain, block.signed(*made))
    value = f.message((1, b""), (2, b"another leader"))
    refused(errors.SealForeign, chain, block.signed(*made, value=value))


def test_a_high_s_is_refused_as_the_ledger_refuses_it():
    from light_clients.crypto.der import signature_from_der, signature_to_der
    from light_clients.crypto.p256 import ORDER

    chain = RAFT.first()
    block, own_organisation, issued = chain.next(envelope()), RAFT.orderer_organisation, RAFT.orderer(1)
    header = f.message((1, own_organisation.serialized(issued)), (2, bytes(24)))
    numbers = signature_from_der(issued.key.sign(block.value + header + block.header))
    high = numbers[:32] + (ORDER - int.from_bytes(numbers[32:], "big")).to_bytes(32, "big")
    made = [f.message((1, header), (2, signature_to_der(each))) for each in (numbers, high)]
    fabric.verify_header(chain.state(), block.signed(made[0]), NOW)
    refused(errors.SealForeign, chain, block.signed(made[1]))


def test_an_orderer_whose_certificate_expired_is_refused_unless_told_otherwise():
    chain = RAFT.first()
    own_organisation, old = RAFT.orderer_organisation, RAFT.orderer(1, not_after=f.START + 9)
    block = chain.next(envelope())
    data = block.signed(f.raft_signature(block, own_organisation, old))
    refused(own.IdentityExpired, chain, data)
    fabric.verify_header(chain.state(heeds_expiry=False), data, NOW)
    just = RAFT.orderer(1, not_after=f.START + 10)
    fabric.verify_header(chain.state(), block.signed(f.raft_signature(block, own_organisation, just)), NOW)


def test_the_time_of_a_block_is_a_clients_and_stops_nothing(chain):
    first = chain.state()
    asking = chain.network.organisations[0]
    ahead = f.propose(asking, asking.member(f.CLIENT), timestamp=NOW + 10_000)
    late = f.transaction(ahead, b"", (), asking.member(f.CLIENT))
    verified = fabric.verify_header(first, chain.signed(chain.next(late)), NOW)
    assert verified.timestamp == first.timestamp
    verified = fabric.verify_header(first, chain.signed(chain.next(late)), NOW + 10_000)
    assert verified.timestamp == NOW + 10_000
    junk = chain.next(b"junk that no reader understands", b"")
    assert fabric.verify_header(first, chain.signed(junk), NOW).timestamp == first.timestamp


def test_what_cannot_be_skimmed_has_no_type_and_no_time():
    assert skim_envelope(b"\xff") == (0, 0)
    negative = f.message((1, f.message((1, f.message((1, f.message((1, 3), (3, f.message((1, 2**64 - 5))))))))))
    assert skim_envelope(negative) == (3, 0)


def test_form_of_a_block():
    chain = RAFT.first()
    block = chain.next(envelope())
    data_hash = hashlib.sha256(b"".join(block.envelopes)).digest()
    for header in (
        f.message((1, 1), (2, bytes(31)), (3, data_hash)),
        f.message((1, 1), (3, data_hash)),
        f.message((2, bytes(32)), (3, data_hash)),
        f.message((1, 1), (2, bytes(32)), (3, data_hash + b"\0")),
    ):
        refused(errors.HeaderFieldInvalid, chain, f.message((1, header)))
    many = block.signed(*[f.message((2, b"x"))] * 257)
    refused(errors.SealsTooMany, chain, many)
    refused(errors.ProtobufFieldInvalid, chain, f.message((4, b"more")))
    refused(errors.ProtobufTruncated, chain, block.signed()[:-1])
    assert read_block(f.message((1, block.fields))).signatures == ()


def test_a_block_is_no_larger_than_a_ledger_makes_them(monkeypatch):
    chain = RAFT.first()
    data, state = chain.signed(chain.next(envelope())), chain.state()
    monkeypatch.setattr("light_clients.fabric.codec.MAXIMUM_BLOCK_SIZE", len(data))
    fabric.verify_header(state, data, NOW)
    monkeypatch.setattr("light_clients.fabric.codec.MAXIMUM_BLOCK_SIZE", len(data) - 1)
    refused(errors.HeaderTooLarge, chain, data, state=state)


def test_numbers_of_headers_are_the_shortest_integers():
    for number in (0, 1, 127, 128, 255, 256, 2**31, 2**63, 2**64 - 1):
        found = header_der(number, bytes(32), bytes(32))
        octets = authority.tlv(0x04, bytes(32))
        assert found == authority.tlv(0x30, authority.integer(number), octets, octets)


def test_bootstrap_trusts_a_pinned_configuration_alone(chain):
    first = chain.blocks[0]
    options = fabric.FabricConfiguration(f.CHANNEL)
    assert fabric.bootstrap(first.signed(), first.hash, options).height == 0
    with pytest.raises(errors.PinMismatch):
        fabric.bootstrap(first.signed(), chain.next(b"").hash, options)
    with pytest.raises(own.ChannelMismatch):
        fabric.bootstrap(first.signed(), first.hash, fabric.FabricConfiguration("another"))
    later = chain.next(envelope())
    with pytest.raises(errors.ConfigurationInvalid):
        fabric.bootstrap(later.signed(), later.hash, options)
    wrong = replace(first, data_hash=bytes(31) + b"\1")
    with pytest.raises(own.DataHashMismatch):
        fabric.bootstrap(wrong.signed(), wrong.hash, options)
    unread = replace(first, envelopes=(f.config_envelope(f.Group(), 0, b""),))
    with pytest.raises(own.ConsensusUnsupported):
        fabric.bootstrap(unread.signed(), unread.hash, options)


def test_options_have_ranges():
    for options in ({"channel": ""}, {"channel": "x" * 250}, {"channel": "x", "trusting_period_s": 0}):
        with pytest.raises(errors.ConfigurationInvalid):
            fabric.FabricConfiguration(**options)


def test_two_signed_blocks_of_one_number_are_misbehaviour(chain):
    state = chain.state()
    one, other = chain.next(envelope()), chain.next(envelope(nonce=b"\2" * 24))
    signed = chain.signed(one), chain.signed(other)
    found = fabric.find_misbehaviour(state, *signed)
    assert isinstance(found, errors.Misbehaviour)
    assert (found.height, found.evidence) == (1, signed)
    assert fabric.find_misbehaviour(state, signed[0], chain.signed(one, (2, 3, 4))) is None
    after = chain.with_block(one)
    assert fabric.find_misbehaviour(state, signed[0], after.signed(after.next(envelope()))) is None


def test_an_accusation_needs_signatures_and_the_configuration(chain):
    state = chain.state()
    one, other = chain.next(envelope()), chain.next(envelope(nonce=b"\2" * 24))
    with pytest.raises(errors.SealsTooFew):
        fabric.find_misbehaviour(state, chain.signed(one), chain.signed(other, ()))
    wrong = replace(other, data_hash=bytes(31) + b"\1")
    with pytest.raises(own.DataHashMismatch):
        fabric.find_misbehaviour(state, chain.signed(one), chain.signed(wrong))
    with pytest.raises(errors.HeaderGap):
        fabric.find_misbehaviour(state, chain.signed(one), chain.signed(replace(other, last_config=1)))
    first = chain.blocks[0]
    twin = replace(first, envelopes=(f.config_envelope(chain.root, 0, b"", timestamp=5),))
    with pytest.raises(errors.HeightNotRetained):
        fabric.find_misbehaviour(state, first.signed(), twin.signed())
