-- The queued rows are the queue.
CREATE TABLE deployments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'superseded')),
    step TEXT CHECK (step IN ('fetch', 'build', 'start', 'check', 'switch', 'retire')),
    trigger TEXT NOT NULL,
    wanted_commit TEXT,
    commit_sha TEXT,
    commit_message TEXT,
    commit_author TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    error_kind TEXT,
    error_message TEXT,
    release_id INTEGER REFERENCES releases (id) ON DELETE SET NULL,
    -- What served before the switch: an undo puts it back.
    replaced_release_id INTEGER REFERENCES releases (id) ON DELETE SET NULL,
    replaced_deployment_id INTEGER REFERENCES deployments (id) ON DELETE SET NULL,
    switch_requests INTEGER,
    switch_failed INTEGER,
    switch_ms INTEGER,
    -- How often Dhow, or the engine, ended while the deployment was in death_step.
    deaths INTEGER NOT NULL DEFAULT 0,
    death_step TEXT,
    UNIQUE (app_id, number)
) STRICT;
CREATE INDEX deployments_unfinished ON deployments (status, id) WHERE status IN ('queued', 'running');

CREATE TABLE deployment_steps (
    deployment_id INTEGER NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    step TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ms INTEGER,
    PRIMARY KEY (deployment_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE releases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    deployment_id INTEGER NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    image_id TEXT NOT NULL,
    commit_sha TEXT,
    commit_message TEXT,
    commit_author TEXT,
    port INTEGER NOT NULL,
    health_path TEXT,
    health_timeout_s INTEGER NOT NULL,
    memory_mb INTEGER,
    cpus REAL,
    start_command TEXT,
    release_command TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (app_id, number)
) STRICT;

-- The variables of instances, frozen with the release; sealed values are copied as they are.
CREATE TABLE release_env_vars (
    release_id INTEGER NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    sealed BLOB NOT NULL,
    is_secret INTEGER NOT NULL,
    PRIMARY KEY (release_id, key)
) STRICT, WITHOUT ROWID;
