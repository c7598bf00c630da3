"""Typed readers of the environment: a setting is the value of NAME, or the content of the file NAME_FILE."""

import os
import secrets
from pathlib import Path


class SettingError(SystemExit):
    """A setting that cannot be used; the message names it and the remedy."""


def text(name: str, default: str = "") -> str:
    """The value of NAME, or the stripped content of the file in NAME_FILE, or the default."""
    if name in os.environ:
        return os.environ[name]
    file = os.environ.get(f"{name}_FILE")
    if file is None:
        return default
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingError(f"{name}_FILE: {file} cannot be read ({error.strerror}); correct the path") from error


def secret(name: str) -> str:
    """The value of a variable that a declared connection names; empty when it is not set."""
    return os.environ.get(name, "").strip()


def flag(name: str, default: bool = False) -> bool:
    """A yes or no: 1, true, yes, on against 0, false, no, off."""
    value = text(name, str(default)).strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"", "0", "false", "no", "off"}:
        return False
    raise SettingError(f"{name}: {value!r} is neither yes nor no; write true or false")


def number(name: str, default: int, low: int, high: int) -> int:
    """A whole number between `low` and `high`, both included."""
    value = text(name, str(default))
    if not value.strip().isdigit() or not low <= int(value) <= high:
        raise SettingError(f"{name}: {value!r} is not a whole number from {low} to {high}")
    return int(value)


def names(name: str, default: str = "") -> list[str]:
    """A list separated by commas; empty parts are left out."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def generated_secret(path: Path) -> str:
    """The secret in `path`, made at the first call, readable by this user alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text(encoding="utf-8").strip()
