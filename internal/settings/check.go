package settings

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"chatnow/hours"
	"chatnow/internal/fault"
)

// longest is as much as any waiting time may be.
const longest = Duration(365 * 24 * time.Hour)

// counts bounds lists and texts, so that a page made of the document stays a page.
const (
	maxList = 200
	maxText = 4000
	maxName = 200
)

type sayer func(field, detail string)

// Check says everything that is wrong with the document, by field, and gives its calendar.
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
	if d.Name == "" || len(d.Name) > maxName {
		say("name", "The name of the product, up to 200 bytes.")
	}
	if len(d.Holidays) > 10*maxList {
		say("holidays", "Up to 2000 days.")
	}
	d.Policy.check(say)
	d.checkProducts(say)
	d.checkPriorities(say)
	checkTexts("destinations", d.Destinations, say)
	checkLink("links.policy", d.Links.Policy, say)
	checkLink("links.versions", d.Links.Versions, say)
	for field, n := range map[string]int{"receipts_per_day": d.Limits.ReceiptsPerDay, "links_per_hour": d.Limits.LinksPerHour, "mails_per_day": d.Limits.MailsPerDay} {
		if n < 0 || n > 1_000_000 {
			say("limits."+field, "Between 0, which is no limit, and 1000000.")
		}
	}
	if _, err := regexp.Compile(d.DevicePattern); err != nil || len(d.DevicePattern) > 500 {
		say("device_pattern", "This is no regular expression.")
	}
	if len(wrong) > 0 {
		slices.SortStableFunc(wrong, func(a, b fault.Field) int { // maps have no order of their own
			switch {
			case a.Field < b.Field:
				return -1
			case a.Field > b.Field:
				return 1
			}
			return 0
		})
		return nil, fault.Wrong(wrong...)
	}
	return cal, nil
}

func (p *Policy) check(say sayer) {
	for name, d := range map[string]Duration{
		"solved_closes_after": p.SolvedClosesAfter, "pending_solves_after": p.PendingSolvesAfter, "survey_after": p.SurveyAfter,
		"survey_cooldown": p.SurveyCooldown, "escalation_within": p.EscalationWithin, "chat_offer_for": p.ChatOfferFor, "chat_resume_within": p.ChatResumeWithin,
		"champion_gone_after": p.ChampionGoneAfter, "unstaffed_missed_after": p.UnstaffedMissedAfter, "mail_retry_first": p.MailRetryFirst,
	} {
		if d < 0 || d > longest {
			say("policy."+name, "Between 0s and 8760h.")
		}
	}
	if p.Counting != "elapsed" && p.Counting != "business" && p.Counting != "elapsed_open" {
		say("policy.counting", "elapsed, business or elapsed_open.")
	}
	for level, d := range p.UpdateWithin {
		if !slices.Contains(levels, level) || d < 0 || d > longest {
			say("policy.update_within."+level, "A duration for urgent, high, normal or low.")
		}
	}
	if len(p.Reminders) > 10 {
		say("policy.reminders", "Up to 10 reminders.")
	}
	for i, d := range p.Reminders {
		if d <= 0 || d > longest || (i > 0 && d <= p.Reminders[i-1]) {
			say("policy.reminders["+strconv.Itoa(i)+"]", "Longer than 0s and than the one before it, up to 8760h.")
		}
	}
	if p.QueueLimit < 0 || p.QueueLimit > 100000 {
		say("policy.queue_limit", "Between 0 and 100000.")
	}
}

func (d *Doc) checkProducts(say sayer) {
	served, ids := 0, map[string]bool{}
	if len(d.Products) > maxList {
		say("products", "Up to 200 products.")
	}
	for i, p := range d.Products {
		at := "products[" + strconv.Itoa(i) + "]"
		if p.ID == "" || ids[p.ID] || len(p.ID) > maxName {
			say(at+".id", "Each product has an id of its own.")
		}
		ids[p.ID] = true
		if p.Name == "" || len(p.Name) > maxName {
			say(at+".name", "A name, up to 200 bytes.")
		}
		if len(p.Version) > maxName {
			say(at+".version", "Up to 200 bytes.")
		}
		if len(p.Explanation) > maxText {
			say(at+".explanation", "Up to 4000 bytes.")
		}
		if !p.Served && p.URL == "" {
			say(at+".url", "Say where the users of a product are sent that is not served here.")
		}
		checkLink(at+".url", p.URL, say)
		checkTexts(at+".aliases", p.Aliases, say)
		if p.Served {
			served++
		}
	}
	if served == 0 {
		say("products", "At least one product is served here.")
	}
}

// levels are the policy's four, in the order of the alphabet.
var levels = []string{"high", "low", "normal", "urgent"}

func (d *Doc) checkPriorities(say sayer) {
	var given []string
	for i, p := range d.Priorities {
		at := "priorities[" + strconv.Itoa(i) + "]"
		given = append(given, p.ID)
		for field, words := range map[string]string{"name": p.Name, "question": p.Question, "definition": p.Definition} {
			if words == "" || len(words) > maxText {
				say(at+"."+field, "Each priority has a name, a question and a definition of up to 4000 bytes.")
			}
		}
		checkTexts(at+".scenarios", p.Scenarios, say)
	}
	slices.Sort(given)
	if !slices.Equal(given, levels) {
		say("priorities", "The four are urgent, high, normal and low.")
	}
}

func checkTexts(field string, texts []string, say sayer) {
	if len(texts) > maxList {
		say(field, "Up to 200 entries.")
	}
	for i, t := range texts {
		if t == "" || len(t) > maxText {
			say(fmt.Sprintf("%s[%d]", field, i), "A text of up to 4000 bytes.")
		}
	}
}

// checkLink keeps scripts out of what pages and mails link to.
func checkLink(field, link string, say sayer) {
	if link == "" {
		return
	}
	u, err := url.Parse(link)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || len(link) > 2000 {
		say(field, "A link that begins with https://.")
	}
}
