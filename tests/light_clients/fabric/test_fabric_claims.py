"""Every check of a claim, failed alone; the block alone never yields one."""

import hashlib
from dataclasses import replace

import pytest

from light_clients import errors, fabric, rlp
from light_clients.fabric import errors as own
from light_clients.fabric.types import MAXIMUM_ATTESTATIONS, MAXIMUM_LINKS
from schemas.claim import Direction
from schemas.primitives import BlockHash, Head, LaneId
from tests.support import fabric_chain as f

RAFT, BFT = f.Network("etcdraft"), f.Network("BFT")
ORG1, ORG2 = BFT.organisations
SCENES = {"raft": f.scene(RAFT), "bft": f.scene(BFT)}
STATES = {name: scene.chain.followed() for name, scene in SCENES.items()}
OTHER = hashlib.sha256(b"other").digest()


@pytest.fixture(params=["raft", "bft"])
def name(request):
    return request.param


@pytest.fixture
def scene(name):
    return SCENES[name]


@pytest.fixture
def state(name):
    return STATES[name]


def refused(error, state, claim, evidence, pin, **options):
    with pytest.raises(error) as caught:
        fabric.verify_claim(state, claim, evidence, pin, **options)
    assert type(caught.value) is error
    return caught.value


def test_a_claim_at_its_block_and_at_later_ones(scene, state):
    for height in (None, 1, 2, 3):
        fabric.verify_claim(state, scene.claim(height), scene.evidence(height), scene.pin())


def test_the_outcomes_are_the_other_direction():
    scene = f.scene(RAFT, direction=1)
    state = scene.chain.followed()
    claim = scene.claim(direction=Direction.OUTCOMES)
    fabric.verify_claim(state, claim, scene.evidence(), scene.pin())
    refused(own.AttestationInvalid, state, scene.claim(), scene.evidence(), scene.pin())


def test_a_prefix_is_claimed_under_the_head_that_is_shown(scene, state):
    prefix = Head(OTHER)
    claim = scene.claim(head=prefix)
    fabric.verify_claim(state, claim, scene.evidence(), scene.pin(), proved_head=scene.head)
    refused(errors.HeadMismatch, state, claim, scene.evidence(), scene.pin())
    refused(errors.HeadMismatch, state, scene.claim(), scene.evidence(), scene.pin(), proved_head=prefix)


def test_a_frozen_client_believes_nothing(scene, state):
    refused(errors.ClientFrozen, state.freeze(), scene.claim(), scene.evidence(), scene.pin())


def test_the_form_of_a_claim(scene, state):
    refused(errors.ClaimMalformed, state, scene.claim(nonce=0), scene.evidence(), scene.pin())


def test_the_block_of_a_claim_is_an_accepted_one(scene, state):
    claim = replace(scene.claim(), height=4)
    refused(errors.HeightNotReached, state, claim, scene.evidence(), scene.pin())
    short = replace(state, recent=state.recent[-2:])
    refused(errors.HeightNotRetained, short, scene.claim(), scene.evidence(), scene.pin())
    fabric.verify_claim(short, scene.claim(3), scene.evidence(3), scene.pin())
    claim = scene.claim(block_hash=BlockHash(OTHER))
    refused(errors.ClaimBlockMismatch, state, claim, scene.evidence(), scene.pin())


def test_a_branch_that_nobody_accepted_is_believed_by_nobody(scene, state):
    """Everything fits but the block: another transaction beside moved the head in a block that the client never accepted."""
    other = f.scene(scene.chain.network, envelope=f.moving(scene.chain.network, scene.head, nonce=b"\7" * 24))
    fabric.verify_claim(other.chain.followed(), other.claim(), other.evidence(), other.pin())
    refused(errors.ClaimBlockMismatch, state, other.claim(), other.evidence(), other.pin())
    refused(errors.ClaimBlockMismatch, state, scene.claim(), other.evidence(), other.pin())


