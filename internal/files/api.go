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
	"chatnow/internal/web"
)

// slowLine is how long one request with a file may take.
const slowLine = 15 * time.Minute

// Routes registers uploads.
func (s *Service) Routes(srv *web.Server) {
	limit := srv.Limit("uploads", 1.0/10, 40)
	srv.Upload(http.MethodPost, "/uploads", "101M", web.Anyone, s.postUpload, limit)
	srv.API(http.MethodPost, "/uploads/parts", web.Anyone, s.postBegin, limit)
	srv.API(http.MethodGet, "/uploads/:id/parts", web.Anyone, s.getParts)
	srv.Upload(http.MethodPut, "/uploads/:id/parts/:n", "2M", web.Anyone, s.putPart, srv.Limit("upload-parts", 1, 1000))
	srv.API(http.MethodPost, "/uploads/:id/done", web.Anyone, s.postDone)
	srv.Upload(http.MethodGet, "/uploads/:id", "1K", web.Anyone, s.getUpload)
	srv.Upload(http.MethodGet, "/uploads/:id/preview", "1K", web.Anyone, s.getPreview)
}

func personID(c echo.Context) string {
	if p := accounts.Who(c); p != nil {
		return p.ID
	}
	return ""
}

// Patient gives a request with a file more time than others; call it before the body is read.
func Patient(c echo.Context) error {
	return http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(slowLine)) // the network's clock, not the product's
}

func (s *Service) postUpload(c echo.Context) error {
	if err := Patient(c); err != nil {
		return err
	}
	reader, err := c.Request().MultipartReader()
	if err != nil {
		return &fault.Error{Kind: fault.WrongType, Code: "wrong_type", Detail: "Send the file as multipart/form-data, in the part \"file\"."}
	}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return fault.WrongField("file", "There is no file in the part \"file\".")
		}
		if err != nil {
			return fault.Bad("The file did not arrive to its end.").Because(err)
		}
		if part.FormName() == "file" && hasName(part) {
			u, err := s.Keep(c.Request().Context(), part.FileName(), part, personID(c))
			if err != nil {
				return err
			}
			return c.JSON(http.StatusCreated, u.answer())
		}
	}
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
	if err := Patient(c); err != nil {
		return err
	}
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

// safe keeps a browser from running what it gets, whatever it is.
func safe(c echo.Context) {
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, max-age=3600")
}

func (s *Service) getUpload(c echo.Context) error {
	r, err := s.may(c.Request().Context(), c.Param("id"), accounts.Who(c), accounts.Bearer(c.Request()))
	if err != nil {
		return err
	}
	f, err := s.store.Get(c.Request().Context(), r.ID)
	if err != nil {
		return err
	}
	defer f.Close()
	safe(c)
	kind := shown[r.MediaType]
	if kind == "" {
		kind = "application/octet-stream"
	}
	c.Response().Header().Set("Content-Type", kind)
	c.Response().Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": r.Name}))
	http.ServeContent(c.Response(), c.Request(), "", r.CreatedAt, f)
	return nil
}

func (s *Service) getPreview(c echo.Context) error {
	r, err := s.may(c.Request().Context(), c.Param("id"), accounts.Who(c), accounts.Bearer(c.Request()))
	if err != nil {
		return err
	}
	if !r.Preview {
		return errUpload()
	}
	f, err := s.store.Get(c.Request().Context(), r.ID+".preview")
	if err != nil {
		return err
	}
	defer f.Close()
	safe(c)
	kind := "image/png"
	if r.MediaType == "image/jpeg" {
		kind = "image/jpeg"
	}
	c.Response().Header().Set("Content-Type", kind)
	c.Response().Header().Set("Content-Disposition", `inline; filename="preview.`+strings.TrimPrefix(kind, "image/")+`"`)
	http.ServeContent(c.Response(), c.Request(), "", r.CreatedAt, f)
	return nil
}
