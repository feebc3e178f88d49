"""The README's story over HTTP alone: register ledgers, open lanes, send, trace, and be told by a webhook."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.evm.devnet import DevelopmentNetwork
from relay.client import HubClient
from relay.web.access import owner_token_file
from tests.support.stack import Stack

pytestmark = [pytest.mark.live, pytest.mark.stack]
EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "client_example.py"


@pytest.fixture(scope="module")
def stack():
    networks = {
        "alpha": DevelopmentNetwork(chain_id=53_101, block_time_s=0.5),
        "βήτα": DevelopmentNetwork(chain_id=53_102, block_time_s=0.5),
    }
    with Stack(networks) as stack:
        stack.up()
        yield stack


def test_the_story_over_http_alone(stack):
    url = json.loads((stack.home.run / "web.json").read_text())["url"]
    file = owner_token_file(stack.home)
    with HubClient(url, file.read_text().strip()) as hub:
        for name, network in stack.networks.items():
            assert hub.change("/v1/chains", {"name": name, "endpoints": [network.url]})["name"] == name
        opened = hub.change("/v1/lanes", {"source": "alpha", "destination": "βήτα", "both": True})
        assert [lane["state"] for lane in opened] == ["active", "active"]
        (sent,) = hub.send("alpha", "βήτα", to="mailbox", text="你好 👋")
        message = hub.follow(sent.message_id)
        assert (message.outcome.status, message.stage) == ("executed", "settled")
        assert hub.trace(sent.transaction)[0].message_id == sent.message_id
        assert [row.message_id for row in hub.messages(state="settled")] == [sent.message_id]
    words = [sys.executable, str(EXAMPLE), url, str(file), "βήτα", "alpha", "back"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=True, env={**os.environ})
    assert done.stdout.splitlines()[-1] == "executed"
    far = json.loads(stack.run("--hub", url, "chain", "list", "--json").stdout)
    assert [chain["name"] for chain in far] == ["alpha", "βήτα"]
    words = (
        "--hub",
        url,
        "--token-file",
        str(file),
        "send",
        "alpha",
        "βήτα",
        "--to",
        "mailbox",
        "--text",
        "x",
        "--wait",
    )
    assert json.loads(stack.run(*words, "--json").stdout)[0]["outcome"]["status"] == "executed"
