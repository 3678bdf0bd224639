"""Where this test run keeps its files and sockets; gone when it ends."""

import atexit
import shutil
import tempfile
from pathlib import Path

# Short, because unix sockets lie in it. PostgreSQL may run as another user, who has to pass through.
TEST_DIR = Path(tempfile.mkdtemp(prefix="portal-test-", dir="/tmp"))
TEST_DIR.chmod(0o711)
(TEST_DIR / "static").mkdir()
atexit.register(shutil.rmtree, TEST_DIR, ignore_errors=True)
