"""How long a fault lasts: seconds in the suite, minutes under `make torture`."""

import os

STRETCH = float(os.environ.get("TORTURE", "1"))  # times as long as in the suite
TIMEOUT = 240 * STRETCH  # seconds of one test
OUTAGE = 600 if STRETCH > 1 else 3  # seconds
EVERY = 0.15 if STRETCH == 1 else 1.0  # seconds between two clicks
HEAL = 90 if STRETCH == 1 else 300  # seconds: whoever was put off often looks again after a minute only
