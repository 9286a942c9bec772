-- An invitation of somebody who is a user already lets them set a new password, nothing else.
ALTER TABLE invitations ADD COLUMN user_id INTEGER REFERENCES users (id) ON DELETE CASCADE;
CREATE INDEX invitations_by_email ON invitations (email);
