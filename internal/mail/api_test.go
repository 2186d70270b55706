package mail

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"chatnow/internal/pgtest"
	"chatnow/internal/web"
)

func call(t *testing.T, method, link string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(method, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out := map[string]any{}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, out
}

// Without a mail server, an administrator reads the mails.
func TestTheOutboxIsReadable(t *testing.T) {
	db := pgtest.New(t)
	s := sender(t, db, "")
	srv := web.New(web.Config{BaseURL: parsed(t, "https://help.test"), Log: slog.New(slog.DiscardHandler), Now: time.Now})
	s.Routes(srv, web.Anyone)
	h := httptest.NewServer(srv.Echo)
	t.Cleanup(h.Close)
	run(t, s)
	for i := range 5 {
		queue(t, s.Outbox, Message{Key: fmt.Sprint(i), Kind: "verify", To: fmt.Sprintf("a%d@x.test", i), Data: map[string]any{"token": fmt.Sprintf("secret%d", i)}})
	}
	var seen []string
	link := h.URL + "/api/v1/outbox?limit=2"
	for page := link; ; {
		status, out := call(t, "GET", page)
		list, _ := out["mails"].([]any)
		if status != 200 || out["sending"] != false || len(list) == 0 || len(list) > 2 {
			t.Fatalf("%d %v", status, out)
		}
		for _, m := range list {
			seen = append(seen, m.(map[string]any)["to"].(string))
		}
		next, more := out["next_cursor"].(string)
		if !more {
			break
		}
		page = link + "&cursor=" + next
	}
	if got := strings.Join(seen, " "); got != "a4@x.test a3@x.test a2@x.test a1@x.test a0@x.test" {
		t.Errorf("the list is %s", got)
	}
	var id string
	if err := db.Get(&id, `SELECT id FROM outbox WHERE key = '3'`); err != nil {
		t.Fatal(err)
	}
	one := h.URL + "/api/v1/outbox/" + id
	status, out := call(t, "GET", one)
	m, _ := out["mail"].(map[string]any)
	if text, _ := m["text"].(string); status != 200 || m["state"] != "waiting" || !strings.Contains(text, "https://help.test/account/verify?token=secret3") {
		t.Errorf("%d %v", status, out)
	}
	if status, _ := call(t, "GET", h.URL+"/api/v1/outbox/none"); status != 404 {
		t.Errorf("no mail: %d", status)
	}
	if status, _ := call(t, "GET", link+"&cursor=x"); status != 422 {
		t.Errorf("no cursor: %d", status)
	}
	if _, out := call(t, "GET", h.URL+"/api/v1/outbox?state=failed"); len(out["mails"].([]any)) != 0 {
		t.Errorf("failed: %v", out)
	}

	// What failed is tried again when an administrator says so; what has been sent is not.
	db.MustExec(`UPDATE outbox SET state = 'failed', problem = '550 no', next_at = now() + interval '1 hour' WHERE id = $1`, id)
	status, out = call(t, "POST", one+"/retry")
	if m, _ := out["mail"].(map[string]any); status != 200 || m["state"] != "waiting" {
		t.Errorf("%d %v", status, out)
	}
	sink := newSink(t, options{})
	run(t, sender(t, db, "smtp://"+sink.addr))
	eventually(t, "all mails", func() bool { return len(sink.received()) == 5 })
	eventually(t, "the record", func() bool { return of(t, db, "3").State == "sent" })
	if status, _ := call(t, "POST", one+"/retry"); status != 404 {
		t.Errorf("sent, and tried again: %d", status)
	}
	_, out = call(t, "GET", one)
	if text := fmt.Sprint(out); strings.Contains(text, "secret3") {
		t.Errorf("the secret is kept: %s", text)
	}
}
