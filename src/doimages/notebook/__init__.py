"""The entrance from Jupyter: ``%%doimages`` and ``%doimages``; the only folder that imports IPython."""
