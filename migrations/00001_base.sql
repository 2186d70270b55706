-- +goose Up

-- People are customers and staff alike; the role says which. A customer who only
-- ever wrote a ticket or a chat has no row here: an account is made by proving an address.
CREATE TABLE people (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          text        NOT NULL,
    role          text        NOT NULL CHECK (role IN ('customer', 'champion', 'manager', 'admin')),
    password_hash text,
    capacity      int         NOT NULL DEFAULT 4 CHECK (capacity BETWEEN 1 AND 50),
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz
);

-- One person may have several addresses; an address belongs to one person at most.
-- Addresses are kept in lower case.
CREATE TABLE addresses (
    email       text PRIMARY KEY CHECK (email = lower(email)),
    person_id   uuid        NOT NULL REFERENCES people ON DELETE CASCADE,
    is_main     boolean     NOT NULL DEFAULT true,
    verified_at timestamptz
);
CREATE INDEX addresses_person ON addresses (person_id);

-- Secrets are kept as SHA-256 of 256 random bits: a stolen table opens no door.
CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    person_id  uuid        NOT NULL REFERENCES people ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    user_agent text        NOT NULL DEFAULT '',
    address    text        NOT NULL DEFAULT ''
);
CREATE INDEX sessions_person ON sessions (person_id);

CREATE TABLE api_tokens (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    token_hash bytea       NOT NULL UNIQUE,
    person_id  uuid        NOT NULL REFERENCES people ON DELETE CASCADE,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL,
    used_at    timestamptz
);

-- Links that change something once: setup, verify, reset, invite, sign-in.
CREATE TABLE links (
    token_hash bytea PRIMARY KEY,
    purpose    text        NOT NULL,
    person_id  uuid REFERENCES people ON DELETE CASCADE,
    email      text        NOT NULL DEFAULT '',
    payload    jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);

-- Settings are one document; every version stays, so the newest row is in force
-- and the others are its history.
CREATE TABLE settings (
    version bigint PRIMARY KEY,
    doc     jsonb       NOT NULL,
    at      timestamptz NOT NULL,
    by_id   uuid,
    by_name text        NOT NULL DEFAULT ''
);

-- An answer that may be asked for again by its Idempotency-Key, for a day.
CREATE TABLE idempotency (
    key        bytea PRIMARY KEY, -- hash of person, route and key
    request    bytea       NOT NULL, -- hash of the content
    status     int,                  -- null while the first is under way
    body       bytea,
    created_at timestamptz NOT NULL
);
CREATE INDEX idempotency_age ON idempotency (created_at);

-- Nodes that are alive. A node that does not renew its lease is gone.
CREATE TABLE nodes (
    id         uuid PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

-- Counters for limits that hold on all nodes together.
CREATE UNLOGGED TABLE rate_limits (
    bucket     text PRIMARY KEY,
    tokens     double precision NOT NULL,
    updated_at timestamptz      NOT NULL
);

-- What is known to have been done by whom to what, outside tickets.
CREATE TABLE audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    actor   text        NOT NULL,
    action  text        NOT NULL,
    subject text        NOT NULL DEFAULT '',
    detail  jsonb       NOT NULL DEFAULT '{}'
);
