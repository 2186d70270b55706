package files

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"chatnow/internal/text"
)

// Entry is a file in an archive.
type Entry struct {
	Name string `json:"name"`
	Size uint64 `json:"size"` // as the archive says it
}

// Bounds against archives that are made to hurt. They bound what is really read and unpacked: the sizes
// and counts that an archive tells are only claims.
const (
	maxEntries   = 200      // that are listed
	maxDirectory = 2 << 20  // bytes of a zip's directory; each of its entries takes some 300 in memory
	maxPacked    = 16 << 20 // bytes of an archive that are unpacked, all its logs together
	maxWalk      = 64 << 20 // unpacked bytes of a tar that are passed over for its list
	maxLogs      = 5        // of an archive that are read
	maxRead      = 1 << 20  // bytes of a log, after unpacking
)

// look lists an archive and reads logs, in memory and within bounds. What cannot be read tells nothing.
func look(name, kind string) ([]Entry, Found) {
	f, err := os.Open(name)
	if err != nil {
		return nil, Found{}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, Found{}
	}
	return lookInto(io.NewSectionReader(f, 0, info.Size()), kind)
}

func lookInto(f *io.SectionReader, kind string) ([]Entry, Found) {
	var in inside
	for m := mimetype.Lookup(kind); m != nil; m = m.Parent() {
		switch {
		case m.Is("application/zip"):
			in.zip(f)
		case m.Is("application/gzip"):
			in.gzip(f)
		case m.Is("application/x-tar"):
			in.tar(io.LimitReader(f, maxWalk))
		case m.Is("text/plain"): // JSON, CSV and XML, too
			in.keep(0, f)
		default:
			continue
		}
		break
	}
	var out Found
	for _, l := range in.logs {
		out.read(l.head)
	}
	return in.entries, out
}

// inside is what was seen of a file.
type inside struct {
	entries []Entry
	logs    []logHead // the most telling first
}

// logHead is the beginning of a log.
type logHead struct {
	rank int
	head []byte
}

func (in *inside) list(name string, size uint64) {
	if len(in.entries) < maxEntries {
		in.entries = append(in.entries, Entry{entryName(name), size})
	}
}

// wants says whether a log of this rank would be among those that are kept.
func (in *inside) wants(rank int) bool {
	return rank < notALog && (len(in.logs) < maxLogs || rank < in.logs[maxLogs-1].rank)
}

// keep takes the beginning of a log; a torn one tells what its beginning tells.
func (in *inside) keep(rank int, r io.Reader) {
	head, _ := io.ReadAll(io.LimitReader(r, maxRead))
	in.logs = append(in.logs, logHead{rank, head})
	slices.SortStableFunc(in.logs, func(a, b logHead) int { return cmp.Compare(a.rank, b.rank) })
	in.logs = in.logs[:min(len(in.logs), maxLogs)]
}

const notALog = 3

var (
	mainLog = regexp.MustCompile(`^service\.log(\.0)?$`)
	someLog = regexp.MustCompile(`(\.log(\.\d+)?|\.txt|\.properties|\.identity)$`)
)

// rankOf says how much a file of an archive tells: app.log names the system and the version, the
// service's newest log the computer.
func rankOf(name string) int {
	name = strings.ToLower(path.Base(strings.ReplaceAll(name, `\`, "/")))
	switch {
	case name == "app.log":
		return 0
	case mainLog.MatchString(name):
		return 1
	case someLog.MatchString(name):
		return 2
	}
	return notALog
}

var errTooMuch = errors.New("more than is read of an archive")

// purse is a file of which only so many bytes are read.
type purse struct {
	io.ReaderAt
	left int64
}

func (p *purse) ReadAt(b []byte, at int64) (int, error) {
	if p.left -= int64(len(b)); p.left < 0 {
		return 0, errTooMuch
	}
	return p.ReaderAt.ReadAt(b, at)
}

// zip reads the directory at the end of a zip. Package zip reads headers as long as there are any,
// however many the archive claims, so the purse is what bounds it.
func (in *inside) zip(f *io.SectionReader) {
	p := &purse{f, maxDirectory}
	z, err := zip.NewReader(p, f.Size())
	if err != nil {
		return
	}
	all := slices.DeleteFunc(z.File, func(one *zip.File) bool { return one.FileInfo().IsDir() })
	for _, one := range all {
		in.list(one.Name, one.UncompressedSize64)
	}
	slices.SortStableFunc(all, func(a, b *zip.File) int { return cmp.Compare(rankOf(a.Name), rankOf(b.Name)) })
	p.left = maxPacked // entries may lie over each other: all together read no more than this
	for _, one := range all[:min(len(all), maxLogs)] {
		if rankOf(one.Name) == notALog {
			break
		}
		if r, err := one.Open(); err == nil {
			in.keep(rankOf(one.Name), r)
			_ = r.Close() // it was only read
		}
	}
}

// gzip reads a log, or the tar that is in it. What is packed is bounded as well as what comes out: a
// gzip may consist of a million empty ones.
func (in *inside) gzip(f *io.SectionReader) {
	z, err := gzip.NewReader(io.LimitReader(f, maxPacked))
	if err != nil {
		return
	}
	body := bufio.NewReader(z)
	if head, _ := body.Peek(262); len(head) == 262 && string(head[257:]) == "ustar" {
		in.tar(io.LimitReader(body, maxWalk))
		return
	}
	in.keep(0, body)
	var size [4]byte
	if _, err := f.ReadAt(size[:], f.Size()-4); err == nil && z.Name != "" {
		in.list(z.Name, uint64(binary.LittleEndian.Uint32(size[:])))
	}
}

// tar walks an archive that has no directory.
func (in *inside) tar(r io.Reader) {
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if err != nil {
			return // its end, or ours
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		in.list(h.Name, uint64(max(h.Size, 0)))
		if rank := rankOf(h.Name); in.wants(rank) {
			in.keep(rank, t)
		}
	}
}

// entryName is a name in an archive, for showing only: nothing is ever written under it.
func entryName(name string) string {
	return text.Cut(seen(strings.ToValidUTF8(name, "")), 200)
}
