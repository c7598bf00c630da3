"""`ensure_admin`: makes the first user, and writes the password to a file that only the service's account can read."""

import os

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand

from config.supervisor import new_password


class Command(BaseCommand):
    help = "Make the user admin if there is no user yet; the password goes to run/admin.txt."

    def handle(self, *args: object, **options: object) -> None:
        if User.objects.exists():
            return
        password = new_password()
        settings.RUN_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = settings.RUN_DIR / "admin.txt"
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(password + "\n")
        User.objects.create_superuser("admin", password=password)
        self.stdout.write(f"made the user admin; its password is in {path}")
