-- +goose Up

CREATE TABLE chats (
    id              uuid PRIMARY KEY,
    token_hash      bytea       NOT NULL,
    state           text        NOT NULL CHECK (state IN ('queued', 'active', 'ended', 'missed')),
    reason          text        NOT NULL DEFAULT '', -- why it ended, was missed or waits again
    customer_name   text        NOT NULL,
    customer_email  text        NOT NULL,
    customer_id     uuid REFERENCES people ON DELETE SET NULL, -- signed in when it began
    product         text        NOT NULL DEFAULT '',
    page_url        text        NOT NULL DEFAULT '',
    user_agent      text        NOT NULL DEFAULT '',
    question        text        NOT NULL,
    seq             bigint      NOT NULL DEFAULT 0,  -- number of the last message; the row lock makes it gapless
    champion_id     uuid REFERENCES people,
    champion_name   text        NOT NULL DEFAULT '',
    offered_to      uuid REFERENCES people,
    offered_until   timestamptz,
    passed_by       uuid[]      NOT NULL DEFAULT '{}', -- champions who let an offer lapse
    created_at      timestamptz NOT NULL,
    waiting_since   timestamptz NOT NULL,            -- place in the queue; the front for one whose champion vanished
    accepted_at     timestamptz,
    ended_at        timestamptz,
    customer_node     uuid,                          -- node that last saw a socket of the customer
    customer_gone_at  timestamptz,                   -- no socket of the customer since
    idem_key          text UNIQUE,                   -- a repeated request finds its first chat
    last_customer_at  timestamptz,
    last_champion_at  timestamptz,
    preview         text        NOT NULL DEFAULT '',
    read_customer   bigint      NOT NULL DEFAULT 0,
    read_champion   bigint      NOT NULL DEFAULT 0,
    ticket          bigint,
    change          bigint      NOT NULL DEFAULT 0   -- grows with every change of state, so that late news is known as such
) WITH (fillfactor = 70); -- room for the counter's updates in place
CREATE INDEX chats_waiting ON chats (waiting_since) WHERE state = 'queued';
CREATE INDEX chats_active ON chats (champion_id) WHERE state = 'active';
CREATE INDEX chats_email ON chats (customer_email, created_at DESC);
CREATE INDEX chats_ended ON chats (champion_id, ended_at DESC) WHERE state IN ('ended', 'missed');
CREATE INDEX chats_ticket ON chats (ticket) WHERE ticket IS NOT NULL;

-- The durable log. (chat_id, seq) has no gaps; (chat_id, id) makes a repeat find its first number.
CREATE TABLE messages (
    chat_id     uuid        NOT NULL REFERENCES chats ON DELETE CASCADE,
    seq         bigint      NOT NULL,
    id          text        NOT NULL,
    sender      smallint    NOT NULL, -- 0 system, 1 customer, 2 champion
    sender_id   uuid,
    sender_name text        NOT NULL,
    body        text        NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (chat_id, seq),
    UNIQUE (chat_id, id)
);

-- Notes of champions. They have no seq, and no road to the customer.
CREATE TABLE notes (
    chat_id     uuid        NOT NULL REFERENCES chats ON DELETE CASCADE,
    id          text        NOT NULL,
    author_id   uuid        NOT NULL,
    author_name text        NOT NULL,
    body        text        NOT NULL,
    at          timestamptz NOT NULL,
    after_seq   bigint      NOT NULL,
    PRIMARY KEY (chat_id, id)
);

-- Who wants to work, and how much at once. Whether somebody is really there is a lease beside it.
CREATE TABLE presence (
    person_id  uuid PRIMARY KEY REFERENCES people ON DELETE CASCADE,
    state      text        NOT NULL CHECK (state IN ('online', 'away', 'offline')),
    capacity   int         NOT NULL CHECK (capacity BETWEEN 1 AND 50),
    changed_at timestamptz NOT NULL
);

-- A node renews one lease for each champion who has a socket there. A node that dies or freezes loses them.
CREATE TABLE presence_leases (
    person_id  uuid        NOT NULL REFERENCES people ON DELETE CASCADE,
    node_id    uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, node_id)
);
CREATE INDEX presence_leases_expiry ON presence_leases (expires_at);

