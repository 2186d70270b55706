package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// surface is the document that a running server gives, for holding answers against it.
type surface struct {
	*openapi3.T
	t    *testing.T
	base string
	held map[string]bool // operations whose success was held against the document
	seen map[string]bool // properties of schemas that were found in answers
}

func newSurface(t *testing.T, base string) *surface {
	t.Helper()
	status, raw := ask(t, "GET", base+"/api/v1/openapi.json", "")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(raw))
	if err == nil {
		err = doc.Validate(t.Context())
	}
	if err != nil || status != 200 {
		t.Fatalf("%d: %v", status, err)
	}
	return &surface{doc, t, base, map[string]bool{}, map[string]bool{}}
}

func (o *office) surface() *surface { return newSurface(o.t, o.base) }

// operation finds what the document says of a method and a path.
func (s *surface) operation(method, path string) (line string, op *openapi3.Operation) {
	s.t.Helper()
	path, _, _ = strings.Cut(path, "?")
	parts, best := strings.Split(path, "/"), -1
	for route, item := range s.Paths.Map() {
		same, fits := 0, strings.Count(route, "/")+1 == len(parts) && item.GetOperation(method) != nil
		for i, part := range strings.Split(route, "/") {
			if !fits {
				break
			}
			if part == parts[i] {
				same++
			} else if fits = strings.HasPrefix(part, "{"); !fits {
				break
			}
		}
		if fits && same > best {
			best, line, op = same, method+" "+route, item.GetOperation(method)
		}
	}
	if op == nil {
		s.t.Fatalf("%s %s is not in the document", method, path)
	}
	return line, op
}

// call asks, and holds the answer, and a JSON body that was taken, against the document: each status is
// named there, each answer is of its schema and has nothing beyond it.
func (s *surface) call(method, path, body string, want int, headers ...string) map[string]any {
	s.t.Helper()
	status, raw := ask(s.t, method, s.base+"/api/v1"+path, body, headers...)
	if status != want {
		s.t.Fatalf("%s %s: %d %s", method, path, status, raw)
	}
	line, op := s.operation(method, path)
	if sent := op.RequestBody; status < 400 && sent != nil && sent.Value.Content["application/json"] != nil {
		if err := s.check(sent.Value.Content["application/json"].Schema, body, line, false); err != nil {
			s.t.Errorf("%s takes what the document does not: %v\n%s", line, err, body)
		}
	}
	answer, kind := op.Responses.Status(status), "application/json"
	if answer == nil {
		s.t.Fatalf("%s: the document does not know %d", line, status)
	}
	s.held[line] = s.held[line] || status < 300
	if status >= 400 {
		kind = "application/problem+json"
	}
	content := answer.Value.Content
	if len(content) == 0 {
		if raw != "" {
			s.t.Errorf("%s answers something, the document says nothing: %s", line, raw)
		}
		return nil
	}
	if content[kind] == nil { // bytes
		return nil
	}
	if err := s.check(content[kind].Schema, raw, line, true); err != nil {
		s.t.Errorf("%s answers otherwise than the document: %v\n%s", line, err, raw)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(raw), &got); err != nil {
		s.t.Fatal(err)
	}
	return got
}

func (s *surface) check(schema *openapi3.SchemaRef, raw, line string, answered bool) error {
	var value any
	if err := json.Unmarshal([]byte(raw), &value); err != nil {
		return err
	}
	if answered {
		if beyond := s.beyond(schema, value, line, line); beyond != "" {
			return fmt.Errorf("%s is in no schema", beyond)
		}
	}
	return schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020())
}

// property is a property with the name of the schema that it stands in.
type property struct {
	*openapi3.SchemaRef
	owner string
}

// properties gathers those of a schema and of the schemas that it is made of; open says that there may be others.
func properties(ref *openapi3.SchemaRef, owner string) (all map[string]property, items *openapi3.SchemaRef, open bool) {
	if name, is := strings.CutPrefix(ref.Ref, "#/components/schemas/"); is {
		owner = name
	}
	v := ref.Value
	all, items = map[string]property{}, v.Items
	for name, p := range v.Properties {
		all[name] = property{p, owner}
	}
	open = v.AdditionalProperties.Schema != nil || v.Type.Is("object") && len(v.Properties)+len(v.AllOf) == 0
	for _, part := range slices.Concat(v.AllOf, v.OneOf) {
		more, its, also := properties(part, owner)
		for name, p := range more {
			all[name] = p
		}
		if open = open || also; its != nil {
			items = its
		}
	}
	return all, items, open
}

// beyond names something in an answer that its schema does not know, and remembers what it does know.
func (s *surface) beyond(ref *openapi3.SchemaRef, value any, owner, at string) string {
	known, items, open := properties(ref, owner)
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			if items == nil {
				return fmt.Sprintf("%s[%d]", at, i)
			}
			if found := s.beyond(items, item, owner, fmt.Sprintf("%s[%d]", at, i)); found != "" {
				return found
			}
		}
	case map[string]any:
		for name, item := range value {
			p, is := known[name]
			if !is && !open {
				return at + "." + name
			}
			if !is {
				continue
			}
			s.seen[p.owner+"."+name] = true
			if found := s.beyond(p.SchemaRef, item, p.owner+"."+name, at+"."+name); found != "" {
				return found
			}
		}
	}
	return ""
}

// unseen are the operations that nobody has called with success, and what schemas of answers promise
// that no answer had.
func (s *surface) unseen() (out []string) {
	reached := map[string]bool{}
	var reach func(ref *openapi3.SchemaRef, owner string)
	reach = func(ref *openapi3.SchemaRef, owner string) {
		if ref == nil || (ref.Ref != "" && reached[ref.Ref]) {
			return
		}
		reached[ref.Ref] = true
		all, items, _ := properties(ref, owner)
		reach(items, owner)
		for name, p := range all {
			if strings.Contains(p.owner, " ") || s.seen[p.owner+"."+name] { // what stands in an answer itself is required
				reach(p.SchemaRef, p.owner+"."+name)
				continue
			}
			out = append(out, p.owner+"."+name) // and what it holds was not seen, either

		}
	}
	for path, item := range s.Paths.Map() {
		for method, op := range item.Operations() {
			line := method + " " + path
			if !s.held[line] {
				out = append(out, line)
			}
			for _, answer := range op.Responses.Map() {
				for _, media := range answer.Value.Content {
					reach(media.Schema, line)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// each walks the operations of the document, with paths that name nothing that there is.
func (s *surface) each(do func(method, route, path string, op *openapi3.Operation)) {
	nothing := strings.NewReplacer("{number}", "999999", "{id}", "5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a10", "{token}", "x", "{n}", "0")
	for route, item := range s.Paths.Map() {
		for method, op := range item.Operations() {
			do(method, route, "/api/v1"+nothing.Replace(route), op)
		}
	}
}

// has says whether the document names a status for an operation.
func has(op *openapi3.Operation, status int) bool { return op.Responses.Status(status) != nil }
