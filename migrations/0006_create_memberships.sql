-- Who belongs to a project, and as what. Owners and admins of the instance need no row: they see everything.
CREATE TABLE memberships (
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'developer', 'admin')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id);

-- token_hash: SHA-256 of the link's token, so that a copy of the database lets nobody in. A row ends by being used,
-- by its time, or by being taken back, which deletes it.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    project_id INTEGER REFERENCES projects (id) ON DELETE CASCADE,
    project_role TEXT CHECK (project_role IN ('viewer', 'developer', 'admin')),
    invited_by INTEGER REFERENCES users (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

-- A deactivated user can do nothing, and nothing of what they did is forgotten.
ALTER TABLE users ADD COLUMN deactivated_at INTEGER;
-- An invitation of somebody who is a user already lets them set a new password, nothing else.
ALTER TABLE invitations ADD COLUMN user_id INTEGER REFERENCES users (id) ON DELETE CASCADE;
CREATE INDEX invitations_by_email ON invitations (email);
