package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
)

// MaxEach is the largest file that is taken, in bytes: a bundle of logs is large.
const MaxEach = 100 << 20

// MaxNamed is how many files one ticket form, comment or message names.
const MaxNamed = 20

// maxFree is what all files together may take that nothing has named yet, in bytes: a stranger cannot
// fill the disk.
const maxFree = 20 << 30

// keepFree is how long a file stays that nothing has named.
const keepFree = 24 * time.Hour

// Upload is a file as everybody sees it who may.
type Upload struct {
	ID        string
	Name      string
	Size      int64
	MediaType string
	Preview   bool
	Found     Found
	Entries   []Entry
}

// View is an upload as contract.md writes it, with what has grown.
func (u Upload) View() map[string]any {
	return map[string]any{"id": u.ID, "name": u.Name, "size": u.Size, "media_type": u.MediaType, "preview": u.Preview}
}

// Service keeps uploads.
type Service struct {
	// MayTicket and MayChat say whether a customer sees what belongs to a ticket, or the holder of a
	// chat's token what belongs to the chat; they are above this package.
	MayTicket func(ctx context.Context, person string, ticket int64) (bool, error)
	MayChat   func(ctx context.Context, token, chat string) (bool, error)

	db    *sqlx.DB
	store Store
	tmp   string // where files are while they arrive
	now   func() time.Time
	log   *slog.Logger
	one   chan struct{} // pictures are decoded one after another: each may take 100 MB
}

// New makes the service; dir is for files on their way.
func New(db *sqlx.DB, store Store, dir string, now func() time.Time, log *slog.Logger) (*Service, error) {
	tmp := filepath.Join(dir, "arriving")
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return nil, fmt.Errorf("make folder for uploads: %w", err)
	}
	return &Service{db: db, store: store, tmp: tmp, now: now, log: log, one: make(chan struct{}, 1)}, nil
}

type row struct {
	ID        string    `db:"id"`
	Name      string    `db:"name"`
	Size      int64     `db:"size"`
	MediaType string    `db:"media_type"`
	State     string    `db:"state"`
	Preview   bool      `db:"preview"`
	Found     []byte    `db:"found"`
	Entries   []byte    `db:"entries"`
	Uploader  *string   `db:"uploader"`
	Ticket    *int64    `db:"ticket"`
	Comment   *string   `db:"comment"`
	Chat      *string   `db:"chat"`
	Internal  bool      `db:"internal"`
	CreatedAt time.Time `db:"created_at"`
}

const columns = `id, name, size, media_type, state, preview, found, entries, uploader, ticket, comment, chat, internal, created_at`

func (r *row) upload() (Upload, error) {
	u := Upload{ID: r.ID, Name: r.Name, Size: r.Size, MediaType: r.MediaType, Preview: r.Preview}
	if err := json.Unmarshal(r.Found, &u.Found); err != nil {
		return u, fmt.Errorf("read upload %s: %w", r.ID, err)
	}
	if err := json.Unmarshal(r.Entries, &u.Entries); err != nil {
		return u, fmt.Errorf("read upload %s: %w", r.ID, err)
	}
	return u, nil
}

func errUpload() error { return fault.NotFound("There is no such upload.") }

func tooLarge() error {
	return &fault.Error{Kind: fault.TooLarge, Code: "too_large", Detail: fmt.Sprintf("A file has up to %d MiB.", MaxEach>>20)}
}

// room refuses what would not fit beside all files that nothing has named yet.
func (s *Service) room(ctx context.Context, size int64) error {
	var taken int64
	if err := s.db.GetContext(ctx, &taken, `SELECT COALESCE(sum(arrived), 0) FROM uploads WHERE ticket IS NULL AND chat IS NULL`); err != nil {
		return postgres.Kind(ctx, err)
	}
	if taken+size > maxFree {
		return fault.Unavailable("Too many files are under way at the moment. Try again later.")
	}
	return nil
}

// begin keeps a row for a file that is about to arrive; without its end it is swept away.
func (s *Service) begin(ctx context.Context, name string, size int64, person string) (string, error) {
	var id string
	err := s.db.GetContext(ctx, &id, `INSERT INTO uploads (name, size, uploader, created_at) VALUES ($1, $2, $3, $4) RETURNING id`,
		cleanName(name), size, postgres.NullText(person), s.now())
	return id, postgres.Kind(ctx, err)
}

