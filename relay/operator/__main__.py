"""`python -m relay.operator --config operator.toml`: run an operator."""

import sys

from relay.operator.command import main

if __name__ == "__main__":
    sys.exit(main())
