package files

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/internal/web"
)

// MaxBody is the largest body of a request with files, in Echo's notation.
const MaxBody = "101MiB"

const (
	maxAnHour = 500 // MiB from one sender, so that one alone cannot fill what maxFree leaves
	maxFields = 20  // parts of a form that come before the file
	// How long a request with a file may take: a moment, and then as long as a slow line needs.
	grace    = 30 * time.Second
	minRate  = 2 << 10 // bytes a second
	slowLine = 15 * time.Minute
)

// Incoming bounds what one sender sends, and gives a slow line its time. Every route that takes files
// passes it, forms without script as well.
func Incoming(srv *web.Server) echo.MiddlewareFunc {
	meter := srv.Meter("upload-mib", maxAnHour, 101, personID)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return meter(func(c echo.Context) error {
			if err := patient(c); err != nil {
				return err
			}
			return next(c)
		})
	}
}

// Routes registers uploads.
func (s *Service) Routes(srv *web.Server) {
	limit, incoming := srv.Limit("uploads", 1.0/10, 40), Incoming(srv)
	s.misses = srv.Limit("upload-misses", 1, 100)
	srv.Upload(http.MethodPost, "/uploads", MaxBody, web.Anyone, s.postUpload, limit, incoming)
	srv.API(http.MethodPost, "/uploads/parts", web.Anyone, s.postBegin, limit)
	srv.API(http.MethodGet, "/uploads/:id/parts", web.Anyone, s.getParts, srv.Limit("upload-asks", 1, 100))
	srv.Upload(http.MethodPut, "/uploads/:id/parts/:n", "2MiB", web.Anyone, s.putPart, srv.Limit("upload-parts", 1, 1000), incoming)
	srv.API(http.MethodPost, "/uploads/:id/done", web.Anyone, s.postDone, srv.Limit("uploads-done", 1.0/10, 80))
	srv.Upload(http.MethodGet, "/uploads/:id", "1K", web.Anyone, s.getUpload)
	srv.Upload(http.MethodGet, "/uploads/:id/preview", "1K", web.Anyone, s.getPreview)
}

func personID(c echo.Context) string {
	if p := accounts.Who(c); p != nil {
		return p.ID
	}
	return ""
}

// paced is a body that has to keep coming: a line may be slow, but must not hold a connection for
// nothing. Times here are the network's, not the product's.
type paced struct {
	io.ReadCloser
	line         *http.ResponseController
	begun, until time.Time
	read         int64
}

// patient gives a request with a file more time than others.
func patient(c echo.Context) error {
	p := &paced{ReadCloser: c.Request().Body, line: http.NewResponseController(c.Response()), begun: time.Now()}
	c.Request().Body = p
	return p.extend()
}

func (p *paced) extend() error {
	until := p.begun.Add(min(grace+time.Duration(p.read/minRate)*time.Second, slowLine))
	if until.Sub(p.until) < time.Second {
		return nil
	}
	p.until = until
	return p.line.SetReadDeadline(until)
}

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	p.read += int64(n)
	if err == nil {
		err = p.extend()
	}
	return n, err
}

// torn says why a body ended early: it was too large, the disk is full, or the line was cut.
func torn(err error) error {
	var tooMany *http.MaxBytesError
	var refused *echo.HTTPError
	switch {
	case isDisk(err):
		return full(err)
	case errors.As(err, &tooMany), errors.As(err, &refused) && refused.Code == http.StatusRequestEntityTooLarge:
		return tooLarge()
	}
	return fault.Bad("The file did not arrive to its end.").Because(err)
}

func (s *Service) postUpload(c echo.Context) error {
	reader, err := c.Request().MultipartReader()
	if err != nil {
		return &fault.Error{Kind: fault.WrongType, Code: "wrong_type", Detail: "Send the file as multipart/form-data, in the part \"file\"."}
	}
	for range maxFields {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return torn(err)
		}
		if part.FormName() == "file" && hasName(part) {
			u, err := s.Keep(c.Request().Context(), part.FileName(), part, personID(c))
			if err != nil {
				return err
			}
			return c.JSON(http.StatusCreated, u.answer())
		}
	}
	return fault.WrongField("file", "There is no file in the part \"file\".")
}

