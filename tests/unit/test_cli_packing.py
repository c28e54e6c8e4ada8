"""The zip of a function: the same source the same bytes, what it brings along, its limits."""

import io
import sys
import zipfile
from pathlib import Path

import pytest

from tools.cli.failures import Failure
from tools.cli.packing import cache, node_packages, pack, python_packages, target
from tools.cli.packing.pack import Package
from tools.cli.packing.target import Target

PYTHON = Target("python3.13", "arm64")
NODE = Target("nodejs22.x", "arm64")


def quiet(_text: str) -> None:
    pass


def packed(path: Path, wanted: Target = PYTHON) -> Package:
    return pack.pack(path, wanted, quiet)


def names(package: Package) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(package.content)) as opened:
        return opened.namelist()


def source(root: Path, *order: str) -> Path:
    root.mkdir()
    for name in order:
        (root / name).write_text(f"# {name}\n")
    return root


def test_the_same_source_is_the_same_zip_wherever_and_whenever_it_was_written(
    tmp_path: Path,
) -> None:
    first = source(tmp_path / "a", "main.py", "other.py")
    second = source(tmp_path / "b", "other.py", "main.py")
    (second / "main.py").touch()
    (second / "main.py").chmod(0o600)
    (second / "README.md").write_text("about")
    assert packed(first) == packed(second)
    (second / "main.py").write_text("# changed\n")
    assert packed(first).sha256 != packed(second).sha256


def test_one_file_is_a_zip_of_one_file(tmp_path: Path) -> None:
    root = source(tmp_path / "a", "main.py", "other.py")
    assert names(packed(root / "main.py")) == ["main.py"]


@pytest.mark.parametrize(
    ("text", "brought"),
    [
        ("from dormouse import slices\n", True),
        ("def late():\n    import dormouse.slices\n", True),
        ("# dormouse\nimport dormouse_of_mine\n", False),
        ("from .dormouse import x\n", False),
        ("import dormouse (\n", False),  # no Python: its error is for the function to show
    ],
)
def test_dormouse_is_brought_along_by_who_imports_it(
    tmp_path: Path, text: str, brought: bool
) -> None:
    root = source(tmp_path / "a", "main.py")
    (root / "main.py").write_text(text)
    assert ("dormouse/slices.py" in names(packed(root))) is brought


def test_a_node_source_brings_the_node_module_along(tmp_path: Path) -> None:
    root = source(tmp_path / "a", "index.mjs")
    (root / "index.mjs").write_text('import { api } from "./dormouse/api.mjs";\n')
    assert names(packed(root, NODE)) == ["dormouse/api.mjs", "index.mjs"]


def test_an_own_dormouse_is_left_as_it_is(tmp_path: Path) -> None:
    root = source(tmp_path / "a", "main.py", "dormouse.py")
    (root / "main.py").write_text("import dormouse\n")
    assert names(packed(root)) == ["dormouse.py", "main.py"]


def test_what_is_too_large_says_what_takes_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = source(tmp_path / "a", "main.py")
    big = {"big/x": b"0" * 6000, "big/y": b"0" * 6000}
    monkeypatch.setattr(pack, "packages", lambda *_: big)
    monkeypatch.setattr("chalicelib.domain.functions.archive.MAX_UNZIPPED_BYTES", 10_000)
    with pytest.raises(Failure) as caught:
        packed(root)
    assert "unzipped 12.0 KB" in str(caught.value)
    assert str(caught.value).splitlines()[1].split() == ["12.0", "KB", "big"]


def test_the_largest_packages_of_node_modules_are_told_apart() -> None:
    files = {
        "node_modules/a/index.js": b"123",
        "node_modules/@b/c/index.js": b"12345",
        "index.js": b"1",
    }
    assert pack.largest(files) == [("node_modules/@b/c", 5), ("node_modules/a", 3), ("index.js", 1)]


@pytest.mark.parametrize(
    ("handler", "runtime", "fits"),
    [
        ("main.handler", "python3.13", True),
        ("src.part.handler", "python3.13", True),
        ("src/part.handler", "python3.13", True),
        ("other.handler", "python3.13", False),
        ("web/index.handler", "nodejs22.x", True),
        ("index.handler", "nodejs22.x", False),
    ],
)
def test_the_handlers_file_must_be_there(handler: str, runtime: str, fits: bool) -> None:
    paths = frozenset({"main.py", "src/part/__init__.py", "web/index.mjs"})
    package = Package(b"", "", paths, 0)
    if fits:
        pack.check_handler(handler, runtime, package)
        return
    with pytest.raises(Failure, match="there is no"):
        pack.check_handler(handler, runtime, package)


@pytest.mark.parametrize(
    ("runtime", "url", "said", "chosen"),
    [
        ("python3.13", "https://a.example.com", "", (False, "arm64", "3.13")),
        ("python3.13", "https://a.example.com", "x86_64", (False, "x86_64", "3.13")),
        # The local AWS runs on this machine's own Python, whatever the runtime is called.
        ("python3.13", "http://127.0.0.1:8000", "", (True, target.host_architecture(), "")),
        ("python3.13", "http://localhost:8000", "", (True, target.host_architecture(), "")),
    ],
)
def test_packages_are_for_the_machine_that_will_run_them(
    runtime: str, url: str, said: str, chosen: tuple[bool, str, str]
) -> None:
    found = target.choose(runtime, url, said)
    native, architecture, python = chosen
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (found.native, found.architecture, found.python) == (native, architecture, python or own)


