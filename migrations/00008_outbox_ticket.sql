-- +goose Up

-- A ticket tells of mails about it that failed.
CREATE INDEX outbox_ticket ON outbox (ticket, queued_at) WHERE ticket IS NOT NULL;
