"""The examples of README.md, as they stand there, against a running server."""

import os
import re
import secrets
from pathlib import Path

from conftest import PASSWORD, URL, own_address

import accord_api
from accord_api import Accord, AsyncAccord, UserCreate

BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (Path(__file__).parents[1] / "README.md").read_text(), re.M | re.S
)


def test_examples(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("Notes of the first meeting.\n")
    (tmp_path / "copies").mkdir()
    address = {"X-Forwarded-For": own_address()}

    # The examples' server and person are these, with a rate limit of their own.
    name = "py" + secrets.token_hex(8)
    with Accord(URL, headers=address) as anybody:
        anybody.register_user(
            UserCreate(
                email=f"{name}@example.com", username=name, password=PASSWORD, full_name="Ada"
            )
        )
    make_admin(name)

    def here(kind):
        def make(url, *, username, password, headers=None, **options):
            assert (url, username, password) in (
                ("http://localhost:8080", "user", "User-demo-1"),  # development's
                ("https://accord.example.com", "ada", PASSWORD),
            )
            return kind(
                URL,
                username=name,
                password=PASSWORD,
                headers={**address, **(headers or {})},
                **options,
            )

        return make

    monkeypatch.setattr(accord_api, "Accord", here(Accord))
    monkeypatch.setattr(accord_api, "AsyncAccord", here(AsyncAccord))
    scope, made = {}, []
    for block in BLOCKS:
        exec(compile(block, "README.md", "exec"), scope)
        made.append(scope["accord"])
    for each in made:
        each.close()

    said = capsys.readouterr().out
    # bare-drops {
    assert len(BLOCKS) == 7
    assert said.startswith("pending ")
    assert "Somebody was faster." not in said
    assert scope["product"].price == 7900
    assert "notes.txt text/plain; charset=utf-8 28\n" in said
    assert (tmp_path / "copies/notes.txt").read_text() == "Notes of the first meeting.\n"
    assert f"{scope['order'].id} " in said
    assert re.search(r"\nAda \d\n", said)
    assert re.search(r"\nNotificationCount\(count=\d\)\n$", said)
    # bare-drops }
    # bare-has: assert len(BLOCKS) == 5
    # bare-has: assert said.startswith("Augusta Ada King ")
    # bare-has: assert "Somebody was faster." in said
    # bare-has: assert re.search(r"\nAugusta Ada King healthy\n", said)


def make_admin(name):
    """Gives the person the role that some examples need."""
    with Accord(
        URL,
        username=os.environ["ACCORD_ADMIN"],
        password=os.environ["ACCORD_ADMIN_PASSWORD"],
        headers={"X-Forwarded-For": own_address()},
    ) as admin:
        person = next(admin.admin_list_users(q=name))
        admin.admin_update_user(person.id, accord_api.AdminUserUpdate(role="admin"))
