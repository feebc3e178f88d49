"""A hub's evidence in this process: its log written as the recorder does, read and audited, receipts made and trusted as a stranger does."""

from relay.evidence.audit import audit
from relay.evidence.checkpoints import log_keys, origin_of
from relay.evidence.leaves import decode
from relay.evidence.log import EvidenceLog
from relay.evidence.receipts import make_receipt
from relay.evidence.recorder import open_recorder
from relay.evidence.sources import FolderSource
from relay.evidence.trust_anchors import anchors_of
from relay.evidence.verify import read_anchors
from relay.keys import KeyStore


def drain(home, store):
    """What the recorder does with everything that waits; returns the note of the newest checkpoint."""
    recorder = open_recorder(home, home.load(), store)
    try:
        recorder.drain()
        return recorder.log.checkpoint()
    finally:
        recorder.close()


def record(hub):
    """The same for a memory hub."""
    return drain(hub.home, hub.context.store)


def log_of(home):
    """The log, for reading."""
    return EvidenceLog.open(home.evidence / "log", write=False)


def leaves_of(home):
    """Every leaf of the log, read."""
    log = log_of(home)
    return [decode(log.record(index)) for index in range(log.size)]


def audited(home, *earlier, trusted=None):
    """What an audit of the log says.

    Args:
        home: whose log it is.
        earlier: notes of checkpoints that were seen before.
        trusted: the home whose keys are those of the log; the same where none is named.
    """
    config = home.load()
    keys = log_keys(KeyStore((trusted or home).keys), origin_of(config.name))
    return audit(FolderSource(home.evidence / "log"), keys, earlier)


def receipt_file(home, message_id):
    """A message's receipt as it is handed on."""
    return make_receipt(home, message_id.hex()).model_dump_json().encode()


def anchors_read(home):
    """What a stranger trusts of the hub."""
    return read_anchors(anchors_of(home).encode())
