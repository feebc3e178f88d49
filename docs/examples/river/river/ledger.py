"""The faces of a ledger that speaks River: an EVM under QBFT, asked by one POST a question, `{"question": NAME, …}`.

What comes back is `{"answer": …}` or `{"fault": {"word", "text", "data"}}`; bytes are hexadecimal with 0x, numbers decimal.
Nothing is judged here: headers and proofs leave as they came. The views of the gateway are those of any EVM (`EvmFaces`).
"""
# ruff: noqa: D102 - what each method promises stands in adapters.protocol

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

import adapters.protocol as faces
from adapters.answer_forms import check_count
from adapters.ethereum.answers import data, record, records
from adapters.ethereum.evm_faces import EvmFaces
from adapters.ethereum.transactions import sign_legacy
from adapters.protocol import BadAnswer, Call, Rejected
from adapters.solidity.events import SIGNATURES, decode_event
from adapters.solidity.refusals import explain
from adapters.solidity.storage import head_slot
from adapters.transport import endpoint_label, open_transport
from light_clients.crypto.secp256k1 import address_of
from schemas.evidence import HeadEvidence, StateEvidence
from schemas.primitives import BlockHash, ChainId, LaneId, hex0x
from schemas.suites import keccak256

CODES = {"used number": "nonce_too_low", "no coins": "no_funds", "cheap": "underpriced", "no block": "no_state"}
"""River's words for a fault, in the words of `Rejected`."""