-- append_messages gives numbers to a batch under the lock of each chat's row, and writes it as one statement and
-- one commit. A function, because each statement inside it sees what was committed before it: after waiting for a lock
-- it finds a repeat that another node has just written. Rows of one chat must come in the order they were sent in.
--
-- Out, one row for each row in, in the same order: seq and at (of the first copy when repeated), and a verdict:
-- 'new', 'repeat', 'ended' (chat over), 'not_yours' (another champion has it), 'unknown' (no such chat), 'differs'.
-- +goose StatementBegin
CREATE FUNCTION append_messages(
    in_chats uuid[], in_ids text[], in_senders smallint[], in_sender_ids uuid[], in_names text[], in_bodies text[], in_at timestamptz
) RETURNS TABLE (out_seq bigint, out_at timestamptz, out_verdict text) LANGUAGE plpgsql AS $$
BEGIN
    -- In order of id: two nodes that write to the same chats cannot wait for each other in a circle.
    PERFORM 1 FROM chats c WHERE c.id = ANY (in_chats) ORDER BY c.id FOR NO KEY UPDATE;
    RETURN QUERY
    WITH given AS (
        SELECT g.*, row_number() OVER (PARTITION BY g.chat, g.mid ORDER BY g.ord) AS copy
        FROM unnest(in_chats, in_ids, in_senders, in_sender_ids, in_names, in_bodies)
             WITH ORDINALITY AS g (chat, mid, sender, sender_id, name, body, ord)
    ), judged AS (
        SELECT g.*, c.seq AS last, m.seq AS old_seq, m.at AS old_at,
               CASE
                   WHEN c.id IS NULL THEN 'unknown'
                   WHEN m.seq IS NOT NULL AND (m.body <> g.body OR m.sender <> g.sender) THEN 'differs'
                   WHEN m.seq IS NOT NULL THEN 'repeat'
                   WHEN c.state NOT IN ('queued', 'active') THEN 'ended'
                   WHEN g.sender = 2 AND (c.state <> 'active' OR c.champion_id IS DISTINCT FROM g.sender_id) THEN 'not_yours'
                   ELSE 'new'
               END AS verdict
        FROM given g
        LEFT JOIN chats c ON c.id = g.chat
        LEFT JOIN messages m ON m.chat_id = g.chat AND m.id = g.mid
    ), numbered AS (
        SELECT j.chat, j.mid, j.sender, j.sender_id, j.name, j.body, j.ord,
               j.last + row_number() OVER (PARTITION BY j.chat ORDER BY j.ord) AS seq
        FROM judged j WHERE j.verdict = 'new' AND j.copy = 1
    ), written AS (
        INSERT INTO messages (chat_id, seq, id, sender, sender_id, sender_name, body, at)
        SELECT n.chat, n.seq, n.mid, n.sender, n.sender_id, n.name, n.body, in_at FROM numbered n
    ), counted AS (
        UPDATE chats c SET
            seq = l.seq,
            preview = left(l.body, 140),
            last_customer_at = CASE WHEN l.from_customer THEN in_at ELSE c.last_customer_at END,
            last_champion_at = CASE WHEN l.from_champion THEN in_at ELSE c.last_champion_at END
        FROM (
            SELECT n.chat, max(n.seq) AS seq, (array_agg(n.body ORDER BY n.seq DESC))[1] AS body,
                   bool_or(n.sender = 1) AS from_customer, bool_or(n.sender = 2) AS from_champion
            FROM numbered n GROUP BY n.chat
        ) l WHERE c.id = l.chat
    )
    SELECT COALESCE(j.old_seq, n.seq, 0), COALESCE(j.old_at, in_at),
           CASE WHEN j.verdict = 'new' AND j.copy > 1
                THEN CASE WHEN j.body = f.body AND j.sender = f.sender THEN 'repeat' ELSE 'differs' END
                ELSE j.verdict END
    FROM judged j
    LEFT JOIN numbered n ON n.chat = j.chat AND n.mid = j.mid
    LEFT JOIN judged f ON f.chat = j.chat AND f.mid = j.mid AND f.copy = 1
    ORDER BY j.ord;
END $$;
-- +goose StatementEnd
