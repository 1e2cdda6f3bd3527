"""Secrets are made once, kept for their owner alone, and the same for every process."""

from __future__ import annotations

import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.fernet import Fernet

from proxy.installation import kept_secret, new_django_secret, new_encryption_key


def test_a_secret_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = kept_secret(folder, "secret_key", new_django_secret)
    assert len(first) >= 50
    assert kept_secret(folder, "secret_key", new_django_secret) == first
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["secret_key"], "a draft was left behind"


def test_who_starts_at_once_agrees(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: kept_secret(tmp_path, "key", lambda: secrets.token_hex(16)), range(64)))
    assert len(set(made)) == 1


def test_a_secret_written_by_hand_is_taken(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("mine\n")
    assert kept_secret(tmp_path, "key", new_django_secret) == "mine"


def test_the_encryption_key_is_one() -> None:
    Fernet(new_encryption_key())
