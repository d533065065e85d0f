"""Where a lesson can be had (file, repository, Colab, Binder), and how to cite the course."""

import re
from pathlib import Path
from urllib.parse import quote

from medlearn.teaching.language import say
from tools import colab, lessons

GITHUB = "https://github.com"
BINDER = "https://mybinder.org/v2/gh"
BRANCH = "main"
NOT_GIVEN = "<this repository>"
CITATION = """\
# How to cite

If the course helped your teaching or research, please cite it as below. Its version stands at the
foot of each page.

```yaml
{citation}
```
"""


def check(repository: str | None) -> None:
    """Raise ValueError unless this is None or a name such as ``"owner/name"``."""
    if repository is not None and not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", repository):
        raise ValueError(f"--repository is {repository!r}; expected OWNER/NAME as on GitHub.")


def clone_address(repository: str | None) -> str:
    """Return what stands behind ``git clone``."""
    return f"{GITHUB}/{repository}" if repository else NOT_GIVEN


def links(name: str, repository: str | None) -> str:
    """Return the line of links of a lesson, as HTML.

    Parameters
    ----------
    name : str
        The file name of the lesson.
    repository : str or None
        Without one the line holds the download alone.
    """
    targets = {say("Download"): f"../files/{name}"}
    if repository:
        opened = quote(f"lab/tree/notebooks/{name}", safe="")
        targets |= {
            "GitHub": f"{GITHUB}/{repository}/blob/{BRANCH}/notebooks/{name}",
            "Colab": f"{colab.COLAB}/github/{repository}/blob/{colab.BRANCH}/{name}",
            "Binder": f"{BINDER}/{repository}/{BRANCH}?urlpath={opened}",
        }
    words = [f'<a href="{target}">{label}</a>' for label, target in targets.items()]
    words[0] = words[0].replace("<a ", "<a download ")
    return f'<p class="open-in">{" ".join(words)}</p>'


def write_citation(source: Path) -> None:
    """Write ``cite.md`` into Sphinx's folder, from CITATION.cff."""
    citation = (lessons.ROOT / "CITATION.cff").read_text(encoding="utf-8").strip()
    (source / "cite.md").write_text(say(CITATION, citation=citation), encoding="utf-8")
