package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// sendFile uploads as a browser without script does.
func (r *reader) sendFile(name, content string) (int, string) {
	r.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = io.WriteString(part, content)
	}
	if err != nil || w.Close() != nil {
		r.t.Fatal(err)
	}
	res, err := r.Post(r.base+"/api/v1/uploads", w.FormDataContentType(), &body)
	status, _, said := r.end(res, err)
	return status, said
}

func idOf(t *testing.T, raw string) string {
	t.Helper()
	var got struct {
		ID string
	}
	if err := json.Unmarshal([]byte(raw), &got); err != nil || got.ID == "" {
		t.Fatalf("%s %v", raw, err)
	}
	return got.ID
}

func (r *reader) signUp(o *office, email string) {
	r.t.Helper()
	if got, said := ask(r.t, "POST", o.base+"/api/v1/accounts", fmt.Sprintf(`{"name":"Somebody","email":%q,"password":"a long password"}`, email)); got != 202 {
		r.t.Fatalf("%d %s", got, said)
	}
	if got, at, _ := r.form("/account/verify", "token", token(o.path(o.mails(email, "verify")[0], "/account/verify"))); got != 200 || at != "/tickets" {
		r.t.Fatalf("%d %s", got, at)
	}
}

func TestFilesBelongToTheirTicket(t *testing.T) {
	o := newOffice(t)
	anybody, chris, eve := newReader(t, o.base), newReader(t, o.base), newReader(t, o.base)
	chris.signUp(o, "chris@example.com")
	eve.signUp(o, "eve@example.com")

	// A log without an account: what it tells is offered; until something names it, nobody reads it but staff.
	status, said := anybody.sendFile("../service.log", "os.name=Windows\napp version: 11.7.2\nguid=948688015614212345\n")
	if status != 201 || !strings.Contains(said, `"name":"service.log"`) || !strings.Contains(said, `"app_version":"11.7.2"`) || !strings.Contains(said, "948688015614212345") {
		t.Fatalf("%d %s", status, said)
	}
	log := idOf(t, said)
	if got, _, _ := anybody.open("/api/v1/uploads/" + log); got != 404 {
		t.Fatalf("read by nobody: %d", got)
	}
	number := o.ticketWith("chris@example.com", log)
	page := fmt.Sprintf("/tickets/%d", number)
	if got, _, body := chris.open("/api/v1/uploads/" + log); got != 200 || !strings.Contains(body, "Windows") {
		t.Fatalf("its owner: %d %s", got, body)
	}
	foreign, _, first := eve.open("/api/v1/uploads/" + log)
	unknown, _, second := eve.open("/api/v1/uploads/5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a10")
	if foreign != 404 || unknown != 404 || first != second {
		t.Fatalf("%d %d\n%s\n%s", foreign, unknown, first, second)
	}
	// What belongs to one ticket cannot be named by another.
	if got, said := ask(t, "POST", o.base+"/api/v1/tickets", fmt.Sprintf(`{"name":"Eve","email":"eve@example.com","subject":"x","description":"x","diagnostics":{"logs":[%q]}}`, log)); got != 422 || !strings.Contains(said, "diagnostics.logs[0]") {
		t.Fatalf("%d %s", got, said)
	}

	// An answer with a file; a note's file stays inside.
	_, said = chris.sendFile("page.html", "<html><script>alert(1)</script></html>")
	mine := idOf(t, said)
	if got, at, body := chris.form(page, "body", "Here it is.", "attachments", mine); got != 200 || at != page || !strings.Contains(body, "page.html") {
		t.Fatalf("%d %s\n%s", got, at, body)
	}
	res, err := chris.Get(o.base + "/api/v1/uploads/" + mine)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for header, want := range map[string]string{"Content-Type": "application/octet-stream", "Content-Disposition": "attachment; filename=page.html", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"} {
		if got := res.Header.Get(header); got != want {
			t.Errorf("%s: %q, not %q", header, got, want)
		}
	}
	ada := newReader(t, o.base)
	ada.form("/account/signin", "email", "ada@example.com", "password", "a long password")
	_, said = ada.sendFile("thoughts.txt", "he is cross")
	inside := idOf(t, said)
	if got, said := ask(t, "POST", o.base+"/api/v1"+page+"/comments", fmt.Sprintf(`{"body":"Look.","public":false,"attachments":[%q]}`, inside), "Cookie", o.admin); got != 201 || !strings.Contains(said, "thoughts.txt") {
		t.Fatalf("%d %s", got, said)
	}
	if got, _, _ := chris.open("/api/v1/uploads/" + inside); got != 404 {
		t.Fatalf("a note's file reached the customer: %d", got)
	}
	if _, _, body := chris.open(page); strings.Contains(body, "thoughts.txt") {
		t.Fatal("a note's file is on the customer's page")
	}

	// Programs are refused; a follow-up carries the files.
	if status, said := anybody.sendFile("setup.log", "\x7fELF\x02\x01\x01"+strings.Repeat("\x00", 60)); status != 415 {
		t.Fatalf("%d %s", status, said)
	}
}

