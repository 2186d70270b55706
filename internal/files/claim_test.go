package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chatnow/internal/fault"
)

func TestAFileBelongsToOneThingAlone(t *testing.T) {
	d := newDesk(t, false)
	chris, chriss := d.person("Chris", "customer")
	eve, eves := d.person("Eve", "customer")
	ada, adas := d.person("Ada", "champion")
	mine, other := d.ticket(chris), d.ticket(eve)
	refused := func(what, field string, err error) {
		t.Helper()
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Field != field {
			t.Errorf("%s: %v", what, err)
		}
	}
	log, foreign := d.kept("a.log", logWords, chriss), d.kept("b.log", logWords, eves)
	begun, err := d.Begin(t.Context(), "c.log", 10, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same again is no change
		if err := d.claim(chris, To{Ticket: mine}, log, log); err != nil {
			t.Fatal(err)
		}
	}
	refused("another ticket", "attachments[0]", d.claim(chris, To{Ticket: other}, log))
	refused("a chat", "attachments[0]", d.claim(chris, To{Chat: aChat}, log))
	refused("somebody else's", "attachments[1]", d.claim(chris, To{Ticket: mine}, log, foreign))
	refused("by nobody", "attachments[0]", d.claim("", To{Ticket: other}, foreign))
	refused("still coming", "attachments[0]", d.claim("", To{Ticket: mine}, begun))
	refused("unknown", "attachments[0]", d.claim("", To{Ticket: mine}, "5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a10"))
	refused("too many", "attachments", d.claim(chris, To{Ticket: mine}, slices.Repeat([]string{log}, MaxNamed+1)...))
	if err := d.claim(eve, To{Ticket: other}, foreign); err != nil {
		t.Errorf("the refusal took it away: %v", err)
	}

	// A note that names a customer's file does not hide it; a note's file stays inside.
	if err := d.claim(ada, To{Ticket: mine, Internal: true}, log); err != nil {
		t.Fatal(err)
	}
	if got := d.get("/"+log, chriss); got.status != http.StatusOK {
		t.Errorf("a note has hidden it: %v", got)
	}
	inside := d.kept("n.log", logWords, adas)
	if err := d.claim(ada, To{Ticket: mine, Internal: true}, inside); err != nil {
		t.Fatal(err)
	}
	if err := d.claim(chris, To{Ticket: mine}, inside); err != nil {
		t.Fatal(err)
	}
	if got := d.get("/"+inside, chriss); got.status != http.StatusNotFound {
		t.Errorf("a note's file is shown: %v", got)
	}
}

