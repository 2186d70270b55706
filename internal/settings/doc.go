// Package settings is the one document that says how the product behaves: hours,
// waiting times, products, wording. It takes effect at once on every node.
package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"chatnow/hours"
	"chatnow/internal/fault"
)

// Duration is a time.Duration that JSON writes in Go's notation, "48h0m0s".
type Duration time.Duration

// D is the duration itself.
func (d Duration) D() time.Duration { return time.Duration(d) }

// MarshalJSON writes Go's notation.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads Go's notation; "" is zero.
func (d *Duration) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return fault.WrongField("policy", fmt.Sprintf("%s is no duration; write it as \"48h\" or \"20s\".", raw))
	}
	if s == "" {
		*d = 0
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fault.WrongField("policy", fmt.Sprintf("%q is no duration; write it as \"48h\" or \"20s\".", s))
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
	ChatOfferFor         Duration            `json:"chat_offer_for"`         // then the next champion is asked
	ChatResumeWithin     Duration            `json:"chat_resume_within"`     // how long a vanished customer's chat is kept
	ChampionGoneAfter    Duration            `json:"champion_gone_after"`    // then the chats go back to the front of the queue
	UnstaffedMissedAfter Duration            `json:"unstaffed_missed_after"` // how long one waits with nobody on duty
	MailRetryFirst       Duration            `json:"mail_retry_first"`
	QueueLimit           int                 `json:"queue_limit"`
}

// Product is what support is for, or somebody else's product that people come here with by mistake (M2).
type Product struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Served      bool   `json:"served"`
	Version     string `json:"version"` // the current one (M47)
	URL         string `json:"url"`     // where its users are sent
	Explanation string `json:"explanation"`
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
			ChatOfferFor: Duration(20 * time.Second), ChatResumeWithin: Duration(10 * time.Minute),
			ChampionGoneAfter: Duration(30 * time.Second), UnstaffedMissedAfter: Duration(2 * time.Minute),
			MailRetryFirst: Duration(30 * time.Second), QueueLimit: 200,
		},
		Products: []Product{
			{ID: "crashplan-small-business", Name: "CrashPlan for Small Business", Served: true, Version: "11.8.0"},
			{ID: "incydr", Name: "Incydr or another Code42 enterprise product", URL: "https://support.code42.com/",
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
		Links:         Links{Policy: "https://support.crashplan.com/", Versions: "https://support.crashplan.com/"},
		DevicePattern: `^([0-9]{15,20}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$`,
	}
}

// Product finds a product by id or by name; the empty word is the first that is served.
func (d *Doc) Product(word string) (Product, bool) {
	for _, p := range d.Products {
		if p.ID == word || p.Name == word || (word == "" && p.Served) {
			return p, true
		}
	}
	return Product{}, false
}

// Check says everything that is wrong with the document, by field.
func (d *Doc) Check() (*hours.Calendar, error) {
	var wrong []fault.Field
	say := func(field, detail string) { wrong = append(wrong, fault.Field{Field: field, Detail: detail}) }
	cal, err := hours.New(d.Config)
	var bad *hours.ConfigError
	if errors.As(err, &bad) {
		for _, p := range bad.Problems {
			say(p.Field, p.Detail)
		}
	}
	if d.Name == "" || len(d.Name) > 200 {
		say("name", "The name of the product, up to 200 bytes.")
	}
	d.Policy.check(say)
	served := 0
	ids := map[string]bool{}
	for i, p := range d.Products {
		at := "products[" + strconv.Itoa(i) + "]"
		if p.ID == "" || p.Name == "" || ids[p.ID] {
			say(at+".id", "Each product has an id of its own and a name.")
		}
		ids[p.ID] = true
		if p.Served {
			served++
		}
	}
	if served == 0 {
		say("products", "At least one product is served here.")
	}
	var levels []string
	for i, p := range d.Priorities {
		levels = append(levels, p.ID)
		if p.Name == "" || p.Definition == "" {
			say("priorities["+strconv.Itoa(i)+"]", "Each priority has a name and a definition.")
		}
	}
	slices.Sort(levels)
	if !slices.Equal(levels, []string{"high", "low", "normal", "urgent"}) {
		say("priorities", "The four are urgent, high, normal and low.")
	}
	if _, err := regexp.Compile(d.DevicePattern); err != nil || len(d.DevicePattern) > 500 {
		say("device_pattern", "This is no regular expression.")
	}
	if len(wrong) > 0 {
		return nil, fault.Wrong(wrong...)
	}
	return cal, nil
}

func (p *Policy) check(say func(string, string)) {
	const long = Duration(365 * 24 * time.Hour)
	for name, d := range map[string]Duration{
		"solved_closes_after": p.SolvedClosesAfter, "pending_solves_after": p.PendingSolvesAfter, "survey_after": p.SurveyAfter,
		"survey_cooldown": p.SurveyCooldown, "chat_offer_for": p.ChatOfferFor, "chat_resume_within": p.ChatResumeWithin,
		"champion_gone_after": p.ChampionGoneAfter, "unstaffed_missed_after": p.UnstaffedMissedAfter, "mail_retry_first": p.MailRetryFirst,
	} {
		if d < 0 || d > long {
			say("policy."+name, "Between 0s and 8760h.")
		}
	}
	if p.Counting != "elapsed" && p.Counting != "business" && p.Counting != "elapsed_open" {
		say("policy.counting", "elapsed, business or elapsed_open.")
	}
	for level, d := range p.UpdateWithin {
		if !slices.Contains([]string{"urgent", "high", "normal", "low"}, level) || d < 0 || d > long {
			say("policy.update_within."+level, "A duration for urgent, high, normal or low.")
		}
	}
	if p.QueueLimit < 0 || p.QueueLimit > 100000 {
		say("policy.queue_limit", "Between 0 and 100000.")
	}
}
