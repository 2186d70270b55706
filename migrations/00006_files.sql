-- +goose Up

-- What somebody has uploaded. The bytes are in the store under the id. Until it is named by a ticket, a
-- comment or a chat it belongs to nobody, and goes after a day.
CREATE TABLE uploads (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name       text        NOT NULL,
    size       bigint      NOT NULL CHECK (size >= 0),
    arrived    bigint      NOT NULL DEFAULT 0, -- bytes of it that take room
    media_type text        NOT NULL DEFAULT '',
    state      text        NOT NULL DEFAULT 'coming' CHECK (state IN ('coming', 'here')),
    preview    boolean     NOT NULL DEFAULT false,
    found      jsonb       NOT NULL DEFAULT '{}', -- what a log tells: system, version, computers
    entries    jsonb       NOT NULL DEFAULT '[]', -- of an archive
    uploader   uuid REFERENCES people ON DELETE SET NULL,
    ticket     bigint REFERENCES tickets ON DELETE SET NULL,
    comment    uuid REFERENCES comments ON DELETE SET NULL, -- null: part of the ticket's diagnostics
    chat       uuid,
    internal   boolean     NOT NULL DEFAULT false, -- came with a note: never for the customer
    created_at timestamptz NOT NULL
);
CREATE INDEX uploads_free ON uploads (created_at) WHERE ticket IS NULL AND chat IS NULL;
CREATE INDEX uploads_ticket ON uploads (ticket) WHERE ticket IS NOT NULL;
CREATE INDEX uploads_chat ON uploads (chat) WHERE chat IS NOT NULL;