class RiverLedger(EvmFaces):
    """An opened ledger at one endpoint; the transport keeps each question to its time and each answer to its size."""

    def __init__(self, options: faces.AdapterOptions) -> None:
        url = options.endpoints[0].url
        self.endpoint = endpoint_label(url)
        self._post = open_transport(url, timeout_s=options.timeout_s, max_answer_bytes=options.max_answer_bytes)
        self._number = 0

    def identity(self) -> faces.LedgerIdentity:
        said = record(self._ask("about"), "what the node is")
        self._number, build = check_count(said.get("network"), "network"), str(said.get("build"))[:100]
        name, first = ChainId.of("eip155", str(self._number)), BlockHash(data(said.get("first"), "first block", 32))
        return faces.LedgerIdentity(name, first, build, development=said.get("trial") is True)

    def tip(self) -> int:
        return check_count(self._ask("tip"), "tip")

    def headers(self, first: int, last: int) -> list[bytes]:
        return self._bytes(self._ask("headers", first=first, last=last), "headers", last - first + 1)

    def events(self, first: int, last: int, gateway: bytes) -> list[faces.GatewayEvent]:
        if self.tip() < last:
            raise faces.Unreachable(f"{self.endpoint} has not reached block {last}.", endpoint=self.endpoint)
        told = records(self._ask("records", first=first, last=last, program=hex0x(gateway)), "records")
        found = [self._event(item, range(first, last + 1)) for item in told]
        return [event for event in found if event is not None]

    def _event(self, item: dict[str, Any], asked: range) -> faces.GatewayEvent | None:
        topics = self._bytes(item.get("topics"), "topics")
        height, index, time = (check_count(item.get(name), name) for name in ("block", "place", "time"))
        if height not in asked:
            raise BadAnswer(f"{self.endpoint} told of block {height}, which was not asked for.", endpoint=self.endpoint)
        block_hash, transaction = (data(item.get(name), name, 32) for name in ("hash", "transaction"))
        where = faces.Position(height, block_hash, transaction, index, time)
        ours = topics and topics[0] in SIGNATURES
        return decode_event(topics, data(item.get("data"), "data"), where) if ours else None

    def evidence(
        self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int
    ) -> list[HeadEvidence | None]:
        slots = [hex0x(head_slot(lane_id, direction)) for lane_id, direction in lane_ids]
        shown = record(self._ask("state", block=height, program=hex0x(gateway), slots=slots), "the state")
        header, account = data(shown.get("header"), "header"), tuple(self._bytes(shown.get("account"), "account"))
        paths = self._list(shown.get("paths"), "paths", len(slots))
        return [StateEvidence(height, header, account, tuple(self._bytes(path, "path"))) for path in paths]

    def wallet(self, address: bytes) -> faces.Wallet:
        said = record(self._ask("account", account=hex0x(address)), "the account")
        used, waiting, price = (check_count(said.get(name), name) for name in ("used", "waiting", "price"))
        coins = int.from_bytes(data(said.get("coins"), "coins", 32), "big")
        return faces.Wallet(address, used, max(used, waiting), coins, 2 * price, price)

    def sign(self, private_key: bytes, nonce: int, call: Call, fee: int) -> faces.Signed:
        self._number = self._number or check_count(record(self._ask("about"), "about").get("network"), "network")
        return sign_legacy(private_key, chain_id=self._number, nonce=nonce, call=call, gas_price=fee)

    def broadcast(self, transactions: Sequence[bytes]) -> list[Rejected | None]:
        return [self._taken(raw) for raw in transactions]

    def _taken(self, raw: bytes) -> Rejected | None:
        try:
            self._ask("take", transaction=hex0x(raw))
        except Rejected as refusal:
            return None if refusal.code == "known" else refusal
        return None

    def receipts(self, transactions: Sequence[bytes]) -> list[faces.Receipt | None]:
        return [self._receipt(asked, self._ask("fate", transaction=hex0x(asked))) for asked in transactions]

    def _receipt(self, asked: bytes, said: Any) -> faces.Receipt | None:
        if said is None:
            return None
        fate = record(said, "the fate")
        height, gas = (check_count(fate.get(name), name) for name in ("block", "gas"))
        block_hash, program = data(fate.get("hash"), "hash", 32), data(fate.get("program"), "program")
        return faces.Receipt(
            asked, height, block_hash, success=fate.get("worked") is True, gas_used=gas, contract=program
        )

    def simulate(self, sender: bytes, call: Call) -> bytes:
        told = {"from": hex0x(sender), "to": hex0x(call.target), "data": hex0x(call.data), "gas": call.gas}
        return data(self._ask("try", **told), "the output")

    def installed(self, address: bytes) -> faces.Installed:
        code = data(self._ask("program", program=hex0x(address)), "the program")
        if not code:
            raise Rejected(f"There is no program at {hex0x(address)}.", endpoint=self.endpoint)
        return faces.Installed(code, keccak256(code))

    def endow(self, private_keys: Sequence[bytes]) -> bool:
        return self._ask("endow", accounts=[hex0x(address_of(private_key)) for private_key in private_keys]) is True

    def close(self) -> None:
        self._post.close()

    def _ask(self, question: str, **told: Any) -> Any:
        body = self._post.exchange(orjson.dumps({"question": question, **told})).body
        try:
            said = record(orjson.loads(body), "what was said")
        except orjson.JSONDecodeError as error:
            raise BadAnswer(f"{self.endpoint} does not speak River; leave it.", endpoint=self.endpoint) from error
        if "answer" in said:
            return said["answer"]
        fault = record(said.get("fault"), "the fault")
        word, text, reverted = str(fault.get("word")), str(fault.get("text"))[:300], fault.get("data")
        reason = explain(data(reverted, "data of the fault")) if word == "reverted" and reverted else text
        raise Rejected(reason, code=CODES.get(word, word), reason=reason, endpoint=self.endpoint)

    def _list(self, items: Any, name: str, count: int | None = None) -> list[Any]:
        if not isinstance(items, list) or (count is not None and len(items) != count):
            raise BadAnswer(f"{self.endpoint} gave no list of {name}, or another number.", endpoint=self.endpoint)
        return items

    def _bytes(self, items: Any, name: str, count: int | None = None) -> list[bytes]:
        return [data(item, name) for item in self._list(items, name, count)]
