"""Configurations, and changes of them: every check failed alone."""

import hashlib
from dataclasses import replace

import pytest

from light_clients import errors, fabric
from light_clients.fabric import errors as own
from light_clients.fabric.config_block import read_config
from light_clients.fabric.config_tree import MAXIMUM_CONFIG_SIZE, read_group
from tests.support import fabric_chain as f

NOW = f.START + 100
RAFT, BFT = f.Network("etcdraft"), f.Network("BFT")
ORG1, ORG2 = RAFT.organisations
ORDERERS = RAFT.orderer_organisation
BATCH = ("Orderer",)
HEAD = hashlib.sha256(b"a head").digest()


def admins(*organisations):
    return [(each, each.member(f.ADMIN)) for each in organisations]


@pytest.fixture(params=[RAFT, BFT], ids=["raft", "bft"])
def chain(request):
    return request.param.first()


def batch_size(group, version=1, content=b"\x08\x14"):
    return replace(group, values={**group.values, "BatchSize": f.Item(content, version)})


def changed_batch(chain, signers=None, *, write=None, read=None, after=None, **options):
    """A block that changes the batch size, which the orderers' administrators may; each part can be given another."""
    frame = chain.root.frame("Orderer")
    write = write or frame.changed(BATCH, batch_size)
    signers = admins(ORDERERS) if signers is None else signers
    known = {key: options.pop(key) for key in ("update_channel", "update_kind", "signed") if key in options}
    names = {"update_channel": "channel", "update_kind": "kind", "signed": "signed"}
    update = f.update_envelope(read or frame, write, signers, **{names[key]: item for key, item in known.items()})
    return chain.with_config(after or chain.root.changed(BATCH, batch_size), update, **options)


def judge(chain, state=None):
    state = state or chain.state()
    return fabric.verify_header(state, chain.signed(chain.blocks[-1]), NOW)


def refused(error, chain, state=None):
    with pytest.raises(error) as caught:
        judge(chain, state)
    assert type(caught.value) is error
    return caught.value


def test_an_update_by_those_who_may(chain):
    after = changed_batch(chain)
    state = after.followed()
    assert (state.height, state.config_height) == (1, 1)
    assert read_config(state.channel_config).sequence == 1
    following = after.with_block(after.next(f.moving(chain.network, HEAD)))
    assert following.followed().height == 2
    stale = following.with_block(following.next(f.moving(chain.network, HEAD), last_config=0))
    refused(own.LastConfigMismatch, stale, following.followed())


def test_a_configuration_names_itself_as_the_last(chain):
    after = changed_batch(chain)
    block = replace(after.blocks[-1], last_config=0)
    refused(own.LastConfigMismatch, replace(after, blocks=(*after.blocks[:-1], block)))


def test_a_configuration_stands_alone(chain):
    after = changed_batch(chain)
    block = after.blocks[-1]
    for envelopes in ((*block.envelopes, f.moving(chain.network, HEAD)), block.envelopes * 2):
        refused(own.ConfigInvalid, replace(after, blocks=(*after.blocks[:-1], replace(block, envelopes=envelopes))))


def test_the_sequence_is_the_next_one(chain):
    for sequence in (0, 2):
        refused(own.ConfigSequenceInvalid, changed_batch(chain, sequence=sequence))


def test_channel_and_type_of_the_update(chain):
    refused(own.ChannelMismatch, changed_batch(chain, channel="another"))
    refused(own.ChannelMismatch, changed_batch(chain, update_channel="another"))
    refused(own.ConfigUpdateInvalid, changed_batch(chain, update_kind=3))
    refused(own.ConfigUpdateInvalid, chain.with_config(chain.root.changed(BATCH, batch_size), b""))


def test_whoever_may_not_changes_nothing(chain):
    for signers in ([], admins(ORG1, ORG2), [(ORDERERS, ORDERERS.member(f.CLIENT))]):
        refused(own.ConfigUpdateUnauthorised, changed_batch(chain, signers))
    stranger = f.Organisation("StrangerMSP")
    refused(own.ConfigUpdateUnauthorised, changed_batch(chain, admins(stranger)))
    refused(own.ConfigUpdateUnauthorised, changed_batch(chain, signed=b"another update"))


def test_a_signature_that_does_not_hold_takes_nothing_from_the_others(chain):
    stranger = f.Organisation("StrangerMSP")
    assert changed_batch(chain, admins(stranger, ORDERERS)).followed().config_height == 1


def test_an_update_has_a_bounded_number_of_signatures(chain):
    assert changed_batch(chain, admins(ORDERERS) * 256).followed().config_height == 1
    refused(own.ConfigUpdateInvalid, changed_batch(chain, admins(ORDERERS) * 257))


