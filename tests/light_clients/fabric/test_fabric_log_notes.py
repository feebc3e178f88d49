"""Every check of a note of an evidence log and of its block, failed alone; neither looks at what the other judges."""

import hashlib
import random
from dataclasses import replace

import pytest
from eth_abi.abi import encode

from light_clients import errors, fabric, rlp
from light_clients.fabric import errors as own
from light_clients.fabric.codec import read_block, skim_channel
from light_clients.fabric.log_notes import check_note_block, read_note
from light_clients.fabric.types import FabricNoteEvidence
from light_clients.families import note_judge_named
from light_clients.proofs.log_notes import ProvedNote
from schemas.suites import keccak256
from tests.mutations.mutators import spoil_bytes
from tests.support import fabric_chain as f
from tests.support.shared_vectors import shared

RAFT, BFT = f.Network("etcdraft"), f.Network("BFT")
ORG1, ORG2 = BFT.organisations
ACCOUNT, OTHER = (b"\0" + hashlib.sha256(name).digest() for name in (b"keeper", b"another"))
SIZE, ROOT = 41, hashlib.sha256(b"root").digest()
SETTINGS = {"settings": (0, 1)}
PIN = f.scene(BFT).pin()
SELECTOR = keccak256(b"loggedAnchor(bytes)")[:4]


def key_of(account=ACCOUNT):
    return "log~" + account.hex()


def text(size=SIZE, root=ROOT):
    return f'{{"size":"{size}","root":"{root.hex()}"}}'.encode()


def asking(account=ACCOUNT):
    return b"call", SELECTOR + encode(["bytes"], [account])


def reads(keys):
    return f.DEFINITION_READ, f.key_values(f.CHAINCODE, keys)


def writing(network=BFT, written=None, *, key=None, **options):
    """The transaction that noted."""
    return f.moving(network, text() if written is None else written, key=key or key_of(), **options)


def reading(network=BFT, answer=None, *, place=(1, 1), account=ACCOUNT, **options):
    """The attested call of `loggedAnchor`."""
    words = {"arguments": asking(account), "namespaces": reads(SETTINGS | {key_of(account): place}), **options}
    return f.reading(network, encode(["uint64", "bytes32"], [SIZE, ROOT]) if answer is None else answer, place, **words)


def noted(network=BFT, envelope=None, beside=None):
    """A channel whose block 1 has the note as its second transaction."""
    chain = network.first()
    beside = f.moving(network, ROOT, key="another", nonce=b"\1" * 24) if beside is None else beside
    return chain.with_block(chain.next(beside, writing(network) if envelope is None else envelope))


def evidence_of(chain, signers=None, **changes):
    whole = FabricNoteEvidence(chain.signed(chain.blocks[1], signers), 1, reading(chain.network))
    return replace(whole, **changes).to_bytes()


CHAINS = {"raft": noted(RAFT), "bft": noted(BFT)}
GOOD = {name: evidence_of(chain) for name, chain in CHAINS.items()}
STATE = CHAINS["bft"].followed()


@pytest.fixture(params=CHAINS)
def chain(request):
    return CHAINS[request.param]


def refused(error, judge):
    with pytest.raises(error) as caught:
        judge()
    assert type(caught.value) is error


def unproved(error, evidence, *, state=STATE, pin=PIN, account=ACCOUNT):
    """The note is refused, and who made the block is not asked for it."""
    refused(error, lambda: read_note(state, evidence, pin, account))
    check_note_block(state, evidence)


def unmade(error, evidence, *, state=STATE):
    """The block is refused, and the note under it is proved all the same."""
    refused(error, lambda: check_note_block(state, evidence))
    assert read_note(state, evidence, PIN, ACCOUNT).size == SIZE


def test_a_note_of_a_channel_holds_for_states_of_before_it_and_of_after_it(chain):
    evidence, block = evidence_of(chain), chain.blocks[1]
    later = chain.with_block(chain.next(writing(chain.network, text(99))))
    for state in (chain.state(), chain.followed(), later.followed()):
        assert read_note(state, evidence, PIN, ACCOUNT) == ProvedNote(1, block.hash, SIZE, ROOT)
        check_note_block(state, evidence)
    assert note_judge_named("fabric").read_note is read_note


def test_another_account_is_another_note():
    unproved(own.AttestationInvalid, GOOD["bft"], account=OTHER)
    theirs = reading(account=OTHER)
    unproved(own.AttestationInvalid, evidence_of(CHAINS["bft"], read=theirs))
    unproved(errors.HeadAbsent, evidence_of(CHAINS["bft"], read=theirs), account=OTHER)
    crossed = reading(namespaces=reads(SETTINGS | {key_of(OTHER): (1, 1)}))
    unproved(own.AttestationInvalid, evidence_of(CHAINS["bft"], read=crossed))


