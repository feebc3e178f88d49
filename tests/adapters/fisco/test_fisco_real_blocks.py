"""The adapter's readers on real blocks: the headers of the vectors, and a block of 3.3.0 with national cryptography.

The latter stands in the platform's public documentation (JSON-RPC of the C SDK and Java SDK, getBlockByHash): chain0, group0, four
sealers, SM3 and SM2.
"""

import pytest

from adapters.fisco.answers import data
from adapters.fisco.receipts import read_logs, read_receipt
from light_clients.fisco.block_json import bundle_from_json
from light_clients.fisco.codec import parse_header
from light_clients.fisco.options import read_options
from light_clients.fisco.seals import check_seals
from tests.support.shared_vectors import shared_json

NATIONAL_3 = {
    "consensusWeights": [1, 1, 1, 1],
    "extraData": "0x",
    "gasUsed": "24363",
    "hash": "0x2fbafbf71395bb07d1d6e142a06fa3cd9436aee3e91b5b9e6ffc5c47133c3738",
    "number": 2,
    "parentInfo": [
        {"blockHash": "0x1498f2ff420fb9c240c7081b99bd76819c7348fb1a899095476afa29146c8874", "blockNumber": 1}
    ],
    "receiptsRoot": "0xf18d1984c7745a826e4b8d608b823534f1e44b273f75972e16cf2ac3ff313e14",
    "sealer": 1,
    "sealerList": [
        (
            "0x0055dcaf073a332aa1ad90ff53ef028680d24f9bf2fcbc07ec4bbd4879413f75"
            "118a570bcf8001c4526fdb8c1319e51ae63444431ec8ab839465c05e178e7c49"
        ),
        (
            "0x2a7aecf4acf010b0c13697e84ffd4f18544835662845621f936166d88cf073f1"
            "6b1daa6883de457e6129377d21412b4c77099e8a50e8ea521752adcddeb8b331"
        ),
        (
            "0x535439908979b89171283dca78520763e0a32c64631d7f34ee1d3f74c408a31a"
            "aa8565c50924ba6817cd33c13fe9dc928e36b8a1df022fc825d3687c2b273258"
        ),
        (
            "0xdd99ab883677a8aef2c2a3847b9671e501bd6930792700398627eb0a1ba04fe8"
            "1015745b6287be5f36786c0cc8ff12e9dd3215dc5a4210b012d77330a739a2c3"
        ),
    ],
    "signatureList": [
        {
            "sealerIndex": 0,
            "signature": "0xbc1c559adb2723b31b6f75d4f7bd06b204563d238ebc53774b0a621d586482573"
            "ae320a6dcca9bd03a2a6af0d8c368cdd660c56b27c8af0c154947f3e6252074",
        },
        {
            "sealerIndex": 1,
            "signature": "0x3490744fc8370eb65649b8bb89a0a53623838e37e37bbb66e3f26f67e81dabe8b"
            "34a7e10d85520c475bf92cc89da705aa3d76a0b8316784733301e7af57004a6",
        },
        {
            "sealerIndex": 2,
            "signature": "0x9b7f9b3d18b619ea66f2a028f9980c09b3a83c0a6595da0fed4441a175a165154"
            "973a5b21eabf817311d0305b6b194818fab7308335760d10b584c954cf052eb",
        },
    ],
    "stateRoot": "0xc81a18b17f22851cd19f48d2fcf875bebea711d7b5823b99a983c2ecbfc48f1a",
    "timestamp": 1680598474810,
    "txsRoot": "0xdce357d4a81bfe2c9b9cc83fde7576a8ae8dede910b70cdf9abed71a32ed10bf",
    "version": 50528256,
}


def test_a_real_header_of_line_3_with_national_cryptography_is_signed_by_its_sealers():
    configuration = read_options({"line": 3, "suite": "sm", "chain_id": "chain0", "group_id": "group0"})
    parsed = parse_header(bundle_from_json(NATIONAL_3, configuration), configuration)
    assert parsed.block_hash.hex() == NATIONAL_3["hash"][2:]
    assert check_seals(parsed, configuration) == (0, 1, 2)


RECEIPTS = [
    item["proof"]["transactionReceipt"]
    for item in shared_json("fisco/v2_merkle_proofs.json")
    if "transactionReceipt" in item["proof"]
]


@pytest.mark.parametrize("receipt", RECEIPTS, ids=lambda receipt: receipt["transactionHash"][:10])
def test_real_receipts_of_line_2_are_read(receipt):
    transaction, block_hash = (data(receipt[name], name, 32) for name in ("transactionHash", "blockHash"))
    found = read_receipt(receipt, transaction, block_hash, 2)
    assert found.height == int(receipt["blockNumber"], 16)
    assert found.gas_used == int(receipt["gasUsed"], 16)
    assert found.success is (int(receipt["status"], 16) == 0)
    assert [log.address.hex() for log in read_logs(receipt, 2)] == [log["address"][2:] for log in receipt["logs"]]
