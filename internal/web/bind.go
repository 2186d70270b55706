package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"chatnow/internal/fault"
	"chatnow/internal/text"
)

// Bind reads a JSON body into dst, strictly: what is not JSON is Malformed, what
// dst does not know or cannot hold is Invalid and names the field. Path and query
// parameters are never bound, so that a body cannot overrule them.
func Bind(c echo.Context, dst any) error {
	req := c.Request()
	kind, _, err := mime.ParseMediaType(req.Header.Get(echo.HeaderContentType))
	if err != nil || (kind != echo.MIMEApplicationJSON && kind != "application/merge-patch+json") {
		return &fault.Error{Kind: fault.WrongType, Code: "wrong_type", Detail: "Send the body as application/json."}
	}
	raw, err := readBody(c)
	if err != nil {
		return err
	}
	return Decode(raw, dst)
}

// readBody reads the body to its end and says what was wrong with it.
func readBody(c echo.Context) ([]byte, error) {
	raw, err := io.ReadAll(c.Request().Body)
	if err != nil {
		var tooLarge *http.MaxBytesError
		var httpErr *echo.HTTPError
		if errors.As(err, &tooLarge) || (errors.As(err, &httpErr) && httpErr.Code == http.StatusRequestEntityTooLarge) {
			return nil, &fault.Error{Kind: fault.TooLarge, Code: "too_large", Detail: "The body is too large."}
		}
		return nil, fault.Bad("The body could not be read to its end.").Because(err)
	}
	return raw, nil
}

// Decode is Bind for bytes that are at hand.
func Decode(raw []byte, dst any) error {
	if !text.Readable(raw) {
		return fault.Bad("The body is not valid UTF-8, or escapes half a surrogate pair.")
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(dst); err != nil {
		return decodeFault(err)
	}
	if dec.More() {
		return fault.Bad("There is more than one JSON value in the body.")
	}
	if field := unstorable(reflect.ValueOf(dst), ""); field != "" {
		return fault.WrongField(field, "The character U+0000 cannot be stored.")
	}
	return nil
}

func decodeFault(err error) error {
	var typed *json.UnmarshalTypeError
	if errors.As(err, &typed) && typed.Field != "" {
		return fault.WrongField(typed.Field, "This should be "+typeWord(typed.Type)+", not "+typed.Value+".")
	}
	if field, ok := strings.CutPrefix(err.Error(), `json: unknown field "`); ok {
		return fault.WrongField(strings.TrimSuffix(field, `"`), "There is no such field.")
	}
	var known *fault.Error
	if errors.As(err, &known) { // from an UnmarshalJSON of the product
		return known
	}
	return fault.Bad("The body is not the JSON that is expected here.").Because(err)
}

func typeWord(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	default:
		return "a number"
	}
}

// unstorable finds the first text with a NUL, by its path.
func unstorable(v reflect.Value, path string) string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return unstorable(v.Elem(), path)
		}
	case reflect.String:
		if !text.Storable(v.String()) {
			return path
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			if at := unstorable(v.Field(i), join(path, name)); at != "" {
				return at
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if !text.Storable(string(v.Bytes())) {
				return path
			}
			return ""
		}
		for i := range v.Len() {
			if at := unstorable(v.Index(i), path+"["+strconv.Itoa(i)+"]"); at != "" {
				return at
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if !text.Storable(k.String()) {
				return join(path, "?")
			}
			if at := unstorable(v.MapIndex(k), join(path, k.String())); at != "" {
				return at
			}
		}
	}
	return ""
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	if name == "" {
		return path
	}
	return path + "." + name
}
