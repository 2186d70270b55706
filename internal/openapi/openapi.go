// Package openapi is the REST surface as a document: OpenAPI 3.1, made at the start from the list of
// routes, one line for each operation, and the schemas. A route without a line is a defect that the
// program's tests find.
package openapi

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"chatnow/internal/web"
)

//go:embed schemas.json
var schemas []byte

// operation is one line of the table.
type operation struct {
	does   string
	query  string // names of query parameters
	body   string // schema of the JSON body; empty: none
	status int
	gives  string // "ticket:Ticket" is {"ticket": Ticket}; "tickets:[]TicketRow" a list with next_cursor; "Support" bare; empty: no content
	extra  map[string]any
}

type object = map[string]any

func schemaRef(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// answer makes the schema of what an operation gives.
func answer(gives string) object {
	_, _, wrapped := strings.Cut(gives, ":")
	if !wrapped {
		return schemaRef(gives)
	}
	props, required := object{}, []string{}
	for _, part := range strings.Split(gives, ",") {
		key, name, _ := strings.Cut(part, ":")
		item, list := strings.CutPrefix(name, "[]")
		switch {
		case item == "string" || item == "integer":
			props[key] = object{"type": item}
		default:
			props[key] = schemaRef(item)
		}
		if list {
			props[key] = object{"type": "array", "items": props[key]}
			props["next_cursor"] = object{"type": "string", "description": "Absent at the end."}
		}
		required = append(required, key)
	}
	return object{"type": "object", "properties": props, "required": required}
}

var parameter = regexp.MustCompile(`:(\w+)`)

// Document makes the document of the API's routes. It names the routes that the table does not know,
// and the lines that no route has.
func Document(routes []web.Route, version, server string) (doc []byte, missing, stale []string) {
	var components object
	if err := json.Unmarshal(schemas, &components); err != nil {
		panic("schemas.json: " + err.Error()) // it is a part of the program
	}
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
			"description": "Live chat and tickets. Times are RFC 3339 in UTC. Errors are application/problem+json with a stable code. Lists page with cursor and limit."},
		"servers": []object{{"url": server + web.APIPrefix}},
		"paths":   paths,
		"components": object{"schemas": components, "securitySchemes": object{
			"cookie": object{"type": "apiKey", "in": "cookie", "name": "chatnow_session", "description": "Of a signed-in browser; writes are protected by Origin and Sec-Fetch-Site."},
			"bearer": object{"type": "http", "scheme": "bearer", "description": "An API token, or the token of a chat."},
		}, "responses": object{"Problem": object{"description": "What went wrong.", "content": object{"application/problem+json": object{"schema": schemaRef("Problem")}}}}},
	})
	if err != nil {
		panic("OpenAPI document: " + err.Error()) // it is made of plain values
	}
	return doc, missing, stale
}

func (op operation) object(r web.Route, path string) object {
	var parameters []object
	for _, m := range parameter.FindAllStringSubmatch(r.Path, -1) {
		parameters = append(parameters, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, name := range strings.Fields(op.query) {
		parameters = append(parameters, object{"name": name, "in": "query", "schema": object{"type": "string"}})
	}
	if r.Method == "POST" || r.Method == "PATCH" {
		parameters = append(parameters, object{"name": "Idempotency-Key", "in": "header", "schema": object{"type": "string", "maxLength": 200},
			"description": "The same key with the same content answers the first answer again, for a day."})
	}
	given := object{"description": "Done."}
	if op.gives != "" {
		given["content"] = object{"application/json": object{"schema": answer(op.gives)}}
	}
	out := object{
		"summary": op.does, "x-permission": r.Permission, "parameters": parameters, "security": security(r.Permission),
		"operationId": strings.ToLower(r.Method) + strings.NewReplacer("/", "_", "{", "", "}", "").Replace(path),
		"responses":   object{fmt.Sprint(op.status): given, "default": object{"$ref": "#/components/responses/Problem"}},
	}
	if parameters == nil {
		delete(out, "parameters")
	}
	if op.body != "" {
		out["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": schemaRef(op.body)}}}
	}
	for k, v := range op.extra {
		out[k] = v
	}
	return out
}

func security(permission string) []object {
	if permission == web.Anyone.Name {
		return []object{{}, {"cookie": []string{}}, {"bearer": []string{}}}
	}
	return []object{{"cookie": []string{}}, {"bearer": []string{}}}
}