def test_the_call_is_that_of_the_account_and_nothing_else():
    function, data = asking()
    shorter = SELECTOR + encode(["bytes"], [ACCOUNT[:32]])
    old = keccak256(b"loggedAnchor(address)")[:4] + data[4:]
    for arguments in (
        (function, data + bytes(32)),
        (function, data[:-1]),
        (function, shorter),
        (function, old),
        (function, data, b""),
        (b"head", data),
        (function,),
        (),
    ):
        unproved(own.AttestationInvalid, evidence_of(CHAINS["bft"], read=reading(arguments=arguments)))


KEY = {key_of(): (1, 1)}


@pytest.mark.parametrize(
    "namespaces",
    [
        reads(KEY),
        reads(SETTINGS),
        reads(SETTINGS | {key_of(): None}),
        reads(SETTINGS | KEY | {"more": (1, 0)}),
        (f.DEFINITION_READ, f.key_values(f.CHAINCODE, SETTINGS | KEY, {"more": b"written"})),
        (*reads(SETTINGS | KEY), f.key_values("another", {}, {"more": b"written"})),
        (f.DEFINITION_READ, f.key_values(f.CHAINCODE, SETTINGS | KEY, None, (2, b""))),
        (f.DEFINITION_READ, f.key_values("another", SETTINGS | KEY)),
    ],
)
def test_the_read_is_of_the_note_and_the_settings_and_changes_nothing(namespaces):
    unproved(own.AttestationInvalid, evidence_of(CHAINS["bft"], read=reading(namespaces=namespaces)))


def test_the_read_is_of_the_version_of_the_transaction():
    for place in ((1, 0), (2, 1), (0, 1)):
        unproved(own.AttestationMismatch, evidence_of(CHAINS["bft"], read=reading(place=place)))
    for place in (0, 2, 2**63):
        unproved(own.AttestationMismatch, evidence_of(CHAINS["bft"], transaction=place))
    unproved(own.AttestationMismatch, evidence_of(CHAINS["bft"], read=reading(place=(1, 2)), transaction=2))


def test_peers_of_enough_pinned_organisations_attest():
    first, second = ((each, each.member(f.PEER)) for each in (ORG1, ORG2))
    expired = (ORG1, ORG1.member(f.PEER, not_after=f.START + 9))
    for error, attesters in (
        (own.AttestationsTooFew, [first]),
        (own.AttesterForeign, [first, first]),
        (own.AttesterForeign, [second, (ORG1, ORG1.member(f.CLIENT))]),
        (own.IdentityExpired, [second, expired]),
    ):
        unproved(error, evidence_of(CHAINS["bft"], read=reading(attesters=attesters)))
    unproved(own.AttesterForeign, GOOD["bft"], pin=replace(PIN, organisations=("Org1MSP",), threshold=1))


def test_another_gateway_or_another_definition_of_it_proves_nothing():
    for error, changes in (
        (own.ChaincodeMismatch, {"chaincode": "another"}),
        (own.ChaincodeMismatch, {"version": "1.1"}),
        (own.DefinitionMismatch, {"definition_height": 1}),
    ):
        unproved(error, GOOD["bft"], pin=replace(PIN, **changes))
    newer = f.key_values(f.LIFECYCLE, {f.SEQUENCE_KEY: (9, 0)})
    read = reading(namespaces=(newer, f.key_values(f.CHAINCODE, SETTINGS | KEY)))
    unproved(own.DefinitionMismatch, evidence_of(CHAINS["bft"], read=read))


def noted_by(envelope):
    """Evidence whose transaction is this one, and a state that accepted its block."""
    chain = noted(envelope=envelope)
    return evidence_of(chain), chain.followed()


def test_the_transaction_wrote_the_note_of_the_account_under_the_gateways_name():
    elsewhere = (f.DEFINITION_READ, f.key_values("another", {}, {key_of(): text()}))
    deleted = (f.DEFINITION_READ, f.key_values(f.CHAINCODE, {}, {key_of(): None}))
    for envelope in (writing(key=key_of(OTHER)), writing(namespaces=elsewhere), writing(namespaces=deleted)):
        evidence, state = noted_by(envelope)
        unproved(errors.HeadAbsent, evidence, state=state)


@pytest.mark.parametrize(
    "written",
    [
        text(SIZE + 1),
        text(root=bytes(32)),
        text().upper(),
        text().replace(b",", b", "),
        text()[:-1] + b',"more":"1"}',
        text()[:-1],
        text().replace(b'"41"', b"41"),
        text().replace(b'"41"', b'"041"'),
        b'{"root":"%s","size":"41"}' % ROOT.hex().encode(),
        b"",
    ],
)
def test_what_was_written_is_the_note_that_peers_read(written):
    evidence, state = noted_by(writing(written=written))
    unproved(own.AttestationMismatch, evidence, state=state)


