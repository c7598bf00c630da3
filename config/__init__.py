"""Wiring: settings, URLs, workers and commands. No other room imports this one."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
