-- sealed: a token, or a private key, under secret.key, bound to the app's id and the kind.
-- origin: the only server that a token is sent to.
CREATE TABLE source_credentials (
    app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('token', 'key')),
    origin TEXT,
    username TEXT,
    sealed BLOB NOT NULL,
    public_key TEXT,
    fingerprint TEXT,
    created_at INTEGER NOT NULL,
    CHECK ((kind = 'token') = (origin IS NOT NULL AND username IS NOT NULL)),
    CHECK ((kind = 'key') = (public_key IS NOT NULL AND fingerprint IS NOT NULL))
) STRICT;

-- What servers showed at first contact by SSH.
CREATE TABLE host_keys (
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    PRIMARY KEY (host, port)
) STRICT, WITHOUT ROWID;
