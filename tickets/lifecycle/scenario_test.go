package lifecycle

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whole lives as text, one in a file: what happens by whom and when, and what is then to be seen. Times are the
// company's. "expect … mails a b" lists the mails since the last expectation.
func TestLives(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d lives, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { (&life{t: t, rules: plain(t)}).read(file) })
	}
}

func plain(t *testing.T) Rules {
	r := rules(t, Elapsed)
	r.Policy.Reminders = nil
	return r
}

type life struct {
	t      *testing.T
	rules  Rules
	zone   *time.Location
	now    time.Time
	ticket Ticket
	mails  []string
	err    error
}

func (l *life) read(file string) {
	f, err := os.Open(file)
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	if l.zone, err = time.LoadLocation("America/Chicago"); err != nil {
		l.t.Fatal(err)
	}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := l.step(line); err != nil {
			l.t.Fatalf("%s:%d: %s: %v", file, n, line, err)
		}
	}
	if err := lines.Err(); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) step(line string) (err error) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "at":
		l.now, err = time.ParseInLocation("2006-01-02 15:04", rest, l.zone)
		return err
	case "expect":
		return l.expect(rest)
	case "alarm":
		l.apply(Alarm{}, System)
	case "customer", "champion":
		by := Actor{Kind: word, ID: word, Name: word}
		verb, what, _ := strings.Cut(rest, " ")
		ev, ok := map[string]Event{"customer creates": Created{}, "customer replies": CustomerReplied{}, "champion replies": ChampionReplied{Status(what)},
			"champion notes": NoteAdded{}, "champion sets": PrioritySet{To: Priority(what)}, "customer escalates": EscalationAsked{}, "champion merges": Merged{Into: 1}}[word+" "+verb]
		if !ok {
			return errors.New("there is no such line")
		}
		if verb == "creates" {
			l.ticket = Ticket{Number: 1001, Priority: Priority(what)}
		}
		l.apply(ev, by)
	default:
		return errors.New("there is no such line")
	}
	return nil
}

func (l *life) apply(ev Event, by Actor) {
	var effects []Effect
	l.ticket, effects, l.err = l.rules.Apply(l.ticket, ev, by, l.now)
	for _, e := range effects {
		if m, ok := e.(Mail); ok {
			l.mails = append(l.mails, m.Kind)
		}
	}
}

func (l *life) expect(want string) error {
	if reason, ok := strings.CutPrefix(want, "refused "); ok {
		if reason != "closed" || !errors.Is(l.err, ErrClosed) {
			return fmt.Errorf("got %v", l.err)
		}
		return nil
	}
	got := string(l.ticket.Status)
	for _, due := range []struct {
		name string
		at   time.Time
	}{{"update due", l.ticket.UpdateDueAt}, {"solves", l.ticket.SolvesAt}, {"closes", l.ticket.ClosesAt}} {
		if !due.at.IsZero() {
			got += ", " + due.name + " " + due.at.In(l.zone).Format("2006-01-02 15:04")
		}
	}
	got += strings.TrimRight(", mails "+strings.Join(l.mails, " "), " ")
	l.mails = nil
	if got != want || l.err != nil {
		return fmt.Errorf("got %q, %v", got, l.err)
	}
	return nil
}
