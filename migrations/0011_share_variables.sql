-- Variables that a project shares with its apps.
-- sealed: the value under secret.key, bound to the project's id and the key.
CREATE TABLE project_env_vars (
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    sealed BLOB NOT NULL,
    is_secret INTEGER NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('run', 'build', 'both')),
    PRIMARY KEY (project_id, key)
) STRICT, WITHOUT ROWID;
ALTER TABLE projects ADD COLUMN env_version INTEGER NOT NULL DEFAULT 0;

-- Which variables a row of the audit is about: names with a space between, never values.
CREATE TABLE env_changes (
    audit_id INTEGER PRIMARY KEY REFERENCES audit (id) ON DELETE CASCADE,
    app_id INTEGER REFERENCES apps (id) ON DELETE CASCADE,
    project_id INTEGER REFERENCES projects (id) ON DELETE CASCADE,
    added TEXT NOT NULL,
    changed TEXT NOT NULL,
    removed TEXT NOT NULL,
    CHECK ((app_id IS NULL) <> (project_id IS NULL))
) STRICT;
CREATE INDEX env_changes_by_app ON env_changes (app_id, audit_id) WHERE app_id IS NOT NULL;
CREATE INDEX env_changes_by_project ON env_changes (project_id, audit_id) WHERE project_id IS NOT NULL;
