"""A small BERT that reads yeast promoters as 3-mers and predicts their expression.

Names are imported when they are first used: `dream-bert --help` needs no torch.
"""

from importlib import import_module

from .inference.registration import register_with_transformers

__version__ = "0.1.0"

_MODULES = {
    "BertForSequenceRegression": "models.modeling_dream_bert",
    "Constraints": "analysis.constraints",
    "DreamBertConfig": "models.modeling_dream_bert",
    "DreamBertForMaskedLM": "models.modeling_dream_bert",
    "DreamConvConfig": "models.modeling_dream_conv",
    "DreamConvForSequenceRegression": "models.modeling_dream_conv",
    "KmerTokenizer": "sequence.tokenizer",
    "OneHotModel": "analysis.one_hot",
    "PromoterDataset": "data.dataset",
    "PromoterExpressionPipeline": "inference.pipeline",
    "SequenceError": "sequence.construct",
    "design": "analysis.design",
    "export_folder": "export.folder",
    "export_onnx": "export.folder",
    "evolvability_vector": "analysis.robustness",
    "finetune": "training.finetune",
    "mutagenesis": "analysis.mutagenesis",
    "mutational_robustness": "analysis.robustness",
    "plot_logo": "plots.mutagenesis",
    "plot_mutagenesis": "plots.mutagenesis",
    "plot_predictions": "plots.predictions",
    "plot_windows": "plots.windows",
    "predict": "inference.prediction",
    "read_genes": "io.genes",
    "read_genome": "io.genome",
    "read_records": "io.reader",
    "variants": "analysis.variants",
    "windows": "analysis.windows",
}

__all__ = [*_MODULES, "__version__"]


def __getattr__(name: str):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f".{_MODULES[name]}", __name__)
    except ModuleNotFoundError as error:
        from .extras import explain_missing

        raise ModuleNotFoundError(explain_missing(error), name=error.name) from error
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])


register_with_transformers()
