"""The pages of documents, with nothing behind them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from gateway import docs
from gateway.accounts.contract import CONTRACTS
from gateway.platform import Platform
from gateway.routes import discovered
from services.common.settings import Settings


@pytest.fixture
def client() -> Any:
    app = Flask("docs")
    docs.register(app, Platform(Settings(), None, [*CONTRACTS, *discovered()], {}, None))  # type: ignore[arg-type]
    return app.test_client()
