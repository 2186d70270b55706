package files

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// tarred packs files, given as name and content in turn.
func tarred(t testing.TB, files ...string) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o600, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// lookAt finds the type of content and looks into it, and says how many MiB that took.
func lookAt(t testing.TB, content []byte) ([]Entry, Found, uint64) {
	t.Helper()
	path := onDisk(t, content)
	kind, err := kindOf(path)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	entries, found := look(path, kind)
	runtime.ReadMemStats(&after)
	return entries, found, (after.TotalAlloc - before.TotalAlloc) >> 20
}

func TestArchivesAreListed(t *testing.T) {
	bundle := []string{"logs/../../history.log.0", "nothing", "logs/\u202eapp.log", logWords, "picture.png", "\x89PNG"}
	want := []Entry{{"logs/../../history.log.0", 7}, {"logs/app.log", uint64(len(logWords))}, {"picture.png", 4}}
	var named bytes.Buffer
	w := gzip.NewWriter(&named)
	w.Name = "service.log"
	if _, err := w.Write([]byte(logWords)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		content []byte
		want    []Entry
	}{
		"tar": {tarred(t, bundle...), want}, "tar.gz": {gzipped(t, string(tarred(t, bundle...))), want},
		"gzip with a name": {named.Bytes(), []Entry{{"service.log", uint64(len(logWords))}}},
		"gzip without":     {gzipped(t, logWords), nil},
		"torn tar.gz":      {gzipped(t, string(tarred(t, bundle...)))[:120], nil},
	} {
		entries, found, _ := lookAt(t, tc.content)
		if tc.want == nil && len(entries) > 0 && name != "torn tar.gz" {
			t.Errorf("%s: %v", name, entries)
		} else if tc.want != nil {
			if diff := cmp.Diff(tc.want, entries); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			if found.AppVersion != "11.7.2" {
				t.Errorf("%s tells %+v", name, found)
			}
		}
	}
}

// A bundle has dozens of logs: the ones that tell most are read, wherever they stand.
func TestTheTellingLogIsRead(t *testing.T) {
	var files []string
	for i := range 12 {
		files = append(files, fmt.Sprintf("log/backup_files.log.%d", i), "I 11/24/26 saved\n")
	}
	files = append(files, "log/service.log.0", "os.version=10.0\n", "log/app.log", logWords)
	inZip := map[string]string{}
	for i := 0; i < len(files); i += 2 {
		inZip[files[i]] = files[i+1]
	}
	for name, content := range map[string][]byte{"zip": zipped(t, inZip), "tar": tarred(t, files...)} {
		if _, found, _ := lookAt(t, content); found.OS != "Windows" || len(found.Devices) != 1 {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestLogsOfManyKinds(t *testing.T) {
	wide := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(logWords)) {
		wide = binary.LittleEndian.AppendUint16(wide, unit)
	}
	for name, tc := range map[string]struct {
		log  string
		want Found
	}{
		"UTF-16":           {string(wide), Found{"Windows", "10.0", "11.7.2", []string{"948688015614212345"}}},
		"one line":         {"CPVERSION = 11.4.1 - 1525200006770\nOS = Mac OS X (10.15.7, x86_64)\n", Found{OS: "Mac OS X", OSVersion: "10.15.7", AppVersion: "11.4.1"}},
		"the app's window": {"info: Platform:       linux (x64)\n", Found{OS: "linux"}},
		"JSON":             {`{"osName":"x","os_name":"Linux","deviceGuid":"728184366584548438","destinationGuid":"628184366584548438"}`, Found{OS: "Linux", Devices: []string{"728184366584548438"}}},
		"other GUIDs":      {"Destination GUID: 628184366584548438\nUser guid=528184366584548438\nComputer GUID: 728184366584548438\n", Found{Devices: []string{"728184366584548438"}}},
		"Latin-1":          {"Benutzer M\xfcller\nComputer GUID: 728184366584548438\nOS: Windows\n", Found{OS: "Windows", Devices: []string{"728184366584548438"}}},
		"words only":       {strings.Repeat("os guid version ", 60_000) + logWords, Found{"Windows", "10.0", "11.7.2", []string{"948688015614212345"}}},
		"one line for all": {strings.Repeat("x", 500_000) + " guid=948688015614212345 " + strings.Repeat("y", 1000), Found{Devices: []string{"948688015614212345"}}},
		"a leading zero":   {"guid=012345678901234567\n", Found{Devices: []string{"012345678901234567"}}},
		"nothing":          {"guid=12\nversion\nos=\n", Found{}},
	} {
		if _, found, _ := lookAt(t, []byte(tc.log)); !cmp.Equal(tc.want, found) {
			t.Errorf("%s: %s", name, cmp.Diff(tc.want, found))
		}
	}
}

// crowded is a zip of n empty entries whose end says that there are few.
func crowded(n int) []byte {
	head := make([]byte, 47)
	copy(head, "PK\x01\x02")
	head[28], head[46] = 1, 'x'
	out := bytes.Repeat(head, n)
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[10:], uint16(n)) // as 16 bits hold it
	binary.LittleEndian.PutUint16(end[8:], uint16(n))
	binary.LittleEndian.PutUint32(end[12:], uint32(len(out)))
	return append(append([]byte("PK\x03\x04"), out...), withOffset(end)...)
}

func withOffset(end []byte) []byte {
	binary.LittleEndian.PutUint32(end[16:], 4)
	return end
}

func TestBombsAreNotUnpacked(t *testing.T) {
	big := strings.Repeat("0", 16<<20)
	var members bytes.Buffer // a gzip of many gzips of nothing
	one := gzipped(t, "")
	for members.Len() < 17<<20 {
		members.Write(one)
	}
	members.Write(gzipped(t, logWords)) // beyond what is read
	var many []string
	for i := range 3_000 {
		many = append(many, fmt.Sprintf("%d.log", i), "x")
	}
	// One deflated log, at which a hundred entries of the directory point.
	var over bytes.Buffer
	z := zip.NewWriter(&over)
	f, err := z.Create("0.log")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(big)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"gzip": gzipped(t, big), "zip": zipped(t, map[string]string{"a.log": big, "b.log": big, "c.log": big}),
		"200,000 entries": crowded(200_000), "zeros": over.Bytes(),
		"tar.gz": gzipped(t, string(tarred(t, "a.log", big, "b.log", big))), "gzips in a gzip": members.Bytes(), "tar of many": tarred(t, many...),
		"gzip in gzip in gzip": gzipped(t, string(gzipped(t, string(gzipped(t, big))))),
	} {
		entries, found, took := lookAt(t, content)
		if !cmp.Equal(found, Found{}) || len(entries) > maxEntries || took > 48 {
			t.Errorf("%s: %+v, %d entries, %d MiB", name, found, len(entries), took)
		}
	}
	if entries, _, _ := lookAt(t, crowded(1000)); len(entries) != maxEntries {
		t.Errorf("%d entries of a thousand", len(entries))
	}
}
