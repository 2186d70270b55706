package files

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
	"github.com/google/go-cmp/cmp"

	"chatnow/internal/fault"
	"chatnow/internal/text"
)

func onDisk(t testing.TB, content []byte) string {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(t testing.TB, files map[string]string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, body := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gzipped(t testing.TB, body string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const logWords = "[11.24.26] INFO os.name=Windows 11, os.version = 10.0\napp version: 11.7.2 (build 5)\ncomputer guid=948688015614212345\nguid: 948688015614212345\n"

func TestLogsTellOfTheirComputer(t *testing.T) {
	want := Found{OS: "Windows", OSVersion: "10.0", AppVersion: "11.7.2", Devices: []string{"948688015614212345"}}
	for name, content := range map[string][]byte{
		"plain": []byte(logWords), "gzip": gzipped(t, logWords),
		"zip": zipped(t, map[string]string{"logs/service.log": logWords, "logs/empty.log": ""}),
	} {
		path := onDisk(t, content)
		kind, err := kindOf(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		entries, got := look(path, kind)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (%s): %s", name, kind, diff)
		}
		if (len(entries) == 2) != (name == "zip") {
			t.Errorf("%s: %v", name, entries)
		}
	}
}

func TestTypesComeFromContent(t *testing.T) {
	for content, want := range map[string]string{
		"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00": "image/png",
		"<html><script>alert(1)</script>":                                         "", // not shown
		`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`:             "",
		"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"></svg>": "",
		"%PDF-1.7\n":        "application/pdf",
		"only some words\n": "text/plain",
	} {
		kind, err := kindOf(onDisk(t, []byte(content)))
		if err != nil {
			t.Errorf("%q: %v", content, err)
		}
		if want == "" && shown[kind] != "" {
			t.Errorf("%q would be served as %s", content, kind)
		} else if want != "" && kind != want {
			t.Errorf("%q is %s", content, kind)
		}
	}
	for _, program := range []string{"MZ\x90\x00" + strings.Repeat("\x00", 56) + "\x40\x00\x00\x00PE\x00\x00", "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 60)} {
		if _, err := kindOf(onDisk(t, []byte(program))); fault.KindOf(err) != fault.WrongType {
			t.Errorf("%q: %v", program[:4], err)
		}
	}
}

func TestNamesAreOnlyShown(t *testing.T) {
	for given, want := range map[string]string{
		"service.log": "service.log", "../../etc/passwd": "passwd", `C:\logs\a.txt`: "a.txt", "": "file", "...": "file", "a\r\nb.txt": "ab.txt",
		"x\u202egnp.exe": "xgnp.exe", "a\x00b": "ab", "trailing. .": "trailing", "ru\u00a0de.log": "ru de.log", `a"b;c.log`: "abc.log",
		"..\\..\\boot.ini": "boot.ini", "/etc/shadow": "shadow", "a/..": "file", "%2e%2e%2fx": "%2e%2e%2fx", "CON": "_CON", "nul.log": "_nul.log", "COM1.txt": "_COM1.txt", "console.log": "console.log",
		"a\u200bb.svg": "ab.svg", "\ufeffx": "x", "a\x7f\u0085b": "ab", "\xff\xfe.log": ".log", "x.\u2028y": "x.y", " . ": "file", "tab\there": "tabhere",
	} {
		if got := cleanName(given); got != want {
			t.Errorf("%q became %q, not %q", given, got, want)
		}
	}
	long := cleanName(strings.Repeat("ä", 5000) + ".log")
	if utf8.RuneCountInString(long) > 160 || !strings.HasSuffix(long, ".log") || !utf8.ValidString(long) {
		t.Errorf("%d bytes: %q", len(long), long)
	}
}

func FuzzLook(f *testing.F) {
	f.Add([]byte(logWords))
	f.Add(gzipped(f, logWords))
	f.Add(zipped(f, map[string]string{"../a.log": logWords, "b": "x"}))
	f.Add(tarred(f, "log/app.log", logWords))
	f.Add(gzipped(f, string(tarred(f, "log/app.log", logWords))))
	f.Add([]byte("\xff\xfeo\x00s\x00=\x00L\x00i\x00n\x00u\x00x\x00"))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, kind := range []string{mimetype.Detect(content).String(), "application/zip", "application/gzip", "application/x-tar", "text/plain"} {
			entries, found := lookInto(io.NewSectionReader(bytes.NewReader(content), 0, int64(len(content))), kind)
			if len(entries) > maxEntries || len(found.Devices) > maxDevices {
				t.Fatalf("%d entries, %d devices", len(entries), len(found.Devices))
			}
			said := append([]string{found.OS, found.OSVersion, found.AppVersion}, found.Devices...)
			for _, e := range entries {
				said = append(said, e.Name)
			}
			for _, word := range said {
				if !text.Storable(word) || strings.ContainsAny(word, "\r\n\u202e") {
					t.Fatalf("%q cannot be stored or shown", word)
				}
			}
		}
	})
}

// Any bytes come back from the decoders, and what is made of them is a picture.
func FuzzPreview(f *testing.F) {
	f.Add(header(3, 3, 8, 6, 0))
	f.Add(header(3, 3, 16, 2, 1))
	f.Add(passes(40, 40, 2))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x48Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		out, err := preview(ctx, bytes.NewReader(content))
		if err != nil {
			return
		}
		conf, _, err := image.DecodeConfig(bytes.NewReader(out))
		if err != nil || max(conf.Width, conf.Height) > maxPreview {
			t.Fatalf("%dx%d, %v", conf.Width, conf.Height, err)
		}
	})
}

// Any name becomes one that can be shown and saved.
func FuzzName(f *testing.F) {
	for _, name := range []string{"", "..", "a/b\\c", "CON.", "\" hidden", "\xff\u202e.log", strings.Repeat("ä", 200) + ".log"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, given string) {
		got := cleanName(given)
		if got == "" || !text.Storable(got) || utf8.RuneCountInString(got) > 160 || strings.ContainsAny(got, "/\\\r\n\"<>|:*?") || strings.Trim(got, ". ") == "" {
			t.Fatalf("%q became %q", given, got)
		}
		if again := cleanName(got); again != got {
			t.Fatalf("%q became %q, and that %q", given, got, again)
		}
	})
}
