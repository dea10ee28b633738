"""Execute the notebooks in place against the embedded sandbox; journals of plans go into a folder that is deleted.

Widgets are not stored: without the kernel that made them JupyterLab shows an error in their place, and not their HTML.
"""

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

VIEW = "application/vnd.jupyter.widget-view+json"

with tempfile.TemporaryDirectory() as folder:
    os.environ["XDG_STATE_HOME"] = folder
    for path in sorted(Path(__file__).parent.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(
            notebook, timeout=60, kernel_name="python3", record_timing=False, store_widget_state=False
        ).execute()
        for cell in notebook.cells:
            for output in cell.get("outputs", ()):
                output.get("data", {}).pop(VIEW, None)
        nbformat.write(notebook, path)
