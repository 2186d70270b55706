-- +goose Up

-- Answers that are given often, with variables that are filled in when one is used.
CREATE TABLE macros (
    id         uuid PRIMARY KEY,
    name       text        NOT NULL,
    body       text        NOT NULL,
    version    int         NOT NULL DEFAULT 1,
    by_name    text        NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX macros_name ON macros (lower(name));

-- What somebody of the staff has written and not sent, by chat or ticket.
CREATE TABLE drafts (
    person_id uuid        NOT NULL REFERENCES people ON DELETE CASCADE,
    place     text        NOT NULL,
    body      text        NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (person_id, place)
);
CREATE INDEX drafts_at ON drafts (at);
