-- How a forge tells of pushes: an address that cannot be guessed, and the secret that signs what is sent there,
-- sealed. Apps made before this table get their row at the next start.
CREATE TABLE webhooks (
    app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    public_id TEXT NOT NULL UNIQUE,
    sealed_secret BLOB NOT NULL CHECK (length(sealed_secret) > 0),
    created_at INTEGER NOT NULL,
    rotated_at INTEGER
) STRICT;

-- What came to a webhook, and what was decided about it. A row without a decision waits for the worker.
-- is_deferred: it had to wait, and was answered so. payload: masked, and no longer than its cap.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    received_at INTEGER NOT NULL,
    forge TEXT CHECK (forge IN ('github', 'gitlab', 'gitea', 'bitbucket')),
    event TEXT NOT NULL,
    forge_id TEXT,
    signature TEXT NOT NULL CHECK (signature IN ('valid', 'wrong', 'missing')),
    git_ref TEXT,
    before_sha TEXT,
    commit_sha TEXT,
    commit_message TEXT,
    commit_author TEXT,
    is_forced INTEGER NOT NULL,
    skip_marker TEXT,
    default_branch TEXT,
    is_deferred INTEGER NOT NULL,
    decision TEXT,
    rule TEXT,
    reason TEXT,
    deployment_id INTEGER REFERENCES deployments (id) ON DELETE SET NULL,
    replay_of INTEGER,
    payload TEXT NOT NULL
) STRICT;
-- A forge that sends the same once more is answered as the first time.
CREATE UNIQUE INDEX deliveries_by_forge_id ON deliveries (app_id, forge_id) WHERE signature = 'valid';
CREATE INDEX deliveries_by_app ON deliveries (app_id, id);
CREATE INDEX deliveries_by_time ON deliveries (received_at);
CREATE INDEX deliveries_by_deployment ON deliveries (deployment_id);
CREATE INDEX deliveries_undecided ON deliveries (app_id, id) WHERE decision IS NULL;
CREATE INDEX deliveries_refused ON deliveries (app_id, id) WHERE signature <> 'valid';

-- Globs as a JSON list; a push that changes none of these paths deploys nothing. Empty: every push does.
ALTER TABLE apps ADD COLUMN source_watch_paths TEXT NOT NULL DEFAULT '[]';
-- The branch whose commit it deploys, where one was followed.
ALTER TABLE deployments ADD COLUMN branch TEXT;
