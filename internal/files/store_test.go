package files

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"chatnow/internal/fault"
)

// bucket is an S3 server as small as can be: objects in memory, by path.
type bucket struct {
	mu      sync.Mutex
	objects map[string]string
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch r.Method {
	case http.MethodPut:
		body, err := content(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b.objects[r.URL.Path] = body
		w.Header().Set("ETag", `"x"`)
	case http.MethodDelete:
		delete(b.objects, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		body, ok := b.objects[r.URL.Path]
		if !ok {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `<Error><Code>NoSuchKey</Code></Error>`)
			return
		}
		w.Header().Set("ETag", `"x"`)
		http.ServeContent(w, r, "", time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), strings.NewReader(body))
	}
}

// content reads a body; without TLS the client signs it in pieces ("aws-chunked").
func content(r *http.Request) (string, error) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		raw, err := io.ReadAll(r.Body)
		return string(raw), err
	}
	in, out := bufio.NewReader(r.Body), strings.Builder{}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		length, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(length, 16, 64)
		if err != nil || n == 0 {
			return out.String(), err
		}
		if _, err := io.CopyN(&out, in, n); err != nil {
			return "", err
		}
		if _, err := in.ReadString('\n'); err != nil {
			return "", err
		}
	}
}

func TestStoresKeepWhatTheyAreGiven(t *testing.T) {
	server := httptest.NewServer(&bucket{objects: map[string]string{}})
	defer server.Close()
	s3, err := OpenS3("s3://key:secret@" + strings.TrimPrefix(server.URL, "http://") + "/support?region=eu-central-1&tls=off")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Store{"folder": folder, "s3": s3} {
		t.Run(name, func(t *testing.T) {
			ctx, words := t.Context(), strings.Repeat("a log line\n", 50_000)
			if err := s.Put(ctx, "abc.part.1", strings.NewReader(words), int64(len(words))); err != nil {
				t.Fatal(err)
			}
			f, err := s.Get(ctx, "abc.part.1")
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(f)
			if err != nil || string(got) != words {
				t.Fatalf("%d bytes came back of %d, %v", len(got), len(words), err)
			}
			if _, err := f.Seek(2, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			two := make([]byte, 3)
			if _, err := io.ReadFull(f, two); err != nil || string(two) != "log" {
				t.Fatalf("%q %v", two, err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			for range 2 { // deleting twice is no error
				if err := s.Delete(ctx, "abc.part.1"); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Get(ctx, "abc.part.1"); fault.KindOf(err) != fault.Missing {
				t.Fatalf("still there: %v", err)
			}
		})
	}
}

func TestAFolderKeepsWholeFilesOnly(t *testing.T) {
	folder, err := NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cut := io.MultiReader(strings.NewReader("half"), errReader{})
	if err := folder.Put(t.Context(), "half-a-file", cut, 8); err == nil {
		t.Fatal("a torn file was kept")
	}
	if _, err := folder.Get(t.Context(), "half-a-file"); fault.KindOf(err) != fault.Missing {
		t.Fatalf("a torn file is served: %v", err)
	}
	for _, key := range []string{"../../etc/passwd", "a/b/c", `a\b\c`, "", ".hidden"} {
		if err := folder.Put(t.Context(), key, strings.NewReader("x"), 1); err == nil {
			t.Errorf("%q is no key", key)
		}
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("the line was cut") }
