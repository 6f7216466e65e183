"""Register the convolutions and `pipeline("promoter-expression")` with transformers.

Importing transformers takes seconds, so an import hook registers each when something else imports the module that
holds the registry.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType


def _register_configuration() -> None:
    from transformers import AutoConfig

    from ..models.configuration_dream_conv import DreamConvConfig

    AutoConfig.register(DreamConvConfig.model_type, DreamConvConfig, exist_ok=True)


def _register_model() -> None:
    from transformers import AutoModel, AutoModelForSequenceClassification

    from ..models.modeling_dream_conv import DreamConvConfig, DreamConvForSequenceRegression

    for auto in (AutoModel, AutoModelForSequenceClassification):
        auto.register(DreamConvConfig, DreamConvForSequenceRegression, exist_ok=True)


def _register_pipeline() -> None:
    loaded = sys.modules.get(f"{__package__}.pipeline")
    if hasattr(loaded, "register"):
        loaded.register()
    else:  # the module registers the task itself, also if it is what imports transformers.pipelines
        import_module(".pipeline", __package__)


_REGISTRIES: dict[str, Callable[[], None]] = {
    "transformers.models.auto.configuration_auto": _register_configuration,
    "transformers.models.auto.modeling_auto": _register_model,
    "transformers.pipelines": _register_pipeline,
}
"""Functions to call once a module of transformers has been loaded, by the module's name."""


class _AfterImport(MetaPathFinder):
    """Finds a module as Python does, and calls a function once it is loaded."""

    def __init__(self, name: str, then: Callable[[], None]):
        self._name, self._then = name, then

    def find_spec(self, name, path=None, target=None) -> ModuleSpec | None:
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        load = spec.loader.exec_module

        def load_and_register(module: ModuleType) -> None:
            load(module)
            self._then()

        spec.loader.exec_module = load_and_register
        return spec


def when_loaded(name: str, then: Callable[[], None]) -> None:
    """Call a function when a module is loaded: at once if it is, else once something imports it."""
    if name in sys.modules:
        then()
    else:
        sys.meta_path.insert(0, _AfterImport(name, then))


def register_with_transformers() -> None:
    """Register with the registries of transformers that are loaded, and with the others once they are loaded."""
    for name, register in _REGISTRIES.items():
        when_loaded(name, register)
