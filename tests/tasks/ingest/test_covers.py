"""Links to pictures: passed through where the dataset names their column."""

from pathlib import Path

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage


def test_links_to_pictures_are_passed_through(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,pic,cover_url\na,https://x.example/a.jpg,1.5\nb,,2\n")
    (tmp_path / "p.csv").write_text("u,t\n1,a\n1,b\n")
    (tmp_path / "d.toml").write_text(
        '[tracks]\npath = "t.csv"\nid = "id"\ncover_url = "pic"\nnumeric = ["cover_url"]\n'
        '[plays]\npath = "p.csv"\nuser = "u"\ntrack = "t"\n'
    )
    result = ingest_stage(tmp_path / "lake", DatasetSpec.from_toml(tmp_path / "d.toml"))
    tracks = result["tracks"].read().to_pydict()
    assert tracks["cover_url"] == ["https://x.example/a.jpg", None]
    assert tracks["feature_cover_url"] == [1.5, 2.0]  # a feature of that name makes room
