"""Define the errors that callers catch; messages say what is wrong, where, and what to do."""


class RunFolderError(OSError):
    """An output folder that cannot be used or written; the message names it and says what to do."""


class ArgumentError(ValueError):
    """Arguments that do not go together."""


class ScoreFileError(ValueError):
    """A file that cannot be scored; the message names the file, the line or key, and what to do."""


class PublishError(ValueError):
    """A model that was not published; the message says why and what to do."""


class CardError(ValueError):
    """A folder whose records say too little for a card."""


class ModelError(ValueError):
    """A model that cannot predict expression."""


class GraphError(ValueError):
    """An ONNX file that differs from what `export` writes for its configuration; the message says in what."""


class CalibrationError(ValueError):
    """A model without the calibration that prediction intervals need."""


class DataError(ValueError):
    """A prepared folder that cannot be used; the message names the file and what to do."""


class InputWarning(UserWarning):
    """An input that was read although it is doubtful; the message is one line, `FILE[:LINE]: what; what to do`."""


class ReadError(ValueError):
    """An input that cannot be read; the message is `FILE:LINE: what; what to do`."""


class OutputError(ValueError):
    """An output format that cannot be written to the output."""
