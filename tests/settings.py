"""The project's settings with a data directory and a database of the test run's own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Set before the real settings are read: nothing of a developer's own installation may leak into a run.
for name in [
    name for name in os.environ if name.startswith("BRIDGE_") or name in {"API_KEY", "MODEL_MAPPING", "DATABASE_URL"}
]:
    if name not in {"BRIDGE_TEST_DATABASE_URL", "BRIDGE_CI"}:
        del os.environ[name]
os.environ["BRIDGE_ENV_FILE"] = os.devnull
_folder = Path(tempfile.mkdtemp(prefix="bridge-test-"))
os.environ["BRIDGE_DATA_DIR"] = str(_folder)
if "BRIDGE_TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["BRIDGE_TEST_DATABASE_URL"]

from proxy.settings import *  # noqa: E402, F403 - the environment above must be in place first
from proxy.settings import DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: threads share it as they do in life.
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