@pytest.mark.parametrize(
    ("answer", "written"),
    [
        (encode(["uint64", "bytes32"], [SIZE, ROOT])[:-1], text(root=ROOT[:-1])),
        (encode(["uint64", "bytes32"], [SIZE, ROOT]) + b"\1", text(root=ROOT + b"\1")),
        (encode(["uint256", "bytes32"], [2**64, ROOT]), text(2**64)),
        (b"", text(0, b"")),
    ],
)
def test_the_answer_is_a_size_of_64_bits_and_a_root(answer, written):
    chain = noted(envelope=writing(written=written))
    unproved(own.AttestationInvalid, evidence_of(chain, read=reading(answer=answer)), state=chain.followed())


def test_the_largest_size_is_read():
    chain, size = noted(envelope=writing(written=text(2**64 - 1))), 2**64 - 1
    evidence = evidence_of(chain, read=reading(answer=encode(["uint64", "bytes32"], [size, ROOT])))
    assert read_note(chain.followed(), evidence, PIN, ACCOUNT).size == size


def test_a_transaction_that_failed_or_lacks_endorsements_notes_nothing():
    creator = ORG1.member(f.CLIENT)
    proposal = f.propose(ORG1, creator, b"call", b"anchorLog")
    spaces = (f.DEFINITION_READ, f.key_values(f.CHAINCODE, {}, {key_of(): text()}))
    failed = f.answer(proposal, spaces, status=500)
    pairs = [f.endorse(each, each.member(f.PEER), failed) for each in (ORG1, ORG2)]
    evidence, state = noted_by(f.transaction(proposal, failed, pairs, creator))
    unproved(own.TransactionInvalid, evidence, state=state)
    evidence, state = noted_by(writing(endorsers=[(ORG1, ORG1.member(f.PEER))]))
    unproved(own.EndorsementsTooFew, evidence, state=state)


def test_the_envelopes_are_those_of_the_header():
    chain, block = CHAINS["bft"], CHAINS["bft"].blocks[1]
    data_hash = hashlib.sha256(b"".join(block.envelopes)).digest()
    more = replace(block, envelopes=(*block.envelopes, block.envelopes[0]), data_hash=data_hash)
    unproved(own.DataHashMismatch, evidence_of(chain, block=chain.signed(more)))


def test_a_frozen_client_believes_no_block(chain):
    unmade(errors.ClientFrozen, evidence_of(chain), state=chain.followed().freeze())


def test_those_who_are_trusted_now_signed_the_block():
    chain, block = CHAINS["bft"], CHAINS["bft"].blocks[1]
    for error, signers in (
        (errors.SealsTooFew, ()),
        (errors.SealsTooFew, (4, 2)),
        (errors.SealDuplicate, (1, 1, 2)),
        (errors.SealForeign, (1, 2, 5)),
    ):
        unmade(error, evidence_of(chain, signers))
    check_note_block(STATE, evidence_of(chain, (4, 2, 3)))
    another = replace(block, previous_hash=hashlib.sha256(b"another").digest())
    crossed = [f.bft_signature(another, number, BFT.orderer(number)) for number in (1, 2, 3)]
    unmade(errors.SealForeign, evidence_of(chain, block=block.signed(*crossed)))


def test_on_raft_one_orderer_is_enough_and_nobody_else_is():
    chain, block = CHAINS["raft"], CHAINS["raft"].blocks[1]
    state, peers = chain.followed(), RAFT.organisations[0]
    check_note_block(state, evidence_of(chain, (3,)))
    unmade(errors.SealsTooFew, evidence_of(chain, ()), state=state)
    by_a_peer = block.signed(f.raft_signature(block, peers, peers.member(f.PEER)))
    unmade(own.BlockPolicyUnsatisfied, evidence_of(chain, block=by_a_peer), state=state)


def test_a_block_beside_the_one_that_the_client_accepted_is_refused_whoever_signed_it(chain):
    beside = noted(chain.network, beside=b"\xff")
    unmade(errors.ClaimBlockMismatch, evidence_of(chain), state=beside.followed())
    forgetful = replace(beside.followed(), height=400)
    check_note_block(forgetful, evidence_of(chain))


def test_orderers_who_came_and_went_since_are_not_those_of_now(chain):
    strangers = replace(chain.network, orderer_organisation=f.Organisation("LaterMSP")).first()
    state = replace(chain.followed(), channel_config=strangers.state().channel_config)
    error = errors.SealForeign if chain.network.consensus == "BFT" else own.MembershipUnknown
    unmade(error, evidence_of(chain), state=state)


