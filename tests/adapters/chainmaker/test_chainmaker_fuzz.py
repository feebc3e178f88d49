"""Whatever bytes a node sends, only `AdapterError` leaves the adapter, and what it returns has the face's form."""

import random

import pytest

from adapters.protocol import AdapterError, Call
from adapters.solidity.contracts import contract
from tests.support.chainmaker_lane import ChainMakerLane, open_one

MUTATIONS = 2_000


@pytest.fixture(scope="module")
def lane():
    made = ChainMakerLane()
    for number in range(5):
        made.send(f"message {number}".encode())
    yield made
    made.close()


def mutated(data, others, chance):
    """An answer with something wrong: flipped, cut, doubled, filled, or another answer altogether."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(7):
            case 0 if data:
                data[place % len(data)] ^= 1 << chance.randrange(8)
            case 1:
                del data[place:]
            case 2:
                data[place:place] = data[: chance.randrange(64)]
            case 3:
                data[place:place] = chance.randbytes(chance.randrange(1, 16))
            case 4:
                data = bytearray(chance.choice(others))
            case 5 if data:
                del data[place % len(data)]
            case 6:
                data[place : place + 8] = b"\xff" * 8
    return bytes(data)


class MutatingChannel:
    """A channel between the adapter and its true one, which spoils one answer in each turn."""

    def __init__(self, inner, chance):
        self.inner, self.chance, self.seen, self.left = inner, chance, [b""], 0
        self.label = inner.label

    def spoil(self, answer):
        if isinstance(answer, bytes):
            self.seen = [*self.seen[-30:], answer]
            self.left -= 1
            if self.left == 0:
                return mutated(answer, self.seen, self.chance)
        return answer

    def ask(self, method, request):
        return self.spoil(self.inner.ask(method, request))

    def ask_all(self, method, requests):
        return [self.spoil(answer) for answer in self.inner.ask_all(method, requests)]

    def follow(self, method, request, count):
        for message in self.inner.follow(method, request, count):
            yield self.spoil(message)


def test_two_thousand_spoilt_answers_end_in_an_error_of_the_face_or_in_its_form(lane):
    ledger, chance = open_one(lane.networks[0]), random.Random("chainmaker")
    note = Call(lane.gateways[0], contract("Gateway").encode("anchorLog", 1, bytes(32)), 0)
    noted, hub = lane.transact(0, lane.relayer, note).height, lane.account(0, lane.relayer)
    assert lane.send(b"after the note").success
    channel = MutatingChannel(ledger.channel, chance)
    ledger.channel = ledger.questions._channel = channel
    gateway, lane_id, tip = lane.gateways[0], lane.lane.lane_id, lane.networks[0].chain.height
    sent = ledger.events(tip, tip, gateway)[-1].position.transaction
    raw = ledger.sign(lane.sender, 1, Call(gateway, b"\x00\x00\x00\x00", 0), 0).raw
    view = Call(gateway, contract("Gateway").encode("proposals"), 0)
    questions = {
        "identity": (4, ledger.identity),
        "tip": (1, ledger.tip),
        "headers": (3, lambda: ledger.headers(tip - 2, tip)),
        "many headers": (tip + 2, lambda: ledger.headers(0, tip)),
        "events": (2, lambda: ledger.events(tip - 1, tip, gateway)),
        "evidence": (1, lambda: ledger.evidence(gateway, [(lane_id, 0)], tip)),
        "log note": (1, lambda: ledger.log_note(gateway, hub, noted)),
        "lane ends": (2, lambda: ledger.lane_ends(gateway, lane_id)),
        "verifier parts": (3, lambda: ledger.verifier_parts(lane.verifiers[0])),
        "receipts": (1, lambda: ledger.receipts([sent])),
        "simulate": (1, lambda: ledger.simulate(bytes(20), view)),
        "installed": (1, lambda: ledger.installed(gateway)),
        "broadcast": (1, lambda: ledger.broadcast([raw])),
        "machine": (1, ledger.machine),
    }
    texts = []
    for _ in range(MUTATIONS):
        answers, ask = chance.choice(list(questions.values()))
        channel.left = chance.randrange(1, answers + 1)
        try:
            ask()
        except AdapterError as error:
            texts.append(str(error))
    assert len(texts) > MUTATIONS // 2
    assert all("\n" not in text and len(text) < 2_000 for text in texts)
    ledger.channel = channel.inner
    ledger.close()
