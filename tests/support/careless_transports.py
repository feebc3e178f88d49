"""Transports of the adapter evm with one fault each, and the check that has to name the fault."""

import json

import httpcore

from adapters.protocol import BadAnswer, Rejected, Unreachable
from adapters.transport import Answer, open_transport


class Careless:
    """The hub's own transport; a subclass is careless in one way."""

    timeout_s = None
    limit = None

    def __init__(self, url, options):
        self._true = open_transport(
            url,
            timeout_s=self.timeout_s or options.timeout_s,
            max_answer_bytes=self.limit or options.max_answer_bytes,
        )

    def exchange(self, body):
        return self._true.exchange(body)

    def close(self):
        self._true.close()


class Patient(Careless):
    """Waits for an hour."""

    timeout_s = 3_600.0


class Greedy(Careless):
    """Reads whatever comes."""

    limit = 1 << 40


class Credulous(Careless):
    """What breaks off was an answer: nothing."""

    def exchange(self, body):
        try:
            return super().exchange(body)
        except BadAnswer as error:
            if "broke off" not in str(error):
                raise
            asked = json.loads(body)
            calls = asked if isinstance(asked, list) else [asked]
            nothing = [{"jsonrpc": "2.0", "id": call["id"], "result": "0x"} for call in calls]
            return Answer(200, json.dumps(nothing if isinstance(asked, list) else nothing[0]).encode())


class Raw(Careless):
    """Lets a library's error out when nobody listens."""

    def exchange(self, body):
        try:
            return super().exchange(body)
        except Unreachable as error:
            if isinstance(error.__cause__, httpcore.ConnectError):
                raise error.__cause__ from None
            raise


class DeafToBusy(Careless):
    """Reads a 503 as a refusal of the ledger."""

    def exchange(self, body):
        try:
            return super().exchange(body)
        except Unreachable as error:
            if "is busy" in str(error):
                raise Rejected(str(error)) from error
            raise


class Repeats(Careless):
    """Sends every transaction twice, to be sure."""

    def exchange(self, body):
        if b"eth_sendRawTransaction" in body:
            super().exchange(body)
        return super().exchange(body)


class Startled(Careless):
    """Bytes of no protocol are an error of its own."""

    def exchange(self, body):
        try:
            return super().exchange(body)
        except Unreachable as error:
            if "illegal" in str(error.__cause__):
                raise ValueError("no protocol") from error
            raise


class Trusting(Careless):
    """Reads the newest height without looking at its form."""

    def exchange(self, body):
        answer = super().exchange(body)
        if b"eth_blockNumber" in body and not body.startswith(b"["):
            int(json.loads(answer.body)["result"], 16)
        return answer


class WireFactory:
    """The adapter evm over a transport that is careless in one way."""

    keeps_time = True

    def __init__(self, kind):
        self.name, self.kind = "evm", kind

    def open(self, options):
        from adapters.evm.adapter import EvmLedger

        return EvmLedger(options, transport=self.kind(options.endpoints[0].url, options))


WIRE_FAULTS = {
    "waits for ever": (Patient, "wire.time"),
    "accepts huge answers": (Greedy, "wire.huge"),
    "takes half an answer for a whole one": (Credulous, "wire.cut"),
    "lets a library's error out": (Raw, "wire.gone"),
    "takes a busy node for a refusal": (DeafToBusy, "wire.busy"),
    "broadcasts twice": (Repeats, "wire.once"),
    "is startled by garbage": (Startled, "wire.garbage"),
    "trusts the form of an answer": (Trusting, "wire.fuzzed"),
}
"""Fault: (transport that has it, check that names it)."""
