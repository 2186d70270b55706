package tickets

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"chatnow/tickets/lifecycle"
)

type previewed struct {
	Days []struct {
		Date, Holiday string
		Open          [][2]string
	}
	Moves []struct {
		Number   int64
		What     string
		From, To *time.Time
	}
	Count int `json:"moves_count"`
}

func preview(t *testing.T, d *Desk, draft string) (out previewed) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(draft))
	req.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	if err := d.postPreview(echo.New().NewContext(req, rec)); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAPreviewSaysWhatWouldMoveAndMovesNothing(t *testing.T) {
	d, _, _ := onTuesday(t)
	var numbers []int64
	for _, key := range []string{"open", "pending", "solved"} {
		tk, err := d.Open(t.Context(), request(key))
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, tk.Number)
	}
	priya := lifecycle.Actor{Kind: "champion", Name: "Priya"}
	must(t, d, priya, numbers[1], Change{Events: []lifecycle.Event{lifecycle.StatusSet{To: lifecycle.Pending}}})
	solved := must(t, d, priya, numbers[2], Change{Events: []lifecycle.Event{lifecycle.StatusSet{To: lifecycle.Solved}}})

	if p := preview(t, d, `{"version":1}`); p.Count != 0 || len(p.Days) != 14 || p.Days[0].Date != "2026-11-23" {
		t.Errorf("nothing is changed: %+v", p)
	}
	p := preview(t, d, `{"version":1,"policy":{"solved_closes_after":"24h"}}`)
	if p.Count != 1 || p.Moves[0].Number != solved.Number || p.Moves[0].What != "closes_at" ||
		!p.Moves[0].From.Equal(solved.ClosesAt) || !p.Moves[0].To.Equal(tuesday.Add(24*time.Hour)) {
		t.Errorf("solved: %+v", p)
	}
	if p := preview(t, d, `{"version":1,"policy":{"pending_solves_after":"24h"}}`); p.Count != 1 || p.Moves[0].Number != numbers[1] || p.Moves[0].What != "solves_at" {
		t.Errorf("pending: %+v", p)
	}
	p = preview(t, d, `{"version":1,"holidays":[{"date":"2026-11-25","name":"Rest","hours":[]}]}`)
	if p.Count != 1 || p.Moves[0].Number != numbers[0] || p.Moves[0].What != "update_due_at" || p.Days[2].Holiday != "Rest" || len(p.Days[2].Open) != 0 {
		t.Errorf("a holiday: %+v", p)
	}
	if now := must(t, d, priya, solved.Number, Change{}); !now.ClosesAt.Equal(solved.ClosesAt) || d.settings.Current().Version != 1 {
		t.Errorf("a preview moved something: %v", now.ClosesAt)
	}
}
