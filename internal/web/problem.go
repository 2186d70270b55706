package web

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"chatnow/internal/fault"
)

// statuses is the one table from kinds of error to HTTP statuses.
var statuses = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Malformed:       http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.Missing:         http.StatusNotFound,
	fault.Conflicting:     http.StatusConflict,
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.WrongType:       http.StatusUnsupportedMediaType,
	fault.TooMany:         http.StatusTooManyRequests,
	fault.Down:            http.StatusServiceUnavailable,
}

// Status gives the HTTP status for an error of the product or of Echo.
func Status(err error) int {
	var httpErr *echo.HTTPError
	if errors.As(err, &httpErr) {
		return httpErr.Code
	}
	return statuses[fault.KindOf(err)]
}

// Problem is the document of RFC 9457 for an error; what is not meant for the
// caller is left out.
func Problem(err error) map[string]any {
	status := Status(err)
	doc := map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status}
	var known *fault.Error
	var httpErr *echo.HTTPError
	switch {
	case errors.As(err, &known):
		for k, v := range known.Extra {
			doc[k] = v
		}
		doc["code"], doc["detail"] = known.Code, known.Detail
		if len(known.Fields) > 0 {
			doc["errors"] = known.Fields
		}
	case errors.As(err, &httpErr):
		doc["code"], doc["detail"] = codeOf(httpErr.Code), http.StatusText(httpErr.Code)+"."
	default:
		doc["code"], doc["detail"] = "internal", "Something broke on our side. It has been noted; nothing you sent was changed."
	}
	return doc
}

func codeOf(status int) string {
	switch status {
	case http.StatusNotFound:
		return "not_found"
	case http.StatusMethodNotAllowed:
		return "method_not_allowed"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusUnsupportedMediaType:
		return "wrong_type"
	case http.StatusTooManyRequests:
		return "too_many"
	default:
		return "malformed"
	}
}

// fail answers every error of every handler.
func (s *Server) fail(err error, c echo.Context) {
	status := Status(err)
	log := s.log.With("method", c.Request().Method, "route", c.Path(), "request", c.Response().Header().Get(echo.HeaderXRequestID))
	if status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable {
		log.ErrorContext(c.Request().Context(), "request failed", "err", err)
	} else if status == http.StatusServiceUnavailable {
		log.WarnContext(c.Request().Context(), "request refused for now", "err", err)
	}
	if c.Response().Committed {
		return
	}
	var known *fault.Error
	if errors.As(err, &known) && known.RetryAfter > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(known.RetryAfter.Seconds()))))
	}
	if s.pageOf(c) && s.errorPage != nil {
		if err := s.errorPage(c, status, Problem(err)); err == nil {
			return
		}
	}
	WriteProblem(c, err, s.log)
}

// WriteProblem writes the problem document of err.
func WriteProblem(c echo.Context, err error, log *slog.Logger) {
	doc, jsonErr := json.Marshal(Problem(err))
	if jsonErr != nil { // a member that JSON cannot hold is a defect; the status still goes out
		doc = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal"}`)
	}
	if c.Request().Method == http.MethodHead {
		doc = nil
	}
	if writeErr := c.Blob(Status(err), "application/problem+json", doc); writeErr != nil {
		log.DebugContext(c.Request().Context(), "write problem", "err", writeErr)
	}
}
