package accounts

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"chatnow/internal/fault"
	"chatnow/internal/web"
)

// teamRoutes let administrators say who is on the team; managers see it.
func (s *Service) teamRoutes(srv *web.Server) {
	once := srv.Idempotent(func(c echo.Context) string { return Who(c).ID })
	srv.API(http.MethodGet, "/team", Managers, func(c echo.Context) error {
		list, err := s.Team(c.Request().Context())
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, map[string]any{"team": list})
	})
	srv.API(http.MethodPost, "/team", Admins, s.postMate, once)
	srv.API(http.MethodPatch, "/team/:id", Admins, s.patchMate)
	srv.API(http.MethodPost, "/team/:id/invite", Admins, func(c echo.Context) error {
		if err := s.InviteAgain(c.Request().Context(), Who(c), c.Param("id")); err != nil {
			return err
		}
		return c.NoContent(http.StatusNoContent)
	}, once)
	srv.API(http.MethodGet, "/audit", Admins, s.getAudit)
}

func (s *Service) postMate(c echo.Context) error {
	var in struct {
		Name  string `json:"name"`
		Email string `json:"email"`
		Role  Role   `json:"role"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	m, err := s.Invite(c.Request().Context(), Who(c), in.Name, in.Email, in.Role)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]any{"member": m})
}

func (s *Service) patchMate(c echo.Context) error {
	var in MateChange
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	m, err := s.ChangeMate(c.Request().Context(), Who(c), c.Param("id"), in)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"member": m})
}

func (s *Service) getAudit(c echo.Context) error {
	before, limit := int64(0), 50
	if cursor := c.QueryParam("cursor"); cursor != "" {
		n, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil || n < 1 {
			return fault.WrongField("cursor", "This is no cursor of this list.")
		}
		before = n
	}
	if n, err := strconv.Atoi(c.QueryParam("limit")); err == nil && n >= 1 && n <= 100 {
		limit = n
	}
	list, err := s.Audit(c.Request().Context(), before, limit+1)
	if err != nil {
		return err
	}
	out := map[string]any{"audit": list}
	if len(list) > limit {
		out["audit"], out["next_cursor"] = list[:limit], strconv.FormatInt(list[limit-1].ID, 10)
	}
	return c.JSON(http.StatusOK, out)
}
