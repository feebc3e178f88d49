"""A replay server: the recorded answers of a real beacon node and its execution client, up to a slot that a test moves on.

What is served is `beacon_live` of the shared vectors. Of execution blocks only those stand there that a light-client header shows,
with number, hash and time; the one at which a proof was recorded is whole.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.support.shared_vectors import shared_json

PERIOD_SLOTS = 64
FIRST_BLOCK = b"\x05" * 32
"""Block 0 was not recorded; this stands for its hash."""


def recorded(name):
    """One of the recordings."""
    return shared_json(f"beacon_live/{name}.json")


class BeaconReplay:
    """Both interfaces on one port.

    Attributes:
        slot: the newest finality update is that of this slot; move it on.
        change: called with (path or method, answer) of each; what it returns is answered instead.
        status: an HTTP status that is answered to everything, 0 for none.
        paths: what was asked.
    """

    def __init__(self):
        self.slot, self.status, self.paths = 1_000, 0, []
        self.change = _as_it_is
        proof = recorded("el_proof_at_finalized")
        self.proof, self.spec = proof["proof"], recorded("spec")
        self.bootstraps = {
            item["root"]: item["bootstrap"] for item in map(recorded, ("bootstrap_first", "bootstrap_late"))
        }
        self.updates = recorded("updates")
        self.finality_updates = [*(item["u"] for item in recorded("finality_updates")), proof["finality_update"]]
        self.blocks = {0: {"number": "0x0", "hash": "0x" + FIRST_BLOCK.hex(), "timestamp": "0x0"}}
        for header in self._headers():
            execution = header["execution"]
            number = int(execution["block_number"])
            times = {"number": hex(number), "timestamp": hex(int(execution["timestamp"]))}
            self.blocks.setdefault(number, times | {"hash": execution["block_hash"]})
        self.blocks[int(proof["el_block"]["number"], 16)] = proof["el_block"]
        self.roots = {item["data"]["header"]["beacon"]["slot"]: root for root, item in self.bootstraps.items()}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.paths.append(self.path)
                self._say(*outer.get(self.path))

            def do_POST(self):
                calls = json.loads(self.rfile.read(int(self.headers["content-length"])))
                answers = [outer.call(call) for call in ([calls] if isinstance(calls, dict) else calls)]
                self._say(200, answers[0] if isinstance(calls, dict) else answers)

            def _say(self, status, answer):
                content = b"" if outer.status else json.dumps(answer).encode()
                self.send_response(outer.status or status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}#{self.port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def get(self, path):
        """Status and JSON of a question to the beacon node."""
        parts = urlsplit(path)
        steps = parts.path.removeprefix("/eth/v1/").split("/")
        found = self._find(steps, parse_qs(parts.query))
        if found is None:
            return 404, {"code": 404, "message": "not found"}
        return 200, self.change(parts.path, found)

    def call(self, call):
        """The answer to one call of JSON-RPC."""
        methods = {
            "eth_chainId": lambda: "0x" + format(int(self.spec["data"]["DEPOSIT_CHAIN_ID"]), "x"),
            "web3_clientVersion": lambda: "Geth/v1.14 (replay)",
            "eth_blockNumber": lambda: hex(max(self.blocks)),
            "eth_getBlockByNumber": lambda number, _: self.blocks.get(int(number, 16)),
            "eth_getProof": lambda _, __, number: self.proof if int(number, 16) in self.blocks else None,
            "eth_getLogs": lambda _: [],
        }
        answer = methods[call["method"]](*call["params"])
        return {
            "jsonrpc": "2.0",
            "id": call["id"],
            "result": self.change(call["method"], json.loads(json.dumps(answer))),
        }

    def _find(self, steps, query):
        match steps:
            case ["beacon", "genesis"]:
                return recorded("genesis")
            case ["config", "spec"]:
                return self.spec
            case ["node", "version"]:
                return {"data": {"version": "Lodestar/replay"}}
            case ["beacon", "blocks", slot, "root"] if slot in self.roots:
                return {"data": {"root": self.roots[slot]}}
            case ["beacon", "light_client", "bootstrap", root]:
                return self.bootstraps.get(root)
            case ["beacon", "light_client", "finality_update"]:
                told = [item for item in self.finality_updates if int(item["data"]["signature_slot"]) <= self.slot]
                return json.loads(json.dumps(told[-1])) if told else None
            case ["beacon", "light_client", "updates"]:
                first, count = int(query["start_period"][0]), int(query["count"][0])
                return [
                    item
                    for item in json.loads(json.dumps(self.updates))
                    if first <= int(item["data"]["attested_header"]["beacon"]["slot"]) // PERIOD_SLOTS < first + count
                    and int(item["data"]["signature_slot"]) <= self.slot
                ]
        return None

    def _headers(self):
        yield from (item["data"]["header"] for item in self.bootstraps.values())
        for item in (*self.updates, *self.finality_updates):
            for name in ("attested_header", "finalized_header"):
                if int(item["data"][name]["beacon"]["slot"]):
                    yield item["data"][name]


def _as_it_is(asked, answer):
    del asked
    return answer
