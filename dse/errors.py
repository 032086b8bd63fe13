"""The one exception for input that cannot be used."""


class InputError(ValueError):
    """Input that names no possible design; its text is one sentence with key, value and what is allowed."""

    def __init__(self, sentence: str) -> None:
        super().__init__(" ".join(sentence.splitlines()))  # a value may hold line breaks