// ticketWith sends a ticket that names a log.
func (o *office) ticketWith(from, log string) int64 {
	o.t.Helper()
	status, raw := ask(o.t, "POST", o.base+"/api/v1/tickets", fmt.Sprintf(`{"name":"Chris","email":%q,"subject":"With a log","description":"See it.","diagnostics":{"logs":[%q]}}`, from, log))
	var got struct{ Ticket struct{ Number int64 } }
	if err := json.Unmarshal([]byte(raw), &got); err != nil || status != 201 {
		o.t.Fatalf("%d %s", status, raw)
	}
	return got.Ticket.Number
}

func TestALargeFileGoesOnAfterACut(t *testing.T) {
	o := newOffice(t)
	r := newReader(t, o.base)
	content := strings.Repeat("0123456789abcdef", 150_000) // 2.3 MiB: three parts
	status, said := ask(t, "POST", o.base+"/api/v1/uploads/parts", fmt.Sprintf(`{"name":"big.log","size":%d}`, len(content)))
	if status != 201 {
		t.Fatalf("%d %s", status, said)
	}
	id := idOf(t, said)
	put := func(n int, body io.Reader, length int64) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, fmt.Sprintf("%s/api/v1/uploads/%s/parts/%d", o.base, id, n), body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		res, err := r.Do(req)
		if err != nil {
			return 0 // the cut
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	part := func(n int) string { return content[n<<20 : min((n+1)<<20, len(content))] }
	if got := put(0, strings.NewReader(part(0)), 1<<20); got != 204 {
		t.Fatal(got)
	}
	if got := put(1, io.MultiReader(strings.NewReader(part(1)[:300_000]), cut{}), 1<<20); got == 204 {
		t.Fatal("half a part was taken")
	}
	if got := put(2, strings.NewReader(part(2)), int64(len(part(2)))); got != 204 {
		t.Fatal(got)
	}
	if got, said := ask(t, "POST", o.base+"/api/v1/uploads/"+id+"/done", "{}"); got != 409 || !strings.Contains(said, "incomplete") {
		t.Fatalf("%d %s", got, said)
	}
	o.stop() // the program restarts meanwhile
	o.start()
	if _, said := ask(t, "GET", o.base+"/api/v1/uploads/"+id+"/parts", ""); !strings.Contains(said, `"missing":[1]`) {
		t.Fatal(said)
	}
	if got := put(1, strings.NewReader(part(1)), 1<<20); got != 204 {
		t.Fatal(got)
	}
	for range 2 { // asked twice, one file
		if got, said := ask(t, "POST", o.base+"/api/v1/uploads/"+id+"/done", "{}"); got != 201 || !strings.Contains(said, fmt.Sprintf(`"size":%d`, len(content))) {
			t.Fatalf("%d %s", got, said)
		}
	}
	if got, back := ask(t, "GET", o.base+"/api/v1/uploads/"+id, "", "Cookie", o.admin); got != 200 || back != content {
		t.Fatalf("%d: %d bytes came back of %d", got, len(back), len(content))
	}
}

type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