// Keep takes a whole file.
func (s *Service) Keep(ctx context.Context, name string, r io.Reader, person string) (Upload, error) {
	tmp, err := os.CreateTemp(s.tmp, "whole-*")
	if err != nil {
		return Upload{}, full(err)
	}
	defer s.discard(tmp)
	n, err := io.Copy(tmp, io.LimitReader(r, MaxEach+1))
	switch {
	case err != nil && isDisk(err):
		return Upload{}, full(err)
	case err != nil:
		return Upload{}, fault.Bad("The file did not arrive to its end.").Because(err)
	case n > MaxEach:
		return Upload{}, tooLarge()
	}
	if err := s.room(ctx, n); err != nil {
		return Upload{}, err
	}
	id, err := s.begin(ctx, name, n, person)
	if err != nil {
		return Upload{}, err
	}
	return s.finish(ctx, id, tmp, n)
}

// isDisk tells a disk that takes no more from a line that was cut: only the first is ours to mend.
func isDisk(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EIO)
}

// discard ends a file on its way.
func (s *Service) discard(f *os.File) {
	_ = f.Close() // it was written or it is not needed
	if err := os.Remove(f.Name()); err != nil {
		s.log.Warn("remove a file on its way", "err", err)
	}
}

// finish looks at a file that has arrived, keeps its bytes, and then says that it is here: a row never
// points to nothing.
func (s *Service) finish(ctx context.Context, id string, f *os.File, size int64) (Upload, error) {
	kind, err := kindOf(f.Name())
	if err != nil {
		return Upload{}, err
	}
	entries, found := look(f.Name(), kind)
	picture := s.keepPreview(ctx, id, f, kind)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Upload{}, err
	}
	if err := s.store.Put(ctx, id, f, size); err != nil {
		return Upload{}, err
	}
	foundJSON, err := json.Marshal(found)
	if err != nil {
		return Upload{}, err
	}
	if entries == nil {
		entries = []Entry{}
	}
	entriesJSON, err := json.Marshal(entries)
	if err != nil {
		return Upload{}, err
	}
	var r row
	err = s.db.GetContext(ctx, &r, `UPDATE uploads SET state = 'here', size = $2, arrived = $2, media_type = $3, preview = $4, found = $5, entries = $6
		WHERE id = $1 RETURNING `+columns, id, size, kind, picture, string(foundJSON), string(entriesJSON))
	if err != nil {
		return Upload{}, postgres.Kind(ctx, err)
	}
	return r.upload()
}

// keepPreview makes the picture that is shown; without one the file is only offered for saving.
func (s *Service) keepPreview(ctx context.Context, id string, f *os.File, kind string) bool {
	if !strings.HasPrefix(kind, "image/") || shown[kind] == "" {
		return false
	}
	select {
	case s.one <- struct{}{}:
		defer func() { <-s.one }()
	case <-ctx.Done():
		return false
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return false
	}
	data, err := preview(f)
	if err == nil {
		err = s.store.Put(ctx, id+".preview", strings.NewReader(string(data)), int64(len(data)))
	}
	if err != nil {
		s.log.Debug("no preview", "upload", id, "err", err)
	}
	return err == nil
}

// To is what files are named by; one of the two numbers is set.
type To struct {
	Ticket   int64
	Comment  string // of the ticket; empty: its diagnostics
	Chat     string
	Internal bool // named by a note
}