def test_the_links_are_bounded(scene, state, monkeypatch):
    monkeypatch.setattr("light_clients.fabric.verify.MAXIMUM_LINKS", 2)
    fabric.verify_claim(state, scene.claim(3), scene.evidence(3), scene.pin())
    monkeypatch.setattr("light_clients.fabric.verify.MAXIMUM_LINKS", 1)
    refused(errors.ClaimMalformed, state, scene.claim(3), scene.evidence(3), scene.pin())


def test_the_evidence_leads_to_the_block_of_the_claim(scene, state):
    evidence = scene.evidence(3)
    refused(errors.ClaimHeightMismatch, state, scene.claim(3), replace(evidence, links=evidence.links[:1]), scene.pin())
    refused(errors.ClaimHeightMismatch, state, scene.claim(), evidence, scene.pin())
    swapped = replace(evidence, links=evidence.links[::-1])
    refused(own.HeaderLinkMismatch, state, scene.claim(3), swapped, scene.pin())
    doubled = replace(evidence, links=(evidence.links[0],) * 2)
    refused(own.HeaderLinkMismatch, state, scene.claim(3), doubled, scene.pin())
    stranger = f.Block(3, scene.chain.blocks[2].hash, (b"other envelopes",)).fields
    refused(
        errors.ClaimBlockMismatch,
        state,
        scene.claim(3),
        replace(evidence, links=(evidence.links[0], stranger)),
        scene.pin(),
    )
    stranger = f.Block(2, bytes(32), scene.chain.blocks[2].envelopes).fields
    wrong = replace(evidence, links=(stranger, evidence.links[1]))
    refused(own.HeaderLinkMismatch, state, scene.claim(3), wrong, scene.pin())
    many = replace(evidence, links=(b"",) * (MAXIMUM_LINKS + 1))
    refused(errors.ClaimMalformed, state, scene.claim(), many, scene.pin())


def test_the_envelopes_are_those_of_the_block(scene, state):
    block = scene.chain.blocks[1]
    data_hash = hashlib.sha256(b"".join(block.envelopes)).digest()
    fewer = replace(block, envelopes=block.envelopes[1:], data_hash=data_hash)
    refused(own.DataHashMismatch, state, scene.claim(), scene.evidence(block=fewer.signed()), scene.pin())
    other = replace(block, envelopes=block.envelopes[1:])
    refused(errors.ClaimBlockMismatch, state, scene.claim(), scene.evidence(block=other.signed()), scene.pin())


def test_the_attested_version_is_the_place_of_the_transaction(scene, state):
    for place in (0, 2, 2**40):
        refused(own.AttestationMismatch, state, scene.claim(), scene.evidence(transaction=place), scene.pin())
    for place in ((1, 0), (2, 1), (0, 1)):
        read = f.reading(scene.chain.network, scene.head, place)
        refused(own.AttestationMismatch, state, scene.claim(), scene.evidence(read=read), scene.pin())
    beyond = f.reading(scene.chain.network, scene.head, (1, 2))
    evidence = scene.evidence(read=beyond, transaction=2)
    refused(own.AttestationMismatch, state, scene.claim(), evidence, scene.pin())


def test_what_peers_read_is_what_the_transaction_wrote(scene, state):
    read = f.reading(scene.chain.network, OTHER, (1, 1))
    claim = scene.claim(head=Head(OTHER))
    refused(own.AttestationMismatch, state, claim, scene.evidence(read=read), scene.pin())


def read_with(scene, **options):
    return scene.evidence(read=f.reading(scene.chain.network, scene.head, (1, 1), **options))


def test_too_few_organisations_attest(scene, state):
    one = [(ORG1, ORG1.member(f.PEER)), (ORG1, ORG1.member(f.PEER, "1"))]
    for attesters in ([], one[:1], one):
        error = refused(
            own.AttestationsTooFew, state, scene.claim(), read_with(scene, attesters=attesters), scene.pin()
        )
        assert (error.expected, error.found) == (2, len({organisation for organisation, _ in attesters}))
    fabric.verify_claim(state, scene.claim(), read_with(scene, attesters=one), scene.pin(threshold=1))


