"""What an installation makes once and keeps under its data directory: secrets, mode 0600."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet


def kept_secret(folder: Path, name: str, make: Callable[[], str]) -> str:
    """Return the secret kept in `folder/name`, made on the first call.

    Two processes that start at once agree: the file appears whole, under a name that only one of them can take.
    """
    path = folder / name
    if path.exists():
        return path.read_text().strip()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, draft = tempfile.mkstemp(prefix=f".{name}.", dir=folder)  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(make())
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
    return path.read_text().strip()


def new_django_secret() -> str:
    return secrets.token_urlsafe(50)


def new_encryption_key() -> str:
    """A Fernet key: 32 random bytes, url-safe base64."""
    return Fernet.generate_key().decode()
