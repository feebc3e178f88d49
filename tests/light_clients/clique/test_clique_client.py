"""Starting, following and comparing: what the vectors do not show."""

from dataclasses import replace

import pytest

from light_clients import clique
from light_clients.bft.types import MAXIMUM_SETS, WINDOW
from light_clients.clique.codec import has_form, parse_header
from light_clients.clique.types import MAXIMUM_CONFIRMATIONS, depth, is_majority
from light_clients.errors import (
    ConfigurationInvalid,
    HeaderGap,
    HeaderUnconfirmed,
    HeightNotRetained,
    Misbehaviour,
    OmmersInvalid,
    ParentMismatch,
    PinMismatch,
    SealForeign,
    SealsTooFew,
    ValidatorsUnexpected,
)
from light_clients.families import FAMILIES, client_named, header_hash, is_sealed
from schemas.primitives import BlockHash
from schemas.suites import keccak256
from tests.support import clique_chain as chain
from tests.support import qbft_chain

GENESIS = chain.first_spec()
CHAIN = chain.chain_of(GENESIS, 12)


def pinned(specs, **configuration):
    pin = BlockHash(specs[-1].hash())
    return clique.bootstrap(chain.run(*specs), pin, clique.CliqueConfiguration(**configuration))


def sealed_freely(before, labels, length, **changes):
    """Blocks after others, each by the signer who waited longest."""
    specs = list(before)
    for _ in range(length):
        sealers = [spec.sealer for spec in specs[1:]]
        waited = {label: sealers[::-1].index(label) if label in sealers else len(sealers) for label in labels}
        specs.append(chain.next_spec(specs[-1], tuple(labels), max(waited, key=waited.get), **changes))
    return specs[len(before) :]


