"""Reading bundles: a folder and its stored files give the same, imports stay beside it, findings name places."""

from decimal import Decimal
from pathlib import Path

import pytest

from orderloom.dsl.bundle import BundleRead, Sources, digest_of, read_files, read_folder
from orderloom.models.source import Diagnostic

MANIFEST = "name: fiber\nversion: 1.2.3\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def sources(read: BundleRead) -> Sources:
    assert read.diagnostics == ()
    assert read.sources is not None
    return read.sources


def finding(read: BundleRead) -> Diagnostic:
    assert read.sources is None
    (found,) = read.diagnostics
    return found


FILES = {
    "fiber/bundle.yaml": MANIFEST,
    "fiber/a.loom": 'import "../common"\nenum A { x }\r\n',
    "fiber/b.loom": "enum B { y }\n",
    "fiber/templates/deep/x.http.j2": "GET /\n",
    "fiber/tables/t.csv": "a,b\n",
    "fiber/orders/o.json": "{}",
    "fiber/notes.bin": "left alone",
    "fiber/.hidden/x.loom": "left alone",
    "fiber/drafts/x.loom": "left alone: nothing imports it",
    "common/c.loom": 'import "../more"\nimport "../fiber"\nenum C { z }\n',
    "common/bundle.yaml": "name: common\nversion: 1.0.0\n",
    "common/templates/c.http.j2": "GET /c\n",
    "more/d.loom": 'import "../common"\nenum D { z }\n',
    "other/e.loom": "left alone: nothing imports it",
}


def test_folder_with_imports(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    read = sources(read_folder(tmp_path / "fiber"))
    assert list(read.files) == [
        "../common/c.loom",
        "../common/templates/c.http.j2",
        "../more/d.loom",
        "a.loom",
        "b.loom",
        "bundle.yaml",
        "orders/o.json",
        "tables/t.csv",
        "templates/deep/x.http.j2",
    ]
    assert read.files["a.loom"].endswith("\r\n")
    assert read.designs == ("a.loom", "b.loom", "../common/c.loom", "../more/d.loom")
    assert (read.name, read.version, read.time_zone) == ("fiber", "1.2.3", "UTC")


def test_stored_files_give_the_same_sources(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    read = sources(read_folder(tmp_path / "fiber"))
    assert sources(read_files(read.files)) == read
    assert sources(read_files(dict(reversed(list(read.files.items()))))) == read


def test_the_folder_may_have_any_name(tmp_path: Path) -> None:
    write(tmp_path, {"elsewhere/bundle.yaml": MANIFEST, "elsewhere/a.loom": "enum A { x }"})
    read = sources(read_folder(tmp_path / "elsewhere"))
    assert sources(read_files(read.files)) == read


def test_importing_oneself_under_another_name(tmp_path: Path) -> None:
    write(tmp_path, {"elsewhere/bundle.yaml": MANIFEST, "elsewhere/a.loom": 'import "../elsewhere" enum A { x }'})
    assert finding(read_folder(tmp_path / "elsewhere")).code == "LM0105"


def test_paths_are_found_beside_the_file_that_names_them_or_in_the_bundle(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    read = sources(read_folder(tmp_path / "fiber"))
    assert read.find("a.loom", "tables/t.csv") == "tables/t.csv"
    assert read.find("../common/c.loom", "templates/c.http.j2") == "../common/templates/c.http.j2"
    assert read.find("../common/c.loom", "tables/t.csv") == "tables/t.csv"
    assert read.find("a.loom", "tables/u.csv") is None


def test_digest_changes_with_any_text_or_name() -> None:
    digests = {digest_of(files) for files in ({"a": "bc"}, {"ab": "c"}, {"a": "bd"}, {"a": "b", "c": ""}, {})}
    assert len(digests) == 5
    assert digest_of({"a": "1", "b": "2"}) == digest_of({"b": "2", "a": "1"})


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../missing", "LM0104"),
        ("nested", "LM0104"),
        ("../../etc", "LM0105"),
        ("..", "LM0105"),
        ("../a/../../b", "LM0105"),
        ("/etc", "LM0105"),
        ("..\\\\common", "LM0105"),
        ("", "LM0105"),
    ],
)
def test_bad_imports(tmp_path: Path, path: str, code: str) -> None:
    files = {"bundle.yaml": MANIFEST, "a.loom": f'enum A {{ x }}\nimport "{path}"\n'}
    write(tmp_path / "fiber", files)
    for read in (read_folder(tmp_path / "fiber"), read_files(files)):
        found = finding(read)
        assert found.code == code
        assert (found.span.file, found.span.line, found.span.column) == ("a.loom", 2, 8)


def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"designs/fiber/bundle.yaml": MANIFEST, "designs/fiber/a.loom": "", "secret.csv": "password"})
    (tmp_path / "designs/fiber/tables").mkdir()
    (tmp_path / "designs/fiber/tables/t.csv").symlink_to(tmp_path / "secret.csv")
    found = finding(read_folder(tmp_path / "designs/fiber"))
    assert (found.code, found.span.file) == ("LM0105", "tables/t.csv")


