"""Follow recorded headers of a QBFT ledger with nothing but the light client: no hub, no node, no network.

python docs/examples/follow_headers.py tests/vectors/shared/goquorum_qbft/headers_vote_out.json
"""

import json
import sys
from pathlib import Path

from light_clients import qbft
from light_clients.errors import LightClientError
from schemas.primitives import BlockHash

blocks = json.loads(Path(sys.argv[1]).read_text())
headers = [bytes.fromhex(block["header_rlp"].removeprefix("0x")) for block in blocks]
pin = BlockHash.from_hex(blocks[0]["json"]["hash"])  # a person's knowledge: everything else follows from it

state = qbft.bootstrap(headers[0], pin, qbft.QbftConfiguration(dialect=qbft.Dialect.GOQUORUM))
now = 1 + max(int(block["json"]["timestamp"], 16) for block in blocks)  # the clock is the caller's
for header in headers[1:]:
    state = qbft.apply(state, qbft.verify_header(state, header, now))
    print(f"block {state.height} {state.block_hash.hex0x()} is final; {len(state.validators)} validators seal the next")

forged = bytearray(headers[1])
forged[-1] ^= 1
try:
    qbft.verify_header(qbft.bootstrap(headers[0], pin, qbft.QbftConfiguration()), bytes(forged), now)
except LightClientError as error:
    print(f"a changed byte: {error.name}: {error}")
