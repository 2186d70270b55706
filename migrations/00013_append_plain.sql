-- +goose Up

-- append_plain writes a batch in which nothing is unusual: no message is a repeat, every chat goes on, and whoever
-- writes may. That is nearly always so, and costs a fraction of append_messages, which weighs each message by itself. A
-- batch that turns out not to be plain is refused as a whole with CN001, and append_messages has the word.
--
-- The messages come with their places in their chats' shares (from 1); the chats once each, in order of id, with the
-- size of the share, the champion who writes (null: only the customer), and what the lists show. Out: each chat with its
-- number before. Two nodes that meet in the same chats take them in the same order as long as the planner follows the
-- array; should they ever wait for each other in a circle, one is tried again.
-- +goose StatementBegin
CREATE FUNCTION append_plain(
    in_chats uuid[], in_places int[], in_ids text[], in_senders smallint[], in_sender_ids uuid[], in_names text[], in_bodies text[], in_at timestamptz,
    of_chats uuid[], of_counts int[], of_champions uuid[], of_previews text[], of_customer boolean[], of_champion boolean[]
) RETURNS TABLE (out_chat uuid, out_before bigint) LANGUAGE plpgsql AS $$
DECLARE
    chats_found bigint;
BEGIN
    RETURN QUERY
    WITH counted AS (
        UPDATE chats c SET
            seq = c.seq + l.n,
            preview = l.preview,
            last_customer_at = CASE WHEN l.customer THEN in_at ELSE c.last_customer_at END,
            last_champion_at = CASE WHEN l.by_champion THEN in_at ELSE c.last_champion_at END
        FROM unnest(of_chats, of_counts, of_champions, of_previews, of_customer, of_champion) AS l (chat, n, champion, preview, customer, by_champion)
        WHERE c.id = l.chat AND c.state IN ('queued', 'active')
          AND (l.champion IS NULL OR (c.state = 'active' AND c.champion_id = l.champion))
        RETURNING c.id, c.seq - l.n AS before
    ), fresh AS (
        INSERT INTO messages (chat_id, seq, id, sender, sender_id, sender_name, body, at)
        SELECT g.chat, c.before + g.place, g.mid, g.sender, g.sender_id, g.name, g.body, in_at
        FROM unnest(in_chats, in_places, in_ids, in_senders, in_sender_ids, in_names, in_bodies) AS g (chat, place, mid, sender, sender_id, name, body)
        JOIN counted c ON c.id = g.chat
        ON CONFLICT (chat_id, id) DO NOTHING RETURNING 1
    ), checked AS (SELECT count(*) AS n FROM fresh)
    SELECT c.id, c.before FROM counted c, checked WHERE checked.n = cardinality(in_chats);
    GET DIAGNOSTICS chats_found = ROW_COUNT;
    IF chats_found <> cardinality(of_chats) THEN
        RAISE EXCEPTION 'not plain' USING ERRCODE = 'CN001';
    END IF;
END $$;
-- +goose StatementEnd

-- append_one does the same for a batch of one message, which is what there is while it is quiet. Gives its number.
-- +goose StatementBegin
CREATE FUNCTION append_one(
    in_chat uuid, in_id text, in_sender smallint, in_sender_id uuid, in_name text, in_body text, in_at timestamptz, in_preview text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
    UPDATE chats c SET seq = c.seq + 1, preview = in_preview,
        last_customer_at = CASE WHEN in_sender = 1 THEN in_at ELSE c.last_customer_at END,
        last_champion_at = CASE WHEN in_sender = 2 THEN in_at ELSE c.last_champion_at END
    WHERE c.id = in_chat AND c.state IN ('queued', 'active') AND (in_sender <> 2 OR (c.state = 'active' AND c.champion_id = in_sender_id))
    RETURNING c.seq INTO n;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not plain' USING ERRCODE = 'CN001';
    END IF;
    INSERT INTO messages (chat_id, seq, id, sender, sender_id, sender_name, body, at)
    VALUES (in_chat, n, in_id, in_sender, in_sender_id, in_name, in_body, in_at) ON CONFLICT (chat_id, id) DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not plain' USING ERRCODE = 'CN001';
    END IF;
    RETURN n;
END $$;
-- +goose StatementEnd