def test_pip_is_asked_for_wheels_of_the_runtime_and_every_older_glibc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    file = tmp_path / "requirements.txt"
    line = " ".join(python_packages.command(file, "a==1", PYTHON, tmp_path))
    assert "--only-binary :all:" in line
    assert "--implementation cp --python-version 3.13" in line
    assert "--platform=manylinux_2_34_aarch64" in line
    assert "--platform=manylinux2014_aarch64" in line
    assert "--require-hashes" not in line
    older = " ".join(
        python_packages.command(file, "a==1 --hash=sha256:0", Target("python3.11", "x86_64"), file)
    )
    assert "--platform=manylinux_2_26_x86_64" in older
    assert "manylinux_2_27" not in older  # Amazon Linux 2 has glibc 2.26
    assert "--require-hashes" in older


def test_uv_is_asked_likewise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: "/bin/uv")
    command = python_packages.command(tmp_path / "requirements.txt", "a==1", PYTHON, tmp_path)
    line = " ".join(command)
    assert line.startswith("/bin/uv pip install --quiet")
    assert "--python-platform aarch64-manylinux_2_34 --python-version 3.13" in line
    assert "--only-binary :all:" in line


@pytest.mark.parametrize(
    ("line", "builds"),
    [
        ("pillow==12.2.0", False),
        ("pillow[avif]>=12 ; python_version > '3.11'  # a comment", False),
        ("--extra-index-url https://example.com/simple", False),
        ("-r more.txt", False),
        ("mine @ https://example.com/mine-1-py3-none-any.whl#sha256=0", False),
        ("./wheels/mine-1-py3-none-any.whl", False),
        ("mine @ https://example.com/mine-1.tar.gz", True),
        ("mine @ git+https://example.com/mine", True),
        ("git+ssh://example.com/mine", True),
        ("-e .", True),
        ("./mine", True),
        ("/srv/mine", True),
        ("--no-binary :all:", True),
        ("https://example.com/mine.zip", True),
    ],
)
def test_a_line_that_would_build_a_package_is_refused(
    tmp_path: Path, line: str, builds: bool
) -> None:
    if not builds:
        python_packages.require_wheels(tmp_path, line)
        return
    with pytest.raises(Failure, match="built from source"):
        python_packages.require_wheels(tmp_path, f"fine==1\n{line}\n")


def test_included_requirements_count_and_may_go_round(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r more.txt\na==1\n")
    (tmp_path / "more.txt").write_text("-c requirements.txt\nb==2\n")
    text = python_packages.text_with_included(tmp_path / "requirements.txt")
    assert text.count("a==1") == 1
    assert "b==2" in text
    (tmp_path / "more.txt").unlink()
    with pytest.raises(Failure, match=r"more\.txt is included, but"):
        python_packages.text_with_included(tmp_path / "requirements.txt")


def test_packages_are_installed_once_and_without_traces_of_the_installer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DORMOUSE_STATE_DIR", str(tmp_path / "state"))
    fills: list[Path] = []

    def fill(_requirements: Path, _text: str, _target: Target, into: Path) -> None:
        fills.append(into)
        for name in ("a/__init__.py", "a-1.dist-info/METADATA", "a-1.dist-info/RECORD",
                     "a-1.dist-info/INSTALLER", "bin/a", "a/__pycache__/x.pyc"):  # fmt: skip
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).write_text(name)

    monkeypatch.setattr(python_packages, "_install", fill)
    file = tmp_path / "requirements.txt"
    file.write_text("a==1\n")
    said: list[str] = []
    for _ in range(2):
        found = python_packages.files(file, PYTHON, said.append)
        assert list(found) == ["a-1.dist-info/METADATA", "a/__init__.py"]
    assert (len(fills), said) == (1, ["Fetching the packages ..."])
    python_packages.files(file, Target("python3.12", "arm64"), quiet)
    assert len(fills) == 2


def test_a_large_zip_is_made_once_and_only_the_latest_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DORMOUSE_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(cache, "ZIPS_KEPT", 2)
    made: list[dict[str, bytes]] = []

    def make(files: dict[str, bytes]) -> bytes:
        made.append(files)
        return repr(files).encode()

    sources = [{"a": b"1"}, {"a": b"1"}, {"a": b"2"}, {"b": b"1"}, {"a": b"1", "b": b"2"}]
    for files in sources:
        assert cache.zipped(files, make) == repr(files).encode()
    assert len(made) == 4
    assert len(list((tmp_path / "packages").iterdir())) == 2


def test_an_installation_that_failed_is_not_taken_for_one_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DORMOUSE_STATE_DIR", str(tmp_path))

    def fail(into: Path) -> None:
        (into / "half").write_text("")
        raise Failure("no network")

    with pytest.raises(Failure):
        cache.folder("key", fail, quiet)
    assert list((tmp_path / "packages").iterdir()) == []


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ('{"dependencies": {"a": "1"}}', "no lock file"),
        ("{", "no valid package.json"),
        ("[]", "no valid package.json"),
    ],
)
def test_a_package_json_that_cannot_be_installed_says_so(
    tmp_path: Path, manifest: str, said: str
) -> None:
    (tmp_path / "package.json").write_text(manifest)
    with pytest.raises(Failure, match=said):
        node_packages.files(tmp_path / "package.json", NODE, quiet)


def test_a_package_json_without_dependencies_needs_no_lock(tmp_path: Path) -> None:
    root = source(tmp_path / "a", "index.mjs")
    (root / "package.json").write_text('{"type": "module", "devDependencies": {"x": "1"}}')
    assert names(packed(root, NODE)) == ["index.mjs", "package.json"]