def test_only_peers_of_pinned_organisations_attest(scene, state):
    second = (ORG2, ORG2.member(f.PEER))
    orderers = scene.chain.network.orderer_organisation
    for attester in (
        (ORG1, ORG1.member(f.CLIENT)),
        (ORG1, ORG1.member(f.ADMIN)),
        (orderers, orderers.member(f.PEER)),
        second,
    ):
        evidence = read_with(scene, attesters=[second, attester])
        refused(own.AttesterForeign, state, scene.claim(), evidence, scene.pin())
    pin = scene.pin(organisations=("Org1MSP",), threshold=1)
    refused(own.AttesterForeign, state, scene.claim(), scene.evidence(), pin)
    stranger = f.Organisation("StrangerMSP")
    evidence = read_with(scene, attesters=[second, (stranger, stranger.member(f.PEER))])
    refused(own.MembershipUnknown, state, scene.claim(), evidence, scene.pin())


def test_an_attester_signs_this_answer(scene, state):
    read = scene.read
    first, second = read.endorsements
    crossed = replace(read, endorsements=((first[0], second[1]), second))
    refused(own.AttesterForeign, state, scene.claim(), scene.evidence(read=crossed), scene.pin())
    alone = f.endorse(ORG1, ORG1.member(f.PEER), read.response_payload, signed=read.response_payload)
    refused(
        own.AttesterForeign,
        state,
        scene.claim(),
        scene.evidence(read=replace(read, endorsements=(alone, second))),
        scene.pin(),
    )


def test_an_attesters_certificate_has_not_expired(scene, state):
    old = [(ORG1, ORG1.member(f.PEER, not_after=f.START + 9)), (ORG2, ORG2.member(f.PEER))]
    refused(own.IdentityExpired, state, scene.claim(), read_with(scene, attesters=old), scene.pin())
    just = [(ORG1, ORG1.member(f.PEER, not_after=f.START + 10)), old[1]]
    fabric.verify_claim(state, scene.claim(), read_with(scene, attesters=just), scene.pin())


def test_attesters_are_bounded(scene, state):
    most = [(ORG2, ORG2.member(f.PEER)), *((ORG1, ORG1.member(f.PEER, str(label))) for label in range(63))]
    assert len(most) == MAXIMUM_ATTESTATIONS
    fabric.verify_claim(state, scene.claim(), read_with(scene, attesters=most), scene.pin())
    read = replace(scene.read, endorsements=((b"", b""),) * (MAXIMUM_ATTESTATIONS + 1))
    refused(own.AttestationInvalid, state, scene.claim(), scene.evidence(read=read), scene.pin())


def test_the_read_is_of_this_lane_and_direction_alone(scene, state):
    lane = f.LANE.hex().encode()
    for arguments in (
        (b"seal", lane, b"0"),
        (b"head", lane, b"1"),
        (b"head", lane.upper(), b"0"),
        (b"head", bytes(64), b"0"),
        (b"head", lane),
        (b"head", lane, b"0", b""),
        (),
    ):
        evidence = read_with(scene, arguments=arguments)
        refused(own.AttestationInvalid, state, scene.claim(), evidence, scene.pin())
    claim = scene.claim(lane_id=LaneId(OTHER))
    refused(own.AttestationInvalid, state, claim, scene.evidence(), scene.pin())


KEY = f.head_key()
READ = {KEY: (1, 1)}


@pytest.mark.parametrize(
    "namespaces",
    [
        (f.DEFINITION_READ, f.key_values(f.CHAINCODE, READ, {"more": b"written"})),
        (f.DEFINITION_READ, f.key_values(f.CHAINCODE, READ), f.key_values("another", {}, {"more": b"written"})),
        (f.DEFINITION_READ, f.key_values(f.CHAINCODE, READ, None, (2, b""))),
        (f.DEFINITION_READ, f.key_values(f.CHAINCODE, READ, None, (4, b""))),
        (f.DEFINITION_READ, f.key_values(f.CHAINCODE, READ) + f.message((3, b""))),
        (f.DEFINITION_READ, f.key_values(f.CHAINCODE, {**READ, "more": (1, 1)})),
        (f.DEFINITION_READ, f.key_values(f.CHAINCODE, {f.head_key(1): (1, 1)})),
        (f.DEFINITION_READ, f.key_values(f.CHAINCODE, {KEY: None})),
        (f.DEFINITION_READ, f.key_values(f.CHAINCODE)),
        (f.DEFINITION_READ,),
    ],
)
def test_a_read_reads_the_head_and_changes_nothing(namespaces):
    scene = SCENES["bft"]
    evidence = read_with(scene, namespaces=namespaces)
    refused(own.AttestationInvalid, STATES["bft"], scene.claim(), evidence, scene.pin())


