"""The process that the engine starts for the plugin: it serves the component until the engine is gone."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # started as a folder, it finds this one only

import sdks  # noqa: F401 - before all else: it says how the others import

# isort: split
from plugin.host import serve

if __name__ == "__main__":
    serve()
