-- Whose rights counted, and from which address; both are unknown for rows made before, and for Dhow itself.
ALTER TABLE audit ADD COLUMN user_id INTEGER REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE audit ADD COLUMN address TEXT;
CREATE INDEX audit_by_user ON audit (user_id, id);
CREATE INDEX audit_by_action ON audit (action, id);
CREATE INDEX audit_by_time ON audit (at);
