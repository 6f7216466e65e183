"""Name the extra to install when one of its packages is missing."""

_EXTRAS = {
    "train": ("accelerate", "datasets", "tensorboard"),
    "metrics": ("evaluate",),
    "onnx": ("onnx", "onnxruntime"),
    "design": ("Bio",),
    "plot": ("logomaker", "matplotlib", "pandas"),
    "genome": ("pysam", "pyBigWig"),
    "teacher": ("h5py", "pyjaspar"),
}
"""The packages of each extra, by the name that is imported."""


def explain_missing(error: ImportError) -> str:
    """Say in one line what could not be imported, and which extra installs it.

    >>> explain_missing(ModuleNotFoundError("No module named 'onnx'", name="onnx"))
    "No module named 'onnx'; pip install 'dream-promoter-bert[onnx]'"
    """
    message = " ".join(str(error).split())
    if "pip install 'dream-promoter-bert[" in message:
        return message
    missing = (error.name or "").partition(".")[0]
    for extra, packages in _EXTRAS.items():
        if missing in packages:
            return f"{message}; pip install 'dream-promoter-bert[{extra}]'"
    # transformers checks for accelerate itself: its message has no module's name, and other advice.
    for extra, packages in _EXTRAS.items():
        if named := [package for package in packages if package in message]:
            return f"{named[0]} is not installed; pip install 'dream-promoter-bert[{extra}]'"
    return message
