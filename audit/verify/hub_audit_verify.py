#!/usr/bin/env python3
"""Verify what the hub's audit ledger claims, without the hub: an evidence bundle (zip), or a published folder.

    python hub_audit_verify.py evidence.zip [--policy policy.txt] [--tsa-roots roots.pem] [--lang nl|fr|en] [--json]
    python hub_audit_verify.py published-folder/ --policy policy.txt

Needs Python 3.11 and `cryptography`, nothing else, and no network. One file on purpose, and it shares no code with the
ledger that it judges. Formats: C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof, tlog-policy, tlog-tiles;
RFC 6962, RFC 3161, RFC 9901 (digests of disclosures).

    L1 values shown → entry      L2 entry → ledger      L3 ledger → anchor log
    L4 witnesses                 L5 time stamp          L6 the whole published ledger

Each level is `proven`, `wrong`, or `not checked` with the reason: never passed over in silence.
Ends with 0 = all proven, 1 = something is wrong, 2 = misused, 3 = nothing wrong, but something could not be checked.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

PROVEN, WRONG, NOT_CHECKED = "proven", "wrong", "not checked"
MAX_FILES, MAX_BYTES = 2_000, 64 * 2**20  # of a bundle, unpacked
SLACK = 300_000_000  # µs that an entry may be younger than the stamp that covers it, or older than its neighbour

# --- words ------------------------------------------------------------------------------------------------------------

WORDS: dict[str, tuple[str, str, str]] = {
    "L1": ("De getoonde waarden horen bij de inschrijving", "Les valeurs montrées appartiennent à l’inscription", "The values shown belong to the entry"),
    "L2": ("De inschrijving staat in het register", "L’inscription figure dans le registre", "The entry stands in the ledger"),
    "L3": ("Het register staat in het ankerlogboek", "Le registre figure dans le journal d’ancrage", "The ledger stands in the anchor log"),
    "L4": ("Getuigen hebben het anker mee ondertekend", "Des témoins ont cosigné l’ancrage", "Witnesses cosigned the anchor"),
    "L5": ("Een tijdstempeldienst heeft het anker gedateerd", "Un service d’horodatage a daté l’ancrage", "A time-stamping authority dated the anchor"),
    "L6": ("Het gepubliceerde register is volledig en ongewijzigd", "Le registre publié est complet et inchangé", "The published ledger is whole and unchanged"),
    "DAY": ("Dit zijn de regels die u die dag te zien kreeg, en geen andere", "Ce sont les lignes qui vous étaient montrées ce jour-là, et aucune autre", "These are the lines that you were shown for that day, and no other"),
    PROVEN: ("BEWEZEN", "PROUVÉ", "PROVEN"),
    WRONG: ("FOUT", "FAUX", "WRONG"),
    NOT_CHECKED: ("NIET NAGEGAAN", "NON VÉRIFIÉ", "NOT CHECKED"),
    "expected": ("verwacht", "attendu", "expected"),
    "found": ("gevonden", "trouvé", "found"),
    "all": ("Alles is bewezen.", "Tout est prouvé.", "Everything is proven."),
    "some": ("Niets is fout, maar niet alles kon worden nagegaan.", "Rien n’est faux, mais tout n’a pas pu être vérifié.", "Nothing is wrong, but not everything could be checked."),
    "none": ("Er is iets fout: vertrouw dit niet, en vraag de hub om uitleg.", "Quelque chose est faux : ne vous y fiez pas et demandez des explications au hub.", "Something is wrong: do not rely on this, and ask the hub to explain."),
    "own_policy": (
        "De sleutels komen uit de bundel zelf. Vergelijk ze met die welke de hub publiceert (--policy): vingerafdruk {print}",
        "Les clés viennent du dossier lui-même. Comparez-les à celles que le hub publie (--policy) : empreinte {print}",
        "The keys come from the bundle itself. Compare them with those the hub publishes (--policy): fingerprint {print}"),
    "no_policy": ("geen policy.txt: zonder sleutels bewijst geen handtekening iets; geef --policy", "pas de policy.txt : sans clés, une signature ne prouve rien ; donnez --policy", "no policy.txt: without keys no signature proves anything; give --policy"),
    "every_value": ("elke getoonde waarde onder een van de {n} vastgelegde digests", "chaque valeur montrée sous l’un des {n} condensés inscrits", "every value shown under one of the {n} digests of the entry"),
    "values": ("{n} waarden kloppen; niet getoond: {closed}; gewist: {erased}", "{n} valeurs correctes ; non montrées : {closed} ; effacées : {erased}", "{n} values fit; not shown: {closed}; erased: {erased}"),
    "nothing": ("niets", "rien", "nothing"),
    "value_alien": ("de waarde “{name}” is niet die waarop de inschrijving is vastgelegd", "la valeur « {name} » n’est pas celle que l’inscription engage", "the value “{name}” is not one the entry commits to"),
    "missing": ("het bestand ontbreekt", "le fichier manque", "the file is missing"),
    "file": ("bestand {name}", "fichier {name}", "file {name}"),
    "in_tree": ("inschrijving {index} in een boom met de ondertekende wortel {root}", "inscription {index} dans un arbre dont la racine signée est {root}", "entry {index} in a tree with the signed root {root}"),
    "leads_to": ("het pad leidt naar {root}", "le chemin mène à {root}", "the path leads to {root}"),
    "signed": ("ondertekend door {name} over {size} inschrijvingen", "signé par {name} sur {size} inscriptions", "signed by {name} over {size} entries"),
    "signature": ("een geldige handtekening van {name}", "une signature valable de {name}", "a valid signature of {name}"),
    "known_log": ("een logboek dat de sleutellijst noemt", "un journal que la liste de clés nomme", "a log that the policy names"),
    "anchor_of": ("het ankerlogboek van dezelfde hub als {name}", "le journal d’ancrage du même hub que {name}", "the anchor log of the same hub as {name}"),
    "malformed": ("onleesbaar: {why}", "illisible : {why}", "unreadable: {why}"),
    "well_formed": ("een leesbaar bestand van dit formaat", "un fichier lisible de ce format", "a readable file of this format"),
    "receipt": ("ontvangstbewijs voor dezelfde inschrijving", "un récépissé de la même inscription", "a receipt for the same entry"),
    "receipt_other": ("het ontvangstbewijs noemt een andere inschrijving, digest of tijd", "le récépissé nomme une autre inscription, un autre condensé ou une autre heure", "the receipt names another entry, hash or time"),
    "pair": ("uitkomst en vraag van dezelfde uitwisseling", "résultat et demande du même échange", "outcome and intent of one exchange"),
    "pair_broken": ("de uitkomst verwijst naar een andere vraag", "le résultat renvoie à une autre demande", "the outcome refers to another intent"),
    "quorum": ("getuigen volgens het quorum “{name}”", "des témoins selon le quorum « {name} »", "witnesses as the quorum “{name}” asks"),
    "witnesses": ("{names}", "{names}", "{names}"),
    "no_witness": ("te weinig geldige handtekeningen van getuigen: {names}", "trop peu de signatures de témoins valables : {names}", "too few valid cosignatures: {names}"),
    "quorum_none": ("de sleutellijst vraagt geen getuigen (quorum none)", "la liste de clés ne demande aucun témoin (quorum none)", "the policy asks for no witnesses (quorum none)"),
    "no_mldsa": ("deze installatie kent ML-DSA-44 niet, en zonder die handtekeningen is er geen quorum", "cette installation ne connaît pas ML-DSA-44, et sans ces signatures il n’y a pas de quorum", "this installation does not know ML-DSA-44, and without those cosignatures there is no quorum"),
    "a_stamp": ("een RFC 3161-tijdstempel over de tekst van het ankercontrolepunt", "un horodatage RFC 3161 sur le texte du point de contrôle d’ancrage", "an RFC 3161 stamp over the text of the anchor checkpoint"),
    "no_stamp": ("geen tijdstempel in de bundel voor anker {size}", "aucun horodatage dans le dossier pour l’ancrage {size}", "no stamp in the bundle for anchor {size}"),
    "stamped": ("gestempeld op {at} door {who}; nagegaan door {by}; vertrouwd: {root}", "horodaté le {at} par {who} ; vérifié par {by} ; confiance : {root}", "stamped at {at} by {who}; checked by {by}; trusted: {root}"),
    "root_given": ("het wortelcertificaat dat u gaf", "le certificat racine que vous avez donné", "the root certificate you gave"),
    "root_bundle": ("het wortelcertificaat uit de bundel, SHA-256 {print} (geef --tsa-roots om zelf te kiezen)", "le certificat racine du dossier, SHA-256 {print} (donnez --tsa-roots pour choisir)", "the root certificate of the bundle, SHA-256 {print} (give --tsa-roots to choose)"),
    "after_entry": ("een tijdstip na de inschrijving ({ts})", "un moment postérieur à l’inscription ({ts})", "a moment after the entry ({ts})"),
    "no_judge": ("dit stempel kan hier niet worden gelezen ({why}) en openssl is er niet", "cet horodatage ne peut être lu ici ({why}) et openssl est absent", "this stamp cannot be read here ({why}) and there is no openssl"),
    "no_roots": ("geen wortelcertificaat: geef --tsa-roots", "aucun certificat racine : donnez --tsa-roots", "no root certificate: give --tsa-roots"),
    "whole": ("{size} inschrijvingen met wortel {root}", "{size} inscriptions de racine {root}", "{size} entries with root {root}"),
    "rebuilt": ("herbouwd uit de bytes: {root}; {pairs} uitkomsten bij hun vraag, {open} vragen open", "reconstruit depuis les octets : {root} ; {pairs} résultats avec leur demande, {open} demandes ouvertes", "rebuilt from the bytes: {root}; {pairs} outcomes with their intent, {open} intents open"),
    "rebuilt_other": ("herbouwd uit de bytes: {root}", "reconstruit depuis les octets : {root}", "rebuilt from the bytes: {root}"),
    "tile_says": ("wat de tegel zegt: {digest}", "ce que dit la tuile : {digest}", "what the tile says: {digest}"),
    "entry_hashes": ("de bytes geven {digest}", "les octets donnent {digest}", "the bytes give {digest}"),
    "after_neighbour": ("niet vroeger dan de vorige inschrijving", "pas avant l’inscription précédente", "not earlier than the entry before it"),
    "earlier_by": ("{seconds} s vroeger", "{seconds} s plus tôt", "{seconds} s earlier"),
    "anchored": ("elk verankerd controlepunt van {name} past bij de herbouwde boom", "chaque point de contrôle ancré de {name} concorde avec l’arbre reconstruit", "every anchored checkpoint of {name} fits the rebuilt tree"),
    "anchored_n": ("{n} controlepunten passen", "{n} points de contrôle concordent", "{n} checkpoints fit"),
    "anchored_other": ("bij {size} inschrijvingen werd een andere wortel getekend: {root}", "à {size} inscriptions une autre racine a été signée : {root}", "at {size} entries another root was signed: {root}"),
    "anchored_more": ("verankerd werden {size} inschrijvingen, gepubliceerd zijn er minder", "{size} inscriptions ont été ancrées, moins sont publiées", "{size} entries were anchored, fewer are published"),
    "not_anchored": ("dit logboek komt in het anker niet voor", "ce journal ne figure pas dans l’ancrage", "this log does not occur in the anchor"),
    "no_anchor": ("er is geen ankerlogboek gepubliceerd", "aucun journal d’ancrage n’est publié", "no anchor log is published"),
    "no_payload": ("de verzegelde waarden worden niet gepubliceerd; alleen de hub kan nagaan of ze er zijn of met reden gewist: `integrator audit verify`", "les valeurs scellées ne sont pas publiées ; seul le hub peut vérifier qu’elles existent ou furent effacées à juste titre : `integrator audit verify`", "sealed values are not published; only the hub can check that they are there or rightly erased: `integrator audit verify`"),
    "no_logs": ("geen enkel controlepunt in deze map", "aucun point de contrôle dans ce dossier", "no checkpoint in this folder"),
    "day_map": ("de inhoudstafel van {day} ({size} sleutels, wortel {root})", "la table des matières du {day} ({size} clés, racine {root})", "the table of contents of {day} ({size} keys, root {root})"),
    "day_lines": ("{n} regels, zoals de inhoudstafel zegt", "{n} lignes, comme le dit la table des matières", "{n} lines, as the table of contents says"),
    "day_other": ("de inhoudstafel bevat voor deze sleutel iets anders dan de lijst", "la table des matières contient autre chose que la liste pour cette clé", "for this key the table of contents holds something else than the list"),
    "day_erased": ("{n} regels, zoals de inhoudstafel zegt; {gone} daarvan zijn sindsdien gewist, en de opdracht staat in het register", "{n} lignes, comme le dit la table des matières ; {gone} d’entre elles ont été effacées depuis, et l’ordre figure au registre", "{n} lines, as the table of contents says; {gone} of them were erased since, and the order is on record"),
    "day_no_order": ("een regel heet gewist, maar geen opdracht in dit dossier wist hem", "une ligne est dite effacée, mais aucun ordre de ce dossier ne l’efface", "a line is called erased, but no order in this file erases it"),
    "a_log": ("minstens één map met een bestand checkpoint", "au moins un dossier avec un fichier checkpoint", "at least one folder with a file checkpoint"),
}  # fmt: skip
LANGUAGES = ("nl", "fr", "en")


class Words:
    """Says a thing in one of the three languages."""

    def __init__(self, lang: str) -> None:
        self.at = LANGUAGES.index(lang)

    def __call__(self, key: str, **values: object) -> str:
        return WORDS[key][self.at].format(**values)


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was checked, or could not be."""

    level: str
    state: str  # proven | wrong | not checked
    code: str  # stable, for programs: OK, or the name of the wound
    where: str
    expected: str
    found: str


