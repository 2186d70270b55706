package accounts

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"chatnow/internal/fault"
	"chatnow/internal/text"
	"chatnow/internal/web"
)

// pageRoutes registers what people see. Every page works without script.
func (s *Service) pageRoutes(srv *web.Server, pages Pages, limit echo.MiddlewareFunc) {
	f := &forms{s, pages}
	get := func(path string, who web.Permission, h echo.HandlerFunc) { srv.Page(http.MethodGet, path, who, h) }
	post := func(path string, who web.Permission, h echo.HandlerFunc) {
		srv.Page(http.MethodPost, path, who, readable(h), limit)
	}
	get("/setup", web.Anyone, f.show("setup"))
	post("/setup", web.Anyone, f.setup)
	get("/account/signin", web.Anyone, f.signInPage)
	post("/account/signin", web.Anyone, f.signIn)
	srv.Page(http.MethodPost, "/account/signout", web.Anyone, func(c echo.Context) error {
		if err := s.signOut(c); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/")
	})
	get("/account/new", web.Anyone, f.show("account_new"))
	post("/account/new", web.Anyone, f.sent("account_new", func(ctx context.Context, c echo.Context) error {
		return s.AskAccount(ctx, c.FormValue("name"), c.FormValue("email"), c.FormValue("password"))
	}))
	get("/account/link", web.Anyone, f.show("account_link"))
	post("/account/link", web.Anyone, f.sent("account_link", func(ctx context.Context, c echo.Context) error {
		return s.AskLink(ctx, c.FormValue("email"))
	}))
	get("/account/verify", web.Anyone, f.button(toVerify))
	post("/account/verify", web.Anyone, f.press("/tickets", func(ctx context.Context, c echo.Context) (*Person, error) {
		return s.Verify(ctx, c.FormValue("token"), Who(c))
	}))
	get("/account/reset", web.Anyone, f.resetPage)
	post("/account/reset", web.Anyone, f.reset)
	get("/account", SignedIn, f.own)
	post("/account", SignedIn, f.change)
}

// readable refuses a form with what no column holds; no browser sends it.
func readable(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		f, err := c.FormParams()
		if err != nil {
			return fault.Bad("The form could not be read.").Because(err)
		}
		for _, values := range f {
			for _, v := range values {
				if !text.Storable(v) {
					return fault.Bad("The form is not valid UTF-8, or holds the character U+0000.")
				}
			}
		}
		return next(c)
	}
}

// forms answers the pages' forms.
type forms struct {
	s     *Service
	pages Pages
}

// titles of the pages, for the browser's tab.
var titles = map[string]string{
	"signin": "Sign in", "setup": "First administrator", "account_new": "Create an account", "account_link": "Sign in by mail",
	"account_sent": "Look into your mail", "account_button": "One more click", "account_reset": "Choose a new password", "account": "Your account",
}

func (f *forms) render(c echo.Context, status int, name string, more map[string]any) error {
	data := map[string]any{"Title": titles[name], "Token": c.FormValue("token"), "Next": safeNext(c.FormValue("next")), "Given": c.FormValue("name"), "Email": c.FormValue("email")}
	for k, v := range more {
		data[k] = v
	}
	return f.pages.Render(c, status, name, data)
}

func (f *forms) show(name string) echo.HandlerFunc {
	return func(c echo.Context) error { return f.render(c, http.StatusOK, name, nil) }
}

// again shows a form with what was typed and what is wrong with it. A defect is not for the form.
func (f *forms) again(c echo.Context, name string, err error) error {
	if fault.KindOf(err) == fault.Internal {
		return err
	}
	return f.render(c, web.Status(err), name, map[string]any{"Problem": web.Problem(err)})
}

func (f *forms) setup(c echo.Context) error {
	p, err := f.s.setup(c.Request().Context(), c.FormValue("token"), c.FormValue("name"), c.FormValue("email"), c.FormValue("password"))
	if err == nil {
		err = f.s.signIn(c, p)
	}
	if err != nil {
		return f.again(c, "setup", err)
	}
	return c.Redirect(http.StatusSeeOther, "/console")
}

// signInPage asks for the password, or, with the token of a mailed link, for one click.
func (f *forms) signInPage(c echo.Context) error {
	if c.QueryParam("token") != "" {
		return f.button(toSignIn)(c)
	}
	return f.render(c, http.StatusOK, "signin", nil)
}

