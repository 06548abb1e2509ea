"""Tests on real services."""

from pathlib import Path


def counting_worker_path() -> str:
    return str(Path(__file__).with_name("counting_worker.py"))
