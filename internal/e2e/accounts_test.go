package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"chatnow/internal/app"
	"chatnow/internal/pgtest"
)

// ask makes a request with headers, given as name and value by turns.
func ask(t *testing.T, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return res.StatusCode, string(raw)
}

func TestAccountsAndRepeatedWrites(t *testing.T) {
	url := pgtest.URL(t)
	var said bytes.Buffer
	s := serve(t, url, func(cfg *app.Config) { cfg.Out, cfg.RateLimits = &said, true })
	addr := s.cfg.Listen
	api := "http://" + addr + "/api/v1"

	t.Run("the setup link works once", func(t *testing.T) {
		_, token, found := strings.Cut(said.String(), "token=")
		if !found {
			t.Fatalf("no link in %q", said.String())
		}
		body := func(token, email string) string {
			return fmt.Sprintf(`{"token":%q,"name":"Dana","email":%q,"password":"a long password"}`, token, email)
		}
		token = strings.TrimSpace(token)
		for _, wrong := range []string{"", "x", token + "x"} {
			if got, said := ask(t, "POST", api+"/setup", body(wrong, "eve@example.com")); got != 404 {
				t.Fatalf("%q: %d %s", wrong, got, said)
			}
		}
		if got, said := ask(t, "POST", api+"/setup", body(token, "dana@example.com")); got != 201 || !strings.Contains(said, `"admin"`) {
			t.Fatalf("%d %s", got, said)
		}
		if got, said := ask(t, "POST", api+"/setup", body(token, "eve@example.com")); got != 404 {
			t.Fatalf("used twice: %d %s", got, said)
		}
	})
	addStaff(t, url, "priya@example.com", "Priya Raman", "champion")

	t.Run("an API token works until it is taken back", func(t *testing.T) {
		cookie := cookieOf(t, addr, "priya@example.com")
		got, said := ask(t, "POST", api+"/tokens", `{"name":"script"}`, "Cookie", cookie)
		var made struct{ Token struct{ ID, Secret string } }
		if err := json.Unmarshal([]byte(said), &made); err != nil || got != 201 || made.Token.Secret == "" {
			t.Fatalf("%d %s %v", got, said, err)
		}
		bearer := "Bearer " + made.Token.Secret
		if got, said := ask(t, "GET", api+"/me", "", "Authorization", bearer); got != 200 || !strings.Contains(said, "priya@example.com") {
			t.Fatalf("%d %s", got, said)
		}
		if got, _ := ask(t, "GET", api+"/settings", "", "Authorization", bearer); got != 403 {
			t.Fatalf("a champion reads the settings: %d", got)
		}
		if _, list := ask(t, "GET", api+"/tokens", "", "Cookie", cookie); strings.Contains(list, made.Token.Secret) {
			t.Fatal("the secret is shown a second time")
		}
		if got, _ := ask(t, "DELETE", api+"/tokens/"+made.Token.ID, "", "Cookie", cookie); got != 204 {
			t.Fatal(got)
		}
		if got, _ := ask(t, "GET", api+"/me", "", "Authorization", bearer); got != 401 {
			t.Fatalf("a token that was taken back: %d", got)
		}
	})

	t.Run("a write from another site changes nothing", func(t *testing.T) {
		cookie := cookieOf(t, addr, "priya@example.com")
		for _, h := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
			if got, said := ask(t, "POST", api+"/tokens", `{"name":"evil"}`, append(h, "Cookie", cookie)...); got != 403 {
				t.Errorf("%v: %d %s", h, got, said)
			}
		}
		if _, list := ask(t, "GET", api+"/tokens", "", "Cookie", cookie); strings.Contains(list, "evil") {
			t.Error("it was made")
		}
	})

	t.Run("many at once with one key are one ticket", func(t *testing.T) {
		body := `{"name":"Ines","email":"ines@example.com","subject":"Backup","description":"At 47 %."}`
		var mu sync.Mutex
		numbers := map[int64]int{}
		var wg sync.WaitGroup
		for range 15 { // as many as one address may send at once
			wg.Go(func() {
				got, said := ask(t, "POST", api+"/tickets", body, "Idempotency-Key", "one")
				if got == http.StatusConflict && strings.Contains(said, `"in_progress"`) {
					return
				}
				var made struct{ Ticket struct{ Number int64 } }
				if err := json.Unmarshal([]byte(said), &made); err != nil || got != 201 {
					t.Errorf("%d %s %v", got, said, err)
					return
				}
				mu.Lock()
				numbers[made.Ticket.Number]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if len(numbers) != 1 {
			t.Fatalf("tickets: %v", numbers)
		}
		s.stop() // the answer is kept over a restart
		s.start()
		got, said := ask(t, "POST", api+"/tickets", body, "Idempotency-Key", "one")
		for n := range numbers {
			if got != 201 || !strings.Contains(said, fmt.Sprintf(`"number":%d`, n)) {
				t.Fatalf("after a restart: %d %s", got, said)
			}
		}
		other := strings.Replace(body, "Backup", "Restore", 1)
		if got, said := ask(t, "POST", api+"/tickets", other, "Idempotency-Key", "one"); got != 422 || !strings.Contains(said, `"key_reused"`) {
			t.Fatalf("other content: %d %s", got, said)
		}
		stranger := strings.Replace(body, "ines@", "noor@", 1)
		if got, said := ask(t, "POST", api+"/tickets", stranger, "Idempotency-Key", "one"); got != 201 {
			t.Fatalf("another person's same key: %d %s", got, said)
		}
	})

	t.Run("a session that ends takes its socket with it", func(t *testing.T) {
		console := dial(t, addr, "/ws/console", cookieOf(t, addr, "priya@example.com"))
		console.send(`{"type":"hello"}`)
		console.until("welcome")
		addStaff(t, url, "priya@example.com", "Priya Raman", "champion") // a new password ends all sessions
		ended := time.Now()
		go func() { // a champion at work; the server looks again at each command
			for t.Context().Err() == nil && time.Since(ended) < 10*time.Second {
				if console.ws.Write(t.Context(), 1, []byte(`{"type":"presence","state":"online"}`)) != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}()
		if f := console.until("bye"); f["reason"] != "expired" {
			t.Fatalf("%v", f)
		}
	})

	t.Run("guesses end, with the time to wait, and equal for known and unknown", func(t *testing.T) {
		for _, email := range []string{"dana@example.com", "nobody@example.com"} {
			body := fmt.Sprintf(`{"email":%q,"password":"a wrong password"}`, email)
			if got, said := ask(t, "POST", api+"/session", body); got != 401 || !strings.Contains(said, "address or the password is wrong") {
				t.Fatalf("%s: %d %s", email, got, said)
			}
		}
		body := `{"email":"dana@example.com","password":"a wrong password"}`
		for range 30 {
			res, err := http.Post(api+"/session", "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode == http.StatusTooManyRequests {
				if res.Header.Get("Retry-After") == "" {
					t.Fatal("not told how long to wait")
				}
				return
			}
		}
		t.Fatal("thirty guesses, and no end")
	})
}
