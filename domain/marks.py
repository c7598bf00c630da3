"""Marks by which the product recognises its own texts when another system sends them back."""

import re

# At the end of each comment that the product writes to Zabbix, which sends the comment back as an update.
OWN_COMMENT = re.compile(r"\[ig:[0-9a-f]{12}\]")