def test_the_update_read_the_configuration_in_force(chain):
    frame = chain.root.frame("Orderer")
    refused(own.ConfigUpdateInvalid, changed_batch(chain, read=replace(frame, version=1)))
    elsewhere = replace(frame, groups={**frame.groups, "Consortiums": f.Group(guard="")})
    refused(own.ConfigUpdateInvalid, changed_batch(chain, read=elsewhere))


def test_versions_grow_by_one(chain):
    frame = chain.root.frame("Orderer")
    for version in (2, 5):
        write = frame.changed(BATCH, lambda group, version=version: batch_size(group, version))
        refused(own.ConfigUpdateInvalid, changed_batch(chain, write=write))
    refused(own.ConfigUpdateInvalid, changed_batch(chain, write=frame))


def test_an_old_update_is_not_replayed(chain):
    once = changed_batch(chain)
    again = once.with_config(
        once.root, f.update_envelope(chain.root.frame("Orderer"), chain.root.frame("Orderer"), admins(ORDERERS))
    )
    refused(own.ConfigUpdateInvalid, again, once.followed())
    write = chain.root.frame("Orderer").changed(BATCH, batch_size)
    update = f.update_envelope(chain.root.frame("Orderer"), write, admins(ORDERERS))
    refused(own.ConfigUpdateInvalid, once.with_config(once.root, update), once.followed())


def test_the_result_is_what_the_update_leads_to(chain):
    more = chain.root.changed(BATCH, lambda group: batch_size(group, content=b"\x08\x63"))
    refused(own.ConfigResultMismatch, changed_batch(chain, after=more))
    refused(own.ConfigResultMismatch, changed_batch(chain, after=chain.root))
    evil = chain.root.changed(BATCH, batch_size)
    evil = replace(evil, groups={**evil.groups, "Application": f.Group()})
    refused(own.ConfigResultMismatch, changed_batch(chain, after=evil))


def unchanged(items):
    """Members as an update lists them: their versions and no more."""
    return {name: f.Item(b"", item.version, "") for name, item in items.items()}


def with_organisation(chain, organisation, signers, *, version=1, guard="Admins"):
    """A block that takes an organisation into the application."""
    application = chain.root.at("Application")
    listed = {name: f.Group(group.version, guard="") for name, group in application.groups.items()}
    frame = replace(
        chain.root.frame("Application"),
        groups={"Application": f.Group(0, listed, {}, unchanged(application.policies), guard="")},
    )
    new = replace(f.organisation_group(organisation), guard=guard)
    written = f.Group(version, {**listed, organisation.msp_id: new}, {}, unchanged(application.policies))
    write = replace(frame, groups={"Application": written})
    after = chain.root.changed(
        ("Application",),
        lambda group: replace(group, version=version, groups={**group.groups, organisation.msp_id: new}),
    )
    return chain.with_config(after, f.update_envelope(frame, write, signers))


def test_a_new_organisation_needs_most_of_the_old_ones(chain):
    third = f.Organisation("Org3MSP")
    after = with_organisation(chain, third, admins(ORG1, ORG2))
    state = after.followed()
    assert set(read_config(state.channel_config).memberships) == {"OrdererMSP", "Org1MSP", "Org2MSP", "Org3MSP"}
    for signers in (admins(ORG1), admins(ORDERERS, ORG1), admins(third, ORG1), [*admins(ORG1), *admins(ORG1)]):
        refused(own.ConfigUpdateUnauthorised, with_organisation(chain, third, signers))


def test_what_is_new_has_a_guard_and_changes_its_group(chain):
    third = f.Organisation("Org3MSP")
    refused(own.ConfigUpdateInvalid, with_organisation(chain, third, admins(ORG1, ORG2), guard=""))
    refused(own.ConfigResultMismatch, with_organisation(chain, third, admins(ORG1, ORG2), version=0))


def test_an_organisation_changes_its_own_members_alone(chain):
    place = ("Application", "Org1MSP")
    newer = replace(ORG1, revoked=("client0",))
    frame = chain.root.frame(*place)

    def renewed(group):
        return replace(group, values={**group.values, "MSP": f.Item(f.message((2, newer.content)), 1)})

    update = [f.update_envelope(frame, frame.changed(place, renewed), admins(each)) for each in (ORG1, ORG2)]
    after = chain.root.changed(place, renewed)
    assert chain.with_config(after, update[0]).followed().config_height == 1
    refused(own.ConfigUpdateUnauthorised, chain.with_config(after, update[1]))


def test_a_guard_may_be_named_from_the_root_or_lead_nowhere():
    for guard, allowed in (
        ("/Channel/Application/Org1MSP/Admins", True),
        ("/Channel/Nowhere/Admins", False),
        ("Nobody", False),
        ("/Channel", False),
        ("/Other/Orderer/Admins", False),
    ):
        root = RAFT.root.changed(
            BATCH,
            lambda group, guard=guard: replace(group, values={**group.values, "BatchSize": f.Item(b"", 0, guard)}),
        )
        chain = RAFT.first(root)

        def renewed(group, guard=guard):
            return replace(group, values={**group.values, "BatchSize": f.Item(b"\x08\x14", 1, guard)})

        frame = root.frame("Orderer")
        update = f.update_envelope(frame, frame.changed(BATCH, renewed), admins(ORG1, ORDERERS))
        after = chain.with_config(root.changed(BATCH, renewed), update)
        if allowed:
            assert after.followed().config_height == 1
        else:
            refused(own.ConfigUpdateUnauthorised, after)