// Claim gives files to a ticket or a chat, in the transaction of what names them. From then on they
// belong to it alone. Naming them again for the same thing is no change. field is where they are named.
func (s *Service) Claim(ctx context.Context, tx *sqlx.Tx, field string, ids []string, to To, person string) error {
	if len(ids) > MaxNamed {
		return fault.WrongField(field, fmt.Sprintf("Up to %d files.", MaxNamed))
	}
	for i, id := range ids {
		wrong := fault.WrongField(fmt.Sprintf("%s[%d]", field, i), "There is no such upload.")
		if _, err := uuid.Parse(id); err != nil {
			return wrong
		}
		res, err := tx.ExecContext(ctx, `UPDATE uploads SET ticket = COALESCE(ticket, NULLIF($2::bigint, 0)), comment = COALESCE(comment, $3), chat = COALESCE(chat, $4),
			internal = internal OR $5 WHERE id = $1 AND state = 'here' AND (
				(ticket IS NULL AND chat IS NULL AND (uploader IS NULL OR uploader::text = $6))
				OR ($2::bigint <> 0 AND ticket = $2) OR ($4::uuid IS NOT NULL AND chat = $4))`,
			id, to.Ticket, postgres.NullText(to.Comment), postgres.NullText(to.Chat), to.Internal, person)
		if err != nil {
			return fmt.Errorf("name uploads: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return wrong
		}
	}
	return nil
}

// Move gives the files of a chat to the ticket that it becomes, too.
func Move(ctx context.Context, tx *sqlx.Tx, chat string, ticket int64) error {
	if _, err := tx.ExecContext(ctx, `UPDATE uploads SET ticket = $2 WHERE chat = $1 AND ticket IS NULL`, chat, ticket); err != nil {
		return fmt.Errorf("move uploads: %w", err)
	}
	return nil
}

// OfTickets gives the files of tickets: those of each comment by its id, and by "" those that the first
// ticket has without a comment. What came with a note is for staff.
func OfTickets(ctx context.Context, q sqlx.QueryerContext, tickets []int64, staff bool) (map[string][]Upload, error) {
	var rows []row
	if err := sqlx.SelectContext(ctx, q, &rows, `SELECT `+columns+` FROM uploads WHERE ticket = ANY($1) AND state = 'here' AND ($2 OR NOT internal)
		AND (comment IS NOT NULL OR ticket = $3) ORDER BY created_at, id`, pq.Int64Array(tickets), staff, tickets[0]); err != nil {
		return nil, postgres.Kind(ctx, err)
	}
	out := map[string][]Upload{}
	for i := range rows {
		u, err := rows[i].upload()
		if err != nil {
			return nil, err
		}
		key := ""
		if rows[i].Comment != nil {
			key = *rows[i].Comment
		}
		out[key] = append(out[key], u)
	}
	return out, nil
}

// ByID gives uploads by their ids, in that order; what is not there is left out.
func ByID(ctx context.Context, q sqlx.QueryerContext, ids []string) ([]Upload, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []row
	if err := sqlx.SelectContext(ctx, q, &rows, `SELECT `+columns+` FROM uploads WHERE id::text = ANY($1) AND state = 'here'
		ORDER BY array_position($1, id::text)`, pq.StringArray(ids)); err != nil {
		return nil, postgres.Kind(ctx, err)
	}
	var out []Upload
	for i := range rows {
		u, err := rows[i].upload()
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}

// Free gives uploads that nothing has named yet, for a form that comes back with them.
func (s *Service) Free(ctx context.Context, ids []string) ([]Upload, error) {
	var free []string
	if err := s.db.SelectContext(ctx, &free, `SELECT id FROM uploads WHERE id::text = ANY($1) AND ticket IS NULL AND chat IS NULL`, pq.StringArray(ids)); err != nil {
		return nil, postgres.Kind(ctx, err)
	}
	return ByID(ctx, s.db, free)
}

// may gives a file's row to whoever may see it; foreign and unknown are alike.
func (s *Service) may(ctx context.Context, id string, p *accounts.Person, token string) (row, error) {
	var r row
	if _, err := uuid.Parse(id); err != nil {
		return r, errUpload()
	}
	err := postgres.Kind(ctx, s.db.GetContext(ctx, &r, `SELECT `+columns+` FROM uploads WHERE id = $1 AND state = 'here'`, id))
	if fault.KindOf(err) == fault.Missing {
		return r, errUpload()
	}
	if err != nil {
		return r, err
	}
	if p.Staff() {
		return r, nil
	}
	ok := false
	switch {
	case r.Internal:
	case p != nil && r.Ticket == nil && r.Chat == nil:
		ok = r.Uploader != nil && *r.Uploader == p.ID
	case p != nil && r.Ticket != nil:
		ok, err = s.MayTicket(ctx, p.ID, *r.Ticket)
	}
	if err == nil && !ok && !r.Internal && r.Chat != nil && token != "" {
		ok, err = s.MayChat(ctx, token, *r.Chat)
	}
	if err == nil && !ok {
		err = errUpload()
	}
	return r, err
}

// Sweep forgets what nothing has named within a day, bytes first: a crash between leaves a row that the
// next sweep finds again.
func (s *Service) Sweep(ctx context.Context) error {
	var ids []string
	err := s.db.SelectContext(ctx, &ids, `SELECT id FROM uploads WHERE ticket IS NULL AND chat IS NULL AND created_at < $1 LIMIT 1000`, s.now().Add(-keepFree))
	if err != nil {
		return fmt.Errorf("look for uploads that nothing names: %w", err)
	}
	for _, id := range ids {
		for _, key := range []string{id, id + ".preview"} {
			if err := s.store.Delete(ctx, key); err != nil {
				return fmt.Errorf("sweep uploads: %w", err)
			}
		}
		if err := s.dropParts(ctx, id); err != nil {
			return err
		}
		if _, err := s.db.ExecContext(ctx, `DELETE FROM uploads WHERE id = $1 AND ticket IS NULL AND chat IS NULL`, id); err != nil {
			return fmt.Errorf("sweep uploads: %w", err)
		}
	}
	return s.sweepArriving()
}

// sweepArriving removes what a crash has left in the folder of files on their way.
func (s *Service) sweepArriving() error {
	list, err := os.ReadDir(s.tmp)
	if err != nil {
		return err
	}
	for _, one := range list {
		if info, err := one.Info(); err == nil && s.now().Sub(info.ModTime()) > keepFree {
			if err := os.Remove(filepath.Join(s.tmp, one.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