def test_imports_through_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"designs/fiber/bundle.yaml": MANIFEST, "designs/fiber/a.loom": 'import "../common"'})
    write(tmp_path, {"outside/c.loom": "enum C { z }"})
    (tmp_path / "designs/common").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert finding(read_folder(tmp_path / "designs/fiber")).code == "LM0105"


def test_links_inside_are_followed(tmp_path: Path) -> None:
    write(tmp_path, {"fiber/bundle.yaml": MANIFEST, "fiber/a.loom": "", "common/t.csv": "x"})
    (tmp_path / "fiber/t.csv").symlink_to(tmp_path / "common/t.csv")
    assert sources(read_folder(tmp_path / "fiber")).files["t.csv"] == "x"


def test_files_that_are_not_text(tmp_path: Path) -> None:
    write(tmp_path, {"bundle.yaml": MANIFEST, "a.loom": ""})
    (tmp_path / "t.csv").write_bytes(b"ab\xff")
    found = finding(read_folder(tmp_path))
    assert (found.code, found.message, found.span.file) == (
        "LM0106",
        "the file is not UTF-8 text: byte 2 is wrong",
        "t.csv",
    )


def test_nothing_there(tmp_path: Path) -> None:
    assert finding(read_folder(tmp_path / "missing")).code == "LM0101"
    assert finding(read_folder(tmp_path)).code == "LM0101"
    assert finding(read_files({})).code == "LM0101"
    assert finding(read_files({"bundle.yaml": MANIFEST})).message == "the bundle has no design file"


def test_a_file_with_mistakes_is_left_to_the_compiler() -> None:
    assert sources(read_files({"bundle.yaml": MANIFEST, "a.loom": "produt"})).designs == ("a.loom",)


def test_settings_are_exact_values() -> None:
    text = (
        MANIFEST
        + "settings: {default: {a: 1.10, b: 2, c: true, d: x, e: 2026-01-31, f: '1'}}\ntime_zone: Europe/Vienna\n"
    )
    read = sources(read_files({"bundle.yaml": text, "a.loom": ""}))
    values = read.settings["default"]
    assert values == {"a": Decimal("1.10"), "b": 2, "c": True, "d": "x", "e": "2026-01-31", "f": "1"}
    assert [type(value) for value in values.values()] == [Decimal, int, bool, str, str, str]
    assert read.time_zone == "Europe/Vienna"


MISTAKES = [
    # text, line, column, code, message, help
    ("version: 1.0.0\n", 1, 1, "LM0103", "`name` is missing", "add `name: …`"),
    ("name: Fiber!\nversion: 1.0.0\n", 1, 7, "LM0103", "`name`: a name of lower-case letters", ""),
    ("name: a\nversion: 1.0\n", 2, 10, "LM0103", "`version`: input should be a valid string", "put it in quotes"),
    ("name: a\nversion: '1.0'\n", 2, 10, "LM0103", "`version`: a semantic version is expected", ""),
    ("name: a\nversion: 01.0.0\n", 2, 10, "LM0103", "`version`: a semantic version is expected", ""),
    (MANIFEST + "setings: {}\n", 3, 1, "LM0103", "there is no field `setings`", "did you mean `settings`?"),
    (MANIFEST + "settings:\n  default:\n    a: [1]\n", 5, 8, "LM0103", "`settings.default.a` must be a text", ""),
    (MANIFEST + "settings:\n  default:\n    a b: 1\n", 5, 5, "LM0103", "`settings.default.a b` is not a name", ""),
    (MANIFEST + "time_zone: Mars/Base\n", 3, 12, "LM0103", "`time_zone`: the name of a time zone", ""),
    (MANIFEST + "time_zone: ../../etc/passwd\n", 3, 12, "LM0103", "`time_zone`: the name of a time zone", ""),
    (MANIFEST + "requires: {orderloom: '>=99'}\n", 3, 23, "LM0103", "requires orderloom 99 or later", ""),
    (MANIFEST + "requires: {orderloom: latest}\n", 3, 23, "LM0103", "`requires.orderloom`: the least version", ""),
    (MANIFEST + "name: again\n", 3, 1, "LM0102", "`name` stands here twice", ""),
    ("name: [a\n", 2, 1, "LM0102", "not valid YAML", ""),
    ("- a\n", 1, 1, "LM0102", "expected `name`, `version`", ""),
    ("", 1, 1, "LM0102", "expected `name`, `version`", ""),
    ("[" * 10_000, 1, 1, "LM0102", "not valid YAML", ""),
    ("a: !!python/object/apply:os.system [ls]\n", 1, 4, "LM0102", "not valid YAML", ""),
    ("a: \0", 1, 1, "LM0102", "not valid YAML", ""),
]


@pytest.mark.parametrize(("text", "line", "column", "code", "message", "help"), MISTAKES, ids=[m[4] for m in MISTAKES])
def test_mistakes_in_the_manifest(text: str, line: int, column: int, code: str, message: str, help: str) -> None:
    found = finding(read_files({"bundle.yaml": text, "a.loom": ""}))
    assert (found.code, found.span.file, found.span.line, found.span.column) == (code, "bundle.yaml", line, column)
    assert message in found.message
    assert help in found.help
