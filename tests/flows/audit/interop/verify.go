// Verifies a published folder with Go's checksum database code (golang.org/x/mod/sumdb), which never heard of us.
//
//	go run verify.go FOLDER
//
// The folder: vkey, checkpoint, old-checkpoint, tile/…, leaves (32 bytes each), inclusion.json, consistency.json, and,
// when a witness cosigned, witness-vkey. Prints "verified", or REFUSED and the first fact that does not hold.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // C2SP tlog-tiles: 256 hashes wide

type proof struct {
	Index  int64    `json:"index"`
	Hashes []string `json:"hashes"`
}

var folder string

func main() {
	folder = os.Args[1]
	logKey := strings.TrimSpace(string(read("vkey")))
	verifier, err := note.NewVerifier(logKey)
	must("the verifier key is read", err)

	tree, text := open("checkpoint", verifier)
	old, _ := open("old-checkpoint", verifier)
	leaves := read("leaves")
	if int64(len(leaves)) != tree.N*tlog.HashSize {
		fail("leaves", fmt.Errorf("%d bytes for %d leaves", len(leaves), tree.N))
	}

	for _, one := range proofs("inclusion.json") {
		must(fmt.Sprintf("leaf %d is included in %d", one.Index, tree.N),
			tlog.CheckRecord(hashes(one), tree.N, tree.Hash, one.Index, leaf(leaves, one.Index)))
		if tree.N > 1 {
			wrong := leaf(leaves, (one.Index+1)%tree.N)
			mustNot("another leaf is included there", tlog.CheckRecord(hashes(one), tree.N, tree.Hash, one.Index, wrong))
		}
	}
	for _, one := range proofs("consistency.json") {
		must(fmt.Sprintf("%d is consistent with %d", old.N, tree.N),
			tlog.CheckTree(tlog.TreeProof(hashes(one)), tree.N, tree.Hash, old.N, old.Hash))
	}

	// The tiles, authenticated against the root: TileHashReader refuses any that does not lead there.
	reader := tlog.TileHashReader(tree, tiles{})
	root, err := tlog.TreeHash(tree.N, reader)
	must("the tiles are read", err)
	if root != tree.Hash {
		fail("the tiles lead to the root", fmt.Errorf("%v instead of %v", root, tree.Hash))
	}
	before, err := tlog.TreeHash(old.N, reader)
	if err != nil || before != old.Hash {
		fail("the tiles lead to the old root", fmt.Errorf("%v instead of %v: %v", before, old.Hash, err))
	}
	indices := make([]int64, tree.N)
	for n := range indices {
		indices[n] = tlog.StoredHashIndex(0, int64(n))
	}
	stored, err := reader.ReadHashes(indices)
	must("every leaf is read from the tiles", err)
	for n, hash := range stored {
		if hash != leaf(leaves, int64(n)) {
			fail("the leaves in the tiles", fmt.Errorf("leaf %d differs", n))
		}
	}
	for _, one := range proofs("inclusion.json") { // the proofs it makes itself from our tiles are ours
		made, err := tlog.ProveRecord(tree.N, one.Index, reader)
		must("a proof is made from the tiles", err)
		same("the inclusion proof", fmt.Sprint(made), fmt.Sprint(tlog.RecordProof(hashes(one))))
	}
	for _, one := range proofs("consistency.json") {
		made, err := tlog.ProveTree(tree.N, old.N, reader)
		must("a consistency proof is made from the tiles", err)
		same("the consistency proof", fmt.Sprint(made), fmt.Sprint(tlog.TreeProof(hashes(one))))
	}

	if witness, err := os.ReadFile(filepath.Join(folder, "witness-vkey")); err == nil {
		cosigned(strings.TrimSpace(string(witness)), text)
	}
	fmt.Println("verified")
}

// cosigned checks a cosignature/v1 (C2SP tlog-cosignature) by its specification; x/mod has no code for it.
func cosigned(vkey, text string) {
	parts := strings.SplitN(vkey, "+", 3)
	material, err := base64.StdEncoding.DecodeString(parts[2])
	must("the witness's key is base64", err)
	if len(material) != 33 || material[0] != 4 {
		fail("the witness's key", fmt.Errorf("not of kind 0x04"))
	}
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	same("the witness's key id", fmt.Sprintf("%x", id[:4]), parts[1])
	for _, line := range strings.Split(string(read("checkpoint")), "\n") {
		encoded := strings.TrimPrefix(line, "— "+parts[0]+" ")
		if encoded == line {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(encoded)
		must("the cosignature is base64", err)
		if len(data) != 4+8+64 || string(data[:4]) != string(id[:4]) {
			continue
		}
		time := strconv.FormatUint(binary.BigEndian.Uint64(data[4:12]), 10)
		message := []byte("cosignature/v1\ntime " + time + "\n" + text)
		if !ed25519.Verify(ed25519.PublicKey(material[1:]), message, data[12:]) {
			fail("the cosignature", fmt.Errorf("not by the witness"))
		}
		fmt.Println("cosigned at", time)
		return
	}
	fail("the cosignature", fmt.Errorf("not found"))
}

type tiles struct{}

func (tiles) Height() int                            { return height }
func (tiles) SaveTiles(kept []tlog.Tile, _ [][]byte) {}
func (tiles) ReadTiles(asked []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range asked {
		// x/mod writes tile/<height>/<level>/…, C2SP fixed the height and leaves it out.
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

// open verifies a note; the tree in it is read by hand, as x/mod only knows the one header of the checksum database.
func open(name string, verifier note.Verifier) (tlog.Tree, string) {
	opened, err := note.Open(read(name), note.VerifierList(verifier))
	must(name+" is signed", err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 {
		fail(name, fmt.Errorf("%d lines", len(lines)))
	}
	same("the origin", lines[0], verifier.Name())
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must("the size is a number", err)
	hash, err := tlog.ParseHash(lines[2])
	must("the root is a hash", err)
	return tlog.Tree{N: size, Hash: hash}, opened.Text
}

func proofs(name string) (all []proof) {
	must(name+" is JSON", json.Unmarshal(read(name), &all))
	return all
}

func hashes(one proof) (all tlog.RecordProof) {
	for _, text := range one.Hashes {
		hash, err := tlog.ParseHash(text)
		must("a hash of a proof is read", err)
		all = append(all, hash)
	}
	return all
}

func leaf(leaves []byte, n int64) (hash tlog.Hash) {
	copy(hash[:], leaves[n*tlog.HashSize:])
	return hash
}

func read(name string) []byte {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		fail(name, err)
	}
	return data
}

func same(what, one, other string) {
	if one != other {
		fail(what, fmt.Errorf("%s differs from %s", one, other))
	}
}

func must(what string, err error) {
	if err != nil {
		fail(what, err)
	}
}

func mustNot(what string, err error) {
	if err == nil {
		fail(what, fmt.Errorf("and should not"))
	}
}

func fail(what string, err error) {
	fmt.Printf("REFUSED: %s: %v\n", what, err)
	os.Exit(1)
}
