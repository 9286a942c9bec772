-- deleting_at: asked to be deleted; the row goes when its Docker objects are gone.
CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deleting_at INTEGER
) STRICT;
CREATE UNIQUE INDEX projects_by_slug ON projects (slug) WHERE deleting_at IS NULL;

CREATE TABLE apps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects (id),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    source_kind TEXT NOT NULL CHECK (source_kind IN ('git', 'push')),
    source_url TEXT,
    source_branch TEXT,
    source_root_dir TEXT NOT NULL DEFAULT '',
    source_submodules INTEGER NOT NULL DEFAULT 1,
    builder TEXT NOT NULL,
    build_context TEXT NOT NULL,
    build_dockerfile TEXT NOT NULL,
    build_target TEXT,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    health_path TEXT,
    health_timeout_s INTEGER NOT NULL,
    memory_mb INTEGER,
    cpus REAL,
    start_command TEXT,
    release_command TEXT,
    auto_deploy INTEGER NOT NULL,
    -- What serves: the release, and the deployment whose instance runs it.
    active_release_id INTEGER REFERENCES releases (id) ON DELETE SET NULL,
    active_deployment_id INTEGER REFERENCES deployments (id) ON DELETE SET NULL,
    env_version INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    deleting_at INTEGER,
    CHECK ((source_kind = 'git') = (source_url IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX apps_by_slug ON apps (slug) WHERE deleting_at IS NULL;
CREATE INDEX apps_by_project ON apps (project_id, id);

-- sealed: the value under secret.key, bound to the app's id and the key.
CREATE TABLE env_vars (
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    sealed BLOB NOT NULL,
    is_secret INTEGER NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('run', 'build', 'both')),
    PRIMARY KEY (app_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE domains (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    host TEXT NOT NULL,
    path_prefix TEXT NOT NULL,
    tls TEXT NOT NULL CHECK (tls IN ('auto', 'off', 'custom')),
    redirect_to TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (host, path_prefix)
) STRICT;
CREATE INDEX domains_by_app ON domains (app_id, id);
