"""`python -m relay.cli`: the command `relayhub`."""

import sys

from relay.cli import main

if __name__ == "__main__":
    sys.exit(main())
