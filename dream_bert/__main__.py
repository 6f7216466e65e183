"""`python -m dream_bert VERB`, the same as `dream-bert VERB`: what launchers of several processes start."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
