// Package settings is the one document that says how the product behaves: hours,
// waiting times, products, wording. It takes effect at once on every node.
package settings

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"chatnow/hours"
)

// Duration is a time.Duration that JSON writes in Go's notation, "48h0m0s".
type Duration time.Duration

// D is the duration itself.
func (d Duration) D() time.Duration { return time.Duration(d) }

// MarshalJSON writes Go's notation.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads Go's notation; "" is zero. What it refuses is named by its field in read.go.
func (d *Duration) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("%s is no duration", raw)
	}
	if s == "" {
		*d = 0
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is no duration", s)
	}
	*d = Duration(v)
	return nil
}

// Doc is the settings document.
type Doc struct {
	Version int64  `json:"version"`
	Name    string `json:"name"` // of the product that support is for
	hours.Config
	Policy        Policy     `json:"policy"`
	Products      []Product  `json:"products"`
	Priorities    []Priority `json:"priorities"`
	Destinations  []string   `json:"destinations"`
	Links         Links      `json:"links"`
	Limits        Limits     `json:"limits"`
	DevicePattern string     `json:"device_pattern"` // regular expression that a computer's GUID matches
}

// Policy holds every waiting time (contract.md section 3). All are elapsed time unless said otherwise.
type Policy struct {
	SolvedClosesAfter    Duration            `json:"solved_closes_after"`    // M32
	PendingSolvesAfter   Duration            `json:"pending_solves_after"`   // M36
	Counting             string              `json:"counting"`               // "elapsed", "business" or "elapsed_open"
	UpdateWithin         map[string]Duration `json:"update_within"`          // business time by priority; 0 is the end of the next business day (M23, M24)
	Reminders            []Duration          `json:"reminders"`              // since Pending began
	SurveyAfter          Duration            `json:"survey_after"`           // since Closed
	SurveyCooldown       Duration            `json:"survey_cooldown"`        // between two surveys to one customer
	SurveySilent         bool                `json:"survey_silent"`          // ask after a ticket that silence solved
	EscalationWithin     Duration            `json:"escalation_within"`      // business time until a manager has decided (M44)
	ChatOfferFor         Duration            `json:"chat_offer_for"`         // then the next champion is asked
	ChatResumeWithin     Duration            `json:"chat_resume_within"`     // how long a vanished customer's chat is kept
	ChampionGoneAfter    Duration            `json:"champion_gone_after"`    // then the chats go back to the front of the queue
	UnstaffedMissedAfter Duration            `json:"unstaffed_missed_after"` // how long one waits with nobody on duty
	MailRetryFirst       Duration            `json:"mail_retry_first"`
	QueueLimit           int                 `json:"queue_limit"`
}

// Limits bound the mails that one address gets, whoever causes them: a form that anybody can fill in
// must not become a way to send mail to a stranger. 0 is no limit.
type Limits struct {
	ReceiptsPerDay int `json:"receipts_per_day"` // receipts to an address that nobody has proved to be his
	LinksPerHour   int `json:"links_per_hour"`   // links to verify, to reset a password, to sign in
	MailsPerDay    int `json:"mails_per_day"`    // all mails: the brake of loops between robots
}

// Product is what support is for, or somebody else's product that people come here with by mistake (M2).
type Product struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Served      bool     `json:"served"`
	Version     string   `json:"version"` // the current one (M47)
	URL         string   `json:"url"`     // where its users are sent
	Explanation string   `json:"explanation"`
	Aliases     []string `json:"aliases"` // other names that people give it (M10)
}

// Priority is a level with its definition (M25–M29).
type Priority struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Question   string   `json:"question"` // "which is true for you?"
	Definition string   `json:"definition"`
	Scenarios  []string `json:"scenarios"`
}

// Links of the support page.
type Links struct {
	Policy   string `json:"policy"`
	Versions string `json:"versions"`
}

// Defaults are the policy's own numbers and words.
func Defaults() Doc {
	return Doc{
		Name:   "CrashPlan for Small Business",
		Config: hours.Default(),
		Policy: Policy{
			SolvedClosesAfter: Duration(48 * time.Hour), PendingSolvesAfter: Duration(96 * time.Hour), Counting: "elapsed",
			UpdateWithin: map[string]Duration{"urgent": 0, "high": 0, "normal": 0, "low": 0}, Reminders: []Duration{},
			SurveyCooldown: Duration(720 * time.Hour), SurveySilent: true,
			EscalationWithin: Duration(4 * time.Hour),
			ChatOfferFor:     Duration(20 * time.Second), ChatResumeWithin: Duration(10 * time.Minute),
			ChampionGoneAfter: Duration(30 * time.Second), UnstaffedMissedAfter: Duration(2 * time.Minute),
			MailRetryFirst: Duration(30 * time.Second), QueueLimit: 200,
		},
		Products: []Product{
			{ID: "crashplan-small-business", Name: "CrashPlan for Small Business", Served: true, Version: "11.8.0", Aliases: []string{"CrashPlan"}},
			{ID: "incydr", Aliases: []string{"Code42", "Code42 Incydr"}, Name: "Incydr or another Code42 enterprise product", URL: "https://support.code42.com/",
				Explanation: "Users of the Code42 enterprise products have a support policy and a team of their own."},
		},
		Priorities: []Priority{
			{ID: "urgent", Name: "Urgent", Question: "I cannot reasonably continue my work",
				Definition: "You cannot reasonably continue your work. You experience a complete loss of service.",
				Scenarios:  []string{"I cannot restore from a backup", "I cannot renew my account", "My account has expired"}},
			{ID: "high", Name: "High", Question: "I can work in a restricted way, and there is no workaround",
				Definition: "You experience a severe loss of service. Operations can continue in a restricted fashion, although long-term productivity might be adversely affected, and there is no temporary workaround.", Scenarios: []string{}},
			{ID: "normal", Name: "Normal", Question: "It is an inconvenience",
				Definition: "You experience a minor loss of service: a partial, non-critical loss of functionality. It is an inconvenience, which may require a workaround.", Scenarios: []string{}},
			{ID: "low", Name: "Low", Question: "I have a question or a suggestion",
				Definition: "You request information, report a documentation error or recommend an improvement. There is little to no impact on the operation of the software.", Scenarios: []string{}},
		},
		Destinations:  []string{"CrashPlan Central", "Code42 cloud", "Other"},
		Limits:        Limits{ReceiptsPerDay: 1, LinksPerHour: 5, MailsPerDay: 100},
		Links:         Links{Policy: "https://support.crashplan.com/", Versions: "https://support.crashplan.com/"},
		DevicePattern: `^([0-9]{15,20}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$`,
	}
}

// Product finds a product by id, name or alias, in any case of letters; the empty word is the first
// that is served.
func (d *Doc) Product(word string) (Product, bool) {
	for _, p := range d.Products {
		if word == "" && p.Served {
			return p, true
		}
		for _, name := range append([]string{p.ID, p.Name}, p.Aliases...) {
			if word != "" && strings.EqualFold(name, word) {
				return p, true
			}
		}
	}
	return Product{}, false
}