func hasName(p *multipart.Part) bool { return p.FileName() != "" }

// answer is a new upload as its sender sees it, with what was found in it.
func (u Upload) answer() map[string]any {
	v := u.View()
	v["found"], v["entries"] = u.Found, u.Entries
	return v
}

func (s *Service) postBegin(c echo.Context) error {
	var in struct {
		Name string `json:"name"`
		Size int64  `json:"size"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	id, err := s.Begin(c.Request().Context(), in.Name, in.Size, personID(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]any{"id": id, "part_size": partSize, "parts": partsOf(in.Size)})
}

func (s *Service) getParts(c echo.Context) error {
	missing, err := s.Missing(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"missing": missing})
}

func (s *Service) putPart(c echo.Context) error {
	n, err := strconv.Atoi(c.Param("n"))
	if err != nil {
		return errUpload()
	}
	if err := s.Part(c.Request().Context(), c.Param("id"), n, c.Request().Body); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Service) postDone(c echo.Context) error {
	u, err := s.Done(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, u.answer())
}

// read finds a file for whoever asks. Many misses from one place are somebody guessing.
func (s *Service) read(c echo.Context) (row, error) {
	r, err := s.may(c.Request().Context(), c.Param("id"), accounts.Who(c), accounts.Bearer(c.Request()))
	if fault.KindOf(err) == fault.Missing {
		err = s.misses(func(echo.Context) error { return err })(c)
	}
	return r, err
}

func (s *Service) getUpload(c echo.Context) error {
	r, err := s.read(c)
	if err != nil {
		return err
	}
	kind := shown[r.MediaType]
	if kind == "" {
		kind = "application/octet-stream"
	}
	if err := s.note(c, r); err != nil {
		return err
	}
	return s.serve(c, r, r.ID, kind, mime.FormatMediaType("attachment", map[string]string{"filename": r.Name}))
}

func (s *Service) getPreview(c echo.Context) error {
	r, err := s.read(c)
	if err != nil {
		return err
	}
	if !r.Preview {
		return errUpload()
	}
	kind := "image/png"
	if r.MediaType == "image/jpeg" {
		kind = "image/jpeg"
	}
	return s.serve(c, r, previewKey(r.ID), kind, `inline; filename="preview.`+strings.TrimPrefix(kind, "image/")+`"`)
}

// note keeps who has saved which file (robustness 1.25). What cannot be noted is not given.
func (s *Service) note(c echo.Context, r row) error {
	actor, subject := "chat", "upload "+r.ID // the holder of a chat's token
	if p := accounts.Who(c); p != nil {
		actor = p.ID
	}
	_, err := s.db.ExecContext(c.Request().Context(), `INSERT INTO audit (at, actor, action, subject, detail)
		VALUES ($1, $2, 'read', $3, jsonb_strip_nulls(jsonb_build_object('ticket', $4::bigint, 'chat', $5::text)))`,
		s.now(), actor, subject, r.Ticket, r.Chat)
	return postgres.Kind(c.Request().Context(), err)
}

// serve writes what is kept, so that no browser runs it, whatever it is. A browser may keep it, but asks
// each time whether it may still show it.
func (s *Service) serve(c echo.Context, r row, key, kind, disposition string) error {
	f, err := s.store.Get(c.Request().Context(), key)
	if err != nil {
		return err
	}
	defer f.Close()
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+key+`"`)
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", disposition)
	line := http.NewResponseController(c.Response())
	if err := line.SetWriteDeadline(time.Now().Add(min(grace+time.Duration(r.Size/minRate)*time.Second, slowLine))); err != nil {
		return err
	}
	http.ServeContent(c.Response(), c.Request(), "", r.CreatedAt, f)
	_ = line.SetWriteDeadline(time.Time{}) // for what the connection serves next, if it still does
	return nil
}
