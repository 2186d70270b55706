// Package migrations holds the schema: forward-only SQL, one file a step, embedded.
//
// A step must leave the program before it able to serve: several nodes may run
// while one of them migrates.
package migrations

import "embed"

// FS holds the steps in order of their numbers.
//
//go:embed *.sql
var FS embed.FS
