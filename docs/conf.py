"""How Sphinx builds the site; `python3 course.py site` gathers the pages and runs it on them."""

import re
from pathlib import Path

from sphinx.search.zh import SearchChinese

import medlearn
from medlearn.teaching.language import say

HERE = Path(__file__).parent
VENDOR = HERE / "_static" / "vendor"

project = "medlearn"
author = "The medlearn authors"
version = release = medlearn.__version__
copyright = say("the medlearn authors; lessons and texts CC BY 4.0, code Apache-2.0")
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_static", "_slides", "_templates"]
html_theme = "sphinx_book_theme"
html_title = "medlearn"
html_favicon = "_static/favicon.svg"
templates_path = ["_templates"]
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
    "article_header_end": ["twin.html", "article-header-buttons.html"],
    "footer_content_items": ["copyright.html", "about.html"],
    "show_toc_level": 2,
    "home_page_in_toc": True,
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],
}
html_context = {
    "default_mode": "auto",  # light or dark, as the reader's system has it
    "how_to_cite": say("How to cite"),
    "to_repository": say("Repository"),
    # What site.js writes.
    "words": {
        "copy": say("Copy"),
        "copied": say("Copied"),
        "copy-this": say("Copy this code"),
        "large": say("Open the picture large"),
    },
}

nb_execution_mode = "off"  # the committed outputs are the outputs
nb_ipywidgets_js = {}  # saved lessons carry no widget state: nothing is to be fetched for it
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_ref_domains = ["std"]  # a lesson's link to a word leads to the glossary, not to a function
myst_url_schemes = ["http", "https", "mailto"]

# The reference: NumPy docstrings, one page for each room of the package.
default_role = "code"  # `x` in a docstring is code
add_module_names = False
html_domain_indices = False
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False  # those of Keras refer to pages that are not here
autodoc_typehints = "none"  # the sections say them in words
autodoc_member_order = "alphabetical"
python_maximum_signature_line_length = 88
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

# Nothing comes from a server elsewhere. Without MathJax at hand, formulas stay in TeX.
mathjax_path = "vendor/mathjax/es5/tex-mml-chtml.js" if (VENDOR / "mathjax").exists() else "site.js"


def _show_examples_as_code(app, what, name, obj, options, lines):
    """Let the indented blocks in the docstring of a module be code, and not a quotation."""
    if what != "module":
        return
    shown = []
    in_code = False
    for line in lines:
        if line.startswith("    ") and not in_code:
            shown += ["::", ""]
        if line:
            in_code = line.startswith("    ")
        shown.append(line)
    lines[:] = shown


def _leave_out_fields(app, what, name, obj, skip, options):
    """Leave out the fields of a named tuple: the section Attributes explains them."""
    return skip or (getattr(obj, "__doc__", None) or "").startswith("Alias for field number")


class _ChineseSearch(SearchChinese):
    """Chinese has no spaces between its words: the search compares pairs of signs."""

    language_name = "English"  # of the stemmer, which serves the Latin words
    js_splitter_code = """
function splitQuery(query) {
  const pairs = Array.from(query.matchAll(/(?=([\\u3400-\\u9fff]{2}))/g));
  const latin = query.match(/[a-z0-9_]+/gi) || [];
  return latin.concat(pairs.map(function (found) { return found[1]; }));
}
"""

    def split(self, input):
        return [*re.findall("(?=([\u3400-\u9fff]{2}))", input), *super().split(input)]


def setup(app):
    """Called by Sphinx."""
    app.add_search_language(_ChineseSearch)
    app.connect("autodoc-process-docstring", _show_examples_as_code)
    app.connect("autodoc-skip-member", _leave_out_fields)
