"""Reads a declaration's secrets by name, from a file or a variable; the two readers are passed in."""

from collections.abc import Callable
from typing import Any

from domain.errors import Refused

# Returns a declaration's secret by its name (`bearer`, `basic_password` ...), empty when it is not declared.
ReadSecret = Callable[[Any, str], str]


def secret_of(declared: Any, name: str, content: Callable[[str, str], str], variable: Callable[[str], str]) -> str:
    """The secret in the file `<name>_file` or in the variable `<name>_env`, empty if neither is declared.

    `content(name, file)` reads a file and `variable(env)` a variable. Raises Refused with the remedy for an empty
    variable.
    """
    file, env = getattr(declared, f"{name}_file", ""), getattr(declared, f"{name}_env", "")
    if file:
        return content(name, file)
    if not env:
        return ""
    value = variable(env)
    if not value:
        raise Refused(f"{name}_env: the variable {env} is empty; set it for the workers and the web server")
    return value