class Wound(Exception):
    """A check failed; `code` names how."""

    def __init__(self, code: str, expected: str, found: str, state: str = WRONG) -> None:
        super().__init__(code)
        self.code, self.expected, self.found, self.state = code, expected, found, state


class Malformed(ValueError):
    """Bytes that are not in the format they claim."""


class Unsupported(Exception):
    """Well-formed perhaps, but of a kind this file does not read."""


# --- notes, keys and the policy (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy) ----------------------


def unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("base64") from error


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _shares(mine: str, promise: str, origin: str, index: int, signed: str) -> bool:
    """Whether a receipt is the expected one and leads to the root that was signed for all entries of its commit."""
    lines, said = f"{promise}\n".splitlines(keepends=True), signed.split("\n")
    if "".join(lines[:5]) != mine or len(said) != 6 or said[:2] != ["audit-commit/v1", origin] or said[5]:
        return False
    path = [unbase64(line.rstrip("\n")) for line in lines[5:]]
    return root_by_path(index - int(said[2]), int(said[3]), leaf_hash(mine.encode()), path) == unbase64(said[4])


@dataclass(frozen=True, slots=True)
class Key:
    """A verifier key: name+id+base64(algorithm, public key)."""

    name: str
    id: bytes
    algorithm: int  # 1 note, 4 cosignature, 6 cosignature ML-DSA-44
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> Key:
        name, _, rest = vkey.partition("+")
        number, _, blob = rest.partition("+")
        data = unbase64(blob)
        if not name or not data or data[0] not in (1, 4, 6) or len(data) != (1313 if data[0] == 6 else 33):
            raise Malformed("verifier key")
        if number != hashlib.sha256(name.encode() + b"\n" + data).digest()[:4].hex():
            raise Malformed("key id")
        return cls(name, bytes.fromhex(number), data[0], data[1:])

    def verify(self, text: str, signature: bytes) -> None:
        """Raise InvalidSignature, or Unsupported when this installation has no ML-DSA."""
        if self.algorithm == 1:
            ed25519.Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
            return
        time, rest = int.from_bytes(signature[:8], "big"), signature[8:]
        if self.algorithm == 4:
            message = f"cosignature/v1\ntime {time}\n{text}".encode()
            ed25519.Ed25519PublicKey.from_public_bytes(self.public).verify(rest, message)
            return
        try:
            from cryptography.hazmat.primitives.asymmetric import mldsa

            key = mldsa.MLDSA44PublicKey.from_public_bytes(self.public)
        except (ImportError, UnsupportedAlgorithm) as error:
            raise Unsupported("ML-DSA-44") from error
        checkpoint = Checkpoint.parse(text)
        name, origin = self.name.encode(), checkpoint.origin.encode()
        message = (
            b"subtree/v1\n\0" + bytes([len(name)]) + name + time.to_bytes(8, "big") + bytes([len(origin)]) + origin
        )
        key.verify(rest, message + bytes(8) + checkpoint.size.to_bytes(8, "big") + checkpoint.root)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]):
            raise Malformed("checkpoint")
        root = unbase64(lines[2])
        if len(root) != 32:
            raise Malformed("checkpoint")
        return cls(lines[0], int(lines[1]), root)


