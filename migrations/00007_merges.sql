-- +goose Up

-- Merges that can be undone for a day: what the ticket was before it went into another.
CREATE TABLE merges (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket   bigint      NOT NULL REFERENCES tickets ON DELETE CASCADE,
    target   bigint      NOT NULL REFERENCES tickets ON DELETE CASCADE,
    former   jsonb       NOT NULL, -- of the ticket
    due      timestamptz,          -- the promise of the other one before it took over an earlier one
    at       timestamptz NOT NULL,
    by_name  text        NOT NULL,
    undone_at timestamptz
);
CREATE INDEX merges_ticket ON merges (ticket, id DESC);
CREATE INDEX tickets_merged ON tickets (merged_into) WHERE merged_into IS NOT NULL;
