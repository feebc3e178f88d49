"""Send a message over a hub's public interface and follow it until the sender's ledger knows what became of it.

python client_example.py URL TOKEN_FILE SOURCE DESTINATION TEXT
"""

import sys
from pathlib import Path

from relay.client import HubClient


def main(url: str, token_file: str, source: str, destination: str, text: str) -> str:
    """Send one text to the example receiver of a development hub; returns what became of it."""
    with HubClient(url, Path(token_file).read_text().strip()) as hub:
        (sent,) = hub.send(source, destination, to="mailbox", text=text)
        print(f"sent {sent.message_id} in block {sent.height}")
        message = hub.follow(sent.message_id)
        for stage in message.stages:
            print(f"  {stage.stage:<17} by {stage.party}")
        outcome = message.outcome.status if message.outcome else "unknown"
        print(outcome)
        return outcome


if __name__ == "__main__":
    main(*sys.argv[1:6])
