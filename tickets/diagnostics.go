package tickets

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/fault"
	"chatnow/internal/files"
	"chatnow/internal/settings"
	"chatnow/internal/text"
)

// Limits of the form.
const (
	maxLine  = 300
	maxText  = 50_000
	maxItems = 50
)

// check cleans the diagnostics and says what is wrong with them, by field.
func (d *Diagnostics) check(doc *settings.Doc) []fault.Field {
	var wrong []fault.Field
	say := func(field, detail string) {
		wrong = append(wrong, fault.Field{Field: "diagnostics." + field, Detail: detail})
	}
	for name, value := range map[string]*string{"product": &d.Product, "os": &d.OS, "os_version": &d.OSVersion, "app_version": &d.AppVersion} {
		*value = text.Line(*value)
		if len(*value) > maxLine {
			say(name, fmt.Sprintf("Up to %d bytes.", maxLine))
		}
	}
	if len(d.Description) > maxText {
		say("description", fmt.Sprintf("Up to %d bytes.", maxText))
	}
	pattern := regexp.MustCompile(doc.DevicePattern) // settings checked it
	for i, device := range d.Devices {
		d.Devices[i] = strings.ReplaceAll(strings.TrimSpace(device), " ", "") // pasted from a screenshot's text
		if !pattern.MatchString(d.Devices[i]) {
			say("devices["+strconv.Itoa(i)+"]", "This is no computer ID (GUID). It has 15 to 20 digits; the app shows it under Settings.")
		}
	}
	for name, list := range map[string]*[]string{"devices": &d.Devices, "accounts": &d.Accounts, "destinations": &d.Destinations} {
		var kept []string
		for i, item := range *list {
			item = text.Line(item)
			if item == "" || slices.Contains(kept, item) {
				continue
			}
			if len(item) > maxLine {
				say(name+"["+strconv.Itoa(i)+"]", fmt.Sprintf("Up to %d bytes.", maxLine))
			}
			kept = append(kept, item)
		}
		if len(kept) > maxItems {
			say(name, fmt.Sprintf("Up to %d.", maxItems))
		}
		*list = kept
	}
	slices.SortFunc(wrong, func(a, b fault.Field) int { return strings.Compare(a.Field, b.Field) })
	return wrong
}

// claim makes the files that the diagnostics name the ticket's. What they named before, had has: a
// follow-up's files stay those of the first ticket.
func (d *Desk) claim(ctx context.Context, tx *sqlx.Tx, t *Ticket, had Diagnostics, person string) error {
	for field, lists := range map[string][2][]string{"diagnostics.logs": {t.Diagnostics.Logs, had.Logs}, "diagnostics.screenshots": {t.Diagnostics.Screenshots, had.Screenshots}} {
		var fresh []string
		for _, id := range lists[0] {
			if !slices.Contains(lists[1], id) {
				fresh = append(fresh, id)
			}
		}
		if err := d.claimFiles(ctx, tx, field, fresh, files.To{Ticket: t.Number, Chat: t.Chat}, person); err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) claimFiles(ctx context.Context, tx *sqlx.Tx, field string, ids []string, to files.To, person string) error {
	if len(ids) == 0 {
		return nil
	}
	if d.Files == nil {
		return fault.WrongField(field+"[0]", "There is no such upload.")
	}
	return d.Files.Claim(ctx, tx, field, ids, to, person)
}

// words is what full-text search finds the diagnostics by.
func (d *Diagnostics) words() string {
	return strings.Join(append(append(append([]string{d.Product, d.OS, d.OSVersion, d.AppVersion, d.Description}, d.Devices...), d.Accounts...), d.Destinations...), " ")
}

// CompareVersions orders versions number by number, so that 10.9 comes before 10.10; what is no number
// is compared as text. Negative: a is older.
func CompareVersions(a, b string) int {
	split := func(s string) []string {
		return strings.FieldsFunc(strings.TrimPrefix(strings.TrimSpace(s), "v"), func(r rune) bool { return r == '.' || r == '-' || r == '_' || r == ' ' })
	}
	as, bs := split(a), split(b)
	for i := range max(len(as), len(bs)) {
		x, y := "0", "0"
		if i < len(as) {
			x = as[i]
		}
		if i < len(bs) {
			y = bs[i]
		}
		nx, errX := strconv.Atoi(x)
		ny, errY := strconv.Atoi(y)
		switch {
		case errX == nil && errY == nil && nx != ny:
			return nx - ny
		case errX != nil && errY != nil && x != y:
			return strings.Compare(x, y)
		case errX == nil && errY != nil:
			return 1 // 1.2.0 is newer than 1.2.beta
		case errX != nil && errY == nil:
			return -1
		}
	}
	return 0
}
