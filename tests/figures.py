"""What all tests of figures share: the house style around each test, and the words on a figure."""

import matplotlib
import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def house_style(request):
    """In each test of a module with this import, draw as the notebooks do; leave no figure open."""
    with matplotlib.rc_context(fname=request.config.rootpath / "notebooks" / "matplotlibrc"):
        yield
    plt.close("all")


def texts(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]
