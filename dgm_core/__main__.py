"""``python -m dgm_core``: list, train, zoo, runs, data, devices."""

import sys

from dgm_core.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
