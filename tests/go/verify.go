// The record, judged by a program that is not ours: golang.org/x/mod/sumdb/note reads its checkpoints, and .../tlog checks its
// proofs and its tiles. One command, one JSON line; exit 1 says that something is not as it should be.
//
//	verify checkpoint KEYS NOTE
//	verify cosignature VKEY NOTE
//	verify proof KEYS PROOF [ENTRY]
//	verify witness KEYS OLD-NOTE REQUEST
//	verify request KEYS DIR OLD-NOTE
//	verify log KEYS DIR [OLD-NOTE]...
//	verify trees < questions
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

type verdict map[string]interface{}

var commands = map[string]func(args []string) (verdict, error){
	"checkpoint":  checkpoint,
	"cosignature": cosignature,
	"proof":       proof,
	"witness":     witness,
	"request":     askWitness,
	"log":         wholeLog,
	"trees":       trees,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "verify: no such command")
		os.Exit(2)
	}
	v, err := commands[os.Args[1]](os.Args[2:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "verify %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
	if v != nil {
		json.NewEncoder(os.Stdout).Encode(v)
	}
}

func checkpoint(args []string) (verdict, error) {
	c, err := openCheckpoint(args[0], read(args[1]))
	if err != nil {
		return nil, err
	}
	return verdict{"origin": c.origin, "size": c.tree.N, "root": c.tree.Hash.String(), "signatures": c.signatures}, nil
}

func proof(args []string) (verdict, error) {
	p, err := parseProof(read(args[1]))
	if err != nil {
		return nil, err
	}
	c, err := openCheckpoint(args[0], p.checkpoint)
	if err != nil {
		return nil, err
	}
	entry := p.extra
	if len(args) > 2 {
		entry = read(args[2])
	}
	if err := tlog.CheckRecord(p.hashes, c.tree.N, c.tree.Hash, p.index, tlog.RecordHash(entry)); err != nil {
		return nil, err
	}
	return verdict{"index": p.index, "size": c.tree.N, "entry": string(entry)}, nil
}

func witness(args []string) (verdict, error) {
	old, err := openCheckpoint(args[0], read(args[1]))
	if err != nil {
		return nil, err
	}
	r, err := parseRequest(read(args[2]))
	if err != nil {
		return nil, err
	}
	c, err := openCheckpoint(args[0], r.checkpoint)
	if err != nil {
		return nil, err
	}
	if r.old != old.tree.N {
		return nil, fmt.Errorf("the request is about a tree of %d, the checkpoint of %d", r.old, old.tree.N)
	}
	if err := tlog.CheckTree(r.hashes, c.tree.N, c.tree.Hash, old.tree.N, old.tree.Hash); err != nil {
		return nil, err
	}
	return verdict{"old": r.old, "size": c.tree.N}, nil
}

// What a witness would be asked, made from the tiles of a folder.
func askWitness(args []string) (verdict, error) {
	msg := read(args[1] + "/checkpoint")
	c, err := openCheckpoint(args[0], msg)
	if err != nil {
		return nil, err
	}
	old, err := openCheckpoint(args[0], read(args[2]))
	if err != nil {
		return nil, err
	}
	p, err := tlog.ProveTree(c.tree.N, old.tree.N, tlog.TileHashReader(c.tree, folder(args[1])))
	if err != nil {
		return nil, err
	}
	fmt.Printf("old %d\n", old.tree.N)
	for _, h := range p {
		fmt.Println(h)
	}
	fmt.Printf("\n%s", msg)
	return nil, nil
}

// Every tile, every entry, and that each older checkpoint is a beginning of the tree.
func wholeLog(args []string) (verdict, error) {
	dir := folder(args[1])
	c, err := openCheckpoint(args[0], read(args[1]+"/checkpoint"))
	if err != nil {
		return nil, err
	}
	hashes := tlog.TileHashReader(c.tree, dir)
	first := int64(-1)
	for n := int64(0); n*256 < c.tree.N; n++ {
		entries, err := dir.bundle(n, c.tree.N)
		if os.IsNotExist(err) && first < 0 { // pruned
			continue
		}
		if err != nil {
			return nil, err
		}
		if first < 0 {
			first = n * 256
		}
		if err := checkEntries(hashes, n*256, entries); err != nil {
			return nil, err
		}
	}
	for _, name := range args[2:] {
		if err := checkOlder(args[0], name, c, hashes); err != nil {
			return nil, fmt.Errorf("%s: %v", name, err)
		}
	}
	return verdict{"size": c.tree.N, "first": first, "older": len(args) - 2}, nil
}

func checkEntries(hashes tlog.HashReader, from int64, entries [][]byte) error {
	index := make([]int64, len(entries))
	for i := range entries {
		index[i] = tlog.StoredHashIndex(0, from+int64(i))
	}
	leaves, err := hashes.ReadHashes(index)
	if err != nil {
		return err
	}
	for i, e := range entries {
		if tlog.RecordHash(e) != leaves[i] {
			return fmt.Errorf("entry %d is not the leaf of the tree", from+int64(i))
		}
	}
	return nil
}

func checkOlder(keys, name string, c *checkpointed, hashes tlog.HashReader) error {
	old, err := openCheckpoint(keys, read(name))
	if err != nil {
		return err
	}
	if old.tree.N == 0 {
		return nil
	}
	p, err := tlog.ProveTree(c.tree.N, old.tree.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(p, c.tree.N, c.tree.Hash, old.tree.N, old.tree.Hash)
}
