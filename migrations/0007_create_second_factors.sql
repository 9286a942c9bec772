-- Since when a session lasts, when it was last seen (to the hour), and from where it began.
ALTER TABLE sessions ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';
-- Of older sessions none of this is known; their people sign in once more.
DELETE FROM sessions;

-- When a token was last used, to the hour.
ALTER TABLE tokens ADD COLUMN used_at INTEGER;

-- The secret of a user's authenticator app, sealed. It counts from confirmed_at on. last_step is the latest step of
-- 30 s since 1970 whose code was used: no code of it or of an earlier one is good again.
CREATE TABLE second_factors (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed_secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    confirmed_at INTEGER,
    last_step INTEGER NOT NULL DEFAULT 0
) STRICT;

-- SHA-256 of each recovery code that was not used yet; using one deletes it.
CREATE TABLE recovery_codes (
    user_id INTEGER NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
    code_hash BLOB NOT NULL,
    PRIMARY KEY (user_id, code_hash)
) STRICT, WITHOUT ROWID;
