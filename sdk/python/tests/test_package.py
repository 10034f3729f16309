"""The wheel: what is in it, and that the tests are of it."""

import os
import zipfile
from importlib import metadata
from pathlib import Path

import accord_api

ROOT = Path(__file__).parents[1]


def test_the_installed_package_is_what_is_tried():
    assert not Path(accord_api.__file__).is_relative_to(ROOT)
    assert metadata.version("accord-api") == accord_api.__version__


def test_what_the_wheel_holds():
    with zipfile.ZipFile(os.environ["ACCORD_WHEEL"]) as wheel:
        names = wheel.namelist()
        licence = [wheel.read(name).decode() for name in names if name.endswith("/LICENSE")]
    assert licence == [(ROOT.parents[1] / "LICENSE").read_text()]
    assert "accord_api/py.typed" in names
    folders = {name.split("/")[0] for name in names}
    assert folders == {"accord_api", f"accord_api-{accord_api.__version__}.dist-info"}
    assert not [name for name in names if "test" in name]


def test_what_a_user_imports():
    assert all(hasattr(accord_api, name) for name in accord_api.__all__)
    assert len(set(accord_api.__all__)) == len(accord_api.__all__)
