package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"chatnow/hours"
	"chatnow/internal/fault"
	"chatnow/internal/web"
)

// over reads a document on top of another one: what is named replaces, as a whole list where it is a
// list; what is not named stays as it is in base. It serves the stored documents of an older version,
// which lack what came later (strict is false: a newer node may have stored what this one does not
// know), and PUT (strict).
func over(base Doc, raw []byte, strict bool) (Doc, error) {
	doc, err := base.clone() // encoding/json writes into the lists that it finds, and these are in force
	if err != nil {
		return doc, err
	}
	var named struct {
		Hours, Holidays, Products, Priorities, Destinations json.RawMessage
		Policy                                              struct {
			UpdateWithin json.RawMessage `json:"update_within"`
			Reminders    json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &named); err == nil { // what is no such thing is said below
		// encoding/json would mix old elements of a list or map with new ones.
		forget(named.Hours, func() { doc.Hours = nil })
		forget(named.Holidays, func() { doc.Holidays = nil })
		forget(named.Products, func() { doc.Products = nil })
		forget(named.Priorities, func() { doc.Priorities = nil })
		forget(named.Destinations, func() { doc.Destinations = nil })
		forget(named.Policy.UpdateWithin, func() { doc.Policy.UpdateWithin = nil })
		forget(named.Policy.Reminders, func() { doc.Policy.Reminders = nil })
	}
	if !strict {
		err := json.Unmarshal(raw, &doc)
		doc.noNulls()
		return doc, err
	}
	if wrong := wrongDurations(raw); len(wrong) > 0 {
		return doc, fault.Wrong(wrong...)
	}
	if err := web.Decode(raw, &doc); err != nil {
		return doc, rename(err)
	}
	doc.noNulls()
	return doc, nil
}

// clone copies a document with its lists.
func (d *Doc) clone() (Doc, error) {
	var out Doc
	raw, err := json.Marshal(d)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		return out, fmt.Errorf("copy settings: %w", err)
	}
	out.noNulls()
	return out, nil
}

func forget(named json.RawMessage, f func()) {
	if named != nil {
		f()
	}
}

// rename cuts the name of the embedded struct, which is no part of the document, from fields.
func rename(err error) error {
	var known *fault.Error
	if !errors.As(err, &known) || len(known.Fields) == 0 {
		return err
	}
	out := *known
	out.Fields = nil
	for _, f := range known.Fields {
		f.Field = strings.TrimPrefix(f.Field, "Config.")
		out.Fields = append(out.Fields, f)
	}
	return &out
}

// wrongDurations names every duration of the policy that cannot be read, which the decoder would not.
func wrongDurations(raw []byte) (wrong []fault.Field) {
	var doc struct{ Policy map[string]json.RawMessage }
	if json.Unmarshal(raw, &doc) != nil {
		return nil // the decoder says it better
	}
	look := func(field string, raw json.RawMessage) {
		var d Duration
		if err := json.Unmarshal(raw, &d); err != nil {
			wrong = append(wrong, fault.Field{Field: "policy." + field, Detail: err.Error() + `; write it as "48h" or "20s".`})
		}
	}
	for i := range reflect.TypeFor[Policy]().NumField() {
		f := reflect.TypeFor[Policy]().Field(i)
		name := f.Tag.Get("json")
		raw, given := doc.Policy[name]
		if !given {
			continue
		}
		var m map[string]json.RawMessage
		var l []json.RawMessage
		switch f.Type {
		case reflect.TypeFor[Duration]():
			look(name, raw)
		case reflect.TypeFor[map[string]Duration]():
			if json.Unmarshal(raw, &m) == nil {
				for _, level := range levels {
					if d, ok := m[level]; ok {
						look(name+"."+level, d)
					}
				}
			}
		case reflect.TypeFor[[]Duration]():
			if json.Unmarshal(raw, &l) == nil {
				for i, d := range l {
					look(fmt.Sprintf("%s[%d]", name, i), d)
				}
			}
		}
	}
	return wrong
}

// noNulls makes empty lists of missing ones, so that readers find lists.
func (d *Doc) noNulls() {
	week := map[string][][2]string{} // a copy: base may be in use
	for day, spans := range d.Hours {
		week[day] = list(spans)
	}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		week[day] = list(week[day])
	}
	d.Hours = week
	holidays := append([]hours.Holiday{}, d.Holidays...)
	for i := range holidays {
		holidays[i].Hours = list(holidays[i].Hours)
	}
	d.Holidays = holidays
	products := append([]Product{}, d.Products...)
	for i := range products {
		products[i].Aliases = list(products[i].Aliases)
	}
	d.Products = products
	priorities := append([]Priority{}, d.Priorities...)
	for i := range priorities {
		priorities[i].Scenarios = list(priorities[i].Scenarios)
	}
	d.Priorities = priorities
	d.Destinations, d.Policy.Reminders = list(d.Destinations), list(d.Policy.Reminders)
	if d.Policy.UpdateWithin == nil {
		d.Policy.UpdateWithin = map[string]Duration{}
	}
}

func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// incoming is the body of a PUT: the document, or the document under its name.
type incoming struct{ raw json.RawMessage }

// UnmarshalJSON takes the body as it is; it is read when the document that it changes is known.
func (in *incoming) UnmarshalJSON(raw []byte) error {
	in.raw = append(json.RawMessage(nil), raw...)
	var wrapped map[string]json.RawMessage
	if json.Unmarshal(raw, &wrapped) == nil && len(wrapped) == 1 && wrapped["settings"] != nil {
		in.raw = wrapped["settings"]
	}
	var head struct{ Version *int64 }
	// What cannot be read at all is for the strict reader, who says what is wrong with it.
	if json.Unmarshal(in.raw, &head) == nil && head.Version == nil {
		return fault.WrongField("version", "Say which version of the settings you have read.")
	}
	return nil
}
