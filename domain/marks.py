"""How the product knows its own words again when another system sends them back."""

import re

# Stands at the end of each comment that the product writes into Zabbix, whose update then comes in as a message.
OWN_COMMENT = re.compile(r"\[ig:[0-9a-f]{12}\]")
