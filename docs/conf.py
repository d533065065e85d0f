"""How Sphinx builds the site. `python3 course.py site` gathers the pages in a folder of their own and runs it there."""

from pathlib import Path

HERE = Path(__file__).parent
VENDOR = HERE / "_static" / "vendor"

project = "medlearn"
author = "The medlearn authors"
copyright = "the medlearn authors; lessons and texts CC BY 4.0, code Apache-2.0"
extensions = ["myst_nb"]
exclude_patterns = ["_static", "_slides"]
html_theme = "sphinx_book_theme"
html_title = "medlearn"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_extra_path = ["_slides"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "home_page_in_toc": True,
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],
}
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system has it

nb_execution_mode = "off"  # the committed outputs are the outputs
nb_ipywidgets_js = {}  # saved lessons carry no widget state: nothing is to be fetched for it
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_url_schemes = ["http", "https", "mailto"]

# Nothing comes from a server elsewhere. Without MathJax at hand, formulas stay in TeX.
mathjax_path = "vendor/mathjax/es5/tex-mml-chtml.js" if (VENDOR / "mathjax").exists() else "site.js"
