// Package static is what browsers get: TSX and CSS, embedded as they are written
// and bundled by esbuild when the program starts, so that building needs no Node;
// and the pages' templates.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

//go:embed lib css chat console widget help site vendor pages
var files embed.FS

// entries are the bundles, by the name that pages ask for.
var entries = map[string]string{
	"chat.js": "chat/main.tsx", "console.js": "console/main.tsx", "chart.js": "console/chart.ts", "help.js": "help/main.ts", "site.js": "site/main.ts", "widget.js": "widget/main.ts",
	"site.css": "css/site.css", "chat.css": "css/chat.css", "console.css": "css/console.css",
}

// Bundle is every file that browsers load, with a hash of its content in its name.
type Bundle struct {
	urls  map[string]string // chat.js → /assets/chat-1a2b3c4d.js
	files map[string]asset  // by the hashed name
}

type asset struct {
	kind      string
	raw, gzip []byte
}

// New bundles the sources, in some tens of milliseconds.
func New() (*Bundle, error) {
	b := &Bundle{urls: map[string]string{}, files: map[string]asset{}}
	for name, source := range entries {
		out, err := build(source)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(out)
		ext := path.Ext(name)
		hashed := strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:4]) + ext
		var zipped bytes.Buffer
		w, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression) // the level exists
		if _, err := w.Write(out); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		b.urls[name] = "/assets/" + hashed
		b.files[hashed] = asset{mime.TypeByExtension(ext), out, zipped.Bytes()}
	}
	return b, nil
}

// vendored are the libraries, by the names they are imported by.
var vendored = map[string]string{
	"preact": "vendor/preact.js", "preact/hooks": "vendor/hooks.js", "preact/jsx-runtime": "vendor/jsx-runtime.js",
	"@preact/signals": "vendor/signals.js", "@preact/signals-core": "vendor/signals-core.js",
	"fuzzysort": "vendor/fuzzysort.js", "uplot": "vendor/uplot.js",
}

func build(entry string) ([]byte, error) {
	res := api.Build(api.BuildOptions{
		EntryPoints: []string{entry}, Bundle: true, Write: false, Outdir: "out", Format: api.FormatESModule, Target: api.ES2022,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, JSX: api.JSXAutomatic, JSXImportSource: "preact",
		LegalComments: api.LegalCommentsNone, Plugins: []api.Plugin{{Name: "embedded", Setup: embedded}},
	})
	if len(res.Errors) > 0 {
		e := res.Errors[0]
		where := entry
		if e.Location != nil {
			where = fmt.Sprintf("%s:%d", e.Location.File, e.Location.Line)
		}
		return nil, fmt.Errorf("bundle %s: %s", where, e.Text)
	}
	return res.OutputFiles[0].Contents, nil
}

// embedded lets esbuild read from the program instead of the disk.
func embedded(b api.PluginBuild) {
	b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		at := a.Path
		if v, ok := vendored[at]; ok {
			at = v
		} else if strings.HasPrefix(at, ".") {
			at = path.Join(path.Dir(a.Importer), at)
		}
		for _, try := range []string{at, at + ".ts", at + ".tsx"} {
			if info, err := fs.Stat(files, try); err == nil && !info.IsDir() {
				return api.OnResolveResult{Path: try, Namespace: "embedded"}, nil
			}
		}
		return api.OnResolveResult{}, fmt.Errorf("%s: there is no %s", a.Importer, a.Path)
	})
	b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "embedded"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		raw, err := files.ReadFile(a.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		text, loader := string(raw), api.LoaderJS
		switch path.Ext(a.Path) {
		case ".ts":
			loader = api.LoaderTS
		case ".tsx":
			loader = api.LoaderTSX
		case ".css":
			loader = api.LoaderCSS
		}
		return api.OnLoadResult{Contents: &text, Loader: loader}, nil
	})
}

// URL is where a bundle is served; a name that does not exist is a defect of ours.
func (b *Bundle) URL(name string) string {
	url, ok := b.urls[name]
	if !ok {
		panic("there is no bundle " + name)
	}
	return url
}

// Size is what a bundle weighs on the wire, in bytes of gzip.
func (b *Bundle) Size(name string) int { return len(b.files[path.Base(b.URL(name))].gzip) }

// ServeHTTP serves /assets/. The name changes with the content, so it may be kept for ever.
func (b *Bundle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.write(w, r, path.Base(r.URL.Path), "public, max-age=31536000, immutable")
}

// Widget serves the launcher at its lasting address.
func (b *Bundle) Widget(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	b.write(w, r, path.Base(b.URL("widget.js")), "public, max-age=300")
}

func (b *Bundle) write(w http.ResponseWriter, r *http.Request, name, cache string) {
	f, ok := b.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", cache)
	h.Set("Vary", "Accept-Encoding")
	body := f.raw
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.gzip
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // who went away needs nothing
	}
}
