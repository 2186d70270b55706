-- +goose Up

-- Where the customer's clock stands, as his browser says: the console shows it, and the ticket's mails use it.
ALTER TABLE chats ADD COLUMN timezone text NOT NULL DEFAULT '';
