-- What the instance of an app's active release does, as last seen on the engine; a row of another deployment is old.
CREATE TABLE instances (
    app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    deployment_id INTEGER NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('running', 'restarting', 'exited', 'missing')),
    since INTEGER NOT NULL,
    exit_code INTEGER,
    was_out_of_memory INTEGER NOT NULL,
    is_unhealthy INTEGER NOT NULL,
    restarts INTEGER NOT NULL
) STRICT;
