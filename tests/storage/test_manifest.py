import pytest

from trainer_cli import json_text, manifest
from trainer_cli.errors import DamagedError, ModelFileError
from trainer_cli.folder import Folder

FILES = {"a.json": b"{}", "model/b.cfg": b"text\n", "empty": b""}


def write(folder, files, step=None):
    for name, data in {**files, "manifest.json": manifest.make(files, step)}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def reseal(data, old, new):
    """Change a manifest as somebody would who knows the format: its own hash fits again."""
    head = data[: data.rfind(b"\n", 0, -3) + 1].replace(old, new)
    assert head != data[: len(head)]
    return head + b'  "self": "' + manifest.sha256(head).hexdigest().encode() + b'"\n}\n'


def test_a_folder_that_fits_is_loaded_byte_for_byte(tmp_path):
    found, files = manifest.load(write(tmp_path, FILES, step=7))
    assert files == FILES
    assert found.step == 7
    assert manifest.load(tmp_path)[0] == found


def test_a_manifest_is_json_with_its_own_hash_on_the_last_line():
    data = manifest.make(FILES)
    head, _, last = data.removesuffix(b"\n}\n").rpartition(b"\n")
    assert json_text.loads(data)["self"] == manifest.sha256(head + b"\n").hexdigest()
    assert last.strip().startswith(b'"self"')


def test_a_flip_of_any_bit_of_the_manifest_is_damage(tmp_path):
    path = write(tmp_path, FILES) / "manifest.json"
    good = path.read_bytes()
    for i in range(len(good) * 8):
        path.write_bytes(good[: i // 8] + bytes([good[i // 8] ^ (1 << i % 8)]) + good[i // 8 + 1 :])
        with Folder(tmp_path) as folder, pytest.raises(DamagedError):
            manifest.read(folder)


def test_a_manifest_cut_anywhere_is_damage(tmp_path):
    path = write(tmp_path, FILES) / "manifest.json"
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with Folder(tmp_path) as folder, pytest.raises(DamagedError):
            manifest.read(folder)


@pytest.mark.parametrize("name", ["a.json", "model/b.cfg", "empty"])
def test_a_file_that_is_missing_longer_shorter_or_other_is_damage_that_names_it(tmp_path, name):
    path = write(tmp_path, FILES) / name
    good = path.read_bytes()
    for bad in (good + b"x", good[:-1] + b"?", good[1:]):
        if bad != good:
            path.write_bytes(bad)
            with pytest.raises(DamagedError, match=name):
                manifest.load(tmp_path)[0]
    path.unlink()
    with pytest.raises(DamagedError, match=name):
        manifest.load(tmp_path)[0]


def test_a_check_of_size_alone_would_miss_a_changed_byte(tmp_path, monkeypatch):
    path = write(tmp_path, FILES) / "a.json"
    path.write_bytes(b"[]")

    class Blind:
        def __init__(self, data):
            self.data = data

        def hexdigest(self):
            return manifest_of_old[self.data]

    manifest_of_old = {b"[]": json_text.loads(manifest.make(FILES))["files"]["a.json"]["sha256"]}
    real = manifest.sha256
    monkeypatch.setattr(manifest, "sha256", lambda data: Blind(data) if data in manifest_of_old else real(data))
    manifest.load(tmp_path)[0]
    monkeypatch.undo()
    with pytest.raises(DamagedError, match=r"a\.json"):
        manifest.load(tmp_path)[0]


NAMES = [
    "../a.json",
    "/etc/passwd",
    "..",
    "model/../a",
    "a/b/c",
    "A.json",
    "a\\\\b",
    "a\\u0000",
    "",
    "x" * 80,
    ".hidden",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_elsewhere_is_refused_even_under_a_seal_that_fits(tmp_path, name):
    data = reseal(manifest.make(FILES), b'"a.json"', b'"' + name.encode() + b'"')
    (write(tmp_path, FILES) / "manifest.json").write_bytes(data)
    with pytest.raises(DamagedError, match="no name of a file here"):
        manifest.load(tmp_path)[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"size": 2', b'"size": -2'),
        (b'"size": 2', b'"size": 2.0'),
        (b'"size": 2', b'"size": "2"'),
        (b'"files": {', b'"files": [], "other": {'),
        (b'"format": 1', b'"format": 0'),
        (b'"format": 1', b'"format": "1"'),
        (b'"format": 1', b'"fromat": 1'),
        (b'"step": 3', b'"step": -3'),
        (b'"step": 3', b'"step": true'),
        (b'"step": 3', b'"step": [3]'),
        (b'"step": 3', b'"step": 3, "step": 3'),
    ],
)
def test_a_manifest_that_makes_no_sense_is_damage(tmp_path, old, new):
    (write(tmp_path, FILES) / "manifest.json").write_bytes(reseal(manifest.make(FILES, 3), old, new))
    with pytest.raises(DamagedError, match=r"manifest\.json"):
        manifest.load(tmp_path)[0]


def test_a_newer_format_is_no_damage_and_says_to_update(tmp_path):
    (write(tmp_path, FILES) / "manifest.json").write_bytes(reseal(manifest.make(FILES), b'"format": 1', b'"format": 2'))
    with pytest.raises(ModelFileError, match=r"format 2; this version reads up to 1\. Update") as caught:
        manifest.load(tmp_path)[0]
    assert not isinstance(caught.value, DamagedError)
    assert caught.value.exit_code == 2


def test_files_that_are_not_listed_are_neither_read_nor_in_the_way(tmp_path):
    (write(tmp_path, FILES) / ".DS_Store").write_bytes(b"x")
    assert ".DS_Store" not in manifest.load(tmp_path)[1]
