"""A topic of Amazon's SNS, and the one host that may speak for it."""

import re
from dataclasses import dataclass
from typing import Self

_ARN = re.compile(
    r"arn:(?P<partition>aws|aws-cn|aws-us-gov):sns:(?P<region>[a-z]{2}[a-z0-9-]{1,30}[0-9]):[0-9]{12}:[\w.-]{1,256}",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A declared topic."""

    arn: str
    host: str

    @classmethod
    def of(cls, arn: str) -> Self | None:
        """The topic of an ARN, None if the text is none."""
        found = _ARN.fullmatch(arn)
        if found is None:
            return None
        end = ".cn" if found["partition"] == "aws-cn" else ""
        return cls(arn, f"sns.{found['region']}.amazonaws.com{end}")
