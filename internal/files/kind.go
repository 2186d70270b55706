package files

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/gabriel-vasile/mimetype"

	"chatnow/internal/fault"
	"chatnow/internal/text"
)

// shown are the types that are named when a file is served. Everything else is a row of bytes: SVG and
// HTML would be run.
var shown = map[string]string{
	"image/png": "image/png", "image/jpeg": "image/jpeg", "image/gif": "image/gif", "image/webp": "image/webp",
	"text/plain": "text/plain; charset=utf-8", "application/zip": "application/zip", "application/gzip": "application/gzip", "application/pdf": "application/pdf",
}

// programs are refused: a support ticket needs none, and champions should not be sent any.
var programs = []string{"application/vnd.microsoft.portable-executable", "application/x-elf", "application/x-mach-binary", "application/x-ms-installer", "application/java-archive"}

// kindOf finds a type from the content of a file; what the sender says of it counts for nothing.
func kindOf(path string) (string, error) {
	m, err := mimetype.DetectFile(path)
	if err != nil {
		return "", err
	}
	for _, p := range programs {
		for up := m; up != nil; up = up.Parent() {
			if up.Is(p) {
				return "", &fault.Error{Kind: fault.WrongType, Code: "wrong_type", Detail: "Programs are not taken. Send logs, archives or pictures."}
			}
		}
	}
	kind, _, _ := strings.Cut(m.String(), ";")
	return kind, nil
}

// seen leaves out what nobody sees: controls, and marks that turn or hide letters.
func seen(s string) string {
	return text.Line(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, s))
}

// reserved are names that Windows takes for devices, whatever their ending.
var reserved = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)

// cleanName gives a name that can be shown and saved: the last part of a path, without anything that
// is not seen, and not too long.
func cleanName(given string) string {
	if i := strings.LastIndexAny(given, `/\`); i >= 0 {
		given = given[i+1:]
	}
	given = seen(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`"<>:|?*;`, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(given, "")))
	given = strings.TrimRight(given, ". ")
	if dot := strings.LastIndexByte(given, '.'); len(given) > 150 && dot > len(given)-20 && dot > 0 {
		given = text.Cut(given[:dot], 150-len(given[dot:])) + given[dot:]
	}
	given = strings.TrimRight(text.Cut(given, 150), ". ")
	if given == "" {
		return "file"
	}
	if reserved.MatchString(given) {
		return "_" + given
	}
	return given
}
