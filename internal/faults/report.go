package faults

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// A Report is what a run says at its end.
type Report struct {
	cfg      Config
	took     time.Duration
	suffered []suffered
	totals   map[string]map[string]int
	chats    int
	verdicts []*verdict
}

func (r *run) report() *Report {
	rep := &Report{cfg: r.cfg, took: time.Since(r.begun), suffered: r.suffered, totals: r.led.totals(), verdicts: r.verdicts}
	for _, c := range r.customers {
		rep.chats += len(c.talks)
	}
	return rep
}

// Err is ErrBroken unless everything holds.
func (r *Report) Err() error {
	for _, v := range r.verdicts {
		if v.Count > 0 {
			return ErrBroken
		}
	}
	return nil
}

// Write writes the report in Markdown.
func (r *Report) Write(w io.Writer) {
	fmt.Fprintf(w, "Seed %d: %d faults in %s, %d servers, %d customers and %d champions, %d chats.\n\n", r.cfg.Seed, len(r.suffered),
		r.took.Round(time.Second), r.cfg.Nodes, r.cfg.Customers, r.cfg.Champions, r.chats)
	fmt.Fprintln(w, "| fault | times | all back after, median | longest | longest wait for an answer |\n| --- | ---: | ---: | ---: | ---: |")
	for _, k := range kinds {
		var back []time.Duration
		waited := time.Duration(0)
		for _, s := range r.suffered {
			if s.Kind == k {
				back = append(back, s.Back)
				waited = max(waited, s.Waited)
			}
		}
		if len(back) == 0 {
			continue
		}
		slices.Sort(back)
		fmt.Fprintf(w, "| %s | %d | %.1f s | %.1f s | %.1f s |\n", k, len(back), back[len(back)/2].Seconds(), back[len(back)-1].Seconds(), waited.Seconds())
	}
	fmt.Fprintln(w, "\n| ledger | begun | ok | refused | unknown |\n| --- | ---: | ---: | ---: | ---: |")
	for _, kind := range []string{opMessage, opNote, opChat, opTicket} {
		t := r.totals[kind]
		fmt.Fprintf(w, "| %ss | %d | %d | %d | %d |\n", kind, t[ok]+t[refused]+t[unknown], t[ok], t[refused], t[unknown])
	}
	fmt.Fprintln(w, "\n| | must hold | |\n| --- | --- | --- |")
	for _, v := range r.verdicts {
		word := "holds"
		if v.Count > 0 {
			word = fmt.Sprintf("BROKEN %d times", v.Count)
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", v.Name, v.Says, word)
	}
	for _, v := range r.verdicts {
		for _, what := range v.Wrong {
			fmt.Fprintf(w, "\n- %s: %s", v.Name, what)
		}
	}
	fmt.Fprintln(w)
}
