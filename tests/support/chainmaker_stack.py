"""A whole hub between simulated ChainMaker networks, for live tests."""

from pathlib import Path

from adapters.chainmaker.simulator import ChainMakerNetwork
from tests.support.stack import Stack


class RunningChain:
    """A simulated network that makes blocks by itself, with the face that a stack wants of a network."""

    def __init__(self, folder, chain, suite, *, nodes=3, block_interval_s=0.1):
        self.network = ChainMakerNetwork(
            Path(folder) / chain, chain=chain, suite=suite, block_interval_s=block_interval_s
        )
        self.nodes = nodes

    def start(self):
        self.network.__enter__()

    def stop(self):
        self.network.__exit__(None, None, None)

    def words(self, folder):
        """What `relayhub chain add` is told besides the name."""
        options = Path(folder) / f"{self.network.chain.name}.toml"
        options.write_text("trusting_period_s = 4294967295\n")
        told = ["--adapter", "chainmaker", "--consensus", "chainmaker", "--client-options", str(options)]
        for endpoint in self.network.endpoints[: self.nodes]:
            told += ["--rpc", endpoint]
        for name, value in self.network.options().items():
            told += ["--option", f"{name}={value}"]
        return told


class ChainMakerStack(Stack):
    """A development hub whose ledgers are `RunningChain`s."""

    def join(self):
        for name, chain in self.networks.items():
            self.json("chain", "add", name, *chain.words(self._folder.name))

    def send(self, source, destination, text, **more):
        """Send to the example receiver; returns the command's answer."""
        words = [part for name, value in more.items() for part in (f"--{name.replace('_', '-')}", str(value))]
        return self.run("send", source, destination, "--to", "mailbox", "--text", text, *words)

    def wait_settled(self, source, destination, sent):
        """Wait until so many messages of a lane are settled."""

        def settled():
            lane = self.lane(source, destination)
            return (lane["sent"], lane["settled"]) == (sent, sent)

        self.wait_until(f"{sent} messages of {source} → {destination} are settled", settled)
