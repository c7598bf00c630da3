"""How the bodies of API calls are read."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class Json(JSONParser):
    """JSON, however deep it is nested."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """The value. Raises ParseError also for what is nested deeper than can be read."""
        try:
            return super().parse(*args, **kwargs)
        except RecursionError as error:
            raise ParseError("JSON parse error - it is nested too deeply") from error
