package workbench

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/web"
)

// Routes registers macros, which everybody of the staff uses and managers write, and each one's own drafts.
func (b *Bench) Routes(srv *web.Server) {
	once := srv.Idempotent(func(c echo.Context) string { return accounts.Who(c).ID })
	srv.API(http.MethodGet, "/macros", accounts.Staff, b.getMacros)
	srv.API(http.MethodPost, "/macros", accounts.Managers, b.postMacro, once)
	srv.API(http.MethodPut, "/macros/:id", accounts.Managers, b.putMacro)
	srv.API(http.MethodDelete, "/macros/:id", accounts.Managers, func(c echo.Context) error {
		if err := b.DropMacro(c.Request().Context(), c.Param("id")); err != nil {
			return err
		}
		return c.NoContent(http.StatusNoContent)
	})
	srv.API(http.MethodGet, "/drafts", accounts.Staff, func(c echo.Context) error {
		list, err := b.Drafts(c.Request().Context(), accounts.Who(c).ID)
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, map[string]any{"drafts": list})
	})
	srv.API(http.MethodPut, "/drafts", accounts.Staff, b.putDraft)
}

func (b *Bench) getMacros(c echo.Context) error {
	list, err := b.Macros(c.Request().Context())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"macros": list, "variables": Variables})
}

func (b *Bench) postMacro(c echo.Context) error {
	var in struct {
		Name string `json:"name"`
		Body string `json:"body"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	m, err := b.AddMacro(c.Request().Context(), in.Name, in.Body, accounts.Who(c).Name)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]any{"macro": m})
}

func (b *Bench) putMacro(c echo.Context) error {
	var in struct {
		Name    string `json:"name"`
		Body    string `json:"body"`
		Version int    `json:"version"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	m, err := b.ChangeMacro(c.Request().Context(), c.Param("id"), in.Name, in.Body, in.Version, accounts.Who(c).Name)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"macro": m})
}

func (b *Bench) putDraft(c echo.Context) error {
	var in struct {
		Place string `json:"place"`
		Body  string `json:"body"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	if err := b.KeepDraft(c.Request().Context(), accounts.Who(c).ID, in.Place, in.Body); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
