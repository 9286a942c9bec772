//! The schema's history: embedded files, applied at boot in order, each once, never backwards.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::{Error, Result};

/// Shipped files never change; a new one is added at the end.
const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("../../migrations/0001_create_users.sql")),
    M::up(include_str!("../../migrations/0002_create_projects_and_apps.sql")),
    M::up(include_str!("../../migrations/0003_create_deployments.sql")),
    M::up(include_str!("../../migrations/0004_add_rollback_and_stop.sql")),
    M::up(include_str!("../../migrations/0005_create_instances.sql")),
    M::up(include_str!("../../migrations/0006_create_memberships.sql")),
    M::up(include_str!("../../migrations/0007_create_second_factors.sql")),
    M::up(include_str!("../../migrations/0008_add_origin_to_audit.sql")),
    M::up(include_str!("../../migrations/0009_create_webhooks.sql")),
    M::up(include_str!("../../migrations/0010_create_source_credentials.sql")),
    M::up(include_str!("../../migrations/0011_share_variables.sql")),
    M::up(include_str!("../../migrations/0012_extend_domains.sql")),
    M::up(include_str!("../../migrations/0013_add_builders_and_images.sql")).foreign_key_check(),
    M::up(include_str!("../../migrations/0014_pull_images.sql")),
    M::up(include_str!("../../migrations/0015_guess_ports.sql")),
];

/// Brings the schema up to date; a database that holds something is copied aside first.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    let migrations = Migrations::from_slice(MIGRATIONS);
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if migrations.pending_migrations(connection)? > 0 && version > 0 {
        copy_aside(connection, path, version)?;
    }
    // Within a transaction this cannot be switched, and a table that is made anew would take its dependants along.
    connection.pragma_update(None, "foreign_keys", false)?;
    let migrated = migrations.to_latest(connection);
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(migrated?)
}

fn copy_aside(connection: &Connection, path: &Path, version: i64) -> Result<()> {
    let copy = path.with_extension(format!("before-migration-{version}.db"));
    match std::fs::remove_file(&copy) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::File(error)),
        _ => {}
    }
    // VACUUM INTO accepts an existing empty file (SQLite docs, "VACUUM"): made here so that it is private at once.
    super::create_private_file(&copy)?;
    connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_are_valid_and_copy_a_used_database() {
        Migrations::from_slice(MIGRATIONS).validate().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dhow.db");
        let mut connection = Connection::open(&path).unwrap();
        Migrations::from_slice(MIGRATIONS)
            .to_version(&mut connection, 1)
            .unwrap();
        connection.execute("INSERT INTO meta VALUES ('k', 'kept')", []).unwrap();
        migrate(&mut connection, &path).unwrap();
        let copy = Connection::open(dir.path().join("dhow.before-migration-1.db")).unwrap();
        let kept: String = copy.query_row("SELECT value FROM meta", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, "kept");
        assert!(copy.prepare("SELECT * FROM apps").is_err());
    }

    #[test]
    fn a_table_that_is_made_anew_keeps_its_rows_and_what_depends_on_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dhow.db");
        let mut connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        Migrations::from_slice(MIGRATIONS)
            .to_version(&mut connection, 12)
            .unwrap();
        let rows = "INSERT INTO projects (id, slug, name, created_at) VALUES (1, 'p', 'P', 0); \
             INSERT INTO apps (id, project_id, slug, name, source_kind, builder, build_context, build_dockerfile, port, \
             health_timeout_s, auto_deploy, created_at) \
             VALUES (7, 1, 'web', 'Web', 'push', 'dockerfile', '', 'Dockerfile', 3000, 60, 1, 5), \
             (9, 1, 'gone', 'Gone', 'push', 'dockerfile', '', 'Dockerfile', 3000, 60, 1, 5); \
             INSERT INTO domains (app_id, host, path_prefix, tls, created_at) VALUES (7, 'a.example', '/', 'off', 0); \
             DELETE FROM apps WHERE id = 9;";
        connection.execute_batch(rows).unwrap();
        migrate(&mut connection, &path).unwrap();
        let number = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
        assert_eq!(number("SELECT count(*) FROM domains WHERE app_id = 7"), 1);
        assert_eq!(number("SELECT created_at FROM apps WHERE slug = 'web'"), 5);
        assert_eq!(number("SELECT seq FROM sqlite_sequence WHERE name = 'apps'"), 9);
        assert_eq!(number("SELECT foreign_keys FROM pragma_foreign_keys"), 1);
        connection.execute("DELETE FROM apps", []).unwrap();
        assert_eq!(
            number("SELECT count(*) FROM domains"),
            0,
            "they still belong to the table"
        );
    }
}
