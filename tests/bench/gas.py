"""Gas of the gateway under Istanbul's rules, limits on, with a receiver that does nothing and payloads of 200 bytes."""

from collections.abc import Callable

from adapters.solidity.calldata import encode_send
from tests.support.evm_world import SENDER, Done, EvmChain, EvmWorld
from tests.support.light_client_world import LightLane, signed

PAYLOAD_BYTES = 200
BATCHES = (1, 10, 100)
LIFE_S = 3_600
REWRITE_GAS = 5_000 - 800
"""EIP-2200: a slot's first write in a transaction, against a further one."""
NEIGHBOURS = 4_000
"""Other accounts and other slots in the state that a light client's proofs open: four nodes deep."""


def measure_gas() -> dict[str, int]:
    """Measure send, deliver and settle (a message, at batches of 1, 10 and 100; a 2-of-3 committee), then deliver and update
    of a light client with four validators.

    Every byte of the payload is non-zero, every message expires, and the transaction's own 21,000 are included. One batch
    goes before those measured: a lane's first writes cost more and happen once.
    """
    figures: dict[str, int] = {}
    world = EvmWorld.create(receiver="Idle")
    source, destination = world.source.chain, world.destination.chain
    for batch in (1, *BATCHES):
        send = _sending(world)
        figures["gas_send"] = _gas(source, send)
        for _ in range(batch - 1):
            send()
        figures[f"gas_deliver_committee_batch_{batch}"] = -(-_gas(destination, world.deliver) // batch)
        figures[f"gas_settle_committee_batch_{batch}"] = -(-_gas(source, world.settle) // batch)
    return {**figures, **_measure_light_client()}


def _measure_light_client() -> dict[str, int]:
    """Deliver with a header, three seals of four and two proofs; update with a header and three seals."""
    figures: dict[str, int] = {}
    lane = LightLane(receiver="Idle", neighbours=NEIGHBOURS)
    world, client = lane.world, lane.clients[0]
    for batch in (1, *BATCHES):
        send = _sending(world)
        for _ in range(batch):
            send()
        claim, proof = lane.claim(0), lane.proof(0)
        used = _gas(world.destination.chain, lambda claim=claim, proof=proof: world.deliver(claim=claim, proof=proof))
        figures[f"gas_deliver_light_client_batch_{batch}"] = -(-used // batch)
        newest = signed(lane.peers[0].spec)
        figures["gas_client_update"] = _gas(client.chain, lambda newest=newest: client.update(newest))
    return figures


def _sending(world: EvmWorld) -> Callable[[], Done]:
    """One message of the bench."""
    payload = bytes(1 + index % 255 for index in range(PAYLOAD_BYTES))
    chain = world.source.chain
    data = encode_send(world.lane_id, world.receiver, payload, 100_000, 0, chain.now + LIFE_S)

    def send() -> Done:
        done = chain.transact(SENDER, world.source.gateway, data)
        world.note_sent(done)
        return done

    return send


def _gas(chain: EvmChain, transaction: Callable[[], Done]) -> int:
    """Gas of a transaction on a ledger where what is stored was stored by earlier ones.

    pyrevm keeps one journal for its life: it prices the first write to a slot as a further one of the transaction that
    created the slot. What it leaves out is added for each slot that goes from one value to another.
    """
    before = chain.stored()
    used = transaction().gas_used
    after = chain.stored()
    rewritten = sum(1 for slot, value in before.items() if value and after[slot] not in (0, value))
    return used + REWRITE_GAS * rewritten


if __name__ == "__main__":
    for name, value in measure_gas().items():
        print(f"{name:36} {value:>9,}")
