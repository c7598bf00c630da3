#!/usr/bin/env python
"""Django's command line."""

import os
import sys

try:
    from django.core.management import execute_from_command_line
except ImportError:
    sys.exit("This Python lacks the service's packages; run `make setup`, then .venv/bin/python manage.py")

if __name__ == "__main__":
    os.umask(0o077)  # the data folder holds alerts, hashes of passwords and a broker's rows: nobody else reads them
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    execute_from_command_line(sys.argv)
