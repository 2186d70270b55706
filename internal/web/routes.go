package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"chatnow/internal/fault"
)

// A Permission is who may use a route. Ownership of a single thing is checked
// again where the thing is read, in the query itself.
type Permission struct {
	Name  string
	Allow func(c echo.Context) error // nil error: may
}

// Anyone may: the route is for people we do not know.
var Anyone = Permission{Name: "anyone", Allow: func(echo.Context) error { return nil }}

// A Route is one line of the list that tests hold against the OpenAPI document
// and the permission matrix.
type Route struct {
	Method, Path, Permission string
	Kind                     string // "api", "page", "socket", "asset"
}

// Routes lists every route, in the order of registration.
func (s *Server) Routes() []Route { return append([]Route(nil), s.routes...) }

// APIPrefix is where the REST surface begins.
const APIPrefix = "/api/v1"

// API adds a route below /api/v1. Its errors are problem documents.
func (s *Server) API(method, path string, p Permission, h echo.HandlerFunc, mw ...echo.MiddlewareFunc) {
	s.add("api", method, APIPrefix+path, p, h, append([]echo.MiddlewareFunc{gzipPages(), middleware.BodyLimit(maxBody)}, mw...))
}

// Upload adds an API route that takes bodies up to limit, in Echo's notation ("30M").
func (s *Server) Upload(method, path, limit string, p Permission, h echo.HandlerFunc, mw ...echo.MiddlewareFunc) {
	s.add("api", method, APIPrefix+path, p, h, append([]echo.MiddlewareFunc{middleware.BodyLimit(limit)}, mw...))
}

// Page adds a route for people. Its errors are pages.
func (s *Server) Page(method, path string, p Permission, h echo.HandlerFunc, mw ...echo.MiddlewareFunc) {
	s.pages[path] = true
	s.add("page", method, path, p, h, append([]echo.MiddlewareFunc{gzipPages(), middleware.BodyLimit(maxBody)}, mw...))
}

// FilePage adds a route for a form with files, up to limit.
func (s *Server) FilePage(method, path, limit string, p Permission, h echo.HandlerFunc, mw ...echo.MiddlewareFunc) {
	s.pages[path] = true
	s.add("page", method, path, p, h, append([]echo.MiddlewareFunc{middleware.BodyLimit(limit)}, mw...))
}

// Socket adds a route that may be upgraded.
func (s *Server) Socket(path string, p Permission, h echo.HandlerFunc, mw ...echo.MiddlewareFunc) {
	s.sockets[path] = true
	s.add("socket", http.MethodGet, path, p, h, mw)
}

// Asset adds a route for files that are the same for everybody.
func (s *Server) Asset(path string, h http.Handler) {
	s.add("asset", http.MethodGet, path, Anyone, echo.WrapHandler(h), nil)
	s.Echo.HEAD(path, echo.WrapHandler(h))
}

func (s *Server) add(kind, method, path string, p Permission, h echo.HandlerFunc, mw []echo.MiddlewareFunc) {
	if p.Allow == nil || p.Name == "" {
		panic("route " + method + " " + path + " names no permission")
	}
	guarded := func(c echo.Context) error {
		if err := p.Allow(c); err != nil {
			return err
		}
		return h(c)
	}
	s.Echo.Add(method, path, guarded, mw...)
	if method == http.MethodGet && kind == "page" {
		s.Echo.HEAD(path, guarded, mw...)
	}
	s.routes = append(s.routes, Route{Method: method, Path: path, Permission: p.Name, Kind: kind})
}

// pageOf reports whether a request is answered with a page: one of a page's route, or one for an
// address that nobody knows, from somebody who asks for HTML.
func (s *Server) pageOf(c echo.Context) bool {
	if s.pages[c.Path()] {
		return true
	}
	path := c.Request().URL.Path
	return !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/ws/") && !strings.HasPrefix(path, "/assets/") &&
		strings.Contains(c.Request().Header.Get(echo.HeaderAccept), "text/html")
}

// SameOrigin refuses what a browser sends from a page of another origin. It guards sockets that know
// a cookie; a program sends no Origin. As in package net/http, an Origin that names the Host the browser
// itself connected to is our own page, reached by another of our names.
func (s *Server) SameOrigin(c echo.Context) error {
	origin := c.Request().Header.Get(echo.HeaderOrigin)
	if origin == "" || origin == s.Origin() {
		return nil
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" && u.Host == c.Request().Host {
		return nil
	}
	return fault.Denied("This request came from another site.")
}
