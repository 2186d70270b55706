package openapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"chatnow/internal/web"
)

// refusals are the answers that are the same wherever they are given.
var refusals = map[int]struct{ name, says, codes string }{
	http.StatusBadRequest:            {"Malformed", "It cannot be read.", "malformed"},
	http.StatusUnauthorized:          {"Unauthenticated", "Who are you?", "unauthenticated"},
	http.StatusForbidden:             {"Forbidden", "Known, but may not; or a write from the page of another site.", "forbidden"},
	http.StatusNotFound:              {"NotFound", "There is none; what is somebody else's is answered alike.", "not_found"},
	http.StatusRequestEntityTooLarge: {"TooLarge", "The body is too large.", "too_large"},
	http.StatusUnsupportedMediaType:  {"WrongType", "The body is of the wrong type.", "wrong_type"},
	http.StatusUnprocessableEntity:   {"Invalid", "Understood, but wrong: errors names the fields. key_reused: the Idempotency-Key was used for something else.", "invalid key_reused"},
	http.StatusTooManyRequests:       {"TooMany", "Too often; come back after Retry-After.", "too_many"},
	http.StatusServiceUnavailable:    {"Unavailable", "Not now; the same may succeed after Retry-After.", "unavailable"},
}

// problems are the shared answers to what went wrong.
func problems() object {
	out := object{"Problem": problem("Anything else that went wrong.", "")}
	for status, r := range refusals {
		answer := problem(r.says, r.codes)
		if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
			answer["headers"] = object{"Retry-After": object{"description": "In seconds.", "schema": object{"type": "integer", "minimum": 1}}}
		}
		out[r.name] = answer
	}
	return out
}

func problem(says, codes string) object {
	schema := schemaRef("Problem")
	if codes != "" {
		schema = object{"allOf": []object{schema}, "properties": object{"code": object{"enum": strings.Fields(codes)}}}
	}
	return object{"description": says, "content": object{"application/problem+json": object{"schema": schema}}}
}

// responses are every answer of an operation. Most refusals follow from what it is.
func (op operation) responses(r web.Route) object {
	given := object{"description": http.StatusText(op.status)}
	if op.gives != "" {
		given["content"] = op.answer()
	}
	out := object{strconv.Itoa(op.status): given, "default": object{"$ref": "#/components/responses/Problem"}}
	for word := range strings.FieldsSeq(op.also) {
		status, _ := strconv.Atoi(word)
		if out[word] = given; status == http.StatusNotModified {
			out[word] = object{"description": "It is still the one of If-None-Match."}
		}
	}
	for _, status := range op.refuses(r) {
		out[strconv.Itoa(status)] = object{"$ref": "#/components/responses/" + refusals[status].name}
	}
	codes := op.conflicts
	if op.once {
		codes = strings.TrimSpace(codes + " in_progress")
	}
	if codes != "" {
		out["409"] = problem("The world moved on: "+strings.Join(strings.Fields(codes), ", ")+".", codes)
	}
	return out
}

func (op operation) refuses(r web.Route) []int {
	all := append([]int{http.StatusBadRequest, http.StatusServiceUnavailable}, op.fails...)
	if r.Permission != web.Anyone.Name {
		all = append(all, http.StatusUnauthorized)
	}
	if r.Method != http.MethodGet || !slices.Contains([]string{web.Anyone.Name, "signed in", "staff or chat token"}, r.Permission) {
		all = append(all, http.StatusForbidden)
	}
	if strings.Contains(r.Path, ":") {
		all = append(all, http.StatusNotFound)
	}
	if op.body != "" {
		all = append(all, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity)
	}
	if op.body != "" && (!strings.Contains(op.body, " ") || strings.HasPrefix(op.body, "multipart/")) {
		all = append(all, http.StatusUnsupportedMediaType)
	}
	if op.once {
		all = append(all, http.StatusUnprocessableEntity)
	}
	if op.limited {
		all = append(all, http.StatusTooManyRequests)
	}
	return all
}
