"""Sphinx: MyST pages, furo, docstrings by autodoc. Builds without a network, every warning an error."""

import os
from importlib.metadata import version as version_of

# A page must not read a token or an address of whoever builds it.
for name in ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_API_URL", "DIGITALOCEAN_CONTEXT"):
    os.environ.pop(name, None)

project = "doimages"
version = release = version_of("doimages")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
show_warning_types = True

html_theme = "furo"
html_title = f"doimages {version}"
html_static_path = ["_static"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90

# No inventories are fetched, so names of other projects have nowhere to point.
nitpicky = True
nitpick_ignore = [
    ("py:class", "doimages.reader.ReadArguments"),  # the keyword arguments of read_do_images
    ("py:class", "collections.abc.Callable"),
    ("py:class", "collections.abc.Iterable"),
    ("py:class", "collections.abc.Iterator"),
    ("py:class", "collections.abc.Mapping"),
    ("py:class", "collections.abc.Sequence"),
    ("py:class", "contextlib.AbstractContextManager"),
    ("py:class", "datetime.datetime"),
    ("py:class", "pathlib.Path"),
]
nitpick_ignore_regex = [("py:class", r"(pd|pandas)\.(core\.\w+\.)*(DataFrame|Series.*)")]


def hide_constructor(app, what, name, obj, options, signature, returned):  # noqa: ARG001 - Sphinx calls it so
    """Show a class without its arguments: users get these from functions and make none themselves."""
    return ("", None) if what == "class" else None


def setup(app):
    app.connect("autodoc-process-signature", hide_constructor)
