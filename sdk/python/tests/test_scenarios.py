"""Every scenario, for both clients, against a running server."""

import json
from pathlib import Path

import pytest
from scenarios import SCENARIOS

LIST = json.loads((Path(__file__).parents[2] / "scenarios.json").read_text())


def test_list_and_tests_are_the_same():
    assert list(SCENARIOS) == [entry["name"] for entry in LIST]


@pytest.mark.parametrize("name", [entry["name"] for entry in LIST])
def test_scenario(kind, name):
    kind.run(SCENARIOS[name](kind))