class TestConfiguration:
    @pytest.mark.parametrize(
        "options",
        [
            {"epoch_length": 0},
            {"epoch_length": 2**63},
            {"confirmations": -1},
            {"confirmations": MAXIMUM_CONFIRMATIONS + 1},
            {"period_s": -1},
            {"period_s": 2**32},
            {"trusting_period_s": 0},
            {"trusting_period_s": 2**32},
            {"maximum_drift_s": -1},
            {"maximum_drift_s": 2**32},
        ],
    )
    def test_a_number_out_of_its_range_is_refused(self, options):
        with pytest.raises(ConfigurationInvalid):
            clique.CliqueConfiguration(**options)

    @pytest.mark.parametrize(("signers", "least"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (21, 11)])
    def test_the_depth_is_one_block_more_than_a_majority_needs(self, signers, least):
        assert depth(clique.CliqueConfiguration(), signers) == least
        assert depth(clique.CliqueConfiguration(confirmations=least + 4), signers) == least + 4
        assert is_majority(least, signers)
        assert not is_majority(signers // 2, signers)


class TestBootstrap:
    def test_from_the_first_block(self):
        state = chain.begun(GENESIS)
        assert (state.height, state.block_hash, state.timestamp) == (0, GENESIS.hash(), chain.START)
        assert state.signers == tuple(map(chain.address, chain.ascending("abc")))
        assert (state.newest.sealers, state.newest.votes, state.frozen) == ((), (), False)
        assert state.expires_at == chain.START + 14 * 24 * 3600

    def test_from_an_epoch_block_the_sealer_is_remembered(self):
        spec = chain.first_spec(number=30_000)
        assert chain.begun(spec).newest.sealers == (chain.address(spec.sealer),)

    def test_an_epoch_block_sealed_by_none_of_its_signers(self):
        spec = chain.first_spec(number=30_000, sealer="stranger")
        with pytest.raises(SealForeign):
            chain.begun(spec)

    def test_from_any_block_with_the_headers_since_the_last_list(self):
        assert pinned([GENESIS, *CHAIN[:7]]) == chain.followed(chain.begun(GENESIS), CHAIN[:9])

    def test_from_a_block_that_lists_nobody(self):
        with pytest.raises(ConfigurationInvalid, match="epoch_length"):
            pinned(CHAIN[:3])

    def test_from_a_list_where_no_epoch_begins(self):
        with pytest.raises(ConfigurationInvalid):
            chain.begun(chain.first_spec(number=29_999))

    def test_from_a_list_that_is_not_ascending(self):
        with pytest.raises(ConfigurationInvalid):
            chain.begun(replace(GENESIS, listed=GENESIS.listed[20:] + GENESIS.listed[:20]))

    def test_another_block_than_the_pinned_one(self):
        with pytest.raises(PinMismatch):
            clique.bootstrap(GENESIS.sealed(), BlockHash(keccak256(b"another")), clique.CliqueConfiguration())

    def test_a_pin_does_not_vouch_for_headers_that_do_not_lead_to_it(self):
        other = replace(CHAIN[0], timestamp=CHAIN[0].timestamp + 1)
        with pytest.raises(ParentMismatch):
            pinned([GENESIS, other, *CHAIN[1:4]])

    def test_one_of_the_headers_is_missing(self):
        with pytest.raises(HeaderGap):
            pinned([GENESIS, *CHAIN[1:4]])

    def test_another_length_of_the_epoch_is_noticed(self):
        listed = GENESIS.listed
        epoch = chain.next_spec(CHAIN[2], listed=listed)
        with pytest.raises(ValidatorsUnexpected):
            pinned([GENESIS, *CHAIN[:3], epoch])
        assert pinned([GENESIS, *CHAIN[:3], epoch], epoch_length=4).height == 4


class TestState:
    def test_it_is_bounded(self):
        state = chain.followed(chain.begun(GENESIS), chain.chain_of(GENESIS, WINDOW + 10))
        assert (len(state.recent), len(state.newest.sealers)) == (WINDOW, 128)
        assert state.oldest_height == state.height - WINDOW + 1
        assert state.hash_at(state.height) == state.block_hash
        assert state.hash_at(state.oldest_height - 1) is None
        assert state.hash_at(state.height + 1) is None

    def test_sets_are_told_by_height_as_long_as_they_matter(self):
        first = chain.first_spec(("a",))
        labels, specs = ["a"], [first]
        for number in range(MAXIMUM_SETS + 4):
            vote = {"subject": chain.address(f"new {number}"), "nonce": chain.ADD}
            specs += sealed_freely(specs, labels, len(labels) // 2 + 1, **vote)
            labels.append(f"new {number}")
        state = pinned(specs)
        assert len(state.signers) == MAXIMUM_SETS + 5
        assert len(state.sets) == MAXIMUM_SETS
        assert state.set_at(state.height + 1) == state.signers
        assert state.set_at(state.height + 2) is None
        assert state.set_at(0) is None

    def test_sets_below_the_window_are_forgotten(self):
        vote = {"subject": chain.address("d"), "nonce": chain.ADD}
        voted = [GENESIS, *sealed_freely([GENESIS], "abc", 2, **vote)]
        four = sealed_freely(voted, "abcd", WINDOW + 3)
        assert len(pinned([*voted, *four[: WINDOW - 4]]).sets) == 2
        assert len(pinned([*voted, *four]).sets) == 1

    def test_an_epoch_clears_the_votes(self):
        asked = chain.next_spec(GENESIS, subject=chain.address("d"), nonce=chain.ADD)
        specs = [asked, *chain.chain_of(asked, 2)]
        epoch = chain.next_spec(specs[-1], listed=GENESIS.listed)
        assert len(pinned([GENESIS, *specs], epoch_length=4).newest.votes) == 1
        assert pinned([GENESIS, *specs, epoch], epoch_length=4).newest.votes == ()

    def test_besu_keeps_votes_that_would_change_nothing(self):
        idle = chain.next_spec(GENESIS, subject=chain.address("a"), nonce=chain.ADD)
        assert pinned([GENESIS, idle]).newest.votes == ()
        assert len(pinned([GENESIS, idle], counts_idle_votes=True).newest.votes) == 1


class TestMisbehaviour:
    state = chain.followed(chain.begun(GENESIS), CHAIN)
    fork = chain.chain_of(replace(CHAIN[4], timestamp=CHAIN[4].timestamp + 1), 4)
    ours = chain.run(*CHAIN[4:7])
    theirs = chain.run(replace(CHAIN[4], timestamp=CHAIN[4].timestamp + 1), *fork[:2])

    def test_two_final_headers_of_one_height(self):
        found = clique.find_misbehaviour(self.state, self.ours, self.theirs)
        assert isinstance(found, Misbehaviour)
        assert (found.height, found.evidence) == (5, (self.ours, self.theirs))

    def test_one_header_with_other_ones_after_it_is_no_contradiction(self):
        other = replace(CHAIN[5], timestamp=CHAIN[5].timestamp + 1)
        assert clique.find_misbehaviour(self.state, self.ours, chain.run(CHAIN[4], other, CHAIN[6])) is None

    def test_two_heights_are_no_contradiction(self):
        assert clique.find_misbehaviour(self.state, self.ours, chain.run(*CHAIN[5:8])) is None

    @pytest.mark.parametrize("side", [0, 1])
    def test_what_is_not_under_the_depth_accuses_nobody(self, side):
        runs = [self.ours, self.theirs]
        runs[side] = b"".join(clique.misbehaviour.split_lists(runs[side])[:2])
        with pytest.raises(HeaderUnconfirmed):
            clique.find_misbehaviour(self.state, *runs)

    def test_the_depth_of_the_configuration_counts(self):
        state = chain.followed(chain.begun(GENESIS, confirmations=4), CHAIN)
        with pytest.raises(HeaderUnconfirmed):
            clique.find_misbehaviour(state, self.ours, self.theirs)

    def test_headers_that_do_not_follow_each_other_accuse_nobody(self):
        first = replace(CHAIN[4], timestamp=CHAIN[4].timestamp + 1)
        with pytest.raises(ParentMismatch):
            clique.find_misbehaviour(self.state, self.ours, chain.run(first, *self.fork[1:3]))

    def test_a_header_of_another_form_accuses_nobody(self):
        first = replace(CHAIN[4], items={1: keccak256(b"ommers")})
        with pytest.raises(OmmersInvalid):
            clique.find_misbehaviour(self.state, self.ours, chain.run(first, *chain.chain_of(first, 2)))

    def test_seals_of_less_than_half_accuse_nobody(self):
        """One signer and strangers: what a single stolen key can make."""
        first = replace(CHAIN[4], timestamp=CHAIN[4].timestamp + 1)
        second = chain.next_spec(first, sealer="stranger")
        third = chain.next_spec(second, sealer="other stranger")
        with pytest.raises(SealsTooFew):
            clique.find_misbehaviour(self.state, self.ours, chain.run(first, second, third))

    def test_one_signer_again_and_again_is_less_than_half(self):
        first = replace(CHAIN[4], timestamp=CHAIN[4].timestamp + 1)
        second = chain.next_spec(first, sealer=first.sealer)
        third = chain.next_spec(second, sealer=first.sealer)
        with pytest.raises(SealsTooFew):
            clique.find_misbehaviour(self.state, chain.run(first, second, third), self.ours)

    def test_a_signer_that_was_voted_in_on_the_branch_does_not_spoil_it(self):
        first = replace(CHAIN[4], timestamp=CHAIN[4].timestamp + 1)
        second = chain.next_spec(first, sealer="voted in")
        third = chain.next_spec(second)
        assert clique.find_misbehaviour(self.state, self.ours, chain.run(first, second, third)) is not None

    def test_a_height_whose_set_is_not_known_yet(self):
        far = chain.chain_of(CHAIN[-1], 5)
        other = replace(far[2], timestamp=far[2].timestamp + 1)
        with pytest.raises(HeaderGap):
            clique.find_misbehaviour(self.state, chain.run(*far[2:]), chain.run(other, *chain.chain_of(other, 2)))

    def test_a_height_whose_set_is_no_longer_known(self):
        state = pinned([chain.first_spec(number=30_000)])
        with pytest.raises(HeightNotRetained):
            clique.find_misbehaviour(state, self.ours, self.theirs)

    def test_who_sealed_on_both_branches_is_told_and_not_accused(self):
        one, other = CHAIN[4], replace(CHAIN[4], timestamp=CHAIN[4].timestamp + 1)
        by_another = replace(other, sealer=CHAIN[5].sealer, difficulty=1)
        assert clique.double_sealer(one.sealed(), other.sealed()) == chain.address(one.sealer)
        assert clique.double_sealer(one.sealed(), by_another.sealed()) is None
        assert clique.double_sealer(one.sealed(), one.sealed()) is None
        assert clique.double_sealer(one.sealed(), CHAIN[5].sealed()) is None


class TestForm:
    def test_clique_is_known_by_its_form(self):
        assert client_named("clique") is clique
        header = CHAIN[3].sealed()
        assert header_hash("clique", header) == CHAIN[3].hash() == parse_header(header).block_hash
        assert [family for family in FAMILIES if is_sealed(family, header)] == ["clique"]
        assert has_form(GENESIS.sealed())

    @pytest.mark.parametrize(
        "header",
        [
            b"\xc0",
            qbft_chain.next_spec(qbft_chain.first_spec()).sealed(),
            replace(CHAIN[3], difficulty=0).sealed(),
            replace(CHAIN[3], mix_hash=b"\x01" * 32).sealed(),
            replace(GENESIS, listed=b"").sealed(),
        ],
    )
    def test_what_is_of_another_form(self, header):
        assert not has_form(header)
