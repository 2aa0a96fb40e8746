"""The one error that a person can put right."""


class CodegenError(Exception):
    """Something that whoever runs `./generate.sh` can put right.

    The message is shown as it is, without a traceback: it names the file, the place in it, and what to do. Every other
    exception is a defect of this package and keeps its traceback.
    """
