-- +goose Up

-- Mails tell a customer's instants in his own zone.
ALTER TABLE tickets ADD COLUMN requester_zone text NOT NULL DEFAULT '';

-- One survey for each ticket, after Closed (M38). The token is in the mail; a rating may be changed
-- until changeable_until.
CREATE TABLE surveys (
    ticket           bigint PRIMARY KEY REFERENCES tickets ON DELETE CASCADE,
    token_hash       bytea       NOT NULL UNIQUE,
    email            text        NOT NULL,
    sent_at          timestamptz NOT NULL,
    changeable_until timestamptz NOT NULL,
    rating           smallint CHECK (rating BETWEEN 1 AND 5),
    comment          text        NOT NULL DEFAULT '',
    answered_at      timestamptz
);
CREATE INDEX surveys_email ON surveys (email, sent_at);

-- What a customer asks a manager for (M40-M46). reason is the customer's, answer is for the customer,
-- and why is the manager's and stays inside.
CREATE TABLE escalations (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    ticket     bigint      NOT NULL REFERENCES tickets ON DELETE CASCADE,
    state      text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'declined', 'done')),
    reason     text        NOT NULL,
    priority   text        NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    contact    text        NOT NULL DEFAULT '',
    asked_by   text        NOT NULL,
    created_at timestamptz NOT NULL,
    due_at     timestamptz,
    manager_id uuid REFERENCES people,
    answer     text        NOT NULL DEFAULT '',
    why        text        NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL,
    idem_key   text UNIQUE
);
CREATE UNIQUE INDEX escalations_active ON escalations (ticket) WHERE state IN ('open', 'accepted');
CREATE INDEX escalations_ticket ON escalations (ticket, created_at);
CREATE INDEX escalations_newest ON escalations (created_at DESC, id);
