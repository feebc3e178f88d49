"""`python -m relay.tracing`."""

import sys

from relay.tracing.process import main

if __name__ == "__main__":
    sys.exit(main())
