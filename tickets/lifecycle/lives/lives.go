// Package lives plays whole lives of tickets that are written as text, one in a file: what happens by
// whom and when, and what is then to be seen. The same files run against the pure engine and against
// the desk with its database, so that the two cannot differ.
//
// Times are the company's. "expect …, mails a b" lists the mails since the last expectation, and
// "expect refused closed" says that a closed ticket stayed as it was.
package lives

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chatnow/hours"
	"chatnow/tickets/lifecycle"
)

// World is what a life is played in.
type World interface {
	// Create begins the ticket that is meant from then on.
	Create(p lifecycle.Priority, by lifecycle.Actor, now time.Time) error
	// Do lets something happen to it; ErrClosed when a closed ticket stayed as it was.
	Do(ev lifecycle.Event, by lifecycle.Actor, now time.Time) error
	// See gives the ticket and the mails since it was last seen.
	See() (lifecycle.Ticket, []string, error)
	// Policy changes the rules for what comes.
	Policy(change func(*lifecycle.Policy)) error
}

// Hours are the company's in every life: the policy's, with the holidays of a winter.
func Hours() hours.Config {
	c := hours.Default()
	for date, name := range map[string]string{"2026-11-26": "Thanksgiving Day", "2026-12-25": "Christmas Day", "2027-01-01": "New Year’s Day"} {
		c.Holidays = append(c.Holidays, hours.Holiday{Date: date, Name: name, Hours: [][2]string{}})
	}
	return c
}

// Policy is the policy's own at the beginning of a life.
func Policy() lifecycle.Policy {
	return lifecycle.Policy{SolvedClosesAfter: 48 * time.Hour, PendingSolvesAfter: 96 * time.Hour, Counting: lifecycle.Elapsed, SurveySilent: true}
}

// Play plays every life below dir, each in a world of its own.
func Play(t *testing.T, dir string, world func(t *testing.T) World) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) < 6 {
		t.Fatalf("%d lives, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { (&life{t: t, World: world(t)}).read(file) })
	}
}

type life struct {
	World
	t    *testing.T
	zone *time.Location
	now  time.Time
	err  error
}

func (l *life) read(file string) {
	f, err := os.Open(file)
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	if l.zone, err = time.LoadLocation(Hours().Timezone); err != nil {
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
	case "counting":
		return l.Policy(func(p *lifecycle.Policy) { p.Counting = rest })
	case "reminders":
		return l.Policy(func(p *lifecycle.Policy) {
			p.Reminders = nil
			for s := range strings.FieldsSeq(rest) {
				var d time.Duration
				if d, err = time.ParseDuration(s); err == nil {
					p.Reminders = append(p.Reminders, d)
				}
			}
		})
	case "expect":
		return l.expect(rest)
	case "alarm":
		l.err = l.Do(lifecycle.Alarm{}, lifecycle.System, l.now)
	case "customer", "champion":
		by := lifecycle.Actor{Kind: word, Name: word}
		verb, what, _ := strings.Cut(rest, " ")
		if word+" "+verb == "customer creates" {
			l.err = l.Create(lifecycle.Priority(what), by, l.now)
			return nil
		}
		ev, ok := map[string]lifecycle.Event{"customer replies": lifecycle.CustomerReplied{}, "champion replies": lifecycle.ChampionReplied{Status: lifecycle.Status(what)},
			"champion notes": lifecycle.NoteAdded{}, "champion raises": lifecycle.PrioritySet{To: lifecycle.Priority(what)}, "champion sets": lifecycle.PrioritySet{To: lifecycle.Priority(what)},
			"champion marks": lifecycle.StatusSet{To: lifecycle.Status(what)}, "customer escalates": lifecycle.EscalationAsked{}, "customer thanks": lifecycle.CustomerSolved{},
			"champion merges": lifecycle.Merged{Into: 1}}[word+" "+verb]
		if !ok {
			return errors.New("there is no such line")
		}
		l.err = l.Do(ev, by, l.now)
	default:
		return errors.New("there is no such line")
	}
	return err
}

func (l *life) expect(want string) error {
	if reason, ok := strings.CutPrefix(want, "refused "); ok {
		kinds := map[string]error{"closed": lifecycle.ErrClosed, "status": lifecycle.ErrStatus, "moot": lifecycle.ErrMoot}
		if kinds[reason] == nil || !errors.Is(l.err, kinds[reason]) {
			return fmt.Errorf("got %w", errors.Join(errors.New("no such refusal"), l.err))
		}
		l.err = nil
		return nil
	}
	if l.err != nil {
		return l.err
	}
	t, mails, err := l.See()
	if err != nil {
		return err
	}
	got := string(t.Status)
	for _, due := range []struct {
		name string
		at   time.Time
	}{{"update due", t.UpdateDueAt}, {"solves", t.SolvesAt}, {"closes", t.ClosesAt}} {
		if !due.at.IsZero() {
			got += ", " + due.name + " " + due.at.In(l.zone).Format("2006-01-02 15:04")
		}
	}
	got += strings.TrimRight(", mails "+strings.Join(mails, " "), " ")
	if got != want {
		return fmt.Errorf("got %q", got)
	}
	return nil
}
