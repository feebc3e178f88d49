"""Stands for a node that speaks River, which nobody has: it translates to a development network of the hub.

python -m river.node --number 31005 --port 8605
"""

from __future__ import annotations

import argparse
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from adapters.ethereum.headers import header_rlp
from adapters.ethereum.refusals import broadcast_refusal, revert_data
from adapters.evm.devnet import DevelopmentNetwork
from adapters.jsonrpc import JsonRpc, RpcError
from schemas.primitives import hex0x

WORDS = {"nonce_too_low": "used number", "no_funds": "no coins", "underpriced": "cheap"}
COINS = 10**22


class RiverNode:
    """One node and its network.

    Attributes:
        url: where River is spoken.
        network: the network behind.
    """

    def __init__(self, number: int, *, port: int = 0, block_time_s: float = 1.0) -> None:
        """Prepare a ledger of this number.

        Args:
            number: in the ledger's name, `eip155:NUMBER`.
            port: where River is spoken on 127.0.0.1, 0 for a free one.
            block_time_s: seconds between blocks, 0 for blocks when told.
        """
        self.network = DevelopmentNetwork(chain_id=number, block_time_s=block_time_s)
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                said = node.said(self.rfile.read(int(self.headers["content-length"])))
                body = json.dumps(said).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> Self:
        """Start the network, and speak."""
        self.network.start()
        self._rpc = JsonRpc(self.network.url)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop both."""
        self._server.shutdown()
        self._server.server_close()
        self._rpc.close()
        self.network.stop()

    def said(self, body: bytes) -> dict[str, Any]:
        """The answer to one question, or the fault."""
        told = json.loads(body)
        try:
            return {"answer": getattr(self, "_" + told.pop("question"))(**told)}
        except RpcError as error:
            reverted = revert_data(error.data)
            if reverted or "revert" in str(error).lower():
                return {
                    "fault": {"word": "reverted", "text": str(error), "data": hex0x(reverted) if reverted else None}
                }
            refusal = broadcast_refusal(error)
            word = "known" if refusal is None else WORDS.get(refusal.code, refusal.code)
            return {"fault": {"word": word, "text": str(error)}}
        except (LookupError, AttributeError, TypeError) as error:
            return {"fault": {"word": "no block", "text": f"there is none ({type(error).__name__})"}}

    def _about(self) -> dict[str, Any]:
        number, block = self._rpc.demand([("eth_chainId", []), ("eth_getBlockByNumber", ["0x0", False])])
        return {"network": int(number, 16), "first": block["hash"], "build": "River node 1.0", "trial": True}

    def _tip(self) -> int:
        return int(self._rpc.call("eth_blockNumber", []), 16)

    def _headers(self, first: int, last: int) -> list[str]:
        return [hex0x(header_rlp(self._block(height))) for height in range(first, last + 1)]

    def _block(self, height: int) -> Any:
        block = self._rpc.call("eth_getBlockByNumber", [hex(height), False])
        if block is None:
            raise LookupError(height)
        return block

    def _records(self, first: int, last: int, program: str) -> list[dict[str, Any]]:
        asked = {"fromBlock": hex(first), "toBlock": hex(last), "address": program}
        logs = self._rpc.call("eth_getLogs", [asked])
        times = {log["blockNumber"]: self._block(int(log["blockNumber"], 16))["timestamp"] for log in logs}
        return [
            {
                "topics": log["topics"],
                "data": log["data"],
                "hash": log["blockHash"],
                "block": int(log["blockNumber"], 16),
                "place": int(log["logIndex"], 16),
                "transaction": log["transactionHash"],
                "time": int(times[log["blockNumber"]], 16),
            }
            for log in logs
        ]

    def _state(self, block: int, program: str, slots: list[str]) -> dict[str, Any]:
        header = hex0x(header_rlp(self._block(block)))
        proof = self._rpc.call("eth_getProof", [program, slots, hex(block)])
        return {
            "header": header,
            "account": proof["accountProof"],
            "paths": [item["proof"] for item in proof["storageProof"]],
        }

    def _account(self, account: str) -> dict[str, Any]:
        used, waiting, coins, price = self._rpc.demand(
            [
                *(("eth_getTransactionCount", [account, when]) for when in ("latest", "pending")),
                ("eth_getBalance", [account, "latest"]),
                ("eth_gasPrice", []),
            ]
        )
        return {
            "used": int(used, 16),
            "waiting": int(waiting, 16),
            "price": int(price, 16),
            "coins": f"0x{int(coins, 16):064x}",
        }

    def _take(self, transaction: str) -> bool:
        self._rpc.call("eth_sendRawTransaction", [transaction])
        return True

    def _fate(self, transaction: str) -> dict[str, Any] | None:
        fate = self._rpc.call("eth_getTransactionReceipt", [transaction])
        return fate and {
            "block": int(fate["blockNumber"], 16),
            "hash": fate["blockHash"],
            "worked": fate["status"] == "0x1",
            "gas": int(fate["gasUsed"], 16),
            "program": fate["contractAddress"] or "0x",
        }

    def _try(self, *, to: str, data: str, gas: int, **sender: str) -> Any:
        called = {"to": to} if to != "0x" else {}
        return self._rpc.call("eth_call", [{**sender, **called, "data": data, "gas": hex(gas)}, "latest"])

    def _program(self, program: str) -> Any:
        return self._rpc.call("eth_getCode", [program, "latest"])

    def _endow(self, accounts: list[str]) -> bool:
        for account in accounts:
            self._rpc.call("anvil_setBalance", [account, hex(COINS)])
        return True


def main() -> None:
    """Run a node until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=31_005)
    parser.add_argument("--port", type=int, default=8605)
    told = parser.parse_args()
    node = RiverNode(told.number, port=told.port).start()
    print(f"eip155:{told.number} speaks River at {node.url}; Ctrl-C stops it", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        node.stop()


if __name__ == "__main__":
    main()