func (f *forms) signIn(c echo.Context) error {
	if c.FormValue("token") != "" {
		return f.press("", func(ctx context.Context, c echo.Context) (*Person, error) {
			return f.s.ByLink(ctx, c.FormValue("token"))
		})(c)
	}
	err := f.s.limitAccount(c, c.FormValue("email"))
	var p *Person
	if err == nil {
		p, err = f.s.check(c.Request().Context(), c.FormValue("email"), c.FormValue("password"))
	}
	if err == nil {
		err = f.s.signIn(c, p)
	}
	if err != nil {
		return f.again(c, "signin", err)
	}
	return c.Redirect(http.StatusSeeOther, f.home(c, p))
}

// home is where somebody wanted to go, or where people of his role begin.
func (f *forms) home(c echo.Context, p *Person) string {
	if next := safeNext(c.FormValue("next")); next != "" {
		return next
	}
	if p.Staff() {
		return "/console"
	}
	return "/tickets"
}

// sent answers a form that leads to a mail. Known and unknown addresses get the same page.
func (f *forms) sent(name string, ask func(context.Context, echo.Context) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := ask(c.Request().Context(), c); err != nil {
			return f.again(c, name, err)
		}
		return f.render(c, http.StatusAccepted, "account_sent", nil)
	}
}

// button shows the one button of a mailed link: a scanner that opens the link has done nothing.
func (f *forms) button(what purpose) echo.HandlerFunc {
	return func(c echo.Context) error {
		l, err := f.s.peek(c.Request().Context(), c.QueryParam("token"), what)
		if err != nil {
			return err
		}
		return f.render(c, http.StatusOK, "account_button", map[string]any{"Address": l.Email, "What": string(what), "Adds": l.Person != nil, "At": l.At.UTC()})
	}
}

// press does what the button says and signs in.
func (f *forms) press(then string, do func(context.Context, echo.Context) (*Person, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		p, err := do(c.Request().Context(), c)
		if err != nil {
			return err
		}
		if err := f.s.signIn(c, p); err != nil {
			return err
		}
		to := then
		if to == "" || p.Staff() {
			to = f.home(c, p)
		}
		return c.Redirect(http.StatusSeeOther, to)
	}
}

// resetPage asks for the address, or, with the token of a mailed link, for the new password.
func (f *forms) resetPage(c echo.Context) error {
	if token := c.QueryParam("token"); token != "" {
		if _, err := f.s.peek(c.Request().Context(), token, toReset); err != nil {
			return err
		}
	}
	return f.render(c, http.StatusOK, "account_reset", nil)
}

func (f *forms) reset(c echo.Context) error {
	ctx := c.Request().Context()
	if c.FormValue("token") == "" {
		return f.sent("account_reset", func(context.Context, echo.Context) error { return f.s.AskReset(ctx, c.FormValue("email")) })(c)
	}
	p, err := f.s.Reset(ctx, c.FormValue("token"), c.FormValue("password"))
	if err == nil {
		err = f.s.signIn(c, p)
	}
	if err != nil {
		return f.again(c, "account_reset", err)
	}
	return c.Redirect(http.StatusSeeOther, f.home(c, p))
}

func (f *forms) own(c echo.Context) error { return f.account(c, http.StatusOK, nil) }

func (f *forms) account(c echo.Context, status int, more map[string]any) error {
	list, err := f.s.Addresses(c.Request().Context(), Who(c).ID)
	if err != nil {
		return err
	}
	data := map[string]any{"Addresses": list, "Page": "account"}
	for k, v := range more {
		data[k] = v
	}
	return f.render(c, status, "account", data)
}

// change does one of the things that the account page offers.
func (f *forms) change(c echo.Context) error {
	ctx, me, email := c.Request().Context(), Who(c), c.FormValue("email")
	var err error
	done := ""
	switch c.FormValue("do") {
	case "name":
		err, done = f.s.Rename(ctx, me, c.FormValue("name")), "Your name is changed."
	case "add":
		err, done = f.s.AddAddress(ctx, me, email), "Look into the mail of "+email+": the link in it proves the address. Open it in this browser."
	case "drop":
		err, done = f.s.DropAddress(ctx, me, email), email+" no longer belongs to your account."
	case "main":
		err, done = f.s.MainAddress(ctx, me, email), "We write to "+email+" from now on."
	case "password":
		if err = f.s.ChangePassword(ctx, me, c.FormValue("present"), c.FormValue("password")); err == nil {
			err = f.s.signIn(c, me) // this browser stays; all others are out
		}
		done = "Your password is changed. All other browsers are signed out."
	case "everywhere":
		if err = f.s.EndSessions(ctx, me); err == nil {
			return c.Redirect(http.StatusSeeOther, "/account/signin")
		}
	default:
		err = fault.Bad("The form says nothing that the account knows.")
	}
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return err
		}
		return f.account(c, web.Status(err), map[string]any{"Problem": web.Problem(err)})
	}
	return f.account(c, http.StatusOK, map[string]any{"Done": done})
}
