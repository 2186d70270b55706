package files

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"chatnow/internal/text"
)

// Entry is a file in an archive.
type Entry struct {
	Name string `json:"name"`
	Size uint64 `json:"size"` // as the archive says it
}

// Found is what a log tells about its computer. It is offered to the customer, who knows better.
type Found struct {
	OS         string   `json:"os,omitempty"`
	OSVersion  string   `json:"os_version,omitempty"`
	AppVersion string   `json:"app_version,omitempty"`
	Devices    []string `json:"devices,omitempty"`
}

// Bounds against archives that are made to hurt.
const (
	maxEntries = 200     // that are listed
	maxDir     = 20_000  // entries that an archive may have to be opened at all
	maxLogs    = 5       // of an archive that are read
	maxRead    = 1 << 20 // bytes of a log, after unpacking
)

// look lists an archive and reads logs, in memory and within bounds. What cannot be read tells nothing.
func look(path, kind string) ([]Entry, Found) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Found{}
	}
	defer f.Close()
	var out Found
	switch kind {
	case "application/zip":
		return lookIntoZip(f)
	case "application/gzip":
		if z, err := gzip.NewReader(f); err == nil {
			out.read(z)
		}
	case "text/plain", "application/json", "text/csv", "text/xml":
		out.read(f)
	}
	return nil, out
}

func lookIntoZip(f *os.File) (list []Entry, out Found) {
	info, err := f.Stat()
	if err != nil || countZip(f, info.Size()) > maxDir {
		return nil, out
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return nil, out
	}
	logs := 0
	for _, one := range z.File {
		if one.FileInfo().IsDir() {
			continue
		}
		if len(list) < maxEntries {
			list = append(list, Entry{text.Cut(strings.ToValidUTF8(text.Line(strings.ReplaceAll(one.Name, "\x00", "")), ""), 200), one.UncompressedSize64})
		}
		if logs < maxLogs && isLog(one.Name) {
			logs++
			if r, err := one.Open(); err == nil {
				out.read(r)
				_ = r.Close() // it was only read
			}
		}
	}
	return list, out
}

func isLog(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".log") || strings.HasSuffix(name, ".log.0") || strings.HasSuffix(name, ".txt") || strings.HasSuffix(name, ".properties")
}

// countZip reads how many entries an archive claims, before package zip makes room for them all.
func countZip(f io.ReaderAt, size int64) int {
	tail := make([]byte, min(size, 66_000))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return maxDir + 1
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || at+12 > len(tail) {
		return maxDir + 1
	}
	n := int(binary.LittleEndian.Uint16(tail[at+10:]))
	if n == 0xffff { // zip64: more than a support bundle has
		return maxDir + 1
	}
	return n
}

// How CrashPlan's logs and most others write these.
var (
	osLine     = regexp.MustCompile(`(?i)\bos(?:[._ ]?name)?["']?\s*[:=]\s*["']?(Windows|Mac ?OS(?: X)?|Linux|Ubuntu|Debian)\b`)
	osVersion  = regexp.MustCompile(`(?i)\bos[._ ]?version["']?\s*[:=]\s*["']?([0-9][0-9A-Za-z._-]{0,30})`)
	appVersion = regexp.MustCompile(`(?i)\b(?:app|client|service|crashplan|code42|product)[._ -]?version["']?\s*[:=]\s*["']?v?([0-9]{1,4}(?:\.[0-9]{1,6}){1,3})`)
	device     = regexp.MustCompile(`(?i)\b(?:computer|device|my|node)?[._ -]?guid["']?\s*[:=]\s*["']?([0-9]{15,20}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b`)
)

// read takes what the beginning of a log tells; what is known already stays.
func (f *Found) read(r io.Reader) {
	raw, _ := io.ReadAll(io.LimitReader(r, maxRead)) // a torn log tells what its beginning tells
	first := func(to *string, re *regexp.Regexp) {
		if m := re.FindSubmatch(raw); m != nil && *to == "" {
			*to = string(m[1])
		}
	}
	first(&f.OS, osLine)
	first(&f.OSVersion, osVersion)
	first(&f.AppVersion, appVersion)
	for _, m := range device.FindAllSubmatch(raw, 50) {
		if id := string(m[1]); !slices.Contains(f.Devices, id) && len(f.Devices) < 10 {
			f.Devices = append(f.Devices, id)
		}
	}
}