def reread(scene, change=None, **options):
    """The scene's evidence with a read whose proposal or answer differs."""
    named = {key: options.pop(key) for key in ("channel", "kind", "identifier", "asked", "specified") if key in options}
    proposal = f.propose(ORG1, ORG1.member(f.CLIENT), b"head", f.LANE.hex().encode(), b"0", **named)
    namespaces = options.pop("namespaces", (f.DEFINITION_READ, f.key_values(f.CHAINCODE, READ)))
    response = f.answer(proposal, namespaces, scene.head, **options)
    pairs = tuple(f.endorse(each, each.member(f.PEER), response) for each in (ORG1, ORG2))
    read = fabric.AttestedRead(proposal.channel_header, proposal.signature_header, proposal.payload, response, pairs)
    return scene.evidence(read=change(read) if change else read)


@pytest.mark.parametrize(
    ("error", "options"),
    [
        (own.TransactionInvalid, {"kind": 1}),
        (own.ChannelMismatch, {"channel": "another"}),
        (own.TransactionIdMismatch, {"identifier": "00" * 32}),
        (own.ProposalHashMismatch, {"proposal_hash": OTHER}),
        (own.ChaincodeMismatch, {"asked": "another"}),
        (own.ChaincodeMismatch, {"specified": "another"}),
        (own.ChaincodeMismatch, {"ran": "another"}),
        (own.ChaincodeMismatch, {"release": "1.1"}),
        (own.TransactionInvalid, {"status": 500}),
        (own.TransactionInvalid, {"status": 201}),
        (own.TransactionInvalid, {"data_model": 1}),
        (own.TransactionInvalid, {"namespaces": (f.DEFINITION_READ, f.DEFINITION_READ)}),
        (
            own.TransactionInvalid,
            {"namespaces": (f.message((1, f.CHAINCODE), (2, f.message(*[(1, f.message((1, KEY)))] * 2))),)},
        ),
        (own.DefinitionMismatch, {"namespaces": (f.key_values(f.CHAINCODE, READ),)}),
        (
            own.DefinitionMismatch,
            {"namespaces": (f.key_values(f.LIFECYCLE, {f.SEQUENCE_KEY: (1, 0)}), f.key_values(f.CHAINCODE, READ))},
        ),
        (
            own.DefinitionMismatch,
            {"namespaces": (f.key_values(f.LIFECYCLE, {f.SEQUENCE_KEY: None}), f.key_values(f.CHAINCODE, READ))},
        ),
    ],
)
def test_the_read_is_an_execution_of_the_pinned_chaincode(error, options):
    scene = SCENES["bft"]
    fabric.verify_claim(STATES["bft"], scene.claim(), reread(scene), scene.pin())
    refused(error, STATES["bft"], scene.claim(), reread(scene, **options), scene.pin())


def test_a_transient_map_has_no_place_in_what_was_hashed():
    scene = SCENES["bft"]
    proposal = f.propose(ORG1, ORG1.member(f.CLIENT), b"head", f.LANE.hex().encode(), b"0")
    proposal = replace(proposal, payload=proposal.payload + f.message((2, b"secret")))
    response = f.answer(proposal, (f.DEFINITION_READ, f.key_values(f.CHAINCODE, READ)), scene.head)
    pairs = tuple(f.endorse(each, each.member(f.PEER), response) for each in (ORG1, ORG2))
    read = fabric.AttestedRead(proposal.channel_header, proposal.signature_header, proposal.payload, response, pairs)
    refused(errors.ProtobufFieldInvalid, STATES["bft"], scene.claim(), scene.evidence(read=read), scene.pin())


