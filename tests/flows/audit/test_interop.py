"""Two implementations that are not ours read what we publish: Go's checksum database (x/mod) and Node's WebCrypto.

They accept a folder exactly as long as nothing in it is changed. Without Go or Node these tests are skipped, loudly;
where CI is set they fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from audit.tree.checkpoint import Checkpoint
from audit.tree.cosignature import Cosigner, MldsaCosigner
from audit.tree.merkle import consistency_proof, inclusion_proof, root_of
from audit.tree.note import NoteSigner, add_lines, sign_note
from audit.tree.tiles import TileHashes, grow

INTEROP = Path(__file__).with_name("interop")
GOPATH = Path("/usr/share/gocode")  # where Debian puts the sources of golang-golang-x-mod-dev
LOG = NoteSigner.from_seed("log.example/one", b"l" * 32)
WITNESS = Cosigner.from_seed("witness.example/a", b"w" * 32)
MLDSA = MldsaCosigner.from_seed("witness.example/pq", b"q" * 32)

SIZES = [(1, 1), (1, 2), (3, 7), (255, 256), (256, 257), (250, 300), (65_535, 65_537), (65_536, 70_000)]

Verify = Callable[[Path], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    """verify.go, built once."""
    _needed("GO", shutil.which("go") and (GOPATH / "src/golang.org/x/mod/sumdb/tlog").exists())
    work = tmp_path_factory.mktemp("go")
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(work / "cache"),
        "GOFLAGS": "",
    }
    program = work / "verify"
    subprocess.run(["go", "build", "-o", program, INTEROP / "verify.go"], env=environment, check=True, timeout=300)
    return lambda folder: _run([str(program), str(folder)])


@pytest.fixture(scope="session")
def node() -> Verify:
    """verify.mjs."""
    _needed("NODE", shutil.which("node"))
    return lambda folder: _run(["node", "--no-warnings", str(INTEROP / "verify.mjs"), str(folder)])


@pytest.mark.go
@pytest.mark.parametrize(("old", "size"), SIZES)
def test_go_accepts_what_we_publish(go: Verify, tmp_path: Path, old: int, size: int) -> None:
    publish(tmp_path, old, size)

    assert (0, "cosigned at 1800000000\nverified\n") == _outcome(go(tmp_path))


@pytest.mark.node
@pytest.mark.parametrize(("old", "size"), SIZES)
def test_webcrypto_accepts_what_we_publish(node: Verify, tmp_path: Path, old: int, size: int) -> None:
    publish(tmp_path, old, size)

    assert (0, "verified\n") == _outcome(node(tmp_path))


_WOUNDS = {
    "another_key": ("vkey", lambda _: NoteSigner.from_seed(LOG.name, b"x" * 32).vkey.encode(), "checkpoint"),
    "checkpoint_of_another_size": ("checkpoint", lambda note: note.replace(b"\n300\n", b"\n301\n"), "checkpoint"),
    "old_checkpoint_forked": ("old-checkpoint", lambda _: _note(Checkpoint(LOG.name, 250, bytes(32))), "250"),
    "a_hash_of_the_inclusion_changed": ("inclusion.json", lambda text: _first_hash_zeroed(text), "included"),
    "a_hash_of_the_inclusion_cut_off": ("inclusion.json", lambda text: _last_hash_dropped(text), "included"),
    "a_hash_of_the_consistency_changed": ("consistency.json", lambda text: _first_hash_zeroed(text), "250"),
    "a_hash_of_the_consistency_cut_off": ("consistency.json", lambda text: _last_hash_dropped(text), "250"),
}
_ONLY_GO = {
    "a_leaf_changed_in_a_tile": ("tile/0/000", lambda tile: bytes(32) + tile[32:], "tiles"),
    "a_root_changed_in_a_tile": ("tile/1/000.p/1", lambda tile: bytes(32), "tiles"),
    "a_tile_cut_off": ("tile/0/001.p/44", lambda tile: tile[:-32], "tiles"),
    "a_cosignature_of_another_time": ("checkpoint", lambda note: _note_at(1_800_000_001, note), "cosignature"),
    "no_cosignature": ("checkpoint", lambda note: _note(_tree(300)), "cosignature"),
}


@pytest.mark.go
@pytest.mark.parametrize("wound", [*_WOUNDS, *_ONLY_GO])
def test_go_refuses(go: Verify, tmp_path: Path, wound: str) -> None:
    _refuses(go, tmp_path, *(_WOUNDS | _ONLY_GO)[wound])


@pytest.mark.node
@pytest.mark.parametrize("wound", _WOUNDS)
def test_webcrypto_refuses(node: Verify, tmp_path: Path, wound: str) -> None:
    _refuses(node, tmp_path, *_WOUNDS[wound])


def _refuses(verify: Verify, folder: Path, name: str, hurt: Callable[[bytes], bytes], reason: str) -> None:
    publish(folder, 250, 300)
    before = (folder / name).read_bytes()
    (folder / name).write_bytes(hurt(before))
    code, said = _outcome(verify(folder))

    assert before != (folder / name).read_bytes(), "the wound is there"
    assert (1, True) == (code, said.startswith("REFUSED") and reason in said), said


def publish(folder: Path, old: int, size: int) -> None:
    """A log that grew from `old` to `size` leaves, as files."""
    leaves, files = _leaves(size), dict[str, bytes]()

    def read(name: str) -> bytes:
        try:
            return files[name]
        except KeyError:
            raise FileNotFoundError(name) from None

    for start, end in ((0, old), (old, size)):
        files.update(grow(start, leaves[start:end], read))
    hashes = TileHashes(read, size)
    text = _tree(size).text()
    files |= {
        "vkey": LOG.vkey.encode(),
        "witness-vkey": WITNESS.vkey.encode(),
        "checkpoint": add_lines(_note(_tree(size)), MLDSA.line(text, 0), WITNESS.line(text, 1_800_000_000)),
        "old-checkpoint": _note(_tree(old)),
        "leaves": b"".join(leaves),
        "inclusion.json": _json(
            [(index, inclusion_proof(index, size, hashes)) for index in sorted({0, size // 2, size - 1})]
        ),
        "consistency.json": _json([(old, consistency_proof(old, size, hashes))]),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _leaves(size: int) -> list[bytes]:
    return [sha256(index.to_bytes(8, "big")).digest() for index in range(size)]


def _tree(size: int) -> Checkpoint:
    return Checkpoint(LOG.name, size, root_of(_leaves(size)))


def _note(checkpoint: Checkpoint) -> bytes:
    return sign_note(checkpoint.text(), LOG)


def _note_at(time: int, note: bytes) -> bytes:
    """The same note, whose witness's line says another time than was signed."""
    kept, _, last = note.decode().rstrip("\n").rpartition("\n")
    forged, real = (WITNESS.line(_tree(300).text(), one) for one in (time, 1_800_000_000))
    assert real == last
    # key id and time (16 base64 digits) of the forged line, signature of the real one
    begin = last.rindex(" ") + 1
    return f"{kept}\n{forged[: begin + 16]}{last[begin + 16 :]}\n".encode()


def _json(proofs: Sequence[tuple[int, list[bytes]]]) -> bytes:
    return json.dumps(
        [{"index": index, "hashes": [b64encode(one).decode() for one in hashes]} for index, hashes in proofs]
    ).encode()


def _first_hash_zeroed(text: bytes) -> bytes:
    proofs = json.loads(text)
    proofs[0]["hashes"][0] = b64encode(bytes(32)).decode()
    return json.dumps(proofs).encode()


def _last_hash_dropped(text: bytes) -> bytes:
    proofs = json.loads(text)
    proofs[0]["hashes"].pop()
    return json.dumps(proofs).encode()


def _needed(what: str, there: object) -> None:
    if there:
        return
    message = f"NO {what}: nobody but ourselves reads the tree; install what .ci/run installs"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def _outcome(done: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    return done.returncode, done.stdout + done.stderr
