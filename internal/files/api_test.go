package files

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	units "github.com/labstack/gommon/bytes"

	"chatnow/internal/fault"
	"chatnow/internal/text"
)

const aChat = "7f0f8e6e-2f0e-4a38-9b0e-3a2b8b1f0a11"

func picture(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewRGBA(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAFileIsSeenByWhomItBelongsTo(t *testing.T) {
	d := newDesk(t, false)
	ada, adas := d.person("Ada", "champion")
	chris, chriss := d.person("Chris", "customer")
	_, eves := d.person("Eve", "customer")
	ticket := d.ticket(chris)
	d.token[aChat] = "chat token"

	anonymous, his := d.kept("a.png", picture(t), ""), d.kept("b.png", picture(t), chriss)
	named, inside, chatted := d.kept("c.png", picture(t), chriss), d.kept("d.png", picture(t), adas), d.kept("e.png", picture(t), "")
	for _, err := range []error{d.claim(chris, To{Ticket: ticket}, named), d.claim(ada, To{Ticket: ticket, Internal: true}, inside), d.claim("", To{Chat: aChat}, chatted)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		what, id string
		sees     string // of: ada, chris, chat
	}{
		{"nobody's", anonymous, "ada"}, {"not named yet", his, "ada chris"}, {"the ticket's", named, "ada chris"},
		{"the note's", inside, "ada"}, {"the chat's", chatted, "ada chat"},
	} {
		unknown := d.get("/5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a10", eves)
		for who, token := range map[string]string{"ada": adas, "chris": chriss, "eve": eves, "nobody": "", "chat": "chat token", "another chat": "other token"} {
			for _, path := range []string{"/" + tc.id, "/" + tc.id + "/preview"} {
				got := d.get(path, token)
				if strings.Contains(tc.sees, who) {
					if got.status != 200 || !strings.HasPrefix(got.body, "\x89PNG") {
						t.Errorf("%s, %s by %s: %v", tc.what, path, who, got)
					}
				} else if got.status != 404 || got.body != unknown.body {
					t.Errorf("%s, %s by %s: %v, unknown is %v", tc.what, path, who, got, unknown)
				}
			}
		}
	}
	// Who saved what is kept.
	var read []string
	if err := d.db.Select(&read, `SELECT DISTINCT action || ' ' || subject || ' ' || COALESCE(detail->>'ticket', '-') FROM audit WHERE actor = $1`, chris); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("read upload %s %d", named, ticket)
	if len(read) != 2 || (read[0] != want && read[1] != want) {
		t.Errorf("the audit says %q, not %q among two", read, want)
	}
}

func TestOtherSpellingsOfAnIDAreUnknown(t *testing.T) {
	d := newDesk(t, false)
	_, adas := d.person("Ada", "champion")
	id := d.kept("a.log", logWords, "")
	for _, other := range []string{
		"urn:uuid:" + id, "{" + id + "}", "%7B" + id + "%7D", strings.ToUpper(id), strings.ReplaceAll(id, "-", ""), id + "%00", id + "%20", "%20" + id,
		id + ".preview", id + ".part.0", "..%2f" + id, "..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cx", strings.Repeat("a", 5000), "null", "0", "-1", "%ff%fe", "arriving",
	} {
		for _, end := range []string{"", "/preview", "/parts"} {
			if got := d.get("/"+other+end, adas); got.status != 404 && got.status != 400 {
				t.Errorf("%s%s: %v", other, end, got)
			}
		}
		if err := d.claim("", To{Ticket: 1}, other); err == nil || !strings.Contains(err.Error(), "attachments[0]") {
			t.Errorf("%q was named: %v", other, err)
		}
	}
}

// Whatever a file is, a browser is given bytes to save, never something to run.
func TestHostileFilesAreOnlyBytes(t *testing.T) {
	d := newDesk(t, false)
	_, adas := d.person("Ada", "champion")
	script := "<script>alert(document.domain)</script>"
	for name, content := range map[string]string{
		"page.html": "<!DOCTYPE html>" + script, "picture.png": "<html>" + script, "a.svg": `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`,
		"b.svg": "<?xml version=\"1.0\"?>\n<?xml-stylesheet type=\"text/xsl\" href=\"#\"?><svg xmlns=\"http://www.w3.org/2000/svg\">" + script + "</svg>", "c.SvG;x=.png": "<SVG " + script,
		"d.xhtml": `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">` + script + "</html>", "e.js": "fetch('/api/v1/session')", "f.mht": "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n" + script,
		"polyglot.gif": "GIF89a/*\x01\x00\x01\x00*/=1;" + script, "polyglot.png": "\x89PNG\r\n\x1a\n" + script, "polyglot.jpg": "\xff\xd8\xff\xe0\x00\x10JFIF\x00" + script, "polyglot.pdf": "%PDF-1.7\n" + script,
		"bom.html": "\xef\xbb\xbf<html>" + script, "utf7.txt": "+ADw-script+AD4-alert(1)+ADw-/script+AD4-", "wide.html": "\xff\xfe<\x00s\x00c\x00r\x00i\x00p\x00t\x00>\x00", "empty": "", "x.png.html": "\x89PNG\r\n\x1a\n" + script,
		"y.html.": script, "z.htm\u200bl": script, "spaces": "   \n\n\n " + script, "late.txt": strings.Repeat("words ", 2_000) + script, "feed.rss": "<rss>" + script, "a.swf": "FWS\x09" + script, "manifest.appcache": "CACHE MANIFEST\n/", "sw.js": "self.onfetch=e=>{}",
	} {
		a := d.upload(name, content, "")
		var up struct {
			ID, Name  string
			MediaType string `json:"media_type"`
			Preview   bool
		}
		if err := json.Unmarshal([]byte(a.body), &up); err != nil || a.status != http.StatusCreated {
			t.Errorf("%s: %v", name, a)
			continue
		}
		if up.Preview {
			t.Errorf("%s has a preview", name)
		}
		got := d.get("/"+up.ID, adas)
		kind := got.header.Get("Content-Type")
		known := kind == "application/octet-stream"
		for _, one := range shown {
			known = known || kind == one
		}
		disposition, params, err := mime.ParseMediaType(got.header.Get("Content-Disposition"))
		if got.status != 200 || got.body != content || !known || err != nil || disposition != "attachment" || params["filename"] != up.Name ||
			got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" ||
			got.header.Get("Cross-Origin-Resource-Policy") != "same-origin" || strings.Contains(kind, "html") || strings.Contains(kind, "xml") || strings.Contains(kind, "script") {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
		if again := d.get("/"+up.ID+"/preview", adas); again.status != 404 {
			t.Errorf("%s/preview: %v", name, again)
		}
	}
}

func TestNamesOnTheWire(t *testing.T) {
	d := newDesk(t, false)
	_, adas := d.person("Ada", "champion")
	for _, name := range []string{
		"../../etc/passwd", `..\\..\\boot.ini`, "/etc/shadow", "a\tb.log", `quo\"te.log`, "per%cent.log", "%0d%0aSet-Cookie:x=1.log", "日本語.log", "emoji 😀.log", "x\u202egnp.exe.log", "CON.log",
		strings.Repeat("long", 1250) + ".log", strings.Repeat("é", 2_000), "\xff\xfe\xfd.log", "a;b=c.log", "'; DROP TABLE uploads; --.log", "<img src=x onerror=alert(1)>.log", "{{7*7}}.log", "=cmd|' '!A0.log", ".htaccess", " ",
	} {
		id := d.kept(name, logWords, "")
		got := d.get("/"+id, adas)
		_, params, err := mime.ParseMediaType(got.header.Get("Content-Disposition"))
		saved := params["filename"]
		if err != nil || saved == "" || len([]rune(saved)) > 151 || strings.ContainsAny(saved, "/\\\r\n\x00\u202e<>\"|:*?") || !text.Storable(saved) || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%.60q is saved as %q: %v", name, saved, err)
		}
	}
	if whole, _ := d.onDisk(); whole != d.rows() {
		t.Errorf("%d files for %d uploads", whole, d.rows())
	}
}

func TestTheLargestFileAndOneByteMore(t *testing.T) {
	// A file of the largest size fits into the largest body, with what a form needs around it.
	if n, err := units.Parse(MaxBody); err != nil || n < MaxEach+64<<10 {
		t.Fatalf("a body has up to %d bytes, %v", n, err)
	}
	d := newDesk(t, false)
	d.maxEach = 3 << 20
	_, adas := d.person("Ada", "champion")
	send := func(size int64, told bool) answer {
		head, end := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n", "\r\n--b--\r\n"
		req, err := http.NewRequestWithContext(t.Context(), "POST", d.base, io.MultiReader(strings.NewReader(head), io.LimitReader(endless{}, size), strings.NewReader(end)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		if told {
			req.ContentLength = int64(len(head)+len(end)) + size
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer{res.StatusCode, res.Header, string(raw)}
	}
	largest := send(d.maxEach, true)
	var got struct {
		ID   string
		Size int64
	}
	if err := json.Unmarshal([]byte(largest.body), &got); err != nil || largest.status != 201 || got.Size != d.maxEach {
		t.Fatal(largest)
	}
	if back := d.get("/"+got.ID, adas); int64(len(back.body)) != d.maxEach {
		t.Errorf("%d bytes came back", len(back.body))
	}
	for name, a := range map[string]answer{"one byte more": send(d.maxEach+1, true), "of a length that is not told": send(d.maxEach+1, false), "far more": send(2*MaxEach, true)} {
		if a.status != 413 || !strings.Contains(a.body, `"too_large"`) {
			t.Errorf("%s: %v", name, a)
		}
	}
	if whole, coming := d.onDisk(); whole != 1 || coming != 0 {
		t.Errorf("%d files, and %d on their way", whole, coming)
	}
	for want, err := range map[fault.Kind]error{
		fault.TooLarge: fmt.Errorf("read: %w", echo.ErrStatusRequestEntityTooLarge), fault.Malformed: io.ErrUnexpectedEOF, fault.Down: &os.PathError{Op: "write", Err: syscall.ENOSPC},
	} {
		if got := fault.KindOf(torn(err)); got != want {
			t.Errorf("%v became %v", err, got)
		}
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestBodiesThatAreNoFile(t *testing.T) {
	d := newDesk(t, false)
	var fields strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&fields, "--b\r\nContent-Disposition: form-data; name=\"%d\"\r\n\r\nx\r\n", i)
	}
	kind, whole := form(t, "a.log", logWords)
	for name, tc := range map[string]struct {
		kind, body string
		status     int
		code       string
	}{
		"JSON":               {"application/json", "{}", 415, "wrong_type"},
		"nothing":            {"", "", 415, "wrong_type"},
		"no boundary":        {"multipart/form-data", "x", 415, "wrong_type"},
		"another part":       {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"other\"; filename=\"x\"\r\n\r\nx\r\n--b--\r\n", 422, "invalid"},
		"a field, no file":   {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--\r\n", 422, "invalid"},
		"200,000 parts":      {"multipart/form-data; boundary=b", fields.String() + "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.log\"\r\n\r\nx\r\n--b--\r\n", 422, "invalid"},
		"no end":             {kind, whole.String()[:whole.Len()-20], 400, "malformed"},
		"no parts":           {"multipart/form-data; boundary=b", "what is this", 422, "invalid"},
		"a program":          {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.log\"\r\n\r\n\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 60) + "\r\n--b--\r\n", 415, "wrong_type"},
		"a header of 64 KiB": {"multipart/form-data; boundary=b", "--b\r\nX: " + strings.Repeat("x", 11<<20) + "\r\n\r\nx\r\n--b--\r\n", 400, "malformed"},
	} {
		if got := d.call("POST", "", "", tc.kind, strings.NewReader(tc.body)); got.status != tc.status || !strings.Contains(got.body, `"`+tc.code+`"`) {
			t.Errorf("%s: %v", name, got)
		}
	}
	var here int
	if err := d.db.Get(&here, `SELECT count(*) FROM uploads WHERE state = 'here'`); err != nil || here > 0 {
		t.Errorf("%d are there, %v", here, err)
	}
	if kept, coming := d.onDisk(); kept > 0 || coming > 0 {
		t.Errorf("%d files, and %d on their way", kept, coming)
	}
}

// A browser may keep a file, but asks each time whether it may show it.
func TestWhatIsKeptByABrowserIsAskedFor(t *testing.T) {
	d := newDesk(t, false)
	chris, chriss := d.person("Chris", "customer")
	ticket := d.ticket(chris)
	id := d.kept("a.png", picture(t), chriss)
	if err := d.claim(chris, To{Ticket: ticket}, id); err != nil {
		t.Fatal(err)
	}
	first := d.get("/"+id+"/preview", chriss)
	if cache := first.header.Get("Cache-Control"); cache != "private, no-cache" || first.header.Get("Content-Disposition") != `inline; filename="preview.png"` {
		t.Errorf("%v", first.header)
	}
	again := func() int {
		req, err := http.NewRequestWithContext(t.Context(), "GET", d.base+"/"+id+"/preview", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+chriss)
		req.Header.Set("If-None-Match", first.header.Get("ETag"))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	if got := again(); got != 304 {
		t.Errorf("asked again: %d", got)
	}
	d.owner[ticket] = "somebody else" // the ticket was given to another
	if got := again(); got != 404 {
		t.Errorf("no longer his: %d", got)
	}
}

func TestOneSenderCannotFillTheDisk(t *testing.T) {
	d := newDesk(t, true)
	_, chriss := d.person("Chris", "customer")
	log := strings.Repeat("a log line\n", 100_000) // 1.05 MiB
	d.kept("a.log", log, "")
	d.db.MustExec(`UPDATE rate_limits SET tokens = 0.5 WHERE bucket LIKE 'upload-mib:%'`)
	refused := d.upload("b.log", log, "")
	if wait, err := strconv.Atoi(refused.header.Get("Retry-After")); refused.status != 429 || err != nil || wait < 3 || wait > 8 {
		t.Fatalf("%v %v", refused, refused.header)
	}
	if got := d.upload("a word.log", "small", ""); got.status != 201 {
		t.Errorf("a small one: %v", got)
	}
	if got := d.upload("b.log", log, chriss); got.status != 201 {
		t.Errorf("another sender: %v", got)
	}
	begun := d.post("/parts", fmt.Sprintf(`{"name":"c.log","size":%d}`, len(log)))
	var up struct{ ID string }
	if err := json.Unmarshal([]byte(begun.body), &up); err != nil {
		t.Fatal(begun)
	}
	if got := d.call("PUT", "/"+up.ID+"/parts/0", "", "application/octet-stream", strings.NewReader(log[:1<<20])); got.status != 429 {
		t.Errorf("in parts: %v", got)
	}
	d.pass(8 * time.Second) // a refusal took nothing away
	if got := d.upload("b.log", log, ""); got.status != 201 {
		t.Errorf("after the pause: %v", got)
	}
	// All together: files that nobody names take no more than so much.
	d.db.MustExec(`INSERT INTO uploads (name, size, arrived, created_at) VALUES ('x', 1, $1, now())`, int64(maxFree))
	if got := d.upload("d.log", "small", chriss); got.status != 503 {
		t.Errorf("the disk is given away: %v", got)
	}
}

func TestGuessersAreSlowedDown(t *testing.T) {
	d := newDesk(t, true)
	_, adas := d.person("Ada", "champion")
	id := d.kept("a.log", logWords, "")
	slowed := 0
	for i := range 130 {
		got := d.get(fmt.Sprintf("/%08x%s", i, id[8:]), "")
		switch {
		case got.status == 429:
			slowed++
		case got.status != 404:
			t.Fatal(got)
		}
	}
	if slowed < 20 {
		t.Errorf("%d of 130 guesses were slowed down", slowed)
	}
	if got := d.get("/"+id, adas); got.status != 200 {
		t.Errorf("who may see it: %v", got)
	}
}

// pacer is a connection that remembers how long it may last.
type pacer struct {
	http.ResponseWriter
	until time.Time
}

func (p *pacer) SetReadDeadline(at time.Time) error { p.until = at; return nil }

func TestASlowBodyHasToKeepComing(t *testing.T) {
	line := &pacer{ResponseWriter: httptest.NewRecorder()}
	c := echo.New().NewContext(httptest.NewRequest("POST", "/", io.NopCloser(endless{})), line)
	begun := time.Now()
	if err := patient(c); err != nil {
		t.Fatal(err)
	}
	within := func(what string, want time.Duration) {
		t.Helper()
		if got := line.until.Sub(begun); got < want-2*time.Second || got > want+5*time.Second {
			t.Errorf("%s it may last %v, not %v", what, got, want)
		}
	}
	within("at first", grace)
	for sent := 0; sent < 1<<20; sent += 4096 {
		if _, err := c.Request().Body.Read(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
	}
	within("after a part", grace+512*time.Second)
	for range 200 {
		if _, err := c.Request().Body.Read(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	within("after all", slowLine)
}
