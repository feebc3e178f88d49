"""The mesh's world: a ledger of every kind, a hub with its processes, and lanes between every two ledgers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from adapters.solidity.administration import Caps, allow_receiver
from adapters.solidity.contracts import contract
from relay.demo.mesh.ledgers import Kind, Ledger
from relay.demo.show import Silent
from relay.demo.world import CHANNEL, World
from relay.home import Home
from relay.processes import Process, start_time
from relay.registry.chaincode import application_account
from relay.registry.chains import chain_named, open_chain
from relay.registry.gateways import deploy
from relay.registry.hub import ensure_hub, prepare
from relay.registry.lane_verifiers import Trust
from relay.registry.lanes import all_lanes
from relay.registry.officers import carry_out
from relay.registry.opening import open_lanes
from relay.registry.registration import ChainRequest, Registration
from schemas.primitives import LaneId


class MeshWorld(World):
    """Ledgers of the given kinds, hub and lanes of one demo.

    Args:
        home: the hub's folder; there must be no hub yet.
        audience: who sees how things go while the demo waits.
        kinds: the kinds of ledger.
    """

    def __init__(self, home: Home, audience: Silent, kinds: Sequence[Kind]) -> None:
        super().__init__(home, audience, keep=False)
        self.ledgers = {kind.name: Ledger(kind, home.folder / "ledgers" / kind.name) for kind in kinds}
        self.pairs = [(a, b) for a in self.ledgers for b in self.ledgers if a != b]
        self._pool = ThreadPoolExecutor(max_workers=max(len(self.ledgers), 1))

    def start(self) -> None:
        """Make the hub, start its processes and the ledgers; the hub's processes come up meanwhile."""
        self.config, _ = ensure_hub(self.home, name="demo")
        self.store = prepare(self.home, self.config)
        self._supervisor = self._start_supervisor()
        self.wait_for(self.together(lambda ledger: ledger.start(), self.ledgers.values()))

    def register(self, tell: Callable[[str], None]) -> None:
        """Register each ledger with the one command that there is for all of them."""

        def work(ledger: Ledger) -> str:
            said, told = ledger.said, list[str]()
            request = ChainRequest(
                name=ledger.kind.name,
                endpoints=tuple(said["endpoints"][:3]),
                adapter=said["adapter"],
                consensus=said["consensus"],
                client_options=str(self._client_options(ledger)) if said.get("client_options") else "",
                options={name: str(value) for name, value in said.get("options", {}).items()},
                gateway=said.get("gateway", "").encode(),
                verifier=said.get("verifier", "").encode(),
            )
            row = Registration(self.home, self.config, self.store, told.append).add(request)
            return f"{row.name}: {ledger.kind.title}, {row.chain_id}; {row.consensus} from block {row.pinned_height}"

        for line in self.wait_for(self.together(work, self.ledgers.values())):
            tell(line)

    def _client_options(self, ledger: Ledger) -> str:
        import tomli_w

        path = ledger.folder / "client.toml"
        path.write_bytes(tomli_w.dumps(ledger.said["client_options"]).encode())
        return str(path)

    def open_lanes(self) -> None:
        """Open a lane for each ordered pair, put a receiver that always fails on each ledger, and let the officers allow it."""
        deployments = self.together(self._deploy_reverting, self.ledgers)
        self.wait_for([*deployments, *self.together(self._open_lanes, [self.pairs])])
        self.wait_for(self.together(self._allow_reverting, self.ledgers))

    def _open_lanes(self, pairs: list[tuple[str, str]]) -> None:
        open_lanes(
            self.config,
            self.store,
            self.keys,
            pairs,
            channel=CHANNEL,
            caps=Caps(window_limit=1_000_000),
            batch_limit=self.config.batch_limit,
            officer=None,
            tell=lambda _line: None,
            trust=Trust(),
        )

    def _deploy_reverting(self, name: str) -> None:
        ledger = open_chain(chain_named(self.store, name))
        try:
            if ledger.machine().signatures == "chaincode":
                self.reverting[name] = application_account("reverting")
                return
            made = deploy(ledger, self.sender, [("Reverting", contract("Reverting").creation_code())])
            self.reverting[name] = ledger.called_by(made[0].address)
        finally:
            ledger.close()

    def _allow_reverting(self, name: str) -> None:
        row = chain_named(self.store, name)
        ledger = open_chain(row)
        try:
            accounts = ledger.machine().accounts
        finally:
            ledger.close()
        lanes = [LaneId(lane.lane_id) for lane in all_lanes(self.store) if lane.destination == name]
        actions = [allow_receiver(lane_id, self.reverting[name], accounts=accounts) for lane_id in lanes]
        carry_out(
            self.config, self.store, self.keys, row, "gateway", actions, officer=None, text="allow the failing receiver"
        )

    def _stop_ledgers(self) -> None:
        for ledger in self.ledgers.values():
            ledger.stop()

    def _ledger_processes(self) -> list[Process]:
        return [
            Process(f"ledger {name}", ledger.pid, start_time(ledger.pid))
            for name, ledger in self.ledgers.items()
            if ledger.pid
        ]
