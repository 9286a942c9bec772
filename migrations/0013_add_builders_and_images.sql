-- An app may run a ready image. SQLite changes no CHECK of a table in place, so it is made anew (SQLite docs, "Making
-- Other Kinds Of Table Schema Changes"); foreign keys are off while migrations run, and checked afterwards.
CREATE TABLE apps_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects (id),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    source_kind TEXT NOT NULL CHECK (source_kind IN ('git', 'push', 'image')),
    source_url TEXT,
    source_branch TEXT,
    source_root_dir TEXT NOT NULL DEFAULT '',
    source_submodules INTEGER NOT NULL DEFAULT 1,
    source_watch_paths TEXT NOT NULL DEFAULT '[]',
    source_image TEXT,
    builder TEXT NOT NULL,
    build_context TEXT NOT NULL,
    build_dockerfile TEXT NOT NULL,
    build_target TEXT,
    build_command TEXT,
    publish_dir TEXT,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    health_path TEXT,
    health_timeout_s INTEGER NOT NULL,
    memory_mb INTEGER,
    cpus REAL,
    start_command TEXT,
    release_command TEXT,
    stop_timeout_s INTEGER NOT NULL DEFAULT 10,
    auto_deploy INTEGER NOT NULL,
    -- What serves: the release, and the deployment whose instance runs it.
    active_release_id INTEGER REFERENCES releases (id) ON DELETE SET NULL,
    active_deployment_id INTEGER REFERENCES deployments (id) ON DELETE SET NULL,
    env_version INTEGER NOT NULL DEFAULT 0,
    domains_version INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    stopped_at INTEGER,
    deleting_at INTEGER,
    CHECK ((source_kind = 'git') = (source_url IS NOT NULL)),
    CHECK ((source_kind = 'image') = (source_image IS NOT NULL))
) STRICT;
INSERT INTO apps_new (id, project_id, slug, name, source_kind, source_url, source_branch, source_root_dir,
    source_submodules, source_watch_paths, builder, build_context, build_dockerfile, build_target, port, health_path,
    health_timeout_s, memory_mb, cpus, start_command, release_command, stop_timeout_s, auto_deploy, active_release_id,
    active_deployment_id, env_version, domains_version, created_at, stopped_at, deleting_at)
SELECT id, project_id, slug, name, source_kind, source_url, source_branch, source_root_dir,
    source_submodules, source_watch_paths, builder, build_context, build_dockerfile, build_target, port, health_path,
    health_timeout_s, memory_mb, cpus, start_command, release_command, stop_timeout_s, auto_deploy, active_release_id,
    active_deployment_id, env_version, domains_version, created_at, stopped_at, deleting_at
FROM apps;
-- Ids of removed apps are not given again: names of Docker objects are made of them.
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'apps') WHERE name = 'apps_new';
DROP TABLE apps;
ALTER TABLE apps_new RENAME TO apps;
CREATE UNIQUE INDEX apps_by_slug ON apps (slug) WHERE deleting_at IS NULL;
CREATE INDEX apps_by_project ON apps (project_id, id);

-- How an app's source would be built, as it was last looked at. outcome: JSON; NULL until somebody has looked.
CREATE TABLE build_plans (
    app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    outcome TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX build_plans_unseen ON build_plans (app_id) WHERE outcome IS NULL;

-- Asked for with newer base images and without the build cache.
ALTER TABLE deployments ADD COLUMN is_fresh INTEGER NOT NULL DEFAULT 0;
