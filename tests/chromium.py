"""`python -m tests.chromium`: makes sure that the browser tests have a browser, or says how to get one."""

import os
import shutil
import subprocess
import sys

INSTALL = "apt-get install --yes --no-install-recommends chromium"


def find() -> str | None:
    """The browser: CHROMIUM, else one that is installed."""
    chosen = os.environ.get("CHROMIUM")
    return (
        chosen
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )


def main() -> int:
    """Install Chromium from Debian's packages where we may; 0 when there is one in the end."""
    if not find() and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "--quiet"], check=False)
        subprocess.run(INSTALL.split(), check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if find():
        return 0
    print(
        f"The browser tests need Chromium. As root: {INSTALL}; or set CHROMIUM to its path.", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