def split_note(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """(text, [(name, key id and signature)]) of a signed note."""
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise Malformed("note") from error
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n") or len(note) > 1_000_000 or re.search("[\x00-\x09\x0b-\x1f]", whole):
        raise Malformed("note")
    signatures = []
    for line in lines[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, blob = rest.partition(" ")
        data = unbase64(blob)
        if dash != "—" or not name or len(data) < 5:
            raise Malformed("signature line")
        signatures.append((name, data))
    return text + "\n", signatures


@dataclass(slots=True)
class Policy:
    """Whom to believe: logs, witnesses, and how many witnesses are enough (C2SP tlog-policy)."""

    logs: dict[str, list[Key]] = field(default_factory=dict)
    witnesses: dict[str, Key] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    quorum: str = ""

    @classmethod
    def parse(cls, data: bytes) -> Policy:
        policy = cls()
        text = data.decode(errors="surrogateescape")
        text = re.split("\n\n(?=— )", text)[
            0
        ]  # the hub signs the list itself; that signature is no reason to believe it
        for number, line in enumerate(text.split("\n"), 1):
            words = re.split("[ \t]+", line.strip(" \t"))
            if words == [""] or words[0].startswith("#"):
                continue
            if not policy._line(words):
                raise Malformed(f"policy, line {number}")
        if not policy.quorum:
            raise Malformed("policy: no quorum")
        return policy

    def _line(self, words: list[str]) -> bool:
        known = self.witnesses.keys() | self.groups.keys()
        match words:
            case ["log", vkey, *url] if len(url) < 2:
                key = Key.parse(vkey)
                self.logs.setdefault(key.name, []).append(key)
            case ["witness", name, vkey, *url] if len(url) < 2 and name not in known and name != "none":
                self.witnesses[name] = Key.parse(vkey)
            case ["group", name, count, *members] if members and name not in known and name != "none":
                used = {member for _, group in self.groups.values() for member in group}
                if not set(members) <= known - used or len(set(members)) != len(members):
                    return False
                needed = {"any": 1, "all": len(members)}.get(count) or (int(count) if count.isdigit() else 0)
                self.groups[name] = (needed, members)
                return 1 <= needed <= len(members)
            case ["quorum", name] if not self.quorum and (name in known or name == "none"):
                self.quorum = name
            case _:
                return False
        return True

    def met(self, signed: set[str], name: str | None = None) -> bool:
        name = self.quorum if name is None else name
        if name in self.groups:
            needed, members = self.groups[name]
            return sum(self.met(signed, member) for member in members) >= needed
        return name == "none" or name in signed


# --- the tree (RFC 6962, C2SP tlog-proof) -------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_by_path(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162 §2.1.3.2). Raises Malformed for a path of another length."""
    if not 0 <= index < size:
        raise Malformed("index")
    node, last, here = leaf, size - 1, index
    for sibling in path:
        if last == 0 or len(sibling) != 32:
            raise Malformed("path")
        if here & 1 or here == last:
            node = node_hash(sibling, node)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise Malformed("path")
    return node


class Growing:
    """A tree that grows by one leaf at a time and can say its root."""

    def __init__(self) -> None:
        self.size, self.nodes = 0, list[bytes]()

    def add(self, leaf: bytes) -> None:
        count, node = self.size, leaf
        while count & 1:
            node, count = node_hash(self.nodes.pop(), node), count >> 1
        self.nodes.append(node)
        self.size += 1

    def root(self) -> bytes:
        if not self.nodes:
            return hashlib.sha256(b"").digest()
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root


@dataclass(frozen=True, slots=True)
class Proof:
    index: int
    path: list[bytes]
    note: bytes

    @classmethod
    def parse(cls, data: bytes) -> Proof:
        head, _, note = data.partition(b"\n\n")
        lines = head.decode("ascii", "replace").split("\n")
        if lines[0] != "c2sp.org/tlog-proof@v1":
            raise Malformed("tlog-proof")
        if len(lines) > 1 and lines[1].startswith("extra "):
            del lines[1]
        if len(lines) < 2 or not re.fullmatch("index (0|[1-9][0-9]{0,18})", lines[1]):
            raise Malformed("tlog-proof")
        return cls(int(lines[1][6:]), [unbase64(line) for line in lines[2:]], note)


# --- RFC 3161: a small reader of DER, and the judgement of a token --------------------------------------------------------


class Der:
    """One element of DER; definite lengths only."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        try:
            self.tag, size, start = data[at], data[at + 1], at + 2
            if size & 0x80:
                count = size & 0x7F
                if not 1 <= count <= 4:
                    raise Unsupported("length of an element")
                size, start = int.from_bytes(data[start : start + count], "big"), start + count
        except IndexError as error:
            raise Malformed("DER") from error
        self.end = start + size
        if self.end > len(data):
            raise Malformed("DER")
        self.raw, self.body = data[at : self.end], data[start : self.end]

    def __iter__(self) -> Iterator[Der]:
        at = 0
        while at < len(self.body):
            element = Der(self.body, at)
            yield element
            at = element.end

    def parts(self) -> list[Der]:
        return list(self)

    def oid(self) -> str:
        numbers, value = list[int](), 0
        for byte in self.body:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256,
    "2.16.840.1.101.3.4.2.2": hashes.SHA384,
    "2.16.840.1.101.3.4.2.3": hashes.SHA512,
}
SIGNATURES: dict[str, Callable[[], hashes.HashAlgorithm] | None] = {
    "1.2.840.113549.1.1.1": None,  # RSA, the hash stands apart
    "1.2.840.113549.1.1.11": hashes.SHA256,
    "1.2.840.113549.1.1.12": hashes.SHA384,
    "1.2.840.113549.1.1.13": hashes.SHA512,
    "1.2.840.10045.2.1": None,  # EC key, the hash stands apart
    "1.2.840.10045.4.3.2": hashes.SHA256,
    "1.2.840.10045.4.3.3": hashes.SHA384,
    "1.2.840.10045.4.3.4": hashes.SHA512,
}
SIGNED_DATA, TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE = {"1.2.840.113549.1.9.16.2.12": "sha1", "1.2.840.113549.1.9.16.2.47": "sha256"}


@dataclass(frozen=True, slots=True)
class Stamp:
    """A token whose signature was checked: imprint, time, and who signed."""

    imprint: bytes
    at: datetime
    signer: x509.Certificate
    others: list[x509.Certificate]


def digest(data: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    h = hashes.Hash(algorithm)
    h.update(data)
    return h.finalize()


def read_stamp(response: bytes) -> Stamp:
    """Read an RFC 3161 response and check that its signer signed exactly this. Not checked here: whose signer it is."""
    try:
        return _read_stamp(response)
    except (ValueError, IndexError, StopIteration, UnicodeDecodeError) as error:
        raise Malformed("RFC 3161") from error


def _read_stamp(response: bytes) -> Stamp:
    outer = Der(response).parts()
    if outer[0].tag == 0x30:  # TimeStampResp; a bare token begins with its type
        if outer[0].parts()[0].body not in (b"\0", b"\1"):
            raise Malformed("not granted")
        outer = outer[1].parts()
    if outer[0].oid() != SIGNED_DATA:
        raise Unsupported("content type")
    signed = next(iter(outer[1])).parts()
    kind, content = signed[2].parts()
    info = next(iter(content)).body
    certificates = [
        x509.load_der_x509_certificate(item.raw) for part in signed[3:] if part.tag == 0xA0 for item in part
    ]
    signers = signed[-1].parts()
    if kind.oid() != TST_INFO or len(signers) != 1:
        raise Unsupported("shape of the token")
    signer = _check_signer(signers[0].parts(), info, certificates)
    fields = Der(info).parts()
    algorithm, imprint = fields[2].parts()
    if next(iter(algorithm)).oid() != "2.16.840.1.101.3.4.2.1":
        raise Unsupported("hash of the imprint")
    at = datetime.strptime(re.sub(r"\.\d+Z$", "Z", fields[4].body.decode("ascii")), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    return Stamp(imprint.body, at, signer, certificates)


def _check_signer(parts: list[Der], info: bytes, certificates: list[x509.Certificate]) -> x509.Certificate:
    hash_oid = next(iter(parts[2])).oid()
    if parts[3].tag != 0xA0 or hash_oid not in HASHES:
        raise Unsupported("signed attributes")
    attributes = {item.parts()[0].oid(): item.parts()[1].parts()[0] for item in parts[3]}
    hashed = HASHES[hash_oid]()
    if attributes[CONTENT_TYPE].oid() != TST_INFO or attributes[MESSAGE_DIGEST].body != digest(info, hashed):
        raise Malformed("signed attributes do not fit the content")
    signer = _named_signer(attributes, certificates)
    sig_oid, public, message = next(iter(parts[4])).oid(), signer.public_key(), b"\x31" + parts[3].raw[1:]
    if sig_oid not in SIGNATURES:
        raise Unsupported(f"signature algorithm {sig_oid}")
    chosen = SIGNATURES[sig_oid]
    with_hash = chosen() if chosen else hashed
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(parts[5].body, message, padding.PKCS1v15(), with_hash)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(parts[5].body, message, ec.ECDSA(with_hash))
    else:
        raise Unsupported("key of the signer")
    return signer


def _named_signer(attributes: dict[str, Der], certificates: list[x509.Certificate]) -> x509.Certificate:
    for oid, usual in SIGNING_CERTIFICATE.items():
        if oid in attributes:
            fields = next(iter(next(iter(attributes[oid])))).parts()
            if fields[0].tag == 0x30:
                usual = HASHES[next(iter(fields[0])).oid()]().name
                fields = fields[1:]
            for certificate in certificates:
                if fields[0].body == certificate.fingerprint(hashes.SHA1() if usual == "sha1" else _named(usual)):  # noqa: S303
                    return certificate
    raise Malformed("the signer's certificate is not in the token")


def _named(name: str) -> hashes.HashAlgorithm:
    return next(make() for make in HASHES.values() if make().name == name)


def check_chain(stamp: Stamp, roots: list[x509.Certificate], between: list[x509.Certificate]) -> x509.Certificate:
    """Lead the signer to one of the roots, at the moment stamped; return that root. Raises Malformed."""
    usage = stamp.signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    if not usage.critical or list(usage.value) != [x509.oid.ExtendedKeyUsageOID.TIME_STAMPING]:
        raise Malformed("the signer may not stamp time")
    here = stamp.signer
    for _ in range(8):
        if not here.not_valid_before_utc <= stamp.at <= here.not_valid_after_utc:
            raise Malformed("a certificate was not valid then")
        if here in roots:
            return here
        for above in [*roots, *between]:
            if above != here and above.subject == here.issuer and _issued(here, above):
                here = above
                break
        else:
            break
    raise Malformed("no root that is trusted")


def _issued(here: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        here.verify_directly_issued_by(above)
        return above.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False


def openssl_says(response: bytes, text: bytes, pems: bytes) -> str:
    """Ask `openssl ts -verify`. Returns its version; raises FileNotFoundError without openssl, Malformed when it refuses."""
    with tempfile.TemporaryDirectory() as folder:
        names = {"r.tsr": response, "text": text, "ca.pem": pems}
        for name, data in names.items():
            Path(folder, name).write_bytes(data)
        run = ["openssl", "ts", "-verify", "-in", "r.tsr", "-data", "text", "-CAfile", "ca.pem", "-untrusted", "ca.pem"]
        done = subprocess.run(run, cwd=folder, capture_output=True, check=False)
        version = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=False).stdout.strip()
    if done.returncode:
        raise Malformed("openssl ts -verify")
    return version


# --- the levels of a bundle -----------------------------------------------------------------------------------------------


class Judge:
    """Checks level after level and keeps every result."""

    def __init__(self, words: Words, policy: Policy | None, roots: bytes | None) -> None:
        self.say, self.policy, self.roots = words, policy, roots
        self.results: list[Result] = []

    def check(self, level: str, where: str, what: Callable[[], tuple[str, str]]) -> bool:
        """Run one check: it returns (expected, found) when proven and raises Wound otherwise."""
        try:
            expected, found = what()
            self.results.append(Result(level, PROVEN, "OK", where, expected, found))
            return True
        except Wound as wound:
            self.results.append(Result(level, wound.state, wound.code, where, wound.expected, wound.found))
        except Malformed as error:
            found = self.say("malformed", why=error)
            self.results.append(Result(level, WRONG, "MALFORMED", where, self.say("well_formed"), found))
        return False

    def opened(self, note: bytes) -> tuple[str, Checkpoint]:
        """The checkpoint of a note that a log of the policy signed."""
        text, signatures = split_note(note)
        checkpoint = Checkpoint.parse(text)
        self.signed_by(checkpoint.origin, text, signatures)
        return text, checkpoint

    def signed_by(self, origin: str, text: str, signatures: list[tuple[str, bytes]]) -> None:
        if self.policy is None:
            raise Wound("POLICY_MISSING", self.say("known_log"), self.say("no_policy"), NOT_CHECKED)
        keys = self.policy.logs.get(origin)
        if not keys:
            raise Wound("LOG_UNKNOWN", self.say("known_log"), origin)
        found = 0
        for key in keys:
            for name, data in signatures:
                if name == key.name and data[:4] == key.id:
                    found += _valid(key, text, data[4:])
        if not found:
            names = ", ".join(name for name, _ in signatures)
            raise Wound("SIGNATURE_INVALID", self.say("signature", name=origin), names)

    def leaf_leads(self, proof: Proof, leaf: bytes, checkpoint: Checkpoint, code: str) -> tuple[str, str]:
        root = root_by_path(proof.index, checkpoint.size, leaf, proof.path)
        expected = self.say("in_tree", index=proof.index, root=b64(checkpoint.root))
        if root != checkpoint.root:
            raise Wound(code, expected, self.say("leads_to", root=b64(root)))
        return expected, self.say("signed", name=checkpoint.origin, size=checkpoint.size)

    # L1

    def values(self, entry: dict[str, Any], told: dict[str, Any]) -> tuple[str, str]:
        listed = set(entry.get("_sd", ()))
        expected = self.say("every_value", n=len(listed))
        for shown in told.get("shown", ()):
            disclosure = str(shown["disclosure"])
            mark = _b64url(hashlib.sha256(disclosure.encode()).digest())
            if mark not in listed and not self._rooted(entry, mark, shown.get("path")):
                raise Wound("VALUE_ALTERED", expected, self.say("value_alien", name=_name_in(disclosure)))
        nothing = self.say("nothing")
        closed, erased = (", ".join(told.get(word, ())) or nothing for word in ("withheld", "erased"))
        return expected, self.say("values", n=len(told.get("shown", ())), closed=closed, erased=erased)

    def _rooted(self, entry: dict[str, Any], mark: str, path: dict[str, Any] | None) -> bool:
        if path is None or "subjects_root" not in entry:
            return False
        steps = [unbase64(step) for step in path["hashes"]]
        root = root_by_path(int(path["index"]), int(path["size"]), leaf_hash(mark.encode()), steps)
        return _b64url(root) == str(entry["subjects_root"])

    # L2

    def recorded(self, body: bytes, proof: Proof) -> tuple[str, str]:
        _, checkpoint = self.opened(proof.note)
        return self.leaf_leads(proof, leaf_hash(body), checkpoint, "ENTRY_ALTERED")

    def receipt(self, body: bytes, entry: dict[str, Any], proof: Proof, note: bytes) -> tuple[str, str]:
        origin = Checkpoint.parse(split_note(proof.note)[0]).origin
        mine = f"{origin}\n{proof.index}\n{b64(leaf_hash(body))}\n{entry['ts']}\n"
        promise, _, shared = note.partition(b"\n\n")
        form = promise.partition(b"\n")[0]
        text, signatures = split_note(shared if form == b"audit-receipt/v2" else note)
        self.signed_by(origin, text, signatures)
        if form == b"audit-receipt/v2":
            same = _shares(f"audit-receipt/v2\n{mine}", promise.decode(), origin, proof.index, text)
        else:
            same = text == f"audit-receipt/v1\n{mine}"
        if not same:
            raise Wound("RECEIPT_CONTRADICTS", self.say("receipt"), self.say("receipt_other"))
        return self.say("receipt"), self.say("signature", name=origin)

    # L3

    def anchored(self, proof: Proof, anchor: Proof) -> tuple[str, str]:
        _, checkpoint = self.opened(anchor.note)
        shard = Checkpoint.parse(split_note(proof.note)[0])
        hub, _, name = checkpoint.origin.rpartition("/")
        if not name.startswith("anchor") or not shard.origin.startswith(f"{hub}/"):
            raise Wound("LOG_UNKNOWN", self.say("anchor_of", name=shard.origin), checkpoint.origin)
        leaf = leaf_hash(split_note(proof.note)[0].encode())
        return self.leaf_leads(anchor, leaf, checkpoint, "CHECKPOINT_NOT_ANCHORED")

    # L4

    def witnessed(self, note: bytes) -> tuple[str, str]:
        text, signatures = split_note(note)
        if self.policy is None:
            raise Wound("POLICY_MISSING", self.say("known_log"), self.say("no_policy"), NOT_CHECKED)
        expected = self.say("quorum", name=self.policy.quorum)
        if self.policy.quorum == "none":
            raise Wound("WITNESS_NOT_REQUIRED", expected, self.say("quorum_none"), NOT_CHECKED)
        signed, unknown = set[str](), set[str]()
        for witness, key in self.policy.witnesses.items():
            for name, data in signatures:
                if name == key.name and data[:4] == key.id:
                    try:
                        signed |= {witness} if _valid(key, text, data[4:]) else set()
                    except Unsupported:
                        unknown.add(witness)
        names = ", ".join(sorted(signed)) or self.say("nothing")
        if self.policy.met(signed):
            return expected, self.say("witnesses", names=names)
        if self.policy.met(signed | unknown):
            raise Wound("WITNESS_UNREADABLE", expected, self.say("no_mldsa"), NOT_CHECKED)
        raise Wound("WITNESS_MISSING", expected, self.say("no_witness", names=names))

    # L5

    def stamped(self, response: bytes, note: bytes, ts: int, pems: bytes) -> tuple[str, str]:
        text = split_note(note)[0].encode()
        expected = self.say("a_stamp")
        roots = x509.load_pem_x509_certificates(self.roots) if self.roots else _self_signed(pems)
        if not roots:
            raise Wound("STAMP_UNTRUSTED", expected, self.say("no_roots"), NOT_CHECKED)
        by = "cryptography"
        try:
            stamp = read_stamp(response)
            root = check_chain(stamp, roots, [*stamp.others, *_pems(pems)])
        except InvalidSignature as error:
            raise Wound("STAMP_INVALID", expected, self.say("malformed", why="signature")) from error
        except Unsupported as why:
            return self._stamped_by_openssl(response, text, why, expected, pems)
        if stamp.imprint != hashlib.sha256(text).digest():
            raise Wound("STAMP_INVALID", expected, self.say("malformed", why="imprint"))
        if stamp.at.timestamp() * 1e6 < ts - SLACK:
            raise Wound("STAMP_BEFORE_ENTRY", self.say("after_entry", ts=_when(ts)), stamp.at.isoformat())
        trusted = self.say("root_given") if self.roots else self.say("root_bundle", print=_print(root))
        who = stamp.signer.subject.rfc4514_string()
        return expected, self.say("stamped", at=stamp.at.isoformat(), who=who, by=by, root=trusted)

    def _stamped_by_openssl(
        self, response: bytes, text: bytes, why: Exception, expected: str, pems: bytes
    ) -> tuple[str, str]:
        try:
            by = openssl_says(response, text, self.roots or pems)
        except FileNotFoundError as error:
            raise Wound("STAMP_UNREADABLE", expected, self.say("no_judge", why=why), NOT_CHECKED) from error
        trusted = self.say("root_given") if self.roots else self.say("root_bundle", print="?")
        return expected, self.say("stamped", at="?", who="?", by=by, root=trusted)


def _valid(key: Key, text: str, signature: bytes) -> bool:
    try:
        key.verify(text, signature)
        return True
    except InvalidSignature:
        return False


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _name_in(disclosure: str) -> str:
    try:
        name = json.loads(base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)))[1]
    except (ValueError, IndexError, TypeError):
        return "?"
    return name if isinstance(name, str) and re.fullmatch("[a-z_]{1,40}", name) else "?"


def _when(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1e6, UTC).isoformat(timespec="seconds")


def _print(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def _pems(data: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(data) if b"-----BEGIN CERTIFICATE" in data else []


def _self_signed(data: bytes) -> list[x509.Certificate]:
    return [certificate for certificate in _pems(data) if certificate.issuer == certificate.subject]


def verify_bundle(files: dict[str, bytes], judge: Judge) -> list[Result]:
    """Levels L1 to L5 of every entry in an unpacked bundle."""
    say = judge.say
    folders = sorted({"/".join(name.split("/")[:2]) for name in files if name.startswith("entries/")})
    if not folders:
        missing = Wound("FILE_MISSING", say("file", name="entries/"), say("missing"))
        judge.check("L2", "entries/", _raising(missing))
    read = [(folder, _Entry(folder, files)) for folder in folders]
    for folder, entry in read:
        _judge_entry(judge, folder, entry, files)
    _judge_pairs(judge, read)
    if "day.json" in files:
        judge.check("DAY", "day.json", lambda: _day_proved(judge.say, files["day.json"], [entry for _, entry in read]))
    return judge.results


def _day_proved(say: Words, told: bytes, entries: list[_Entry]) -> tuple[str, str]:
    """That the map of the day's own entry holds exactly the listed lines under each key, or does not hold the key."""
    try:
        day = json.loads(told)
        committed = [entry.json("entry.json", say) for entry in entries]
        index = next(one for one in committed if one["type"] == "index" and one.get("day") == day["day"])
        size, root = int(index["size"]), base64.b64decode(index["root"])
        expected = say("day_map", day=day["day"], size=size, root=index["root"])
        orders = {(one.get("shard"), one.get("index")) for one in committed if one["type"] == "erasure"}
        lines = gone = 0
        for proof in day["proofs"]:
            if not _held(proof, size, root):
                raise Wound("DAY_OTHER", expected, say("day_other"))
            erased = {(shard, index) for shard, index in proof.get("erased", ())}
            if not erased <= orders & {(shard, index) for shard, index in proof["lines"]}:
                raise Wound("DAY_NOT_ERASED", expected, say("day_no_order"))
            lines, gone = lines + len(proof["lines"]), gone + len(erased)
        if not day["proofs"] or index["name"] != "keeping.index.shown":
            raise Malformed("day.json")
        return expected, say("day_erased" if gone else "day_lines", n=lines, gone=gone)
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise Malformed("day.json") from error


def _held(proof: dict[str, Any], size: int, root: bytes) -> bool:
    key, salt = (base64.b64decode(proof[name], validate=True) for name in ("key", "salt"))
    if (len(key), len(salt)) != (16, 16):  # a longer salt could hide lines: the hash runs over salt and lines in one
        return False
    leaves = []
    for leaf in proof["leaves"]:
        name, value = (base64.b64decode(leaf[one], validate=True) for one in ("key", "value"))
        path = [base64.b64decode(step, validate=True) for step in leaf["path"]]
        if (len(name), len(value)) != (16, 32):
            return False
        if root_by_path(int(leaf["index"]), size, leaf_hash(name + value), path) != root:
            return False
        leaves.append((int(leaf["index"]), name, value))
    lines = [(shard, index) for shard, index in proof["lines"]]
    if lines:
        if not all(type(shard) is str and "\n" not in shard and type(index) is int for shard, index in lines):
            return False  # a name with a line end could stand for two lines
        listed = "".join(f"{shard}\n{index}\n" for shard, index in lines)
        return [(name, value) for _, name, value in leaves] == [(key, hashlib.sha256(salt + listed.encode()).digest())]
    before = [index for index, name, _ in leaves if name < key]
    after = [index for index, name, _ in leaves if name > key]
    if size == 0:
        return not leaves and root == hashlib.sha256(b"").digest()
    apart = (after[0] if after else size) - (before[0] if before else -1)
    return len(before) <= 1 and len(after) <= 1 and len(before) + len(after) == len(leaves) and apart == 1


class _Entry:
    """The files of one entry, read when a check needs them."""

    def __init__(self, folder: str, files: dict[str, bytes]) -> None:
        self.folder, self.files = folder, files

    def file(self, name: str, say: Words) -> bytes:
        try:
            return self.files[f"{self.folder}/{name}"]
        except KeyError:
            raise Wound("FILE_MISSING", say("file", name=name), say("missing")) from None

    def json(self, name: str, say: Words) -> dict[str, Any]:
        try:
            value = json.loads(self.file(name, say))
        except ValueError as error:
            raise Malformed(name) from error
        if not isinstance(value, dict):
            raise Malformed(name)
        return value


def _raising(wound: Wound) -> Callable[[], tuple[str, str]]:
    def raise_it() -> tuple[str, str]:
        raise wound

    return raise_it


def _judge_entry(judge: Judge, where: str, entry: _Entry, files: dict[str, bytes]) -> None:
    say = judge.say
    record: Callable[[], Proof] = lambda: Proof.parse(entry.file("record.tlog-proof", say))  # noqa: E731
    anchor: Callable[[], Proof] = lambda: Proof.parse(entry.file("anchor.tlog-proof", say))  # noqa: E731
    body: Callable[[], bytes] = lambda: entry.file("entry.json", say)  # noqa: E731
    clear: Callable[[], dict[str, Any]] = lambda: entry.json("entry.json", say)  # noqa: E731
    judge.check("L1", where, lambda: judge.values(clear(), entry.json("disclosures.json", say)))
    judge.check("L2", where, lambda: judge.recorded(body(), record()))
    receipt = files.get(f"{where}/receipt.note")
    if receipt is not None:
        judge.check("L2", f"{where}/receipt.note", lambda: judge.receipt(body(), clear(), record(), receipt))
    if not judge.check("L3", where, lambda: judge.anchored(record(), anchor())):
        return
    judge.check("L4", where, lambda: judge.witnessed(anchor().note))
    size = Checkpoint.parse(split_note(anchor().note)[0]).size
    stamps = sorted(name for name in files if name.startswith(f"stamps/{size}-") and name.endswith(".tsr"))
    pems = b"".join(
        data for name, data in sorted(files.items()) if name.startswith("stamps/") and name.endswith(".pem")
    )
    for name in stamps:
        _judge_stamp(judge, f"{where}, {name}", files[name], anchor().note, clear, pems)
    if not stamps:
        judge.check(
            "L5", where, _raising(Wound("STAMP_MISSING", say("a_stamp"), say("no_stamp", size=size), NOT_CHECKED))
        )


def _judge_stamp(
    judge: Judge, where: str, response: bytes, note: bytes, clear: Callable[[], dict[str, Any]], pems: bytes
) -> None:
    judge.check("L5", where, lambda: judge.stamped(response, note, int(clear()["ts"]), pems))


def _judge_pairs(judge: Judge, read: list[tuple[str, _Entry]]) -> None:
    """An outcome in the bundle belongs to the intent in the bundle that it names."""
    say, intents = judge.say, dict[int, dict[str, Any]]()
    for _, entry in read:
        try:
            clear, proof = entry.json("entry.json", say), Proof.parse(entry.file("record.tlog-proof", say))
        except (Wound, Malformed):
            continue
        if clear.get("type") == "intent":
            intents[proof.index] = clear
        elif intents and "intent_ref" in clear:
            intent = intents.get(clear["intent_ref"])
            same = intent is not None and intent.get("trace_id") == clear.get("trace_id")
            wound = Wound("PAIR_BROKEN", say("pair"), say("pair_broken"))
            found = (say("pair"), str(clear.get("trace_id")))
            judge.check("L2", entry.folder, (lambda found=found: found) if same else _raising(wound))  # type: ignore[misc]


# --- L6: a published folder (C2SP tlog-tiles) -----------------------------------------------------------------------------


def tile_name(level: str, index: int, width: int) -> str:
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < 256 else "")


class Folder:
    """One log in a published folder."""

    def __init__(self, path: Path, say: Words) -> None:
        self.path, self.say = path, say

    def read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError:
            raise Wound("FILE_MISSING", self.say("file", name=name), self.say("missing")) from None

    def entries(self, size: int) -> Iterator[bytes]:
        """Every entry, checked against the tiles of level 0."""
        for number in range(-(-size // 256)):
            width = min(256, size - number * 256)
            bundle, tile = self.read(tile_name("entries", number, width)), self.read(tile_name("0", number, width))
            at = 0
            for index in range(width):
                end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
                body, at = bundle[at + 2 : end], end
                leaf, said = leaf_hash(body), tile[32 * index : 32 * index + 32]
                if end > len(bundle) or leaf != said:
                    where = f"{self.say('file', name=tile_name('entries', number, width))}, {number * 256 + index}"
                    raise Wound(
                        "ENTRY_ALTERED",
                        self.say("tile_says", digest=b64(said)),
                        f"{where}: {self.say('entry_hashes', digest=b64(leaf))}",
                    )
                yield body
            if at != len(bundle) or len(tile) != 32 * width:
                raise Malformed(tile_name("entries", number, width))

    def upper_tiles(self, size: int) -> None:
        """Every tile above level 0 says what the tiles below it hash to."""
        level, below = 0, size
        while below >= 256:
            above = below // 256
            wanted = [self._tile_root(str(level), number) for number in range(above)]
            for number in range(-(-above // 256)):
                width = min(256, above - number * 256)
                name = tile_name(str(level + 1), number, width)
                if self.read(name) != b"".join(wanted[number * 256 : number * 256 + width]):
                    raise Wound("TILE_ALTERED", self.say("file", name=name), self.say("malformed", why=name))
            level, below = level + 1, above

    def _tile_root(self, level: str, number: int) -> bytes:
        data, tree = self.read(tile_name(level, number, 256)), Growing()
        for at in range(0, len(data), 32):
            tree.add(data[at : at + 32])
        return tree.root()


def verify_folder(folder: Path, judge: Judge) -> list[Result]:
    """L6, and L3 to L5 for the anchor log, of a folder that `integrator audit publish` wrote."""
    say = judge.say
    origins = sorted(path.parent for path in folder.rglob("checkpoint") if path.is_file())
    if not origins:
        judge.check("L6", str(folder), _raising(Wound("FILE_MISSING", say("a_log"), say("no_logs"))))
    anchors = [path for path in origins if path.name.startswith("anchor")]
    signed: dict[str, list[Checkpoint]] = {}
    for path in anchors:
        judge.check("L6", _relative(path, folder), lambda path=path: _whole_anchor(judge, path, signed))  # type: ignore[misc]
    for path in origins:
        if path not in anchors:
            judge.check("L6", _relative(path, folder), lambda path=path: _whole_shard(judge, path, signed))  # type: ignore[misc]
            judge.check("L3", _relative(path, folder), lambda path=path: _held_by_anchor(judge, path, signed))  # type: ignore[misc]
            payload = Wound("PAYLOAD_NOT_PUBLISHED", say("whole", size="", root=""), say("no_payload"), NOT_CHECKED)
            payload.expected = say("L1")
            judge.check("L1", _relative(path, folder), _raising(payload))
    for path in anchors:
        _outside(judge, path, _relative(path, folder))
    if not anchors:
        for level in ("L3", "L4", "L5"):
            judge.check(
                level, str(folder.name), _raising(Wound("ANCHOR_MISSING", say(level), say("no_anchor"), NOT_CHECKED))
            )
    return judge.results


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _whole_anchor(judge: Judge, path: Path, signed: dict[str, list[Checkpoint]]) -> tuple[str, str]:
    folder, tree = Folder(path, judge.say), Growing()
    _, checkpoint = judge.opened(folder.read("checkpoint"))
    for body in folder.entries(checkpoint.size):
        tree.add(leaf_hash(body))
        shard = Checkpoint.parse(body.decode())
        signed.setdefault(shard.origin, []).append(shard)
    folder.upper_tiles(checkpoint.size)
    return _root_as_signed(judge, tree, checkpoint, 0, 0)


def _root_as_signed(judge: Judge, tree: Growing, checkpoint: Checkpoint, pairs: int, left: int) -> tuple[str, str]:
    expected = judge.say("whole", size=checkpoint.size, root=b64(checkpoint.root))
    if tree.root() != checkpoint.root:
        raise Wound("ROOT_MISMATCH", expected, judge.say("rebuilt_other", root=b64(tree.root())))
    return expected, judge.say("rebuilt", root=b64(tree.root()), pairs=pairs, open=left)


def _whole_shard(judge: Judge, path: Path, signed: dict[str, list[Checkpoint]]) -> tuple[str, str]:
    say, folder, tree = judge.say, Folder(path, judge.say), Growing()
    _, checkpoint = judge.opened(folder.read("checkpoint"))
    at_size = {older.size: older for older in signed.get(checkpoint.origin, ())}
    intents, pairs, newest = dict[int, str](), 0, 0
    for index, body in enumerate(folder.entries(checkpoint.size)):
        tree.add(leaf_hash(body))
        entry = json.loads(body)
        if entry["ts"] < newest - SLACK:
            seconds = (newest - entry["ts"]) // 1_000_000
            raise Wound("BACKDATED", f"{say('after_neighbour')} ({index})", say("earlier_by", seconds=seconds))
        newest = max(newest, entry["ts"])
        if entry["type"] == "intent":
            intents[index] = entry["trace_id"]
        elif "intent_ref" in entry and entry["type"] in ("outcome", "unknown", "close"):
            if entry["type"] != "close" and intents.get(entry["intent_ref"], entry["trace_id"]) != entry["trace_id"]:
                raise Wound("PAIR_BROKEN", f"{say('pair')} ({index})", say("pair_broken"))
            pairs += 1
            intents.pop(entry["intent_ref"], None)
        older = at_size.get(index + 1)
        if older is not None and older.root != tree.root():
            expected = say("anchored_other", size=older.size, root=b64(older.root))
            raise Wound("FORKED", expected, say("rebuilt_other", root=b64(tree.root())))
    folder.upper_tiles(checkpoint.size)
    return _root_as_signed(judge, tree, checkpoint, pairs, len(intents))


def _held_by_anchor(judge: Judge, path: Path, signed: dict[str, list[Checkpoint]]) -> tuple[str, str]:
    _, checkpoint = judge.opened(Folder(path, judge.say).read("checkpoint"))
    older, say = signed.get(checkpoint.origin, []), judge.say
    expected = say("anchored", name=checkpoint.origin)
    if not older:
        raise Wound("CHECKPOINT_NOT_ANCHORED", expected, say("not_anchored"))
    largest = max(older, key=lambda one: one.size)
    if largest.size > checkpoint.size:
        raise Wound("CHECKPOINT_ROLLED_BACK", expected, say("anchored_more", size=largest.size))
    if largest.size == checkpoint.size and largest.root != checkpoint.root:
        raise Wound("FORKED", expected, say("anchored_other", size=largest.size, root=b64(largest.root)))
    return expected, say("anchored_n", n=len(older))


def _outside(judge: Judge, path: Path, where: str) -> None:
    """Witnesses and stamps of an anchor log: of the newest checkpoint that has them."""
    say, folder = judge.say, Folder(path, judge.say)
    witnessed = sorted((path / "witnessed").glob("*"), key=lambda file: int(file.name) if file.name.isdigit() else -1)
    note = witnessed[-1].read_bytes() if witnessed else (path / "checkpoint").read_bytes()
    judge.check("L4", where, lambda: judge.witnessed(note))
    stamps = sorted((path / "timestamp").glob("*-*.tsr"), key=lambda file: int(file.name.partition("-")[0]))
    pems = b"".join(file.read_bytes() for file in sorted(path.rglob("*.pem")))
    newest = int(stamps[-1].name.partition("-")[0]) if stamps else 0
    for stamp in stamps:
        if int(stamp.name.partition("-")[0]) == newest:  # it covers all before it
            name = f"{where}/timestamp/{stamp.name}"
            _judge_stamp(judge, name, stamp.read_bytes(), _note_at(judge, folder, newest), lambda: {"ts": 0}, pems)
    if not stamps:
        judge.check(
            "L5", where, _raising(Wound("STAMP_MISSING", say("a_stamp"), say("no_stamp", size="*"), NOT_CHECKED))
        )


def _note_at(judge: Judge, folder: Folder, size: int) -> bytes:
    """The text that was signed when the anchor log had `size` entries, rebuilt from them, as a note without signatures."""
    _, checkpoint = judge.opened(folder.read("checkpoint"))
    tree = Growing()
    for body in folder.entries(checkpoint.size):
        if tree.size == size:
            break
        tree.add(leaf_hash(body))
    return f"{checkpoint.origin}\n{size}\n{b64(tree.root())}\n\n— {checkpoint.origin} {b64(bytes(68))}\n".encode()


# --- the command ----------------------------------------------------------------------------------------------------------


def unzip(data: Path | BinaryIO) -> dict[str, bytes]:
    """The files of a bundle. Raises Malformed for a zip that is none, too big, or has names that lead elsewhere."""
    try:
        with zipfile.ZipFile(data) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            names = [info.filename for info in infos]
            odd = any(name.startswith("/") or ".." in name.split("/") for name in names)
            if odd or len(set(names)) != len(names):
                raise Malformed("zip: names")
            if len(infos) > MAX_FILES or sum(info.file_size for info in infos) > MAX_BYTES:
                raise Malformed("zip: too big")
            return {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise Malformed("zip") from error


def ends_with(results: Iterable[Result]) -> int:
    """Exit code: 0 all proven, 1 something wrong, 3 something not checked."""
    states = {result.state for result in results}
    return 1 if WRONG in states else 3 if NOT_CHECKED in states else 0


def show(results: list[Result], say: Words) -> str:
    """The report in words."""
    lines = []
    for level in sorted({result.level for result in results}):
        lines.append(f"{level}  {say(level)}")
        for result in (result for result in results if result.level == level):
            code = "" if result.state == PROVEN else f" {result.code}"
            lines.append(f"    {say(result.state)}{code}  {result.where}")
            lines.append(f"      {say('expected')}: {result.expected}")
            lines.append(f"      {say('found')}: {result.found}")
    return "\n".join([*lines, "", say({0: "all", 1: "none", 3: "some"}[ends_with(results)])])


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="hub_audit_verify", description="Verify an evidence bundle or published ledger."
    )
    parser.add_argument("evidence", type=Path, help="a bundle (zip) or a published folder")
    parser.add_argument("--policy", type=Path, help="tlog-policy you trust; else the one in the bundle, and it says so")
    parser.add_argument("--tsa-roots", type=Path, help="PEM of time-stamping roots you trust")
    language = os.environ.get("LANG", "")[:2]
    parser.add_argument("--lang", choices=LANGUAGES, default=language if language in LANGUAGES else "en")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    chosen = _arguments(arguments)
    say = Words(chosen.lang)
    try:
        files = {} if chosen.evidence.is_dir() else unzip(chosen.evidence)
        inside = files.get("policy.txt")
        if chosen.evidence.is_dir() and (chosen.evidence / "policy").is_file():
            inside = (chosen.evidence / "policy").read_bytes()
        policy = chosen.policy.read_bytes() if chosen.policy else inside
        parsed = None if policy is None else Policy.parse(policy)
        roots = chosen.tsa_roots.read_bytes() if chosen.tsa_roots else None
    except (OSError, Malformed) as error:
        sys.stderr.write(f"hub_audit_verify: {say('malformed', why=error)}\n")
        return 1 if isinstance(error, Malformed) else 2
    judge = Judge(say, parsed, roots)
    results = verify_folder(chosen.evidence, judge) if chosen.evidence.is_dir() else verify_bundle(files, judge)
    fingerprint = hashlib.sha256(policy or b"").hexdigest()
    code = ends_with(results)
    if chosen.json:
        told = {"exit": code, "policy": "given" if chosen.policy else "bundle", "policy_sha256": fingerprint}
        sys.stdout.write(
            json.dumps({**told, "results": [asdict(result) for result in results]}, ensure_ascii=False) + "\n"
        )
        return code
    if not chosen.policy and policy is not None:
        sys.stdout.write(say("own_policy", print=fingerprint) + "\n\n")
    sys.stdout.write(show(results, say) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
