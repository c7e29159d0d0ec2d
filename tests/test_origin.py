from pathlib import Path

import pytest

from opmq_lib.runs.origin import is_public, of


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("value,origin\n1,public\n2,public\n", True),
        ('label,origin\n"a, b\nc",public\n', True),
        ("value,origin\n", True),
        ("value,origin\n1,public\n2,own\n", False),
        ("value,origin\n1,\n", False),
        ("value,origin\n1\n", False),
        ("value,origin\n1,Public\n", False),
        ("value;origin\n1;public\n", False),
        ("origin,value,origin\npublic,1,own\n", False),
        ('value,origin\n"1,public\n', False),
        ("value\n1\n", False),
        ("", False),
    ],
)
def test_only_a_table_whose_every_row_says_so_is_public(
    tmp_path: Path, text: str, public: bool
) -> None:
    table = tmp_path / "table.csv"
    table.write_text(text, encoding="utf-8")
    assert is_public(table) is public


def test_a_table_that_cannot_be_read_is_not_public(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes("label,origin\né,public\n".encode("cp1252"))
    assert not is_public(tmp_path / "table.csv")
    assert not is_public(tmp_path / "absent.csv")


def test_one_own_table_in_a_subfolder_is_enough(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.csv").write_text("origin\npublic\n", encoding="utf-8")
    assert of(tmp_path) == "public"
    (tmp_path / "deep/b.csv").write_text("origin\nown\n", encoding="utf-8")
    assert of(tmp_path) == "own"
