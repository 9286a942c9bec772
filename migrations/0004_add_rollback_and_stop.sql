-- Seconds between SIGTERM and SIGKILL.
ALTER TABLE apps ADD COLUMN stop_timeout_s INTEGER NOT NULL DEFAULT 10;
ALTER TABLE releases ADD COLUMN stop_timeout_s INTEGER NOT NULL DEFAULT 10;
-- Since when somebody wants the app not to run.
ALTER TABLE apps ADD COLUMN stopped_at INTEGER;
-- What went into the image, as JSON: equal text, equal image. Unknown for releases made before this column.
ALTER TABLE releases ADD COLUMN build_inputs TEXT;
-- The release that a rollback brings back.
ALTER TABLE deployments ADD COLUMN wanted_release_id INTEGER REFERENCES releases (id) ON DELETE SET NULL;
-- The queue's order: a request that takes a waiting one's place takes its turn too.
ALTER TABLE deployments ADD COLUMN waits_since INTEGER NOT NULL DEFAULT 0;
UPDATE deployments SET waits_since = created_at;
-- When somebody no longer wanted it: a cancel that was accepted holds after a restart of Dhow too.
ALTER TABLE deployments ADD COLUMN cancel_asked_at INTEGER;
CREATE INDEX releases_by_deployment ON releases (deployment_id);
