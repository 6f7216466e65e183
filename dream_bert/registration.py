"""Make `pipeline("promoter-expression")` known to transformers as soon as its pipelines are imported.

Importing them takes seconds, and `import dream_bert` alone should not: so they are waited for.
"""

import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

_PIPELINES = "transformers.pipelines"


class _AfterPipelines(MetaPathFinder):
    """Finds transformers' pipelines where Python does, and registers this package's when they have been loaded."""

    def find_spec(self, name, path=None, target=None) -> ModuleSpec | None:
        if name != _PIPELINES:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        load = spec.loader.exec_module

        def load_and_register(module: ModuleType) -> None:
            load(module)
            _register()

        spec.loader.exec_module = load_and_register
        return spec


def _register() -> None:
    loaded = sys.modules.get(f"{__package__}.pipeline")
    if hasattr(loaded, "register"):
        loaded.register()
    else:  # it registers itself at its end, also where it is what imports transformers' pipelines
        import_module(".pipeline", __package__)


def register_with_transformers() -> None:
    """Register the pipeline now if transformers' pipelines are loaded, else once they are."""
    if _PIPELINES in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _AfterPipelines())
