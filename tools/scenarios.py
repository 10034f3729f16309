"""Writes the table of scenarios into sdk/README.md from sdk/scenarios.json.

Each client's own test fails where it does not try exactly these.
"""

import json
import pathlib

sdk = pathlib.Path(__file__).parent.parent / "sdk"
begin, end = "<!-- scenarios -->\n", "<!-- end of scenarios -->\n"

rows = ["| scenario | what is tried of each client |", "|---|---|"]
for scenario in json.loads((sdk / "scenarios.json").read_text()):
    rows.append(f"| {scenario['name']} | {scenario['what']} |")

readme = sdk / "README.md"
before, _, rest = readme.read_text().partition(begin)
_, _, after = rest.partition(end)
readme.write_text(before + begin + "\n".join(rows) + "\n" + end + after)
