"""`python -m tests.scan WAPITI [WHO…]`: a scanner that others wrote looks at the running portal, as each.

Starts the portal with its sandbox as `make run` does, in a directory of its own, signs in as every demo
person, and lets Wapiti crawl and attack what it finds, as each of them and as nobody, or as those who are
named alone. Prints what it reports; the exit code says whether anything was medium or worse.
https://wapiti-scanner.github.io/
"""

import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path

from portal.installation import DEMO_SIGN_INS
from tests.live import ROOT

# Without those that need a machine in the internet to call back to (ssrf, xxe, log4shell) or hours (timesql).
MODULES = "backup,cookieflags,crlf,csp,csrf,exec,file,htaccess,http_headers,ldap,methods,permanentxss"
MODULES += ",redirect,sql,upload,xss"
CRAWL_SECONDS, ATTACK_SECONDS = 60, 8  # the latter for each kind of attack
MOST_OF_ONE_KIND = 12  # pages of one directory: one account is as good as another
LEVELS = {0: "info", 1: "low", 2: "medium", 3: "high", 4: "critical"}
# Following these would end the session, or the people that the scan signs in as.
LEFT_OUT = (
    "/sign-out/",
    "/active/",
    "/password/",
    "/former/",
    "/sessions/",
    "/access/",
    "/second-step/",
    "/groups/",
)


def main(wapiti: str, *only: str) -> int:
    """Scan as each role; 1 where anything is medium or worse."""
    with tempfile.TemporaryDirectory(prefix="scan-") as directory:
        port = _free_port()
        portal = _start(Path(directory), port)
        try:
            base = f"http://127.0.0.1:{port}/"
            _wait_for(base)
            names, password = _sign_ins(Path(directory))
            # All sign in before the first attack: guessing passwords stops the address for a while.
            cookies = {name: _cookies(base, name, password) for name in names} | {"nobody": ""}
            worst = max(_scan(wapiti, base, who, cookies[who], Path(directory)) for who in only or cookies)
        finally:
            os.killpg(portal.pid, signal.SIGINT)
            portal.wait(timeout=60)
    return int(worst >= 2)


def _start(directory: Path, port: int) -> subprocess.Popen:
    environment = os.environ | {
        "PORTAL_VAR": str(directory),
        "PORT": str(port),
        "PORTAL_ENV_FILE": os.devnull,
    }
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT, env=environment, stdout=quiet, stderr=quiet, start_new_session=True,
    )  # fmt: skip


def _scan(wapiti: str, base: str, who: str, cookies: str, directory: Path) -> int:
    """One role's scan; the worst level that was found."""
    report = directory / f"{who}.json"
    command = [
        wapiti,
        "-u",
        base,
        "-m",
        MODULES,
        "-f",
        "json",
        "-o",
        str(report),
        "--flush-session",
        "--no-bugreport",
    ]
    command += ["--max-scan-time", str(CRAWL_SECONDS), "--max-attack-time", str(ATTACK_SECONDS), "-v", "0"]
    command += ["--max-files-per-dir", str(MOST_OF_ONE_KIND)]
    command += ["--store-session", str(directory / "wapiti" / who)]
    for path in LEFT_OUT:
        command += ["-x", f"{base.rstrip('/')}*{path}*"]
    if cookies:
        command += ["-C", cookies]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, timeout=3600)
    if not report.exists():
        raise SystemExit(f"{who}: the scanner itself failed with {done.returncode}, so nothing is known.")
    return _tell(who, json.loads(report.read_text()))


def _tell(who: str, report: dict) -> int:
    found: Counter[tuple[int, str, str]] = Counter()
    for kind in ("vulnerabilities", "anomalies"):
        for category, rows in report[kind].items():
            for row in rows:
                found[row["level"], category, f"{row['method']} {row['path']}: {row['info']}"] += 1
    pages = report["infos"].get("crawled_pages_nbr", "?")
    print(f"\n{who}: {pages} pages, {sum(found.values())} remarks")
    for (level, category, words), count in sorted(found.items(), reverse=True):
        print(f"  {LEVELS.get(level, level)}  {category}  {words[:160]}  x{count}")
    return max((level for level, *_ in found), default=0)


def _cookies(base: str, name: str, password: str) -> str:
    """The cookies of somebody who has signed in by the form."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(f"{base}sign-in/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token, "the sign-in page has no form"
    fields = {"csrfmiddlewaretoken": token[1], "login": name, "password": password}
    answer = browser.open(f"{base}sign-in/", urllib.parse.urlencode(fields).encode())
    assert "/sign-in/" not in answer.url, f"{name} could not sign in"
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def _sign_ins(directory: Path) -> tuple[list[str], str]:
    text = (directory / DEMO_SIGN_INS).read_text()
    first, *lines = text.strip().splitlines()
    return [line.split()[0] for line in lines if line.strip()], first.split()[-1]


def _wait_for(base: str) -> None:
    ends_at = time.monotonic() + 180
    while time.monotonic() < ends_at:
        try:
            urllib.request.urlopen(f"{base}healthz", timeout=5).close()
        except OSError:
            time.sleep(1)
        else:
            time.sleep(20)  # the first accounts and contacts are there
            return
    raise SystemExit("the portal did not start")


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
