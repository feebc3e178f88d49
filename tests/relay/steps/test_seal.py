"""relay.steps.seal: tickets are sealed once each, those that are gone are forgotten, and one seal of a lane is on its way."""

import time

import pytest
from sqlalchemy import update

from adapters.protocol import BadAnswer, MachineTraits, MessageTicketed, Position, Rejected, Unreachable
from adapters.solidity.calldata import decode_ticket, encode_seal, encode_ticket
from relay.steps.seal import ASK_AGAIN_S, MOST, keep_tickets, seal
from relay.store import Lease
from relay.store.tables import tickets, transactions
from schemas.primitives import LaneId

OUT = ("alpha", "beta")


def ticket(number):
    return number.to_bytes(32, "big")


class TicketLedger:
    """A ledger that says where each ticket stands."""

    def __init__(self, *, gives=True):
        self.traits, self.states, self.error, self.asked = MachineTraits(tickets=gives), {}, None, []
        self.tried, self.over_limit, self.answer = [], set(), None

    def machine(self):
        return self.traits

    def simulate(self, sender, call):
        assert sender == b""
        if self.error is not None:
            raise self.error
        if len(call.data) > 4 + 2 * 32:  # more than the question about one ticket
            return self.try_seal([call.data[start : start + 32] for start in range(100, len(call.data), 32)])
        self.asked.append(call.data[-32:])
        return self.states.get(call.data[-32:], 1).to_bytes(32, "big") + bytes(64)

    def try_seal(self, named):
        """As the chaincode does: how many would be sealed; a ticket that is unknown, or only sealed ones, are refused."""
        self.tried.append([int.from_bytes(item, "big") for item in named])
        states = [self.states.get(item, 1) for item in named]
        waiting = [item for item, state in zip(named, states, strict=True) if state == 1]
        if self.answer is not None:
            return self.answer
        if 0 in states:
            raise Rejected("no", reason="UnknownTicket(ticket=…)")
        if not waiting:
            raise Rejected("no", reason="NothingToSeal(): Every ticket named is sealed already.")
        fit = [item for item in waiting if item not in self.over_limit]
        if not fit:
            raise Rejected("no", reason="SenderLimitReached(…)")
        return len(fit).to_bytes(32, "big")


class Sealing:
    """A hub whose ledger alpha gives tickets."""

    def __init__(self, hub):
        self.hub, self.ledger, self.lane_id = hub, TicketLedger(), hub.lane_ids[OUT]
        self.lease = Lease.take(hub.context.store, "chain", "alpha")

    def shown(self, *numbers, lane_id=None):
        lane = self.lane_id if lane_id is None else lane_id
        found = [
            MessageTicketed(lane, ticket(number), Position(number, bytes(32), bytes(32), 0, 0)) for number in numbers
        ]
        with self.lease.write() as connection:
            keep_tickets(connection, "alpha", found)

    def seal(self):
        seal(self.lease, self.hub.context.chain("alpha"), self.ledger, self.hub.context.store)

    def queued(self):
        return [row.data for row in self.hub.rows(transactions) if row.purpose == "seal"]

    def kept(self):
        return sorted(int.from_bytes(row.ticket, "big") for row in self.hub.rows(tickets))

    def later(self):
        with self.lease.write() as connection:
            connection.execute(update(tickets).values(asked_at=time.time() - ASK_AGAIN_S - 1))

    def over(self, state="mined"):
        with self.lease.write() as connection:
            connection.execute(update(transactions).values(state=state))


@pytest.fixture
def sealing(hub):
    return Sealing(hub)


def test_what_waits_is_sealed_oldest_first(sealing):
    sealing.shown(3, 1, 2)
    sealing.seal()
    assert sealing.queued() == [encode_seal(sealing.lane_id, [ticket(1), ticket(2), ticket(3)])]
    row = sealing.hub.rows(transactions)[0]
    assert (row.chain, row.state, row.target) == ("alpha", "queued", sealing.hub.ledgers["alpha"].gateway.address)


def test_a_ledger_without_tickets_is_not_asked(sealing):
    sealing.shown(1)
    sealing.ledger = TicketLedger(gives=False)
    sealing.seal()
    assert (sealing.ledger.asked, sealing.queued()) == ([], [])


def test_tickets_of_strange_lanes_and_twice_shown_ones(sealing):
    sealing.shown(1, 1)
    sealing.shown(1)
    sealing.shown(9, lane_id=LaneId(b"\x09" * 32))
    assert sealing.kept() == [1]


