"""Design-space exploration and cost optimisation for LLM-serving accelerators."""

from dse.version import __version__

__all__ = ["__version__"]
