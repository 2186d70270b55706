package accounts

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"chatnow/internal/postgres"
	"chatnow/internal/web"
)

// Pages renders pages; package static does.
type Pages interface {
	Render(c echo.Context, status int, name string, data map[string]any) error
}

// Routes registers sign-in, setup and tokens.
func (s *Service) Routes(srv *web.Server, pages Pages) {
	signInLimit := srv.Limit("sign-in", 1.0/6, 20)
	srv.API(http.MethodPost, "/session", web.Anyone, s.postSession, signInLimit)
	srv.API(http.MethodDelete, "/session", web.Anyone, func(c echo.Context) error {
		if err := s.signOut(c); err != nil {
			return err
		}
		return c.NoContent(http.StatusNoContent)
	})
	srv.API(http.MethodPost, "/accounts", web.Anyone, s.postAccount, signInLimit, srv.Idempotent(func(c echo.Context) string {
		if p := Who(c); p != nil {
			return p.ID
		}
		return ""
	}))
	srv.API(http.MethodGet, "/me", SignedIn, func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string]any{"me": Who(c)})
	})
	srv.API(http.MethodPost, "/setup", web.Anyone, s.postSetup, signInLimit)
	srv.API(http.MethodGet, "/tokens", Staff, s.getTokens)
	srv.API(http.MethodPost, "/tokens", Staff, s.postToken)
	srv.API(http.MethodDelete, "/tokens/:id", Staff, s.deleteToken)

	s.teamRoutes(srv)
	s.pageRoutes(srv, pages, signInLimit)
}

// limitAccount bounds guesses at one account, wherever they come from.
func (s *Service) limitAccount(c echo.Context, email string) error {
	return s.srv.Take(c.Request().Context(), "sign-in:"+strings.ToLower(strings.TrimSpace(email)), 1.0/30, 10)
}

func (s *Service) postSession(c echo.Context) error {
	var in struct {
		Email    string `json:"email"`
		Password string `json:"password"`
		Code     string `json:"code"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	if err := s.limitAccount(c, in.Email); err != nil {
		return err
	}
	p, err := s.check(c.Request().Context(), in.Email, in.Password)
	if err != nil {
		return err
	}
	if err := s.signIn(c, p); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"me": p})
}

// postAccount answers 202 in every case that is well formed: nobody learns which addresses are known.
func (s *Service) postAccount(c echo.Context) error {
	var in struct {
		Name     string `json:"name"`
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	if err := s.AskAccount(c.Request().Context(), in.Name, in.Email, in.Password); err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, map[string]any{"detail": "Look into your mail: the link in it proves the address."})
}

func (s *Service) postSetup(c echo.Context) error {
	var in struct {
		Token    string `json:"token"`
		Name     string `json:"name"`
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	p, err := s.setup(c.Request().Context(), in.Token, in.Name, in.Email, in.Password)
	if err != nil {
		return err
	}
	if err := s.signIn(c, p); err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]any{"me": p})
}

// safeNext keeps only a path of our own.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return ""
	}
	return next
}

func (s *Service) getTokens(c echo.Context) error {
	type token struct {
		ID   string     `json:"id" db:"id"`
		Name string     `json:"name" db:"name"`
		At   time.Time  `json:"created_at" db:"created_at"`
		Used *time.Time `json:"used_at" db:"used_at"`
	}
	out := []token{}
	if err := s.db.SelectContext(c.Request().Context(), &out,
		`SELECT id, name, created_at, used_at FROM api_tokens WHERE person_id = $1 ORDER BY created_at`, Who(c).ID); err != nil {
		return postgres.Kind(c.Request().Context(), err)
	}
	return c.JSON(http.StatusOK, map[string]any{"tokens": out})
}

func (s *Service) postToken(c echo.Context) error {
	var in struct {
		Name string `json:"name"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	name, err := Name("name", in.Name)
	if err != nil {
		return err
	}
	token, hash := secret()
	var id string
	if err := s.db.GetContext(c.Request().Context(), &id, `INSERT INTO api_tokens (token_hash, person_id, name, created_at) VALUES ($1, $2, $3, $4) RETURNING id`,
		hash, Who(c).ID, name, s.now()); err != nil {
		return postgres.Kind(c.Request().Context(), err)
	}
	return c.JSON(http.StatusCreated, map[string]any{"token": map[string]string{"id": id, "name": name, "secret": token}})
}

func (s *Service) deleteToken(c echo.Context) error {
	var gone bool
	if err := s.db.GetContext(c.Request().Context(), &gone, `DELETE FROM api_tokens WHERE id::text = $1 AND person_id = $2 RETURNING true`,
		c.Param("id"), Who(c).ID); err != nil {
		return postgres.Kind(c.Request().Context(), err)
	}
	s.seen.forget()
	return c.NoContent(http.StatusNoContent)
}
