package settings

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/hours"
	"chatnow/internal/cluster"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
)

// Snapshot is one version of the document with its calendar. It does not change.
type Snapshot struct {
	Doc
	Calendar *hours.Calendar
}

// Store keeps the document.
type Store struct {
	db      *sqlx.DB
	bus     cluster.Bus
	now     func() time.Time
	log     *slog.Logger
	current atomic.Pointer[Snapshot]
	hint    chan struct{} // another node wrote a document

	mu       sync.Mutex
	onChange []func(*Snapshot)
}

// Open reads the newest document, and writes the defaults where there is none yet.
func Open(ctx context.Context, db *sqlx.DB, bus cluster.Bus, now func() time.Time, log *slog.Logger) (*Store, error) {
	s := &Store{db: db, bus: bus, now: now, log: log, hint: make(chan struct{}, 1)}
	raw, err := json.Marshal(Defaults())
	if err != nil {
		return nil, err
	}
	// Several nodes may start at once: the first one's row stays.
	if _, err := db.ExecContext(ctx, `INSERT INTO settings (version, doc, at, by_name)
		SELECT 1, $1, $2, 'defaults' WHERE NOT EXISTS (SELECT FROM settings) ON CONFLICT DO NOTHING`, string(raw), now()); err != nil {
		return nil, postgres.Kind(ctx, fmt.Errorf("write default settings: %w", err))
	}
	if _, err := s.reload(ctx, db); err != nil {
		return nil, err
	}
	bus.Subscribe("settings", func(h cluster.Hint) {
		if !h.Local {
			s.look()
		}
	}, s.look)
	return s, nil
}

// look asks Run to look for a newer document; it never waits.
func (s *Store) look() {
	select {
	case s.hint <- struct{}{}:
	default: // it will look anyway
	}
}

// Current is the newest document that this node knows, at most a second old.
func (s *Store) Current() *Snapshot { return s.current.Load() }

// InTx is the newest committed document as the caller's transaction sees it, so that what is decided
// there is decided by what is in force.
func (s *Store) InTx(ctx context.Context, tx *sqlx.Tx) (*Snapshot, error) {
	var version int64
	if err := tx.GetContext(ctx, &version, `SELECT max(version) FROM settings`); err != nil {
		return nil, postgres.Kind(ctx, fmt.Errorf("read version of settings: %w", err))
	}
	if now := s.Current(); now.Version == version {
		return now, nil
	}
	return s.reload(ctx, tx)
}

// OnChange calls f with every new document that this node hears of.
func (s *Store) OnChange(f func(*Snapshot)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onChange = append(s.onChange, f)
}

// Run takes up what other nodes write: at their hint, and once a second should the hint be lost.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.hint:
		case <-tick.C:
		}
		s.refresh(ctx)
	}
}

func (s *Store) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var version int64
	if err := s.db.GetContext(ctx, &version, `SELECT max(version) FROM settings`); err != nil {
		return // the next look finds it
	}
	if version == s.Current().Version {
		return
	}
	if _, err := s.reload(ctx, s.db); err != nil && ctx.Err() == nil {
		s.log.Error("read settings", "err", err)
	}
}

func (s *Store) reload(ctx context.Context, q sqlx.QueryerContext) (*Snapshot, error) {
	var row struct {
		Version int64  `db:"version"`
		Doc     []byte `db:"doc"`
	}
	if err := sqlx.GetContext(ctx, q, &row, `SELECT version, doc FROM settings ORDER BY version DESC LIMIT 1`); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	doc, err := over(Defaults(), row.Doc, false) // an older document lacks what came later
	if err != nil {
		return nil, fmt.Errorf("read settings version %d: %w", row.Version, err)
	}
	doc.Version = row.Version
	cal, err := doc.Check()
	if err != nil {
		return nil, fmt.Errorf("settings version %d: %w", row.Version, err)
	}
	return s.install(&Snapshot{Doc: doc, Calendar: cal}), nil
}

// install makes a document the current one unless a newer one is; the change is told once.
func (s *Store) install(snap *Snapshot) *Snapshot {
	s.mu.Lock()
	old := s.current.Load()
	newer := old == nil || snap.Version > old.Version
	if newer {
		s.current.Store(snap)
	}
	told := append([]func(*Snapshot){}, s.onChange...)
	s.mu.Unlock()
	if newer && old != nil {
		for _, f := range told {
			f(snap)
		}
	}
	return snap
}

// Who made a change, for the history.
type Who struct{ ID, Name string }

// Put is Update for a document as it came: what it does not name stays as it is (contract.md section 3).
// A field that nobody knows, and one of another type, is fault.Invalid by its name.
func (s *Store) Put(ctx context.Context, raw []byte, by Who) (*Snapshot, error) {
	var head struct{ Version int64 }
	if json.Unmarshal(raw, &head) == nil && head.Version > s.Current().Version {
		s.refresh(ctx) // it was read on another node a moment ago
	}
	doc, err := over(s.Current().Doc, raw, true)
	if err != nil {
		return nil, err
	}
	return s.Update(ctx, doc, by)
}

// Update writes a whole document that was read at doc.Version. A newer one in between is
// fault.Conflict "stale"; what is wrong is named by field.
func (s *Store) Update(ctx context.Context, doc Doc, by Who) (*Snapshot, error) {
	doc.noNulls()
	cal, err := doc.Check()
	if err != nil {
		return nil, err
	}
	read := doc.Version
	err = postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		var newest int64
		if _, err := tx.ExecContext(ctx, `LOCK TABLE settings IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return fmt.Errorf("lock settings: %w", err)
		}
		if err := tx.GetContext(ctx, &newest, `SELECT max(version) FROM settings`); err != nil {
			return fmt.Errorf("read version of settings: %w", err)
		}
		if newest != read {
			return fault.Conflict("stale", "Somebody changed the settings meanwhile. Read them again.").With("version", newest)
		}
		doc.Version = newest + 1
		raw, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO settings (version, doc, at, by_id, by_name) VALUES ($1, $2, $3, NULLIF($4, '')::uuid, $5)`,
			doc.Version, string(raw), s.now(), by.ID, by.Name)
		return err
	})
	if err != nil {
		return nil, err
	}
	snap := s.install(&Snapshot{Doc: doc, Calendar: cal})
	s.bus.Publish(ctx, cluster.Hint{Topic: "settings"})
	return snap, nil
}
