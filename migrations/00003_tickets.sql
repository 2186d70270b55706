-- +goose Up

CREATE SEQUENCE ticket_numbers START 1001;

CREATE TABLE tickets (
    number          bigint PRIMARY KEY DEFAULT nextval('ticket_numbers'),
    status          text        NOT NULL CHECK (status IN ('open', 'pending', 'solved', 'closed')),
    priority        text        NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    level           smallint    NOT NULL, -- the priority as a number, for order
    subject         text        NOT NULL,
    requester_id    uuid REFERENCES people ON DELETE SET NULL,
    requester_name  text        NOT NULL,
    requester_email text        NOT NULL,
    assignee_id     uuid REFERENCES people,
    origin          text        NOT NULL CHECK (origin IN ('web', 'chat', 'mail', 'api')),
    diagnostics     jsonb       NOT NULL DEFAULT '{}',
    version         int         NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    update_due_at   timestamptz,
    solves_at       timestamptz,
    closes_at       timestamptz,
    remind_at       timestamptz,
    reminded        int         NOT NULL DEFAULT 0,
    pending_since   timestamptz,
    last_public_at  timestamptz,
    solved_cause    text        NOT NULL DEFAULT '',
    closed_cause    text        NOT NULL DEFAULT '',
    survey_at       timestamptz,
    merged_into     bigint REFERENCES tickets,
    escalated       boolean     NOT NULL DEFAULT false,
    wake_at         timestamptz,          -- when a timer has to look again
    follow_up_of    bigint REFERENCES tickets,
    chat_id         uuid UNIQUE,          -- a chat becomes one ticket at most
    idem_key        text UNIQUE,
    search          tsvector    NOT NULL DEFAULT ''
);
CREATE INDEX tickets_wake ON tickets (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX tickets_live ON tickets (status, assignee_id) WHERE status <> 'closed';
CREATE INDEX tickets_due ON tickets (update_due_at) WHERE status = 'open';
CREATE INDEX tickets_requester ON tickets (requester_id, number DESC);
CREATE INDEX tickets_email ON tickets (requester_email, number DESC);
CREATE INDEX tickets_follow_up ON tickets (follow_up_of) WHERE follow_up_of IS NOT NULL;
CREATE INDEX tickets_search ON tickets USING gin (search);

CREATE TABLE comments (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    ticket      bigint      NOT NULL REFERENCES tickets ON DELETE CASCADE,
    author_kind text        NOT NULL CHECK (author_kind IN ('customer', 'champion', 'system')),
    author_id   uuid,
    author_name text        NOT NULL,
    body        text        NOT NULL,
    public      boolean     NOT NULL,
    at          timestamptz NOT NULL,
    idem_key    text UNIQUE
);
CREATE INDEX comments_ticket ON comments (ticket, at);

-- Every change with who, why and when (M59).
CREATE TABLE ticket_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket     bigint      NOT NULL REFERENCES tickets ON DELETE CASCADE,
    at         timestamptz NOT NULL,
    actor_kind text        NOT NULL,
    actor_id   uuid,
    actor_name text        NOT NULL,
    event      text        NOT NULL,
    from_value text        NOT NULL DEFAULT '',
    to_value   text        NOT NULL DEFAULT '',
    why        text        NOT NULL DEFAULT ''
);
CREATE INDEX ticket_history_ticket ON ticket_history (ticket, id);

-- Mails are rows written with their cause: never lost, and one for each cause.
CREATE TABLE outbox (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key        text        NOT NULL UNIQUE,
    kind       text        NOT NULL,
    to_email   text        NOT NULL,
    to_name    text        NOT NULL DEFAULT '',
    ticket     bigint,
    data       jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    state      text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
    tries      int         NOT NULL DEFAULT 0,
    next_at    timestamptz NOT NULL,
    sent_at    timestamptz,
    problem    text        NOT NULL DEFAULT ''
);
CREATE INDEX outbox_waiting ON outbox (next_at) WHERE state = 'waiting';
