-- +goose Up

-- Reports ask for a period of time.
CREATE INDEX chats_created ON chats (created_at);
CREATE INDEX tickets_created ON tickets (created_at);
CREATE INDEX surveys_answered ON surveys (answered_at) WHERE answered_at IS NOT NULL;
CREATE INDEX ticket_history_status ON ticket_history (at) WHERE event IN ('created', 'status');
