"""Execute the notebooks in place against the embedded sandbox; journals of plans go into a folder that is deleted."""

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

with tempfile.TemporaryDirectory() as folder:
    os.environ["XDG_STATE_HOME"] = folder
    for path in sorted(Path(__file__).parent.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=60, kernel_name="python3", record_timing=False).execute()
        nbformat.write(notebook, path)
