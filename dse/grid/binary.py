"""LLVM text to machine code that Python can call, kept on disk."""

from __future__ import annotations

import ctypes
import hashlib
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from dse.grid import cache as kept
from dse.grid.nest import FUNCTION, Nest

OPTIMISATION = 2
ARGUMENTS = 5  # of a nest's function; it runs without the GIL


class Code(NamedTuple):
    """A compiled loop nest: its function, and the scratch rows that a call needs."""

    run: Any
    scratch_rows: int


def _target() -> Any:
    """The machine that this runs on; one for each engine, which owns and frees it."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten(), opt=OPTIMISATION)


def machine_code(text: str) -> bytes:
    """The object file of an LLVM module."""
    target = _target()
    code: bytes = target.emit_object(_optimised(text, target))
    return code


def assembly(text: str) -> str:
    """The same code for people to read."""
    target = _target()
    readable: str = target.emit_assembly(_optimised(text, target))
    return readable


def _optimised(text: str, target: Any) -> Any:
    from llvmlite import binding

    module = binding.parse_assembly(text)
    module.verify()
    builder = binding.create_pass_builder(target, binding.create_pipeline_tuning_options(speed_level=OPTIMISATION))
    builder.getModulePassManager().run(module, builder)
    return module


def code(key: str, made: Callable[[], Nest]) -> Code:
    """The compiled nest of `key`, from disk where it was compiled before, else from the text that `made` gives."""
    name = f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.bin"
    content = kept.read(name)
    if content is None:
        nest = made()
        head = json.dumps({"scratch_rows": nest.scratch_rows}).encode()
        content = head + b"\n" + machine_code(nest.text)
        kept.write(name, content)
    head, _, obj = content.partition(b"\n")
    return Code(_loaded(obj), json.loads(head)["scratch_rows"])


def _loaded(obj: bytes) -> Any:
    from llvmlite import binding

    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target())
    engine.add_object_file(binding.ObjectFileRef.from_data(obj))
    engine.finalize_object()
    run: Any = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * ARGUMENTS)(engine.get_function_address(FUNCTION))
    run.engine = engine  # the code lives as long as what calls it
    return run
