"""A submitter over a real node, a block at a time: a contract that takes steps 1, 2, 3 … in that order and each once.

The contract stands for a gateway: a step that comes twice or too early reverts. The hub is one of memory ledgers whose
ledger `beta` was moved to the node; the world does what the look and the lane task do around the submitter.
"""

import itertools
import time

from sqlalchemy import insert, update

from adapters.protocol import AdapterOptions, Call, Endpoint
from adapters.registry import open_ledger
from light_clients.crypto.secp256k1 import address_of
from relay.journey import Reached, Stage, step
from relay.steps.setback import lost_transactions, step_back
from relay.steps.sides import OUT as SIDE
from relay.store import Lease
from relay.store.lanes import get, journey_of, save_journey
from relay.store.tables import chains, lanes, transactions
from relay.submitter import Submitter
from tests.support.memory_hub import label_key

OUT = ("alpha", "beta")
STEP_GAS = 90_000
RICH = 10**20
# Runtime: revert unless calldata's first word is slot 0 plus one; then keep it there.
_RUNTIME = bytes.fromhex("600054600101600035146011576000" + "80fd5b60003560005500")
_CREATION = bytes.fromhex(f"60{len(_RUNTIME):02x}600c60003960{len(_RUNTIME):02x}6000f3") + _RUNTIME


def worlds(make_hub, node):
    """A fixture's body: gives a function that makes worlds at a node, and closes them."""
    made = []

    def make(**options):
        made.append(SendingWorld(make_hub(pairs=[OUT]), node, **options))
        return made[-1]

    yield make
    for world in made:
        world.close()


