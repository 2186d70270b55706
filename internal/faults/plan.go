// Package faults breaks a whole installation on purpose: servers, PostgreSQL, NATS and the lines between
// them, under load, by a plan that a seed repeats. A ledger says what was begun and how it was answered;
// afterwards everything is read back four ways and held against it.
package faults

import (
	"math/rand/v2"
	"time"
)

// Kind is a way to break something.
type Kind string

// The kinds of faults.
const (
	NodeKill        Kind = "node killed"
	NodeFreeze      Kind = "node frozen"
	NodeRestart     Kind = "node restarted in order"
	PostgresKill    Kind = "PostgreSQL killed"
	PostgresFreeze  Kind = "PostgreSQL frozen"
	PostgresRestart Kind = "PostgreSQL restarted"
	PostgresCut     Kind = "node cut from PostgreSQL"
	PostgresDelay   Kind = "slow line to PostgreSQL"
	PostgresLock    Kind = "message table locked"
	PostgresFull    Kind = "connections used up"
	PostgresEnd     Kind = "connections ended by PostgreSQL"
	NATSKill        Kind = "NATS killed"
	NATSFreeze      Kind = "NATS frozen"
	NATSCut         Kind = "node cut from NATS"
	ClientCut       Kind = "clients cut from a node"
	ClientFreeze    Kind = "silent line to a node"
	ClientDelay     Kind = "slow line to a node"
)

// kinds is the deck that a plan is dealt from.
var kinds = []Kind{NodeKill, NodeFreeze, NodeRestart, PostgresKill, PostgresFreeze, PostgresRestart, PostgresCut, PostgresDelay,
	PostgresLock, PostgresFull, PostgresEnd, NATSKill, NATSFreeze, NATSCut, ClientCut, ClientFreeze, ClientDelay}

// A Fault is one entry of a plan.
type Fault struct {
	Kind  Kind
	Node  int           // which server it meets, where it meets one
	Pause time.Duration // of undisturbed load before it
	For   time.Duration // how long it lasts
	Delay time.Duration // of each piece of data on a slow line
}

// Plan deals n faults: the same seed gives the same plan. Every kind comes before one comes again.
func Plan(seed uint64, n, nodes int) []Fault {
	random := rand.New(rand.NewPCG(seed, 6))
	plan := make([]Fault, 0, n)
	for len(plan) < n {
		for _, i := range random.Perm(len(kinds)) {
			plan = append(plan, Fault{
				Kind: kinds[i], Node: random.IntN(nodes),
				Pause: time.Duration(200+random.IntN(1000)) * time.Millisecond,
				For:   time.Duration(500+random.IntN(3500)) * time.Millisecond,
				Delay: time.Duration(20+random.IntN(80)) * time.Millisecond,
			})
		}
	}
	return plan[:n]
}
