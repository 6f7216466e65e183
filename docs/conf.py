"""Build the documentation from the pages of the whole repository: `make docs`."""

import dream_bert

project = "dream-promoter-bert"
author = "The dream-promoter-bert developers"
version = release = dream_bert.__version__

# The repository is the source, so that pages link to one another as they do in a checkout.
root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/*.md",
    "docs/tutorials/*.ipynb",
    "benchmarks/*.md",
    "examples/README.md",
    "space/README.md",
]
exclude_patterns = ["docs/README.md"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx_copybutton"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
nb_execution_mode = "off"

default_role = "code"  # one backtick in docstrings marks code
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"{project} {version}"
html_static_path = []
