"""The peer as a Django application."""

from django.apps import AppConfig


class Peer(AppConfig):
    name = "tests.bench.drf_peer"
    label = "drf_peer"
