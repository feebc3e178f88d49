"""The Fabric gateway's chaincode on a ledger in memory, driven over a pipe: `test/harness.js` of the chaincode."""

import json
import subprocess

from adapters.fabric.npm import chaincode_folder, find_node
from adapters.solidity.compiled import types_of
from light_clients import rlp
from schemas.suites import keccak256

NAME = b"gateway"
TICKET_EVENT = "MessageTicketed"


class ChaincodeProcess:
    """The chaincode in a process of its own; every transaction that it endorses is committed at once."""

    def __init__(self):
        folder = chaincode_folder()
        self._abi = json.loads((folder / "abi.json").read_text())
        self._process = subprocess.Popen(
            [find_node(), "test/harness.js"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._events = {_topic(item): item for item in self._items("event")}
        self._errors = {_topic(item)[:4]: item for item in self._items("error")}

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def account(self, label):
        """The account of a member by label, 33 bytes."""
        return bytes.fromhex(self._ask({"account": label})["account"])

    def call(self, label, data, seconds):
        """Call with calldata; returns (output, [(event, arguments)], ticket).

        Raises:
            ChaincodeRefusal: it refuses.
        """
        answer = self._ask({"as": label, "seconds": seconds, "call": data.hex()})
        if answer["status"] != 200:
            raise self._refusal(answer["message"])
        logs = rlp.decode_list(bytes.fromhex(answer["event"])) if answer["event"] else []
        return bytes.fromhex(answer["output"]), [self._event(*log) for log in logs], bytes.fromhex(answer["ticket"])

    def encode(self, function, *values):
        """Calldata of a function by its name in abi.json."""
        from eth_abi.abi import encode

        item = next(item for item in self._items("function") if item["name"] == function)
        return _topic(item)[:4] + encode(types_of(item["inputs"]), values)

    def _items(self, kind):
        return [item for item in self._abi["abi"] if item["type"] == kind]

    def _ask(self, request):
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the chaincode's process ended"
        return json.loads(line)

    def _event(self, topics, data):
        return decode_log(self._events, topics, data)

    def _refusal(self, message):
        from eth_abi.abi import decode

        assert message.startswith("0x"), message
        data = bytes.fromhex(message[2:])
        item = self._errors[data[:4]]
        return ChaincodeRefusal(item["name"], decode(types_of(item["inputs"]), data[4:]))


class ChaincodeRefusal(Exception):
    """A refusal: the custom error's name and its arguments."""

    def __init__(self, name, arguments):
        super().__init__(f"{name}{arguments}")
        self.name = name
        self.arguments = arguments


def _topic(item):
    return keccak256(f"{item['name']}({','.join(types_of(item['inputs']))})".encode())


def topics_of(abi):
    """The events of an interface by their first topic."""
    return {_topic(item): item for item in abi if item["type"] == "event"}


def decode_log(known, topics, data):
    """(name, arguments by name) of a log; an indexed value of variable length stands as its hash."""
    from eth_abi.abi import decode

    item = known[bytes(topics[0])]
    plain = [entry for entry in item["inputs"] if not entry["indexed"]]
    indexed = [entry for entry in item["inputs"] if entry["indexed"]]
    values = dict(zip([entry["name"] for entry in plain], decode(types_of(plain), data, strict=True), strict=True))
    for entry, topic in zip(indexed, topics[1:], strict=True):
        values[entry["name"]] = topic if entry["type"] == "bytes" else decode([entry["type"]], topic)[0]
    return item["name"], values
