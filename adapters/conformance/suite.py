"""The checks as one test class: a subclass and a fixture `world` are a whole test of an adapter.

The tests of a class share the world and run in the order of the file: a message goes its whole way. What differs between
ledgers is said by the world, not by the class.
"""

from __future__ import annotations

from contextlib import suppress

from adapters.conformance import carrying, proving, reading, writing
from adapters.conformance.findings import NotHere
from adapters.conformance.steps import World


class LedgerConformance:
    """A ledger as the hub sees it through its faces."""

    def test_a_ledger_says_what_it_is_and_says_it_again(self, world: World) -> None:
        """See `reading.identity_stays`."""
        reading.identity_stays(world)

    def test_a_lane_was_opened_with_every_preimage_of_its_id(self, world: World) -> None:
        """See `reading.lane_has_every_preimage`."""
        reading.lane_has_every_preimage(world)

    def test_what_is_sent_comes_as_events_that_fold_to_the_head(self, world: World) -> None:
        """Send, and read what was sent."""
        reading.send_three(world)
        reading.events_complete(world)
        reading.events_once(world)
        reading.events_fold(world)

    def test_events_stand_in_ledger_order_with_place_and_time(self, world: World) -> None:
        """Order, heights, and nothing where nothing stands."""
        reading.events_in_order(world)
        reading.events_have_their_heights(world)
        reading.nothing_stands_elsewhere(world)

    def test_headers_come_in_order(self, world: World) -> None:
        """See `reading.headers_come_in_order`."""
        reading.headers_come_in_order(world)

    def test_a_block_that_is_not_there_is_no_answer(self, world: World) -> None:
        """See `reading.missing_blocks_are_errors`."""
        reading.missing_blocks_are_errors(world)

    def test_a_delivery_is_refused_in_words_and_then_taken(self, world: World) -> None:
        """False deliveries, then the true one."""
        carrying.false_deliveries_are_refused(world)
        carrying.deliveries_are_taken(world)

    def test_outcomes_come_in_order_and_fold_to_the_head_that_moved(self, world: World) -> None:
        """See `carrying.outcomes_fold`."""
        carrying.outcomes_fold(world)

    def test_the_same_delivery_has_no_second_effect(self, world: World) -> None:
        """When simulated, and when it is sent all the same."""
        carrying.deliveries_happen_once(world)
        carrying.failures_are_in_receipts(world)

    def test_the_outcomes_come_home(self, world: World) -> None:
        """See `carrying.outcomes_come_home`."""
        carrying.outcomes_come_home(world)

    def test_the_gateways_count_the_same(self, world: World) -> None:
        """See `carrying.gateways_count_the_same`."""
        carrying.gateways_count_the_same(world)

    def test_an_unknown_lane_or_gateway_is_rejected(self, world: World) -> None:
        """See `reading.unknown_lanes_are_refused`."""
        reading.unknown_lanes_are_refused(world)

    def test_evidence_comes_for_each_question_in_order(self, world: World) -> None:
        """See `proving.evidence_answers_each_question`."""
        proving.evidence_answers_each_question(world)

    def test_a_transaction_has_one_effect(self, world: World) -> None:
        """See `writing.transactions_are_sent_once`."""
        writing.transactions_are_sent_once(world)

    def test_a_pool_knows_what_it_has_and_counts_it(self, world: World) -> None:
        """Where accounts have numbers; elsewhere that refusals and receipts are right."""
        with suppress(NotHere):
            writing.pools_know_what_they_have(world)
        writing.refusals_are_told(world)
        writing.receipts_of_nothing_are_none(world)

    def test_a_transaction_that_reverts_says_so_in_its_receipt(self, world: World) -> None:
        """See `writing.reverts_are_in_receipts`."""
        writing.reverts_are_in_receipts(world)

    def test_a_signature_depends_on_every_field(self, world: World) -> None:
        """See `writing.signatures_depend_on_everything`."""
        writing.signatures_depend_on_everything(world)

    def test_a_key_is_seen_nowhere(self, world: World) -> None:
        """See `writing.keys_stay_secret`."""
        writing.keys_stay_secret(world)
