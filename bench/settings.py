"""The product's settings with one more URL: the bare view that the door is compared with."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
