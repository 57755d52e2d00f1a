package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func read(name string) []byte {
	b, err := os.ReadFile(name)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return b
}

// ---- checkpoints (tlog-checkpoint) ----

type checkpointed struct {
	origin     string
	tree       tlog.Tree
	signatures int
}

// keys: a file with a verifier in each line.
func openCheckpoint(keys string, msg []byte) (*checkpointed, error) {
	var known []note.Verifier
	for _, line := range strings.Fields(string(read(keys))) {
		v, err := note.NewVerifier(line)
		if err != nil {
			return nil, err
		}
		known = append(known, v)
	}
	n, err := note.Open(msg, note.VerifierList(known...))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 {
		return nil, errors.New("a checkpoint has three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return nil, fmt.Errorf("%q is no size", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return nil, err
	}
	for _, s := range n.Sigs {
		if s.Name != lines[0] {
			return nil, fmt.Errorf("%s signs for %s", s.Name, lines[0])
		}
	}
	return &checkpointed{lines[0], tlog.Tree{N: size, Hash: root}, len(n.Sigs)}, nil
}

// ---- cosignatures (tlog-cosignature): a note's verifier of another kind ----

type witnessVerifier struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	time uint64
}

func (w *witnessVerifier) Name() string    { return w.name }
func (w *witnessVerifier) KeyHash() uint32 { return w.hash }
func (w *witnessVerifier) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	w.time = binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", w.time, msg)
	return ed25519.Verify(w.key, []byte(signed), sig[8:])
}

func cosignature(args []string) (verdict, error) {
	part := strings.SplitN(args[0], "+", 3)
	if len(part) != 3 {
		return nil, errors.New("no key")
	}
	key, err := base64.StdEncoding.DecodeString(part[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, errors.New("no key of a witness")
	}
	sum := sha256.Sum256(append([]byte(part[0]+"\n"), key...))
	if fmt.Sprintf("%x", sum[:4]) != part[1] {
		return nil, errors.New("the key's hash is another")
	}
	w := &witnessVerifier{name: part[0], hash: binary.BigEndian.Uint32(sum[:4]), key: key[1:]}
	if _, err := note.Open(read(args[1]), note.VerifierList(w)); err != nil {
		return nil, err
	}
	return verdict{"time": w.time}, nil
}

// ---- proofs in files (tlog-proof, tlog-witness) ----

type proofFile struct {
	extra      []byte
	index      int64
	hashes     tlog.RecordProof
	checkpoint []byte
}

type request struct {
	old        int64
	hashes     tlog.TreeProof
	checkpoint []byte
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}

func parseProof(b []byte) (*proofFile, error) {
	end := bytes.Index(b, []byte("\n\n"))
	if end < 0 {
		return nil, errors.New("a proof has an empty line before its checkpoint")
	}
	p := &proofFile{checkpoint: b[end+2:]}
	lines := strings.Split(string(b[:end]), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return nil, errors.New("no proof")
	}
	lines = lines[1:]
	var err error
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		if p.extra, err = base64.StdEncoding.DecodeString(lines[0][6:]); err != nil {
			return nil, err
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return nil, errors.New("no index")
	}
	if p.index, err = strconv.ParseInt(lines[0][6:], 10, 64); err != nil {
		return nil, err
	}
	p.hashes, err = parseHashes(lines[1:])
	return p, err
}

func parseRequest(b []byte) (*request, error) {
	end := bytes.Index(b, []byte("\n\n"))
	lines := strings.Split(string(b[:end+1]), "\n")
	if end < 0 || !strings.HasPrefix(lines[0], "old ") {
		return nil, errors.New("no request")
	}
	r := &request{checkpoint: b[end+2:]}
	var err error
	if r.old, err = strconv.ParseInt(lines[0][4:], 10, 64); err != nil {
		return nil, err
	}
	r.hashes, err = parseHashes(lines[1 : len(lines)-1])
	return r, err
}

// ---- tlog-tiles ----

// A folder of tiles. tlog's own paths name the height as well, and its entries are written otherwise.
type folder string

func (f folder) Height() int { return 8 }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, t := range tiles {
		b, err := f.tile(strings.Replace(t.Path(), "tile/8/", "tile/", 1), t.W)
		if err != nil {
			return nil, err
		}
		data = append(data, b[:t.W*tlog.HashSize])
	}
	return data, nil
}

func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

// A partial tile may have given way to the full one.
func (f folder) tile(path string, width int) ([]byte, error) {
	b, err := os.ReadFile(string(f) + "/" + path)
	if at := strings.Index(path, ".p/"); os.IsNotExist(err) && at > 0 {
		b, err = os.ReadFile(string(f) + "/" + path[:at])
	}
	if err == nil && len(b) < width*tlog.HashSize {
		err = fmt.Errorf("%s: is too short", path)
	}
	return b, err
}

func (f folder) bundle(n, size int64) ([][]byte, error) {
	t := tlog.Tile{H: 8, L: 0, N: n, W: 256}
	if rest := size - n*256; rest < 256 {
		t.W = int(rest)
	}
	path := strings.Replace(t.Path(), "tile/8/0/", "tile/entries/", 1)
	b, err := os.ReadFile(string(f) + "/" + path)
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
			return nil, fmt.Errorf("%s: ends within an entry", path)
		}
		end := 2 + int(binary.BigEndian.Uint16(b))
		entries = append(entries, b[2:end])
		b = b[end:]
	}
	if len(entries) != t.W {
		return nil, fmt.Errorf("%s: has %d entries", path, len(entries))
	}
	return entries, nil
}
