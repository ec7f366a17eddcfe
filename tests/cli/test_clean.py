from commands import call, train


def test_encoded_data_are_deleted_and_nothing_else(folder):
    train("--system.data_memory=0")
    kept = sorted(path for path in (folder / "run").rglob("*") if "cache" not in path.parts)
    assert len(list((folder / "run" / "cache").iterdir())) == 2
    assert "MB of encoded data deleted" in call("clean", "run").stdout
    assert list((folder / "run" / "cache").iterdir()) == []
    assert sorted(path for path in (folder / "run").rglob("*") if "cache" not in path.parts) == kept
    call("evaluate", "run")


def test_a_shared_folder_is_named_itself(folder):
    train("--system.data_memory=0", "--paths.cache=shared")
    call("clean", "shared")
    assert list((folder / "shared").iterdir()) == []


def test_a_folder_without_encoded_data_stays_as_it_is(folder):
    files = sorted(path.name for path in folder.iterdir())
    assert " 0.0 MB" in call("clean", ".").stdout
    assert sorted(path.name for path in folder.iterdir()) == files
    assert "is no directory" in call("clean", "nowhere", code=2).stderr