func TestOneOfManyGetsTheFile(t *testing.T) {
	d := newDesk(t, false)
	log := d.kept("a.log", logWords, "")
	var tickets []int64
	for range 8 {
		tickets = append(tickets, d.ticket(""))
	}
	won := make(chan int64, len(tickets))
	var all sync.WaitGroup
	for _, ticket := range tickets {
		all.Go(func() {
			switch err := d.claim("", To{Ticket: ticket}, log); {
			case err == nil:
				won <- ticket
			case fault.KindOf(err) != fault.Invalid:
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(won)
	var winners []int64
	for w := range won {
		winners = append(winners, w)
	}
	var of int64
	if err := d.db.Get(&of, `SELECT ticket FROM uploads WHERE id = $1`, log); err != nil || len(winners) != 1 || winners[0] != of {
		t.Fatalf("%v have it, it is %d's: %v", winners, of, err)
	}
}

func TestWhatNothingNamesIsGoneAfterADay(t *testing.T) {
	d := newDesk(t, false)
	ticket := d.ticket("")
	free, named := d.kept("a.png", picture(t), ""), d.kept("b.png", picture(t), "")
	if err := d.claim("", To{Ticket: ticket}, named); err != nil {
		t.Fatal(err)
	}
	parts, err := d.Begin(t.Context(), "big.log", partSize+5, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Part(t.Context(), parts, 1, strings.NewReader("12345")); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(d.dir, arriving, "put-123") // by a crash
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	aged := func(by time.Duration) {
		t.Helper()
		d.pass(by)
		var sweeps sync.WaitGroup
		for range 3 { // on three nodes
			sweeps.Go(func() {
				if err := d.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		sweeps.Wait()
	}
	aged(keepFree - time.Minute)
	if whole, coming := d.onDisk(); whole != 5 || coming != 1 || d.rows() != 3 {
		t.Fatalf("too early: %d files, %d coming, %d rows", whole, coming, d.rows())
	}
	aged(2 * time.Minute)
	if whole, coming := d.onDisk(); whole != 2 || coming != 0 || d.rows() != 1 {
		t.Fatalf("after a day: %d files, %d coming, %d rows", whole, coming, d.rows())
	}
	if err := d.claim("", To{Ticket: ticket}, free); fault.KindOf(err) != fault.Invalid {
		t.Errorf("what is gone was named: %v", err)
	}
	if err := d.Part(t.Context(), parts, 0, strings.NewReader("x")); fault.KindOf(err) != fault.Missing {
		t.Errorf("a part of what is gone: %v", err)
	}
}

// Old files cannot be named even before they are swept away: a ticket never points to nothing.
func TestAFileIsNotNamedWhileItIsSweptAway(t *testing.T) {
	d := newDesk(t, false)
	ticket, log := d.ticket(""), d.kept("a.log", logWords, "")
	d.pass(keepFree)
	if err := d.claim("", To{Ticket: ticket}, log); fault.KindOf(err) != fault.Invalid {
		t.Fatal(err)
	}
}

// hooked is a store that something happens to.
type hooked struct {
	Store
	put, del func(key string) error
}

func (h hooked) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if h.put != nil {
		if err := h.put(key); err != nil {
			return err
		}
	}
	return h.Store.Put(ctx, key, r, size)
}

func (h hooked) Delete(ctx context.Context, key string) error {
	if h.del != nil {
		if err := h.del(key); err != nil {
			return err
		}
	}
	return h.Store.Delete(ctx, key)
}

func TestASweepGoesOnPastWhatItCannotDelete(t *testing.T) {
	d := newDesk(t, false)
	_, adas := d.person("Ada", "champion")
	var ids []string
	for range 5 {
		ids = append(ids, d.kept("a.log", logWords, ""))
	}
	slices.Sort(ids)
	folder := d.store
	d.store = hooked{Store: folder, del: func(key string) error {
		if strings.HasPrefix(key, ids[0]) {
			return errors.New("the bucket says no")
		}
		return nil
	}}
	d.pass(keepFree)
	if err := d.Sweep(t.Context()); err == nil || d.rows() != 1 {
		t.Fatalf("%d are left, %v", d.rows(), err)
	}
	if got := d.get("/"+ids[0], adas); got.status != http.StatusNotFound {
		t.Errorf("half gone, and served: %v", got)
	}
	d.store = folder
	if err := d.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if whole, _ := d.onDisk(); whole != 0 || d.rows() != 0 {
		t.Fatalf("%d files, %d rows", whole, d.rows())
	}
}

// A file that takes longer than it may leaves nothing behind, whenever the sweep comes between.
func TestASweepWhileAFileArrives(t *testing.T) {
	for _, when := range []string{".part.0", ""} {
		d := newDesk(t, false)
		folder := d.store
		id, err := d.Begin(t.Context(), "a.log", int64(len(logWords)), "")
		if err != nil {
			t.Fatal(err)
		}
		d.store = hooked{Store: folder, put: func(key string) error {
			if key != id+when {
				return nil
			}
			d.pass(keepFree)
			return d.Sweep(t.Context())
		}}
		err = d.Part(t.Context(), id, 0, strings.NewReader(logWords))
		if err == nil {
			_, err = d.Done(t.Context(), id)
		}
		if whole, coming := d.onDisk(); fault.KindOf(err) != fault.Missing || whole != 0 || coming != 0 || d.rows() != 0 {
			t.Errorf("at %q: %v, %d files, %d coming, %d rows", when, err, whole, coming, d.rows())
		}
	}
}

func TestAFullDiskIsSaidAndHarmsNothing(t *testing.T) {
	d := newDesk(t, false)
	log := d.kept("a.log", logWords, "")
	folder := d.store
	d.store = hooked{Store: folder, put: func(string) error {
		return full(&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	}}
	if got := d.upload("b.log", logWords, ""); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("full: %v", got)
	}
	d.store = folder
	if whole, coming := d.onDisk(); whole != 1 || coming != 0 {
		t.Errorf("%d files, %d coming", whole, coming)
	}
	if got := d.upload("b.log", logWords, ""); got.status != http.StatusCreated {
		t.Errorf("room again: %v", got)
	}
	if err := d.claim("", To{Ticket: d.ticket("")}, log); err != nil {
		t.Error(err)
	}
}

func TestPartsComeInAnyOrderAndMoreThanOnce(t *testing.T) {
	d := newDesk(t, false)
	_, adas := d.person("Ada", "champion")
	content := strings.Repeat("0123456789abcdef", (2*partSize+160)/16)
	put := func(id string, n int, body string) int {
		return d.call("PUT", fmt.Sprintf("/%s/parts/%d", id, n), "", "application/octet-stream", strings.NewReader(body)).status
	}
	id, err := d.Begin(t.Context(), "../big.log", int64(len(content)), "")
	if err != nil {
		t.Fatal(err)
	}
	last := content[2*partSize:]
	for _, tc := range []struct {
		n    int
		body string
		want int
	}{
		{2, last, 204}, {2, last, 204}, {3, "x", 404}, {-1, "x", 404}, {2, last + "x", 422}, {2, last[1:], 422}, {0, "", 422},
		{1, content[partSize : 2*partSize], 204}, {1, content[:2*partSize+1], 413}, {0, strings.Repeat("x", partSize), 204}, {0, content[:partSize], 204},
	} {
		if tc.want == 413 { // two parts at once are more than one body may be
			tc.body += content
		}
		if got := put(id, tc.n, tc.body); got != tc.want {
			t.Errorf("part %d of %d bytes: %d, not %d", tc.n, len(tc.body), got, tc.want)
		}
	}
	var arrived int64
	if err := d.db.Get(&arrived, `SELECT arrived FROM uploads WHERE id = $1`, id); err != nil || arrived > int64(len(content)) {
		t.Errorf("%d bytes take room, of %d: %v", arrived, len(content), err)
	}
	if got := d.get("/"+id, adas); got.status != 404 {
		t.Errorf("half a file is served: %v", got)
	}
	var all sync.WaitGroup
	for range 4 { // asked for the end at once, it is one file
		all.Go(func() {
			if got := d.post("/"+id+"/done", "{}"); got.status != 201 || !strings.Contains(got.body, `"name":"big.log"`) {
				t.Error(got)
			}
		})
	}
	all.Wait()
	if got := d.get("/"+id, adas); got.body != content {
		t.Errorf("%d bytes came back of %d", len(got.body), len(content))
	}
	if whole, coming := d.onDisk(); whole != 1 || coming != 0 || d.rows() != 1 {
		t.Errorf("%d files, %d coming, %d rows", whole, coming, d.rows())
	}
	for body, want := range map[string]int{
		`{"name":"a","size":-1}`: 422, fmt.Sprintf(`{"name":"a","size":%d}`, MaxEach+1): 413, `{"name":"a","size":1e30}`: 422, `{"name":"a","size":"1"}`: 422,
		`{"name":"a","size":0}`: 201, `{"name":"\u0000","size":1}`: 422, `{"name":"a","size":1,"id":"x"}`: 422, `[]`: 400,
	} {
		if got := d.post("/parts", body); got.status != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}
