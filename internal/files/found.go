package files

import (
	"bytes"
	"encoding/binary"
	"iter"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// Found is what a log tells about its computer. It is offered to the customer, who knows better.
type Found struct {
	OS         string   `json:"os,omitempty"`
	OSVersion  string   `json:"os_version,omitempty"`
	AppVersion string   `json:"app_version,omitempty"`
	Devices    []string `json:"devices,omitempty"`
}

// maxDevices is how many computers a file tells of.
const maxDevices = 10

// How CrashPlan's logs and most others write these.
var (
	osLine = regexp.MustCompile(`(?i)\b(?:os(?:[._ ]?name)?|operating system|platform)["']?\s*[:=]\s*["']?(Windows|Mac ?OS(?: X)?|Darwin|Linux|Ubuntu|Debian)\b`)
	// "os.version=10.0", and "OS = Mac OS X (10.15.7, x86_64)" on one line.
	osVersion = regexp.MustCompile(`(?i)\bos[._ ]?version["']?\s*[:=]\s*["']?([0-9][0-9A-Za-z._-]{0,30})` +
		`|\bos\s*[:=]\s*["']?(?:Windows|Mac ?OS|Linux)[^\n(]{0,40}\(([0-9][0-9A-Za-z._-]{0,30})`)
	appVersion = regexp.MustCompile(`(?i)\b(?:(?:app|client|service|crashplan|code42|product)[._ -]?|CP)version["']?\s*[:=]\s*["']?v?([0-9]{1,4}(?:\.[0-9]{1,6}){1,3})`)
	device     = regexp.MustCompile(`(?i)(?:\b([a-z]+)[._ -]?)?\bguid["']?\s*[:=]\s*["']?([0-9]{15,20}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b|` +
		`\b(?:computer|device|my|node)guid["']?\s*[:=]\s*["']?([0-9]{15,20}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b`)
)

// others have a GUID as well and are no computers.
var others = []string{"destination", "target", "peer", "server", "org", "organization", "user", "account", "set", "plan", "session", "store", "mount"}

// Around a word that matters, so much is looked at, so many times. A log is large, and a pattern is slow.
const (
	wordBefore = 24
	wordAfter  = 100
	maxWords   = 1000
)

// read takes what the beginning of a log tells; what is known already stays.
func (f *Found) read(raw []byte) {
	raw = narrow(raw)
	lower := slices.Clone(raw) // as bytes: a log may be in any old encoding
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	first := func(to *string, re *regexp.Regexp, words ...string) {
		for _, word := range words {
			for near := range around(raw, lower, word) {
				if *to != "" {
					return
				}
				if m := re.FindSubmatch(near); m != nil {
					*to = string(bytes.Join(m[1:], nil)) // one of them matched
				}
			}
		}
	}
	first(&f.OS, osLine, "os", "platform", "operating system")
	first(&f.OSVersion, osVersion, "os")
	first(&f.AppVersion, appVersion, "version")
	for near := range around(raw, lower, "guid") {
		for _, m := range device.FindAllSubmatch(near, -1) {
			id := string(m[2]) + string(m[3])
			if !slices.Contains(others, strings.ToLower(string(m[1]))) && !slices.Contains(f.Devices, id) && len(f.Devices) < maxDevices {
				f.Devices = append(f.Devices, id)
			}
		}
	}
}

// around gives what stands around each place where a name that holds a word gets a value.
func around(raw, lower []byte, word string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at, n := 0, 0; n < maxWords; {
			i := bytes.Index(lower[at:], []byte(word))
			if i < 0 {
				return
			}
			from := at + i
			at = from + len(word)
			if !bytes.ContainsAny(lower[at:min(at+12, len(lower))], ":=") { // such as os_version"=
				continue
			}
			n++
			start := max(0, from-wordBefore)
			start += bytes.LastIndexByte(raw[start:from], '\n') + 1
			if !yield(raw[start:min(at+wordAfter, len(raw))]) {
				return
			}
		}
	}
}

// narrow makes UTF-8 of UTF-16, in which Windows writes some logs.
func narrow(raw []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return raw
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16(raw[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}
