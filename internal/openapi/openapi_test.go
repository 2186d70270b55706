package openapi

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"chatnow/internal/web"
)

// everyRoute is a list of routes as the table would have it.
func everyRoute() (routes []web.Route) {
	for line := range operations {
		method, path, _ := strings.Cut(line, " ")
		routes = append(routes, web.Route{Kind: "api", Method: method, Path: web.APIPrefix + path, Permission: "staff"})
	}
	slices.SortFunc(routes, func(a, b web.Route) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
	return routes
}

func valid(t *testing.T, raw []byte) error {
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return err
	}
	return doc.Validate(t.Context())
}

func TestTheDocumentIsOpenAPI31(t *testing.T) {
	doc, missing, stale := document(everyRoute(), "1", "https://support.example.com")
	if len(missing)+len(stale) > 0 {
		t.Fatal(missing, stale)
	}
	if err := valid(t, doc); err != nil {
		t.Fatal(err)
	}
	// The library finds what is wrong with a document of this version.
	for _, wrong := range [][2]string{
		{`"openapi":"3.1.0",`, ``}, {`"type":"integer"`, `"type":"whole number"`}, {`/schemas/Ticket"`, `/schemas/Nothing"`},
		{`"in":"path"`, `"in":"head"`}, {`"title":"Chatnow",`, ``}, {`"name":"number",`, `"name":"no",`},
	} {
		bad := bytes.Replace(doc, []byte(wrong[0]), []byte(wrong[1]), 1)
		if bytes.Equal(bad, doc) || valid(t, bad) == nil {
			t.Errorf("%s instead of %s passes", wrong[1], wrong[0])
		}
	}
}

func TestRoutesAndLinesAreTheSame(t *testing.T) {
	routes := everyRoute()
	_, missing, stale := document(routes[1:], "1", "")
	if gone := strings.TrimPrefix(routes[0].Path, web.APIPrefix); len(missing) != 0 || !slices.Equal(stale, []string{routes[0].Method + " " + gone}) {
		t.Errorf("without %v: %v, %v", routes[0], missing, stale)
	}
	fresh := web.Route{Kind: "api", Method: "PUT", Path: web.APIPrefix + "/me", Permission: "signed in"}
	if _, missing, stale = document(append(routes, fresh), "1", ""); !slices.Equal(missing, []string{"PUT /me"}) || len(stale) != 0 {
		t.Errorf("with %v: %v, %v", fresh, missing, stale)
	}
	for _, other := range []string{"page", "socket", "asset"} { // these are no part of the surface
		if _, missing, _ = document(append(routes, web.Route{Kind: other, Method: "GET", Path: "/somewhere"}), "1", ""); len(missing) != 0 {
			t.Errorf("%s: %v", other, missing)
		}
	}
}

func TestEachOperationSaysWhoAndWhatGoesWrong(t *testing.T) {
	routes := everyRoute()
	for i := range routes {
		if routes[i].Permission = "anyone"; i%2 == 0 {
			routes[i].Permission = "admin"
		}
	}
	raw, _, _ := document(routes, "1", "")
	var doc struct {
		Paths map[string]map[string]struct {
			Permission  string `json:"x-permission"`
			OperationID string `json:"operationId"`
			Summary     string
			Security    []map[string]any
			Responses   map[string]any
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, r := range routes {
		path := parameter.ReplaceAllString(strings.TrimPrefix(r.Path, web.APIPrefix), "{$1}")
		op := doc.Paths[path][strings.ToLower(r.Method)]
		if op.Permission != r.Permission || op.Summary == "" || ids[op.OperationID] {
			t.Errorf("%s %s: %+v", r.Method, path, op)
		}
		ids[op.OperationID] = true
		_, asks := op.Responses["401"]
		_, open := op.Responses["default"]
		if sign := path == "/session" && r.Method == "POST"; asks != (r.Permission == "admin") && !sign || !open || (len(op.Security[0]) == 0) != (r.Permission == "anyone") {
			t.Errorf("%s %s by %s: %v %v", r.Method, path, r.Permission, op.Responses, op.Security)
		}
	}
}

func TestNoSchemaAndNoParameterIsLeftOver(t *testing.T) {
	doc, _, _ := document(everyRoute(), "1", "")
	for name := range allSchemas() {
		if !bytes.Contains(doc, []byte(`"#/components/schemas/`+name+`"`)) {
			t.Errorf("nothing uses the schema %s", name)
		}
	}
	queries, lines := "", ""
	for line, op := range operations {
		queries, lines = queries+op.query+" ", lines+line+"/"
		for word := range strings.FieldsSeq(op.query) {
			if inQuery[word] == nil {
				t.Errorf("%s: nobody knows %s", line, word)
			}
		}
		for _, m := range parameter.FindAllStringSubmatch(line, -1) {
			if inPath[m[1]] == nil {
				t.Errorf("%s: nobody knows %s", line, m[1])
			}
		}
	}
	for name := range inQuery {
		if !regexp.MustCompile(`\b` + name + ` `).MatchString(queries) {
			t.Errorf("nothing uses the parameter %s", name)
		}
	}
	for name := range inPath {
		if !strings.Contains(lines, ":"+name+"/") {
			t.Errorf("nothing uses the parameter %s", name)
		}
	}
}

func TestTagsAreComparedWeakly(t *testing.T) {
	for list, want := range map[string]bool{`W/"a"`: true, `"a"`: true, `"b", W/"a"`: true, `*`: true, `"b"`: false, ``: false, `a`: false} {
		if named(list, `W/"a"`) != want {
			t.Errorf("%q: not %v", list, want)
		}
	}
}