def test_a_call_of_the_initialisation_is_no_read():
    scene = SCENES["bft"]
    proposal = f.propose(ORG1, ORG1.member(f.CLIENT), b"head", f.LANE.hex().encode(), b"0")
    words = (b"head", f.LANE.hex().encode(), b"0")
    inputs = f.message(*((1, word) for word in words), (3, 1))
    called = f.message((1, f.message((1, f.message((1, 1), (2, f.message((2, f.CHAINCODE))), (3, inputs))))))
    proposal = replace(proposal, payload=called)
    response = f.answer(proposal, (f.DEFINITION_READ, f.key_values(f.CHAINCODE, READ)), scene.head)
    pairs = tuple(f.endorse(each, each.member(f.PEER), response) for each in (ORG1, ORG2))
    read = fabric.AttestedRead(proposal.channel_header, proposal.signature_header, proposal.payload, response, pairs)
    refused(errors.ProtobufFieldInvalid, STATES["bft"], scene.claim(), scene.evidence(read=read), scene.pin())


def moved(envelope):
    """A scene whose transaction is this one."""
    scene = f.scene(BFT, envelope=envelope)
    return scene.chain.followed(), scene.claim(), scene.evidence(), scene.pin()


HEAD = SCENES["bft"].head


def test_the_transaction_in_the_block_was_endorsed_well():
    """The rule that issue and protocol insist on: an orderer-signed block with too few endorsements yields no claim."""
    for endorsers in (
        [],
        [(ORG1, ORG1.member(f.PEER))],
        [(ORG1, ORG1.member(f.PEER)), (ORG1, ORG1.member(f.PEER, "1"))],
        [(ORG1, ORG1.member(f.PEER)), (ORG2, ORG2.member(f.CLIENT))],
    ):
        refused(own.EndorsementsTooFew, *moved(f.moving(BFT, HEAD, endorsers=endorsers)))


def transaction(change_pairs=None, *, creator=None, **options):
    creator = creator or ORG1.member(f.CLIENT)
    proposal = f.propose(ORG1, creator, b"seal", b"ticket")
    written = f.key_values(f.CHAINCODE, {}, {KEY: bytes(HEAD)})
    response = f.answer(proposal, (f.DEFINITION_READ, written), b"sealed")
    pairs = [f.endorse(each, each.member(f.PEER), response) for each in (ORG1, ORG2)]
    pairs = change_pairs(pairs, response) if change_pairs else pairs
    return f.transaction(proposal, response, pairs, options.pop("signer", creator), **options)


def test_endorsements_that_do_not_hold_are_not_counted():
    fabric.verify_claim(*moved(transaction()))
    stranger = f.Organisation("StrangerMSP")

    def more(pairs, response):
        return [f.endorse(stranger, stranger.member(f.PEER), response), (pairs[1][0], pairs[0][1]), *pairs]

    fabric.verify_claim(*moved(transaction(more)))
    refused(own.EndorsementsTooFew, *moved(transaction(lambda pairs, _: more(pairs, _)[:3])))
    refused(own.EndorsementsTooFew, *moved(transaction(lambda pairs, _: [pairs[0], (pairs[1][0], b"")])))
    fabric.verify_claim(*moved(transaction(lambda pairs, _: pairs * 128)))
    refused(own.TransactionInvalid, *moved(transaction(lambda pairs, _: [*pairs * 128, pairs[0]])))


def test_the_transaction_is_one_action_of_its_proposal():
    for count in (0, 2):
        refused(own.TransactionInvalid, *moved(transaction(actions=count)))
    refused(own.TransactionInvalid, *moved(transaction(action_header=b"")))


def test_the_creator_is_a_member_and_signed():
    refused(own.TransactionInvalid, *moved(transaction(signer=ORG1.member(f.CLIENT, "9"))))
    refused(own.TransactionInvalid, *moved(transaction(signed=b"something else")))
    stranger = f.Organisation("Org1MSP", intermediate=True)
    refused(own.IdentityInvalid, *moved(transaction(creator=stranger.member(f.CLIENT, units=("stranger",)))))


