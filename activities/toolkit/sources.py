"""Where tools come from: modules and folders of modules. Whatever else can list tools may be a source too.

A source is read once, before the worker connects to anything. What it gives are `Tool`s like any others, which say by
themselves where they are defined.
"""

import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from activities.errors import ConfigurationError
from activities.toolkit.definitions import in_one_line, place, short
from activities.toolkit.tool import Tool, tool_of


class Source(Protocol):
    """Something that gives tools."""

    def tools(self) -> Sequence[Tool]:
        """The tools that this source has.

        Raises:
            ConfigurationError: it cannot be read, or gives none.
        """
        ...


def source_of(word: str) -> Source:
    """What a word means: the name of a module, the path of a file, or the path of a folder.

    Raises:
        ConfigurationError: there is nothing at the path.
    """
    if not (word.endswith(".py") or "/" in word or word == "~"):
        return Module(word)
    path = Path(word).expanduser().resolve()
    if path.is_dir():
        return Folder(word, path)
    if path.is_file() and path.suffix == ".py":
        return File(word, path)
    raise ConfigurationError(f"there is no Python file and no folder {word} (looked for {path})")


@dataclass(frozen=True)
class Package:
    """The modules of a package that is part of the service."""

    name: str

    def tools(self) -> Sequence[Tool]:
        package = importlib.import_module(self.name)
        names = [f"{self.name}.{info.name}" for info in pkgutil.iter_modules(package.__path__)]
        return [tool for name in names for tool in _tools_in(_loaded(name, lambda n=name: importlib.import_module(n)))]


@dataclass(frozen=True)
class Module:
    """A module by its name, as in an `import`."""

    name: str

    def tools(self) -> Sequence[Tool]:
        if not all(part.isidentifier() for part in self.name.split(".")):
            raise ConfigurationError(
                f"cannot import {self.name}: that is no module's name, nor a path such as ./crm.py"
            )
        module = _loaded(self.name, lambda: importlib.import_module(self.name))
        if getattr(module, "__file__", None) is None and hasattr(module, "__path__"):
            raise ConfigurationError(f"{self.name} is a folder; for the tools in its files, write {self.name}/")
        return _some(self.name, _tools_in(module))


@dataclass(frozen=True)
class File:
    """A file that need not be where Python looks for modules. It may import what is beside it."""

    shown: str
    path: Path

    def tools(self) -> Sequence[Tool]:
        return _some(self.shown, _tools_in(_loaded(self.shown, lambda: _module_at(self.path))))


@dataclass(frozen=True)
class Folder:
    """Every file in a folder, but none whose name begins with an underscore."""

    shown: str
    path: Path

    def tools(self) -> Sequence[Tool]:
        files = [path for path in sorted(self.path.glob("*.py")) if not path.name.startswith("_")]
        modules = [_loaded(str(short(path)), lambda p=path: _module_at(p)) for path in files]
        return _some(self.shown, [*dict.fromkeys(tool for module in modules for tool in _tools_in(module))])


def _some(shown: str, tools: Sequence[Tool]) -> Sequence[Tool]:
    if not tools:
        raise ConfigurationError(f"there is no tool in {shown}; mark a function with @tool()")
    return tools


def _tools_in(module: ModuleType) -> Sequence[Tool]:
    """Those that a module's names stand for, or that are in a list or a dictionary there; each once."""
    values = [value for _, value in sorted(vars(module).items())]
    found = (_as_tool(each) for value in values for each in (value, *_items(value)))
    return [*dict.fromkeys(tool for tool in found if tool is not None)]


def _as_tool(value: object) -> Tool | None:
    return value if isinstance(value, Tool) else tool_of(value) if inspect.isfunction(value) else None


def _items(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return [*cast("Mapping[object, object]", value).values()]
    return [*cast("Iterable[object]", value)] if isinstance(value, (list, tuple, set, frozenset)) else ()


def _module_at(path: Path) -> ModuleType:
    """The module that a file is: under its own name where that is free, for the files beside it to import it by."""
    loaded = [each for each in [*sys.modules.values()] if getattr(each, "__file__", None) == str(path)]
    if loaded:
        return loaded[0]
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    if _is_found_at(path):
        return importlib.import_module(path.stem)
    name = f"errand_tools_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python module")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _is_found_at(path: Path) -> bool:
    """Whether an `import` of the file's name would load the file."""
    try:
        found = importlib.util.find_spec(path.stem) if "." not in path.stem else None
    except ValueError:  # a module that was made by hand has that name
        return False
    return found is not None and found.origin is not None and Path(found.origin).resolve() == path


def _loaded(shown: str, load: Callable[[], ModuleType]) -> ModuleType:
    """Import a module.

    Raises:
        ConfigurationError: it cannot be imported; the message says in which line, and why.
    """
    try:
        return load()
    except ConfigurationError:
        raise  # it names the tool and its line
    except (Exception, SystemExit) as error:  # a module may raise anything while it is imported
        raise ConfigurationError(f"cannot import {shown}: {_why(shown, error)}") from error


def _why(shown: str, error: BaseException) -> str:
    match error:
        case SyntaxError(filename=str(file), lineno=int(line)):
            return f"{place(file, line)}: {error.msg}"
        case ModuleNotFoundError(name=str(name)) if f"{shown}.".startswith(f"{name}."):
            return f"there is no module {name} where Python looks; of a file, write the path"
        case _:
            frames = [each for each in traceback.extract_tb(error.__traceback__) if not _is_machinery(each.filename)]
            where = f"{place(frames[0].filename, frames[0].lineno or 0)}: " if frames else ""
            return where + in_one_line(error)


def _is_machinery(file: str) -> bool:
    return file.startswith("<frozen importlib") or file in (__file__, importlib.__file__)
