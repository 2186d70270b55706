-- +goose Up

-- append_plain writes a batch in which nothing is unusual: no message is a repeat, every chat goes on, and whoever
-- writes may. That is nearly always so, and costs a fifth of append_messages, which weighs each message by itself. A
-- batch that turns out not to be plain is refused as a whole with CN001, and append_messages has the word.
--
-- The messages come with their places in their chats' shares (from 1); the chats once each, with the size of the share,
-- the champion who writes (null: only the customer), and what the lists show. Out: each chat with its number before.
-- +goose StatementBegin
CREATE FUNCTION append_plain(
    in_chats uuid[], in_places int[], in_ids text[], in_senders smallint[], in_sender_ids uuid[], in_names text[], in_bodies text[], in_at timestamptz,
    of_chats uuid[], of_counts int[], of_champions uuid[], of_previews text[], of_customer boolean[], of_champion boolean[]
) RETURNS TABLE (out_chat uuid, out_before bigint) LANGUAGE plpgsql AS $$
DECLARE
    found_chats bigint;
    written bigint;
BEGIN
    IF cardinality(of_chats) > 1 THEN -- in order of id: two nodes cannot wait for each other in a circle
        PERFORM 1 FROM chats c WHERE c.id = ANY (of_chats) ORDER BY c.id FOR NO KEY UPDATE;
    END IF;
    RETURN QUERY
        UPDATE chats c SET
            seq = c.seq + l.n,
            preview = l.preview,
            last_customer_at = CASE WHEN l.customer THEN in_at ELSE c.last_customer_at END,
            last_champion_at = CASE WHEN l.by_champion THEN in_at ELSE c.last_champion_at END
        FROM unnest(of_chats, of_counts, of_champions, of_previews, of_customer, of_champion) AS l (chat, n, champion, preview, customer, by_champion)
        WHERE c.id = l.chat AND c.state IN ('queued', 'active')
          AND (l.champion IS NULL OR (c.state = 'active' AND c.champion_id = l.champion))
        RETURNING c.id, c.seq - l.n;
    GET DIAGNOSTICS found_chats = ROW_COUNT;
    IF found_chats <> cardinality(of_chats) THEN
        RAISE EXCEPTION 'not plain' USING ERRCODE = 'CN001';
    END IF;
    INSERT INTO messages (chat_id, seq, id, sender, sender_id, sender_name, body, at)
        SELECT g.chat, c.seq - l.n + g.place, g.mid, g.sender, g.sender_id, g.name, g.body, in_at
        FROM unnest(in_chats, in_places, in_ids, in_senders, in_sender_ids, in_names, in_bodies) AS g (chat, place, mid, sender, sender_id, name, body)
        JOIN unnest(of_chats, of_counts) AS l (chat, n) ON l.chat = g.chat
        JOIN chats c ON c.id = g.chat
        ON CONFLICT (chat_id, id) DO NOTHING;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> cardinality(in_chats) THEN
        RAISE EXCEPTION 'not plain' USING ERRCODE = 'CN001';
    END IF;
END $$;
-- +goose StatementEnd
