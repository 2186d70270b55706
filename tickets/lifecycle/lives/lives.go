// Package lives plays whole lives of tickets that are written as text, one in a file: what happens by
// whom and when, and what is then to be seen. The same files run against the pure engine and against
// the desk with its database, so that the two cannot differ.
//
// Times are the company's. A life goes on with the ticket that was created last, until "turn 2" turns to
// its second one. "expect …, mails a b" lists the mails since that ticket was last seen, "story …" its
// history since then, and "expect refused closed" says that a closed ticket stayed as it was.
package lives

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"chatnow/hours"
	"chatnow/tickets/lifecycle"
)

// World is what a life is played in. Tickets are numbered from 1001.
type World interface {
	// Create begins a ticket.
	Create(p lifecycle.Priority, by lifecycle.Actor, now time.Time) (int64, error)
	// Do lets something happen to a ticket, and gives the number of the one that heard it.
	Do(number int64, ev lifecycle.Event, by lifecycle.Actor, now time.Time) (int64, error)
	// Alarm fires what is due.
	Alarm(now time.Time) error
	// Merge and Unmerge; ErrClosed and ErrStatus where that cannot be.
	Merge(number, into int64, why string, by lifecycle.Actor, now time.Time) error
	Unmerge(number int64, why string, by lifecycle.Actor, now time.Time) error
	// See gives a ticket.
	See(number int64) (Seen, error)
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
	return lifecycle.Policy{SolvedClosesAfter: 48 * time.Hour, PendingSolvesAfter: 96 * time.Hour, Counting: lifecycle.Elapsed, SurveySilent: true, UpdateWithin: map[lifecycle.Priority]time.Duration{}}
}

// Play plays every life below dir, each in a world of its own.
func Play(t *testing.T, dir string, world func(t *testing.T) World) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) < 18 {
		t.Fatalf("%d lives, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			(&life{t: t, World: world(t), seen: map[int64]*[2]int{}}).read(file)
		})
	}
}

type life struct {
	World
	t      *testing.T
	zone   *time.Location
	now    time.Time
	number int64
	err    error
	seen   map[int64]*[2]int // mails and lines of history that were looked at
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
	if l.err != nil && !strings.HasPrefix(line, "expect refused") {
		return fmt.Errorf("the line before: %w", l.err)
	}
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
	case "promise": // promise urgent 2h
		level, within, _ := strings.Cut(rest, " ")
		d, err := time.ParseDuration(within)
		return errors.Join(err, l.Policy(func(p *lifecycle.Policy) {
			p.UpdateWithin = maps.Clone(p.UpdateWithin) // the rules before are other rules
			p.UpdateWithin[lifecycle.Priority(level)] = d
		}))
	case "survey": // survey 24h, survey never-after-silence
		if rest == "never-after-silence" {
			return l.Policy(func(p *lifecycle.Policy) { p.SurveySilent = false })
		}
		d, err := time.ParseDuration(rest)
		return errors.Join(err, l.Policy(func(p *lifecycle.Policy) { p.SurveyAfter = d }))
	case "turn":
		n, err := strconv.ParseInt(rest, 10, 64)
		l.number = first - 1 + n
		return err
	case "expect":
		return l.expect(rest)
	case "story":
		return l.story(rest)
	case "alarm":
		l.err = l.Alarm(l.now)
	case "customer", "champion", "machine":
		verb, what, _ := strings.Cut(rest, " ")
		by := lifecycle.Actor{Kind: word, Name: word, ID: map[string]string{"champion": "c1"}[word]}
		if word == "machine" {
			by = lifecycle.System
		}
		return l.happen(by, word+" "+verb, what)
	default:
		return errLine
	}
	return err
}

var errLine = errors.New("there is no such line")

func (l *life) happen(by lifecycle.Actor, what, more string) error {
	if what == "customer creates" {
		l.number, l.err = l.Create(lifecycle.Priority(more), by, l.now)
		return nil
	}
	if what == "champion merges" || what == "champion unmerges" {
		return l.merge(by, what, more)
	}
	ev, ok := map[string]lifecycle.Event{"customer replies": lifecycle.CustomerReplied{}, "champion replies": lifecycle.ChampionReplied{Status: lifecycle.Status(more)},
		"champion notes": lifecycle.NoteAdded{}, "machine writes": lifecycle.MachineWrote{}, "champion sets": lifecycle.PrioritySet{To: lifecycle.Priority(more), Why: "A champion decides."},
		"champion marks": lifecycle.StatusSet{To: lifecycle.Status(more)}, "customer escalates": lifecycle.EscalationAsked{Reason: "It takes too long."},
		"champion decides": lifecycle.EscalationOver{Outcome: more}, "customer thanks": lifecycle.CustomerSolved{}}[what]
	if !ok {
		return errLine
	}
	heard, err := l.Do(l.number, ev, by, l.now)
	if err == nil && heard != l.number { // the closed one stayed as it was
		err = lifecycle.ErrClosed
	}
	l.err = err
	return nil
}

// merge merges into the life's ticket of that place, or into one that comes just then.
func (l *life) merge(by lifecycle.Actor, what, into string) error {
	if what == "champion unmerges" {
		l.err = l.Unmerge(l.number, "A mistake.", by, l.now)
		return nil
	}
	n, err := strconv.ParseInt(into, 10, 64)
	other := first - 1 + n
	if into == "" {
		other, err = l.Create("", lifecycle.Actor{Kind: "customer", Name: "customer"}, l.now)
	}
	if err != nil {
		return err
	}
	l.err = l.Merge(l.number, other, "One matter.", by, l.now)
	return nil
}

func (l *life) look() (Seen, *[2]int, error) {
	if l.err != nil {
		return Seen{}, nil, l.err
	}
	s, err := l.See(l.number)
	if l.seen[l.number] == nil {
		l.seen[l.number] = &[2]int{}
	}
	return s, l.seen[l.number], err
}

// story is the history since it was last told.
func (l *life) story(want string) error {
	s, seen, err := l.look()
	if err != nil {
		return err
	}
	var got []string
	for _, line := range s.Story[seen[1]:] {
		got = append(got, line.String())
	}
	seen[1] = len(s.Story)
	if got := strings.Join(got, ", "); got != want {
		return fmt.Errorf("got %q", got)
	}
	return nil
}

func (l *life) expect(want string) error {
	if reason, ok := strings.CutPrefix(want, "refused "); ok {
		kinds := map[string]error{"closed": lifecycle.ErrClosed, "status": lifecycle.ErrStatus, "value": lifecycle.ErrValue}
		if kinds[reason] == nil || !errors.Is(l.err, kinds[reason]) {
			return fmt.Errorf("got %w", errors.Join(errors.New("no such refusal"), l.err))
		}
		l.err = nil
		return nil
	}
	s, seen, err := l.look()
	if err != nil {
		return err
	}
	t, mails := s.Ticket, s.Mails[seen[0]:]
	seen[0] = len(s.Mails)
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