def test_the_transaction_wrote_the_head_of_this_lane():
    for key in ("another", f.head_key(1), f.head_key(0, OTHER)):
        refused(errors.HeadAbsent, *moved(f.moving(BFT, HEAD, key=key)))
    deleted = f.key_values(f.CHAINCODE, {}, {KEY: None})
    refused(errors.HeadAbsent, *moved(f.moving(BFT, HEAD, namespaces=(f.DEFINITION_READ, deleted))))
    elsewhere = f.key_values("another", {}, {KEY: bytes(HEAD)})
    refused(errors.HeadAbsent, *moved(f.moving(BFT, HEAD, namespaces=(f.DEFINITION_READ, elsewhere))))


def test_the_transaction_ran_under_the_pinned_definition():
    written = f.key_values(f.CHAINCODE, {}, {KEY: bytes(HEAD)})
    newer = f.key_values(f.LIFECYCLE, {f.SEQUENCE_KEY: (9, 0)})
    refused(own.DefinitionMismatch, *moved(f.moving(BFT, HEAD, namespaces=(newer, written))))


def test_a_signature_policy_of_the_definition():
    scene, state = SCENES["bft"], STATES["bft"]
    policy = f.message((1, f.roles_policy(2, ("Org1MSP", f.PEER), ("Org2MSP", f.PEER))))
    fabric.verify_claim(state, scene.claim(), scene.evidence(), scene.pin(endorsement_policy=policy))
    policy = f.message((1, f.roles_policy(2, ("Org1MSP", f.PEER), ("Org1MSP", f.PEER))))
    refused(own.EndorsementsTooFew, state, scene.claim(), scene.evidence(), scene.pin(endorsement_policy=policy))


def test_a_pin_can_be_reached(scene):
    for changes in (
        {"threshold": 0},
        {"threshold": 3},
        {"organisations": ("Org1MSP", "Org1MSP")},
        {"definition_height": -1},
        {"definition_height": 2**64},
        {"definition_transaction": -1},
        {"definition_transaction": 2**64},
    ):
        with pytest.raises(errors.ConfigurationInvalid):
            scene.pin(**changes)


def test_the_code_hash_is_of_the_whole_pin(scene):
    pin = scene.pin()
    changes = (
        {"chaincode": "other"},
        {"version": "1.1"},
        {"definition_height": 1},
        {"definition_transaction": 1},
        {"endorsement_policy": b""},
        {"organisations": pin.organisations[::-1]},
        {"threshold": 1},
    )
    assert len({pin.code_hash, *(replace(pin, **each).code_hash for each in changes)}) == 8


def test_evidence_round_trips(scene):
    evidence = scene.evidence(3)
    assert fabric.FabricEvidence.from_bytes(evidence.to_bytes()) == evidence
    empty = replace(evidence, links=(), transaction=0, read=replace(evidence.read, endorsements=()))
    assert fabric.FabricEvidence.from_bytes(empty.to_bytes()) == empty


@pytest.mark.parametrize(
    "items",
    [
        [],
        [b"", b"", []],
        [b"", b"", [], b""],
        [b"", b"", [], [b"", b"", b"", []]],
        [b"", b"", [], [b"", b"", b"", b"", b"", []]],
        [b"", b"", [], [b"", b"", b"", [], []]],
        [b"", b"", [[]], [b"", b"", b"", b"", []]],
        [b"", b"", [], [b"", b"", b"", b"", [b""]]],
        [b"", b"", [], [b"", b"", b"", b"", [[b""]]]],
        [b"", b"", [], [b"", b"", b"", b"", [[b"", []]]]],
        [b"", b"", [], [b"", b"", b"", b"", b""]],
        [b"", b"", [], []],
    ],
)
def test_evidence_of_another_form(items):
    with pytest.raises(errors.ClaimMalformed):
        fabric.FabricEvidence.from_bytes(rlp.encode(items))
