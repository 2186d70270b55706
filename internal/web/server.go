// Package web assembles Echo once: what every request passes, how errors are
// answered, and the list of routes, each of which names its permission. It knows
// nothing of chats or tickets.
package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"chatnow/internal/fault"
	"chatnow/internal/text"
)

// Config is what the server must be told.
type Config struct {
	BaseURL        *url.URL       // links start with it; the Host header is never believed
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Limits         bool           // rate limits on or off
	Log            *slog.Logger
	Now            func() time.Time
}

// Observe is told of each answered request, by its route.
func (s *Server) Observe(f func(method, route string, status int, took time.Duration)) { s.observe = f }

// Limits of every request (robustness 1.8).
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 30 * time.Second
	maxHeader     = 16 << 10
	maxBody       = "256K" // uploads name their own
)

// Server is Echo with the product's rules on it.
type Server struct {
	Echo      *echo.Echo
	cfg       Config
	log       *slog.Logger
	routes    []Route
	sockets   map[string]bool // paths that may be upgraded
	pages     map[string]bool // routes that answer people, not programs
	errorPage func(c echo.Context, status int, problem map[string]any) error
	draining  atomic.Bool
	db        *sqlx.DB
	observe   func(method, route string, status int, took time.Duration) // nil: nobody counts
}

// New assembles the server. Routes are added before Serve.
func New(cfg Config) *Server {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	if len(cfg.TrustedProxies) > 0 {
		trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
		for _, p := range cfg.TrustedProxies {
			trust = append(trust, echo.TrustIPRange(&net.IPNet{
				IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
			}))
		}
		e.IPExtractor = echo.ExtractIPFromXFFHeader(trust...)
	}
	s := &Server{Echo: e, cfg: cfg, log: cfg.Log, sockets: map[string]bool{}, pages: map[string]bool{}}
	e.HTTPErrorHandler = s.fail
	// Before routing: Echo 4.16.0 lets a rejected upgrade pass a route's guard (GO-2026-6839), so an
	// upgrade is refused on every path that is no socket route.
	e.Pre(s.refuseUpgrades, refuseUnstorable)
	e.Use(
		s.logRequests(),
		middleware.RecoverWithConfig(middleware.RecoverConfig{
			DisablePrintStack: true,
			LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
				s.log.Error("panic", "route", c.Path(), "err", err, "stack", string(stack))
				return err
			},
		}),
		middleware.RequestIDWithConfig(middleware.RequestIDConfig{
			// A caller's id would be a line that he writes into our log.
			RequestIDHandler: func(c echo.Context, id string) { c.Response().Header().Set(echo.HeaderXRequestID, id) },
		}),
		s.headers,
		echo.WrapMiddleware(s.crossOrigin().Handler),
	)
	return s
}

// gzipPages compresses answers, but never a handshake: the middleware would hold it back for ever.
func gzipPages() echo.MiddlewareFunc {
	return middleware.GzipWithConfig(middleware.GzipConfig{
		MinLength: 1024,
		Skipper: func(c echo.Context) bool {
			return c.IsWebSocket() || strings.HasPrefix(c.Request().URL.Path, "/assets/")
		},
	})
}

func (s *Server) refuseUpgrades(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Request().Header
		if (h.Get("Upgrade") != "" || headerHas(h, "Connection", "upgrade")) && !s.sockets[c.Request().URL.Path] {
			return fault.Bad("There is no socket at this address.")
		}
		return next(c)
	}
}

// refuseUnstorable refuses addresses with what no column holds, before anybody asks the database for it.
func refuseUnstorable(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		query, err := url.QueryUnescape(u.RawQuery)
		if err != nil || !text.Storable(u.Path) || !text.Storable(query) {
			return fault.Bad("The address is not valid UTF-8, or holds the character U+0000.")
		}
		return next(c)
	}
}

func headerHas(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// crossOrigin refuses writes that a browser says come from elsewhere (by Sec-Fetch-Site, or by
// Origin against the base URL). Programs send neither and cannot be tricked into it.
func (s *Server) crossOrigin() *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	if err := p.AddTrustedOrigin(s.Origin()); err != nil {
		s.log.Error("base URL gives no origin", "err", err)
	}
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.Echo.NewContext(r, w)
		WriteProblem(c, fault.Denied("This request came from another site."), s.log)
	}))
	return p
}

// Origin is scheme and host of the base URL, as browsers write it.
func (s *Server) Origin() string { return s.cfg.BaseURL.Scheme + "://" + s.cfg.BaseURL.Host }

// Link makes an absolute link below the base URL.
func (s *Server) Link(path string) string {
	return strings.TrimSuffix(s.cfg.BaseURL.String(), "/") + path
}

// Secure reports whether browsers reach us by HTTPS, so that cookies may say so.
func (s *Server) Secure() bool { return s.cfg.BaseURL.Scheme == "https" }

// strictPolicy is the content security policy of every page: own files only, nothing inline.
const strictPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"font-src 'self'; connect-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; frame-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors "

func (s *Server) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
		h.Set("Content-Security-Policy", strictPolicy+"'none'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-store")
		if s.Secure() {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

// AllowFraming lets the page stand in a frame of any site: the chat panel of the launcher, which
// knows no cookie and so gives a framing site nothing to click on in somebody's name.
func AllowFraming(c echo.Context) {
	h := c.Response().Header()
	h.Set("Content-Security-Policy", strictPolicy+"*")
	h.Del("X-Frame-Options")
	h.Del("Cross-Origin-Opener-Policy")
}

func (s *Server) logRequests() echo.MiddlewareFunc {
	return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
		LogStatus: true, LogMethod: true, LogRoutePath: true, LogLatency: true, LogRequestID: true,
		HandleError: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			if s.observe != nil && !c.IsWebSocket() {
				s.observe(v.Method, v.RoutePath, v.Status, v.Latency)
			}
			// The route, not the address: addresses hold tokens.
			s.log.DebugContext(c.Request().Context(), "request",
				"method", v.Method, "route", v.RoutePath, "status", v.Status, "ms", v.Latency.Milliseconds(), "request", v.RequestID)
			return nil
		},
	})
}

// ErrorPage says how people, rather than programs, are told that something went wrong.
func (s *Server) ErrorPage(f func(c echo.Context, status int, problem map[string]any) error) {
	s.errorPage = f
}

// Serve answers on l until ctx ends, then lets running requests finish, for at most wait.
func (s *Server) Serve(ctx context.Context, l net.Listener, wait time.Duration) error {
	unused := &fresh{}
	srv := &http.Server{
		ConnState:         unused.note,
		Handler:           s.Echo,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       bodyTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       corkContext,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		s.draining.Store(true)
		unused.end()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
		defer cancel()
		stopped <- srv.Shutdown(end)
	}()
	if err := srv.Serve(corkListener{l}); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	if err := <-stopped; err != nil {
		return srv.Close() // somebody reads too slowly to wait for
	}
	return nil
}

// Draining reports whether the server has begun to stop; /readyz says so to load balancers.
func (s *Server) Draining() bool { return s.draining.Load() }