@pytest.mark.parametrize("state", ["queued", "sent"])
def test_one_seal_of_a_lane_at_a_time(sealing, state):
    sealing.shown(1)
    sealing.seal()
    sealing.over(state)
    sealing.shown(2)
    sealing.later()
    sealing.seal()
    assert len(sealing.queued()) == 1
    sealing.over()
    sealing.later()
    sealing.ledger.states[ticket(1)] = 2
    sealing.seal()
    assert sealing.queued()[1:] == [encode_seal(sealing.lane_id, [ticket(2)])]
    assert sealing.kept() == [2]


def test_one_that_stays_over_a_limit_is_asked_after_again(sealing):
    sealing.shown(1)
    sealing.seal()
    sealing.over("reverted")
    sealing.seal()
    assert len(sealing.queued()) == 1, "not before its time"
    sealing.later()
    sealing.seal()
    assert len(sealing.queued()) == 2


@pytest.mark.parametrize("state", [0, 2])
def test_what_does_not_wait_is_forgotten(sealing, state):
    sealing.shown(1)
    sealing.ledger.states[ticket(1)] = state
    sealing.seal()
    assert (sealing.queued(), sealing.kept()) == ([], [])


@pytest.mark.parametrize("error", [Unreachable("down"), BadAnswer("odd")])
def test_a_ledger_that_does_not_say_keeps_them_waiting(sealing, error):
    sealing.shown(1)
    sealing.ledger.error = error
    sealing.seal()
    assert (sealing.queued(), sealing.kept()) == ([], [1])
    sealing.ledger.error = None
    sealing.seal()
    assert len(sealing.queued()) == 1


def test_where_all_wait_none_is_asked_after(sealing):
    sealing.shown(*range(1, 51))
    sealing.seal()
    assert (len(sealing.ledger.tried), sealing.ledger.asked) == (1, [])


def test_where_all_are_sealed_none_is_asked_after(sealing):
    sealing.shown(*range(1, 51))
    sealing.ledger.states = {ticket(number): 2 for number in range(1, 51)}
    sealing.seal()
    assert (len(sealing.ledger.tried), sealing.ledger.asked) == (1, [])
    assert (sealing.queued(), sealing.kept()) == ([], [])


def test_those_that_somebody_else_sealed_are_found_by_halves(sealing):
    sealing.shown(*range(1, 65))
    sealing.ledger.states = {ticket(number): 2 for number in range(1, 17)}
    sealing.seal()
    assert sealing.queued() == [encode_seal(sealing.lane_id, [ticket(number) for number in range(17, 65)])]
    assert sealing.kept() == list(range(17, 65))
    assert (len(sealing.ledger.tried), sealing.ledger.asked) == (5, [])


def test_what_is_over_a_limit_waits_and_stops_nobody_else(sealing):
    sealing.shown(1, 2, 3)
    sealing.ledger.over_limit = {ticket(2)}
    sealing.seal()
    assert sealing.queued() == [encode_seal(sealing.lane_id, [ticket(1), ticket(2), ticket(3)])]
    assert sealing.kept() == [1, 2, 3]


@pytest.mark.parametrize("answer", [b"", bytes(31), bytes(33)])
def test_an_answer_about_a_seal_of_another_size_is_no_answer(sealing, answer):
    sealing.shown(1)
    sealing.ledger.answer = answer
    sealing.seal()
    assert (sealing.queued(), sealing.kept()) == ([], [1])


def test_so_many_at_once_and_no_more(sealing):
    sealing.shown(*range(1, MOST + 3))
    sealing.seal()
    assert sealing.queued() == [encode_seal(sealing.lane_id, [ticket(number) for number in range(1, MOST + 1)])]


class TestCalldata:
    LANE = LaneId(b"\x0a" * 32)

    def test_seal_is_what_the_abi_says(self):
        from eth_abi.abi import decode

        data = encode_seal(self.LANE, [ticket(1), ticket(2)])
        assert decode(["bytes32", "bytes32[]"], data[4:]) == (bytes(self.LANE), (ticket(1), ticket(2)))
        assert len(encode_ticket(self.LANE, ticket(1))) == 68

    def test_what_a_gateway_answers_of_a_ticket(self):
        assert decode_ticket(ticket(2) + ticket(77) + b"\x0b" * 32) == (2, 77, b"\x0b" * 32)

    @pytest.mark.parametrize("size", [0, 95, 97])
    def test_an_answer_of_another_size(self, size):
        with pytest.raises(BadAnswer, match="truncated"):
            decode_ticket(bytes(size))
