"""What the README tells a stranger to type works, to the letter."""

import re
import subprocess
from pathlib import Path

from tests.e2e.conftest import House

CHECKOUT = Path(__file__).parents[2]
WALK = re.compile(r"<!-- walk: .*? -->\n```sh\n(.*?)```", re.DOTALL)
# On a busy machine the moment is longer than it takes to ask.
UNTIL_COUNTED = """
until curl -sS "$API/v1/videos/$VIDEO" | json "['counts']" | grep "'views': 1"; do sleep 0.2; done
"""


def test_the_first_requests_lead_from_an_invitation_to_a_counted_view(
    house: House, tmp_path: Path
) -> None:
    (walk,) = WALK.findall((CHECKOUT / "README.md").read_text())
    script = f"set -euo pipefail\n{walk}{UNTIL_COUNTED}"
    script = script.replace(".venv/bin", str(CHECKOUT / ".venv/bin"))

    walked = subprocess.run(  # noqa: S603 - our own README
        ["/bin/bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "API": house.url, "MYRIORAMA_HOME": str(house.home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert walked.returncode == 0, walked.stdout + walked.stderr + house.logs()
    assert '"state":"completed"' in walked.stdout.replace(" ", "")
    assert walked.stdout.rstrip().endswith("}")
    assert "'views': 1" in walked.stdout
    assert (tmp_path / "first-jump.mp4").read_bytes()[4:8] == b"ftyp"


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    pages = [CHECKOUT / "README.md", *(CHECKOUT / "docs").rglob("*.md")]

    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]

    assert broken == []