class SendingWorld:
    """A hub's account at a node.

    Args:
        hub: a MemoryHub.
        node: a geth or an anvil of the tests.
        final_under: blocks above one that is final.
    """

    def __init__(self, hub, node, *, final_under=0):
        self.hub, self.node, self.final_under = hub, node, final_under
        self.key = hub.context.keys.load("relayer-beta")
        self.account = self.key.address
        node.fund(self.account, RICH)
        plain = AdapterOptions((Endpoint(node.url),))
        self.ledger = open_ledger("evm", plain)
        identity = self.ledger.identity()
        self.contract = self.deploy()
        hub.set_chain(
            "beta",
            adapter="evm",
            chain_id=str(identity.chain_id),
            first_block=bytes(identity.first_block),
            endpoints=[{"url": node.url, "operator": "house"}],
        )
        self.first_nonce = self.nonce()
        self.wanted = 0

    def set_options(self, **options):
        """As the hub's owner does in hub.toml."""
        context = self.hub.context
        context.config = context.config.model_copy(update={"ledger_options": {"beta": options}})
        context._ledgers.clear()

    def close(self):
        self.ledger.close()
        self.hub.context.ledger(self.hub.context.chain("beta")).close()

    # ——— the node

    def deploy(self):
        signed = self.signed(0, call=Call(b"", _CREATION, 200_000))
        assert self.ledger.broadcast([signed.raw]) == [None]
        for _ in range(20):
            self.node.mine()
            (receipt,) = self.ledger.receipts([signed.transaction])
            if receipt is not None:
                assert receipt.success
                return receipt.contract
        raise AssertionError("the contract is in no block")

    def signed(self, nonce, *, call=None, fee=0):
        """A transaction of the hub's own key that the hub knows nothing of."""
        call = call or Call(self.account, b"", 21_000)
        return self.ledger.sign(self.key.private, nonce, call, fee or self.ledger.wallet(self.account).fee)

    def outside(self, nonce, *, fee=0):
        """Somebody else uses the same key under this nonce; returns the pool's answer."""
        return self.ledger.broadcast([self.signed(nonce, fee=fee).raw])[0]

    def step_from_outside(self, number):
        """Somebody else takes a step, for a higher fee than ours, so that it stands before ours in the block."""
        other = label_key("somebody")
        address = address_of(other)
        sent = [row for row in self.rows() if row.state == "sent"]
        self.node.forget_pool()
        self.node.fund(address, RICH)
        wallet = self.ledger.wallet(address)
        call = Call(self.contract, number.to_bytes(32, "big"), STEP_GAS)
        raws = [self.ledger.sign(other, wallet.nonce, call, wallet.fee * 3).raw, *(bytes(row.raw) for row in sent)]
        assert self.ledger.broadcast(raws) == [None] * len(raws)

    def drain(self):
        """Somebody with the same key takes all coins out of the account; returns how many there were."""
        wallet = self.ledger.wallet(self.account)
        self.node.empty(self.key.private, wallet)
        return wallet.balance

    def hold_first(self):
        """Let the pool have all but the first transaction: those behind it wait in it for that one."""
        self.node.forget_pool()
        raws = [bytes(row.raw) for row in self.rows()[1:]]
        assert self.ledger.broadcast(raws) == [None] * len(raws)

    def spoil(self, identifier, **values):
        """Write into a transaction's row."""
        with self.hub.context.store.write() as connection:
            connection.execute(update(transactions).where(transactions.c.id == identifier).values(**values))

    def nonce(self):
        return self.ledger.wallet(self.account).nonce

    def steps(self):
        """How many steps have had their effect."""
        return int(self.node.rpc("eth_getStorageAt", "0x" + self.contract.hex(), "0x0", "latest"), 16)

    # ——— the hub

    def want(self, count=3, *, size=0):
        """Queue the next steps, each a transaction of so many bytes of calldata besides its word."""
        self.wanted += count
        self._carry(size)

    def _carry(self, size=0):
        with self.hub.context.store.write() as connection:
            lane = get(connection, self.hub.lane_ids[OUT])
            before = journey_of(lane)
            whole = (
                Reached(Stage.FINAL, self.wanted),
                Reached(Stage.CLAIMED, self.wanted),
                Reached(Stage.ATTESTED, self.wanted),
            )
            after = before
            for event in (*whole, Reached(Stage.SUBMITTED, self.wanted)):
                after = step(after, event)
            for number in range(before.submitted + 1, self.wanted + 1):
                data = number.to_bytes(32, "big") + b"\xff" * size
                connection.execute(insert(transactions).values(**self._row(lane, number, data)))
            save_journey(connection, lane.lane_id, before, after)

    def _row(self, lane, number, data):
        return {
            "chain": "beta",
            "purpose": "deliver",
            "lane_id": lane.lane_id,
            "first": number,
            "last": number,
            "target": self.contract,
            "data": data,
            "gas": STEP_GAS + 40 * len(data),
            "state": "queued",
            "earlier": [],
            "created_at": time.time(),
        }

    def rows(self):
        return self.hub.rows(transactions, transactions.c.chain == "beta")

    def tasks(self):
        """What the watch wakes at a new block: the look's part, the submitter, the lane, the submitter again."""
        self._look()
        self._submit()
        with self.hub.context.store.read() as connection:
            lane = get(connection, self.hub.lane_ids[OUT])
            lost = lost_transactions(connection, lane, SIDE)
        if lost:
            lease = Lease.take(self.hub.context.store, "lane", lane.lane_id.hex())
            step_back(self.hub.context, lease, lane.lane_id, SIDE, lost)
            lease.release()
            self._carry()
        self._submit()

    def _look(self):
        tip = self.ledger.tip()
        with self.hub.context.store.write() as connection:
            known = self.hub.context.chain("beta")
            at = time.time() if known.tip != tip else known.tip_at
            connection.execute(
                update(chains)
                .where(chains.c.name == "beta")
                .values(tip=tip, tip_at=at, observed_height=tip - self.final_under)
            )
            connection.execute(
                update(lanes).where(lanes.c.lane_id == bytes(self.hub.lane_ids[OUT])).values(delivered=self.steps())
            )

    def _submit(self):
        context = self.hub.context
        lease = Lease.take(context.store, "chain", "beta")
        row = context.chain("beta")
        Submitter(context, lease, row, context.ledger(row)).run()
        while not lease.release():
            pass

    def block(self, count=1):
        for _ in range(count):
            self.node.mine()
            self.tasks()

    # ——— what must be so

    def stays_jammed(self, blocks=4):
        before = self.steps()
        self.block(blocks)
        assert self.steps() == before < self.wanted

    def is_unjammed(self, within=3, *, final_after=2):
        """Within three blocks each step has had its effect; behind that the account's nonces are used up without a gap."""
        for blocks in itertools.count():
            if self.steps() == self.wanted or blocks == within:
                break
            self.block()
        assert self.steps() == self.wanted, [(row.state, row.account_nonce, row.fee, row.reason) for row in self.rows()]
        self.block(final_after)
        states = {row.state for row in self.rows()}
        assert states <= {"mined", "failed", "void"}, states
        given = [row.account_nonce for row in self.rows() if row.state == "mined"]
        assert len(given) == len(set(given))
        assert self.nonce() == max(given) + 1
        assert self.ledger.wallet(self.account).pending_nonce == self.nonce()
        assert self.hub.code("chain", "beta") == ""
        return blocks