def test_a_rogue_orderer_of_raft_cannot_replace_the_organisations():
    """The block is signed as raft asks; that nobody of the organisations signed the update stops it."""
    fake = f.Network("etcdraft", organisations=(f.Organisation("Org1MSP", intermediate=True), ORG2))
    rogue = RAFT.first()
    frame = rogue.root.frame("Application", "Org1MSP")

    def theirs(group):
        return replace(group, values={"MSP": replace(fake.root.at("Application", "Org1MSP").values["MSP"], version=1)})

    update = f.update_envelope(frame, frame.changed(("Application", "Org1MSP"), theirs), admins(ORDERERS))
    after = rogue.root.changed(
        ("Application", "Org1MSP"),
        lambda group: replace(group, values={"MSP": theirs(group).values["MSP"]}),
    )
    refused(own.ConfigUpdateUnauthorised, rogue.with_config(after, update))


def test_two_configurations_of_one_number_are_misbehaviour(chain):
    state = chain.state()
    one = changed_batch(chain)
    other = chain.with_block(chain.next(f.moving(chain.network, HEAD)))
    data = chain.signed(one.blocks[-1]), chain.signed(other.blocks[-1])
    assert fabric.find_misbehaviour(state, *data).height == 1
    jumped = changed_batch(chain, sequence=2)
    with pytest.raises(errors.HeaderGap):
        fabric.find_misbehaviour(state, chain.signed(jumped.blocks[-1]), data[1])


def channel_config(root, sequence=0):
    return f.message((1, sequence), (2, root.encoded()))


def with_value(root, name, content, path=()):
    return root.changed(path, lambda group: replace(group, values={**group.values, name: f.Item(content)}))


@pytest.mark.parametrize(
    ("error", "root"),
    [
        (own.ConsensusUnsupported, with_value(RAFT.root, "HashingAlgorithm", f.message((1, "SHA3_256")))),
        (own.ConsensusUnsupported, with_value(RAFT.root, "BlockDataHashingStructure", f.message((1, 2)))),
        (own.ConsensusUnsupported, with_value(RAFT.root, "ConsensusType", f.message((1, "solo")), BATCH)),
        (own.ConfigInvalid, replace(RAFT.root, groups={})),
        (own.ConfigInvalid, with_value(BFT.root, "Orderers", b"", BATCH)),
        (own.ConfigInvalid, with_value(BFT.root, "Orderers", f.message(*[(1, b"")] * 257), BATCH)),
        (own.ConfigInvalid, with_value(BFT.root, "Orderers", f.message((1, f.message((2, "localhost")))), BATCH)),
        (own.ConfigInvalid, with_value(BFT.root, "Orderers", f.message(*[(1, f.message((1, 7)))] * 2), BATCH)),
        (own.ConfigInvalid, with_value(RAFT.root, "MSP", f.message((2, b"")), ("Application", "Org1MSP"))),
        (
            own.ConfigInvalid,
            with_value(RAFT.root, "MSP", f.message((2, f.message((1, "Org2MSP")))), ("Application", "Org1MSP")),
        ),
    ],
)
def test_a_configuration_that_cannot_be(error, root):
    with pytest.raises(error):
        read_config(channel_config(root))


def test_memberships_that_are_not_of_certificates_are_left_out():
    root = with_value(RAFT.root, "MSP", f.message((1, 1), (2, b"Idemix")), ("Application", "Org1MSP"))
    assert set(read_config(channel_config(root)).memberships) == {"OrdererMSP", "Org2MSP"}
    assert set(read_config(channel_config(replace(root, groups={"Orderer": root.at("Orderer")}))).memberships) == {
        "OrdererMSP"
    }


def test_the_tree_has_bounds():
    group = f.Group()
    for _ in range(6):
        group = f.Group(groups={"below": group})
    read_group(group.encoded())
    with pytest.raises(own.ConfigInvalid):
        read_group(f.Group(groups={"below": group}).encoded())
    entry = f.message((1, "name"), (2, b""))
    for number in (2, 3, 4):
        with pytest.raises(own.ConfigInvalid):
            read_group(f.message((number, entry), (number, entry)))
    for name in ("", "a/b", "/"):
        with pytest.raises(own.ConfigInvalid):
            read_group(f.message((2, f.message((1, name), (2, b"")))))
    large = with_value(RAFT.root, "Large", bytes(MAXIMUM_CONFIG_SIZE))
    with pytest.raises(own.ConfigInvalid):
        read_config(channel_config(large))
