-- +goose Up

-- A mail that a limit holds back is kept where people can see it. While a node sends a mail it is
-- claimed, and next_at is the end of the claim, so that a mail of a node that dies is taken up by
-- another one; tries tells the claims apart.
ALTER TABLE outbox
    DROP CONSTRAINT outbox_state_check,
    ADD CONSTRAINT outbox_state_check CHECK (state IN ('waiting', 'sent', 'failed', 'held')),
    ADD COLUMN queued_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN claimed boolean NOT NULL DEFAULT false;
CREATE INDEX outbox_newest ON outbox (queued_at DESC, id);
CREATE INDEX outbox_address ON outbox (to_email, queued_at);
