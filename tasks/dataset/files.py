"""What every table of a dataset TOML that names files has in common."""

import glob
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

Column = Annotated[str, Field(min_length=1)]
Delimiter = Annotated[str, Field(pattern=r"^[\t -!#-~]$")]
Paths = Annotated[tuple[str, ...], Field(min_length=1)]


class Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FilesSpec(Spec):
    path: Paths
    """One file, a glob, or a list of these. CSV, .csv.gz, .csv.zst or Parquet."""
    delimiter: Delimiter | None = None
    """One character between the fields of a CSV; found from the header when not given."""

    @model_validator(mode="before")
    @classmethod
    def _list_of_paths(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("path"), str | list):
            path = values["path"]
            values = {**values, "path": (path,) if isinstance(path, str) else tuple(path)}
        return values


FilesT = TypeVar("FilesT", bound=FilesSpec)


def resolve_paths(files: FilesT, folder: Path) -> FilesT:
    """Return the files with relative paths starting from ``folder``."""
    paths = tuple(_from_folder(folder, one) for one in files.path)
    return files.model_copy(update={"path": paths})


def _from_folder(folder: Path, path: str) -> str:
    """Make a path or glob absolute; brackets in the folder's own name are not part of the glob."""
    if (folder / path).exists() or not glob.has_magic(path) or Path(path).is_absolute():
        return str(folder / path)
    return str(Path(glob.escape(str(folder))) / path)
