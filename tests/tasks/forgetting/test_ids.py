"""The file of ids: whatever an editor writes, and one sentence for what is no list."""

from pathlib import Path

import pytest

from tasks.forgetting.ids import read_ids
from warehouse.errors import InputError


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb", ["a", "b"]),
        (b"a\rb\r", ["a", "b"]),
        (b"\xef\xbb\xbfa\n\n \n\tb  \na\n", ["a", "b"]),
        ('naïve\n日本語\nsay "hi", you\n'.encode(), ["naïve", "日本語", 'say "hi", you']),
        ("a\u2028b\n".encode(), ["a\u2028b"]),
    ],
)
def test_each_line_is_an_id(tmp_path: Path, data: bytes, ids: list[str]) -> None:
    (tmp_path / "ids.txt").write_bytes(data)
    assert read_ids(tmp_path / "ids.txt") == ids


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "names nobody"),
        (b"\xef\xbb\xbf\n \r\n", "names nobody"),
        (b"a\nb\0c\n", "NUL bytes"),
        ("a\nb\n".encode("utf-16"), "NUL bytes"),
        (b"a\nb\xff\n", "line 2: it is not UTF-8"),
    ],
)
def test_what_is_no_list_is_said(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "ids.txt").write_bytes(data)
    with pytest.raises(InputError, match=said) as raised:
        read_ids(tmp_path / "ids.txt")
    assert str(tmp_path / "ids.txt") in str(raised.value)


def test_a_path_that_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        read_ids(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_ids(tmp_path / "missing.txt")
    with pytest.raises(InputError, match="NUL character"):
        read_ids(Path("a\0b"))
