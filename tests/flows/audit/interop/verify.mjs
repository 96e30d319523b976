// Verifies note, inclusion and consistency of a published folder with WebCrypto only, as a browser would.
//
//   node verify.mjs FOLDER        (the folder: see verify.go; tiles are not read)
//
// Nothing here comes from our Python: roots are rebuilt by the recursive definitions of RFC 6962 §2.1.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const { subtle } = globalThis.crypto ?? (await import("node:crypto")).webcrypto;
const folder = process.argv[2];
const read = (name) => readFileSync(join(folder, name));
const decoder = new TextDecoder("utf-8", { fatal: true });
const bytes = (base64) => new Uint8Array(Buffer.from(base64, "base64"));
const sha256 = async (...parts) => new Uint8Array(await subtle.digest("SHA-256", Buffer.concat(parts)));
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);
const equal = (one, other) => Buffer.compare(one, other) === 0;

function insist(holds, what) {
  if (!holds) {
    console.log(`REFUSED: ${what}`);
    process.exit(1);
  }
}

async function open(name) {
  const [keyName, keyId, ...rest] = decoder.decode(read("vkey")).trim().split("+");
  const material = rest.join("+"); // base64 has a plus of its own
  const key = bytes(material).slice(1);
  const id = (await sha256(Buffer.from(`${keyName}\n`), bytes(material))).slice(0, 4);
  insist(keyId === Buffer.from(id).toString("hex"), "the key id belongs to the key");
  const note = decoder.decode(read(name));
  const end = note.lastIndexOf("\n\n");
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2).split("\n").filter((line) => line.startsWith(`— ${keyName} `));
  const signature = lines.map((line) => bytes(line.split(" ")[2])).find((data) => equal(data.slice(0, 4), id));
  insist(signature, `${name}: signed by the log`);
  const publicKey = await subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  const genuine = await subtle.verify({ name: "Ed25519" }, publicKey, signature.slice(4), Buffer.from(text));
  insist(genuine, `${name}: the signature is genuine`);
  const [origin, size, root] = text.split("\n");
  insist(origin === keyName, `${name}: the origin is the name of the key`);
  return { size: Number(size), root: bytes(root) };
}

const split = (size) => {
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
};

// RFC 6962 §2.1.1: PATH(m, D[n]) read backwards, the last hash being the sibling below the root.
async function rootFromInclusion(index, size, leaf, path) {
  if (size === 1) return path.length === 0 ? leaf : null;
  if (path.length === 0) return null;
  const [below, sibling] = [path.slice(0, -1), path.at(-1)];
  const half = split(size);
  const onTheLeft = index < half;
  const inner = await rootFromInclusion(onTheLeft ? index : index - half, onTheLeft ? half : size - half, leaf, below);
  if (inner === null) return null;
  return onTheLeft ? nodeHash(inner, sibling) : nodeHash(sibling, inner);
}

// RFC 6962 §2.1.2: SUBPROOF(m, D[n], b) read backwards; gives [old root, new root] of this part, or null.
async function rootsFromConsistency(old, size, known, path) {
  if (old === size) {
    if (known !== null) return path.length === 0 ? [known, known] : null;
    return path.length === 1 ? [path[0], path[0]] : null;
  }
  if (path.length === 0) return null;
  const [below, sibling] = [path.slice(0, -1), path.at(-1)];
  const half = split(size);
  if (old <= half) {
    const inner = await rootsFromConsistency(old, half, known, below);
    return inner && [inner[0], await nodeHash(inner[1], sibling)];
  }
  const inner = await rootsFromConsistency(old - half, size - half, null, below);
  return inner && [await nodeHash(sibling, inner[0]), await nodeHash(sibling, inner[1])];
}

const tree = await open("checkpoint");
const before = await open("old-checkpoint");
const leaves = new Uint8Array(read("leaves"));
const leafAt = (index) => leaves.slice(index * 32, index * 32 + 32);

for (const { index, hashes } of JSON.parse(read("inclusion.json"))) {
  const path = hashes.map(bytes);
  const root = await rootFromInclusion(index, tree.size, leafAt(index), path);
  insist(root && equal(root, tree.root), `leaf ${index} is included in ${tree.size}`);
  if (tree.size > 1) {
    const wrong = await rootFromInclusion(index, tree.size, leafAt((index + 1) % tree.size), path);
    insist(wrong && !equal(wrong, tree.root), "another leaf is not included there");
  }
}
for (const { hashes } of JSON.parse(read("consistency.json"))) {
  const roots = await rootsFromConsistency(before.size, tree.size, before.root, hashes.map(bytes));
  insist(
    roots && equal(roots[0], before.root) && equal(roots[1], tree.root),
    `${before.size} is consistent with ${tree.size}`,
  );
}
console.log("verified");
