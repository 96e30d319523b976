"""verify.html: its verifier in Node and the page in Chromium, against the same wounds as the program in Python."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.log.receipts import Receipt
from audit.tree.note import sign_note
from audit.verify import hub_audit_verify as standalone
from tests.unit.audit.verify.test_bundle import (
    INTENT,
    WOUNDED,
    borrowed_receipt,
    bundle,
    edited,
    files_of,
    judged,
    shared_receipt,
    wounds,
)
from tests.unit.audit.verify.worlds import World

PAGE = Path(standalone.__file__).with_name("verify.html")
_RUN = """
const fs = require("node:fs"), code = fs.readFileSync("verifier.js", "utf8");
const verify = new Function(code + "; return verifyBundle;")();
(async () => {
  const told = {};
  for (const name of fs.readdirSync(".").filter((one) => one.endsWith(".zip"))) {
    const { files, ...rest } = await verify(new Uint8Array(fs.readFileSync(name)), null, "en");
    told[name.slice(0, -4)] = rest;
  }
  console.log(JSON.stringify(told));
})();
"""


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    world = make_world()
    world.exchanges(3)
    world.publish()
    return world


def needed(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        if os.environ.get("CI") == "true":
            raise RuntimeError(f"{program} is missing in CI")
        pytest.skip(f"NO {program.upper()} on this machine")
    return path


def in_node(folder: Path, bundles: dict[str, bytes]) -> dict[str, Any]:
    node = needed("node")
    for name, data in bundles.items():
        (folder / f"{name}.zip").write_bytes(data)
    script = re.search(r'<script id="verifier">(.*?)</script>', PAGE.read_text("utf-8"), re.S)
    assert script is not None
    (folder / "verifier.js").write_text(script[1], "utf-8")
    (folder / "run.cjs").write_text(_RUN, "utf-8")
    done = subprocess.run([node, "run.cjs"], cwd=folder, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def js_wounds(told: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["level"], one["code"]) for one in told["results"] if one["state"] != "proven"}


def deflated(data: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files_of(data).items():
            archive.writestr(name, content)
    return whole.getvalue()


@pytest.mark.node
def test_the_page_gives_each_wound_the_name_that_the_program_gives(world, tmp_path):
    whole = bundle(world)
    bundles = {name: edited(whole, *change[:2]) for name, change in WOUNDED.items() if change[2] is not None}

    told = in_node(tmp_path, bundles)

    # A broken signature inside a stamp is told by cryptography as such, by WebCrypto as a malformed stamp: wrong either way.
    other = {("L5", "STAMP_INVALID"): ("L5", "MALFORMED")}
    expected = {name: {other.get(one, one) for one in wounds(judged(data))} for name, data in bundles.items()}
    assert expected == {name: js_wounds(one) for name, one in told.items()}
    assert all(expected.values())


@pytest.mark.node
def test_the_page_proves_what_is_whole_and_refuses_what_is_no_bundle(world, make_world, tmp_path):
    whole = bundle(world)
    stored = next(world.store.read(world.shards[0], 0, 1))
    signer = world.signers.signer(world.shards[0])
    right = sign_note(Receipt(world.shards[0], 0, stored.leaf, stored.ts).text(), signer)
    wrong = sign_note(Receipt(world.shards[0], 0, bytes(32), stored.ts).text(), signer)
    many = make_world("many")
    index = many.many_subjects(70)
    many.publish()

    told = in_node(
        tmp_path,
        {
            "whole": whole,
            "deflated": deflated(whole),
            "seventy": bundle(many, index),
            "receipt": bundle(world, receipts={0: right}),
            "false_receipt": bundle(world, receipts={0: wrong}),
            "shared_receipt": bundle(world, receipts={0: shared_receipt(world, 0)}),
            "false_shared_receipt": bundle(world, receipts={0: shared_receipt(world, 0, leaf=bytes(32))}),
            "borrowed_receipt": bundle(world, receipts={0: borrowed_receipt(world)}),
            "no_zip": b"not a zip",
            "cut": whole[: len(whole) // 2],
            "keys_bent": edited(whole, *WOUNDED["policy_of_others"][:2]),
        },
    )

    assert {
        "whole": 0,
        "deflated": 0,
        "seventy": 0,
        "receipt": 0,
        "false_receipt": 1,
        "shared_receipt": 0,
        "false_shared_receipt": 1,
        "borrowed_receipt": 1,
        "no_zip": 1,
        "cut": 1,
        "keys_bent": 1,
    } == {name: one["exit"] for name, one in told.items()}
    assert {("L2", "RECEIPT_CONTRADICTS")} == js_wounds(told["false_receipt"])
    assert {("L2", "RECEIPT_CONTRADICTS")} == js_wounds(told["false_shared_receipt"])


def test_page_and_program_say_the_same_words():
    table = re.search(r"const WORDS = \{(.*?)\n\};", PAGE.read_text("utf-8"), re.S)
    assert table is not None
    said = {
        key.strip('"'): tuple(json.loads(f"[{words}]"))
        for key, words in re.findall(r'^  ("[^"]+"|\w+): \[(.*)\],$', table[1], re.M)
    }
    common = said.keys() & standalone.WORDS.keys() - {"own_policy", "no_policy", "stamped", "no_mldsa", "no_roots"}

    assert len(common) > 30
    assert {key: standalone.WORDS[key] for key in common} == {key: said[key] for key in common}


def test_the_page_may_not_reach_any_network():
    text = PAGE.read_text("utf-8")

    assert "default-src 'none'" in text and "connect-src" not in text
    assert [] == re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}|\bfetch\(|XMLHttpRequest|WebSocket|\bimport\(", text)


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["nl", "fr", "en"])
def test_in_a_browser_a_dropped_bundle_is_proven_and_a_changed_one_is_not(browser, world, tmp_path, lang):
    from axe_playwright_python.sync_playwright import Axe

    (tmp_path / "whole.zip").write_bytes(bundle(world))
    (tmp_path / "changed.zip").write_bytes(edited(bundle(world), *WOUNDED["entry_changed"][:2]))
    page = browser.new_page(viewport={"width": 380, "height": 800})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(PAGE.as_uri())
    page.click(f'button[data-lang="{lang}"]')

    page.set_input_files("#bundle", str(tmp_path / "whole.zip"))
    page.wait_for_selector('#verdict[data-exit="0"]')
    states = page.eval_on_selector_all(".level", "all => all.map(one => [one.dataset.level, one.dataset.state])")
    told = page.inner_text("#result")
    serious = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.set_input_files("#bundle", str(tmp_path / "changed.zip"))
    page.wait_for_selector('#verdict[data-exit="1"]')
    wrong = page.get_attribute('.level[data-level="L2"]', "data-state")
    page.close()

    assert [[f"L{level}", "proven"] for level in range(1, 6)] == states
    assert standalone.WORDS["all"][standalone.LANGUAGES.index(lang)] in told
    assert "2026/117" in told, "what the entry says is shown, with its values"
    assert ("wrong", [], 0) == (wrong, serious, overflow)
    assert [PAGE.as_uri()] == asked, "nothing but the page itself was asked for"
    assert INTENT in told
