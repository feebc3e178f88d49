"""One gateway with a delay of a day, and the steps of its administration."""

from adapters.solidity import administration
from adapters.solidity.administration import Caps
from schemas.lane import Lane
from schemas.suites import EVM, keccak256
from tests.support.evm_world import GUARDIAN, OFFICERS, EvmChain, account, make_end

DELAY_S = 86_400
PEER = account("peer gateway")
CODE_HASH = keccak256(b"code of the peer")


class Desk:
    """One gateway with a delay, and steps of its administration."""

    def __init__(self, delay_s=DELAY_S):
        self.chain = EvmChain("alpha")
        self.end = make_end(self.chain, delay_s=delay_s)
        self.gateway, self.committee = self.end.gateway, self.end.committee
        self.lane = Lane("hub", EVM, self.chain.word, self.gateway, EvmChain("beta").word, PEER, "main")

    @property
    def lane_id(self):
        return self.lane.lane_id

    def opening(self, end=0, lane=None, verifier=None, code_hash=CODE_HASH, caps=None):
        return administration.open_lane(
            lane or self.lane, end, self.committee if verifier is None else verifier, code_hash, caps or Caps()
        )

    def propose(self, action, officer=0):
        return self.chain.propose(self.gateway, action, OFFICERS[officer])

    def approve(self, number, officer=1):
        return self.chain.transact(OFFICERS[officer], self.gateway, administration.approve(number))

    def execute(self, number, action, officer=2):
        return self.chain.transact(OFFICERS[officer], self.gateway, administration.execute(number, action))

    def cancel(self, number, who=GUARDIAN):
        return self.chain.transact(who, self.gateway, administration.cancel(number))

    def perform(self, action):
        number = self.propose(action)
        self.approve(number)
        self.chain.now += DELAY_S
        return self.execute(number, action)

    def call(self, data, who=OFFICERS[0]):
        return self.chain.transact(who, self.gateway, data)

    def view(self, name, *arguments):
        return self.chain.view(self.gateway, "Gateway", name, *arguments)

    def state(self, number):
        return self.view("proposal", number)[6]
