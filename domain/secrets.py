"""A declaration's secrets by name: each stands in a file or in a variable, and who reads those is passed in."""

from collections.abc import Callable
from typing import Any

from domain.errors import Refused

# Gives a declaration's secret by its name (`bearer`, `basic_password` ...), empty when it is not declared.
ReadSecret = Callable[[Any, str], str]


def secret_of(declared: Any, name: str, content: Callable[[str, str], str], variable: Callable[[str], str]) -> str:
    """What `<name>_file` or the variable in `<name>_env` holds; `content(name, file)` and `variable(env)` read.

    Raises Refused with the remedy for a variable that is empty.
    """
    file, env = getattr(declared, f"{name}_file", ""), getattr(declared, f"{name}_env", "")
    if file:
        return content(name, file)
    if env and not variable(env):
        raise Refused(f"{name}_env: the variable {env} is empty; set it for the workers and the web server")
    return variable(env) if env else ""
