// Package openapi is the REST surface as a document: OpenAPI 3.1, made at the start from the server's
// own list of routes, one line for each operation (operations.go), and the schemas, one file for each
// feature. A program whose routes and lines differ does not start.
//
// A new route needs a line in operations.go, what it takes and gives in schemas/<feature>.json, and a call
// in TestTheDocumentIsTrue (internal/e2e), which names what nobody has called or seen.
package openapi

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"chatnow/internal/web"
)

//go:embed schemas
var schemas embed.FS

type object = map[string]any

// Serve adds the route of the document, after all others. A route that no line describes, and a line
// that no route has, is an error.
func Serve(srv *web.Server, version string) error {
	var doc []byte
	var tag string
	srv.API(http.MethodGet, "/openapi.json", web.Anyone, func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("ETag", tag)
		h.Set("Cache-Control", "public, no-cache") // kept, and asked for again
		h.Set("Access-Control-Allow-Origin", "*")  // viewers of such documents stand elsewhere
		if named(c.Request().Header.Get("If-None-Match"), tag) {
			return c.NoContent(http.StatusNotModified)
		}
		return c.JSONBlob(http.StatusOK, doc)
	})
	doc, missing, stale := document(srv.Routes(), version, srv.Link(""))
	if len(missing)+len(stale) > 0 {
		return fmt.Errorf("the OpenAPI document lacks %v and describes %v, which no route has", missing, stale)
	}
	sum := sha256.Sum256(doc)
	tag = `W/"` + hex.EncodeToString(sum[:16]) + `"` // weak: it may be compressed on its way
	return nil
}

// named says whether a list of If-None-Match has the tag, compared weakly (RFC 9110, 13.1.2).
func named(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// document describes the routes of the API. It names the routes that have no line, and the lines that
// have no route.
func document(routes []web.Route, version, server string) (doc []byte, missing, stale []string) {
	paths, seen := object{}, map[string]bool{}
	for _, r := range routes {
		path, isAPI := strings.CutPrefix(r.Path, web.APIPrefix)
		if r.Kind != "api" || !isAPI {
			continue
		}
		line := r.Method + " " + path
		seen[line] = true
		op, known := operations[line]
		if !known {
			missing = append(missing, line)
			continue
		}
		path = parameter.ReplaceAllString(path, "{$1}")
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(r.Method)] = op.object(r, path)
	}
	for line := range operations {
		if !seen[line] {
			stale = append(stale, line)
		}
	}
	slices.Sort(stale)
	doc, err := json.Marshal(object{
		"openapi": "3.1.0",
		"info": object{"title": "Chatnow", "version": version, "license": object{"name": "MIT", "identifier": "MIT"},
			"description": "Live chat and tickets. Times are RFC 3339 in UTC. Errors are application/problem+json with a stable code. Lists page with cursor and limit. " +
				"What is unknown in a request is an error that names it; answers may grow, so readers pass over what they do not know."},
		"servers": []object{{"url": server + web.APIPrefix}},
		"paths":   paths,
		"components": object{"schemas": allSchemas(), "responses": problems(), "securitySchemes": object{
			"session": object{"type": "apiKey", "in": "cookie", "name": "chatnow_session", "description": "Of a signed-in browser; writes are protected by Origin and Sec-Fetch-Site."},
			"token":   object{"type": "http", "scheme": "bearer", "description": "An API token, of POST /tokens."},
			"chat":    object{"type": "http", "scheme": "bearer", "description": "The token of one chat, of POST /chats."},
		}},
	})
	if err != nil {
		panic("OpenAPI document: " + err.Error()) // it is made of plain values
	}
	return doc, missing, stale
}

func allSchemas() object {
	all := object{}
	files, err := fs.Glob(schemas, "schemas/*.json")
	if err != nil {
		panic("schemas: " + err.Error())
	}
	for _, name := range files {
		var part object
		raw, err := schemas.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(raw, &part)
		}
		if err != nil {
			panic(name + ": " + err.Error()) // it is a part of the program
		}
		for k, v := range part {
			all[k] = v
		}
	}
	return all
}

func schemaRef(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// schemaOf reads "Ticket", "[]Ticket" and "[]integer".
func schemaOf(name string) object {
	item, list := strings.CutPrefix(name, "[]")
	schema := schemaRef(item)
	if strings.ToLower(item) == item {
		schema = object{"type": item}
	}
	if list {
		schema = object{"type": "array", "items": schema}
	}
	return schema
}

// answer makes the content of what an operation gives.
func (op operation) answer() object {
	if strings.Contains(op.gives, "/") { // bytes have no schema in OpenAPI 3.1
		content := object{}
		for kind := range strings.FieldsSeq(op.gives) {
			content[kind] = object{}
		}
		return content
	}
	schema := schemaOf(op.gives)
	if strings.Contains(op.gives, ":") {
		props, required := object{}, []string{}
		for part := range strings.FieldsSeq(op.gives) {
			key, name, _ := strings.Cut(part, ":")
			props[key] = schemaOf(name)
			required = append(required, key)
		}
		if strings.Contains(op.query, "cursor") || strings.Contains(op.query, "after") {
			props["next_cursor"] = object{"type": "string", "description": "Absent at the end."}
		}
		schema = object{"type": "object", "properties": props, "required": required}
	}
	return object{"application/json": object{"schema": schema}}
}

var parameter = regexp.MustCompile(`:(\w+)`)

func (op operation) object(r web.Route, path string) object {
	tag, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	out := object{
		"summary": op.does, "x-permission": r.Permission, "security": security(r.Permission), "tags": []string{tag},
		"operationId": strings.ToLower(r.Method) + strings.NewReplacer("/", "_", "{", "", "}", "", ".", "_").Replace(path),
		"responses":   op.responses(r),
	}
	if p := op.parameters(r); len(p) > 0 {
		out["parameters"] = p
	}
	if op.body != "" {
		kind, name, other := strings.Cut(op.body, " ")
		if !other {
			kind, name = "application/json", op.body
		}
		media := object{}
		if name != "" {
			media["schema"] = schemaOf(name)
		}
		out["requestBody"] = object{"required": !op.bare, "content": object{kind: media}}
	}
	return out
}

func (op operation) parameters(r web.Route) (all []object) {
	for _, m := range parameter.FindAllStringSubmatch(r.Path, -1) {
		all = append(all, object{"name": m[1], "in": "path", "required": true, "schema": inPath[m[1]]})
	}
	for word := range strings.FieldsSeq(op.query) {
		name, _, _ := strings.Cut(word, ":") // "state:mail" is another state than others
		p := object{"name": name, "in": "query"}
		for k, v := range inQuery[word] {
			p[k] = v
		}
		all = append(all, p)
	}
	if op.once {
		all = append(all, object{"name": "Idempotency-Key", "in": "header", "schema": object{"type": "string", "minLength": 1, "maxLength": 200},
			"description": "Visible characters. The same key with the same content answers the first answer again, for a day."})
	}
	return all
}

func security(permission string) []object {
	session, token := object{"session": []string{}}, object{"token": []string{}}
	switch permission {
	case web.Anyone.Name:
		return []object{{}, session, token}
	case "staff or chat token":
		return []object{session, token, {"chat": []string{}}}
	}
	return []object{session, token}
}
