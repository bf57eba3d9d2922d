"""What every table of a dataset TOML that names files has in common: paths and their dialect."""

import codecs
import glob
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tasks.dataset.filters import RowFilter
from warehouse.files import resolved

Column = Annotated[str, Field(min_length=1)]
Paths = Annotated[tuple[str, ...], Field(min_length=1)]


def _delimiter(value: str) -> str:
    if not 1 <= len(value) <= 8 or '"' in value or any(mark in value for mark in "\r\n\0"):
        raise ValueError(
            f"a delimiter is one to eight characters without quotes or line breaks, not {value!r}; "
            "write for example delimiter = ';'"
        )
    return value


def _codec(name: str) -> str:
    try:
        info = codecs.lookup(name)
        "".encode(name)
    except (LookupError, TypeError):
        raise ValueError(
            f"there is no encoding `{name}`; write one that Python knows, for example "
            'encoding = "cp1252"'
        ) from None
    return info.name


Delimiter = Annotated[str, AfterValidator(_delimiter)]
Encoding = Annotated[str, AfterValidator(_codec)]
Mark = Annotated[str, Field(max_length=1)]

URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
"""What a path to something remote begins with."""

SEVERAL = ("path", "columns", "nulls")
"""Fields that TOML gives as lists."""


class Spec(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_by_name=True, validate_by_alias=True
    )


class FilesSpec(Spec):
    path: Paths
    """One file, folder or glob, or a list of these: CSV, JSON or Parquet, compressed or not."""
    format: Literal["csv", "json", "parquet"] | None = None
    """What the files are; found from their first bytes when not given."""
    header: bool = True
    """Whether a CSV's first record names the columns; if not, `columns` does."""
    columns_in_file: tuple[Column, ...] = Field(default=(), alias="columns")
    """The columns' names in the order of the file, in place of a header's."""
    encoding: Encoding = "utf-8"
    """Encoding of the text, by Python's name for it."""
    delimiter: Delimiter | None = None
    """What separates the fields of a CSV; found from the header when not given."""
    quote: Mark | None = None
    """The character around quoted fields, "" for none; `"`, and none where tabs separate fields."""
    escape: Mark = ""
    r"""What takes the meaning from the character after it, usually `\`; "" doubles quotes."""
    comment: str = ""
    """Lines that begin with this are left out."""
    skip: int = Field(default=0, ge=0)
    """Lines before the header."""
    decimal: Mark = Field(default=".", min_length=1)
    """The decimal mark of numbers."""
    thousands: Mark = ""
    """The mark between groups of three digits."""
    strip: bool = False
    """Trim spaces around names and values."""
    nulls: tuple[str, ...] = ()
    """Values that are missing, beside the usual ones."""
    where: str | None = None
    """A condition on a row's columns; rows that do not meet it are left out and counted."""

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        values = {
            key: tuple(value) if key in SEVERAL and isinstance(value, list) else value
            for key, value in values.items()
        }
        if isinstance(values.get("path"), str):
            values["path"] = (values["path"],)
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = self.columns_in_file
        if not self.header and not names:
            raise ValueError(
                "`header = false` needs the columns' names in the order of the file; write for "
                'example columns = ["user", "track", "plays"]'
            )
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"`columns` names `{twice[0]}` twice; give each column its own name")
        if self.thousands and self.thousands == self.decimal:
            raise ValueError("`decimal` and `thousands` are the same; change one")
        if self.where is not None:
            RowFilter.parse(self.where)
        return self

    @property
    def is_default_dialect(self) -> bool:
        """Tell whether nothing is said of the text but, perhaps, its delimiter."""
        return self.encoding == "utf-8" and not (
            self.escape or self.comment or self.skip or self.strip or self.columns_in_file
        )


FilesT = TypeVar("FilesT", bound=FilesSpec)


def resolve_paths(files: FilesT, folder: Path) -> FilesT:
    """Return the files with relative paths starting from ``folder``."""
    paths = tuple(_from_folder(folder, one) for one in files.path)
    return files.model_copy(update={"path": paths})


def _from_folder(folder: Path, path: str) -> str:
    """Make a path or glob absolute; brackets in the folder's own name are not part of the glob."""
    if URL.match(path):
        return path
    if resolved(folder / path).exists() or not glob.has_magic(path) or Path(path).is_absolute():
        return str(folder / path)
    return str(Path(glob.escape(str(folder))) / path)