def test_an_orderers_certificate_had_not_expired_where_that_is_heeded():
    chain, block = CHAINS["raft"], CHAINS["raft"].blocks[1]
    old = f.raft_signature(block, RAFT.orderer_organisation, RAFT.orderer(1, not_after=f.START + 9))
    evidence = evidence_of(chain, block=block.signed(old))
    unmade(own.IdentityExpired, evidence, state=chain.followed())
    check_note_block(chain.state(), evidence)
    careless = replace(chain.followed(), configuration=fabric.FabricConfiguration(f.CHANNEL, heeds_expiry=False))
    check_note_block(careless, evidence)


def test_orderers_of_several_channels_do_not_put_one_into_the_place_of_another(chain):
    asking = chain.network.organisations[0]
    foreign = f.transaction(
        f.propose(asking, asking.member(f.CLIENT), channel="goods"), b"", [], asking.member(f.CLIENT)
    )
    other = noted(chain.network, beside=foreign)
    unmade(own.ChannelMismatch, evidence_of(other), state=other.followed())
    unreadable = noted(chain.network, beside=b"\xff")
    check_note_block(unreadable.followed(), evidence_of(unreadable))
    nothing = chain.signed(f.Block(1, chain.blocks[0].hash, (b"\xff",)))
    refused(own.ChannelMismatch, lambda: check_note_block(chain.followed(), evidence_of(chain, block=nothing)))


def test_another_channel_has_neither_the_note_nor_the_block(chain):
    state = replace(chain.followed(), configuration=fabric.FabricConfiguration("goods"))
    refused(own.ChannelMismatch, lambda: read_note(state, evidence_of(chain), PIN, ACCOUNT))
    refused(own.ChannelMismatch, lambda: check_note_block(state, evidence_of(chain)))


@pytest.mark.parametrize("network", ["raft", "bft"])
def test_the_envelopes_of_real_blocks_name_their_channel(network):
    blocks = sorted(shared(f"fabric/{network}/blocks").glob("*.block"))
    assert len(blocks) > 5
    for path in blocks:
        assert {skim_channel(each) for each in read_block(path.read_bytes()).envelopes} == {"mychannel"}


@pytest.mark.parametrize("name", CHAINS)
def test_either_check_looks_only_at_its_own_part(name):
    chain = CHAINS[name]
    check_note_block(
        chain.followed(), evidence_of(chain, transaction=7, read=fabric.AttestedRead(b"", b"", b"", b"", ()))
    )
    bare = rlp.encode([chain.blocks[1].signed(), b"\1", reading(chain.network).to_item()])
    assert read_note(chain.followed(), bare, PIN, ACCOUNT).size == SIZE


def test_evidence_round_trips():
    assert FabricNoteEvidence.from_bytes(GOOD["bft"]).to_bytes() == GOOD["bft"]


@pytest.mark.parametrize(
    ("error", "data"),
    [
        (errors.RlpTruncated, GOOD["bft"][:-1]),
        (errors.RlpTrailingBytes, GOOD["bft"] + b"\0"),
        (errors.RlpTruncated, b""),
        (errors.RlpNotCanonical, rlp.encode([b"", b"\0", [b"", b"", b"", b"", []]])),
        (errors.ClaimMalformed, rlp.encode([])),
        (errors.ClaimMalformed, rlp.encode([b"", b"", [], [b"", b"", b"", b"", []]])),
        (errors.ClaimMalformed, rlp.encode([b"", b"", []])),
        (errors.ClaimMalformed, rlp.encode([b"", b"", b""])),
        (errors.ClaimMalformed, rlp.encode([b"", b"", [b"", b"", b"", b"", b""]])),
        (errors.ClaimMalformed, rlp.encode([b"", b"", [b"", b"", b"", b"", []], b""])),
    ],
)
def test_evidence_of_another_form(error, data):
    refused(error, lambda: read_note(STATE, data, PIN, ACCOUNT))
    refused(error, lambda: check_note_block(STATE, data))


@pytest.mark.parametrize("name", CHAINS)
def test_whatever_is_changed_either_check_refuses_it_or_it_says_the_same(name):
    good, state = GOOD[name], CHAINS[name].followed()
    said, chance, kept = read_note(state, good, PIN, ACCOUNT), random.Random(name), 0
    flipped = (good[:at] + bytes((good[at] ^ 1 << at % 8,)) + good[at + 1 :] for at in range(0, len(good), 11))
    for data in (*flipped, *(spoil_bytes(chance, good) for _ in range(400))):
        try:
            found = read_note(state, data, PIN, ACCOUNT)
            check_note_block(state, data)
        except errors.LightClientError:
            continue
        assert found == said
        kept += 1
    assert kept < 100
