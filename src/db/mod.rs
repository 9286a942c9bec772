//! The only SQL: one SQLite file in WAL mode, a pool of query-only readers and one writer.
//!
//! Every statement is a free function over `&Connection` in its table's file. Work runs on blocking threads through
//! [`Db::read`] and [`Db::write`]; a write is one `BEGIN IMMEDIATE` transaction, because a deferred one fails on its
//! upgrade without waiting (SQLite docs, "Transactions").

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

pub mod apps;
pub mod audit;
pub mod build_plans;
pub mod deliveries;
pub mod deployments;
pub mod domains;
pub mod env_changes;
pub mod env_vars;
pub mod host_keys;
pub mod instances;
pub mod invitations;
pub mod memberships;
pub mod meta;
pub mod migrate;
pub mod projects;
pub mod pulled_images;
pub mod releases;
pub mod sealed;
pub mod second_factors;
pub mod sessions;
pub mod source_credentials;
pub mod tokens;
pub mod users;
pub mod webhooks;

mod row;

pub use rusqlite::Connection as Tx;

/// Connections that only read; pages are short, so a few serve many.
const READERS: u32 = 4;
/// Statements that the writer keeps prepared: more than one transaction has, so that none is parsed each time anew.
const PREPARED: usize = 128;
/// How long a statement waits for another process's lock (the command line works beside `serve`).
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A unique index refused the row: somebody else has that name.
    #[error("the name is taken")]
    Taken,
    /// There is no room for the write.
    #[error("the disk is full")]
    DiskFull,
    /// Anything else that SQLite says.
    #[error("database: {0}")]
    Sqlite(rusqlite::Error),
    /// No reader could be opened.
    #[error("database: {0}")]
    Pool(#[from] r2d2::Error),
    /// The schema could not be brought up to date.
    #[error("database migration: {0}")]
    Migration(#[from] rusqlite_migration::Error),
    /// The key that counts is not here; the text says which file is to be looked at.
    #[error("{0}")]
    Key(String),
    /// The file could not be made or copied.
    #[error("database file: {0}")]
    File(#[from] std::io::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error().map(|e| e.extended_code) {
            Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => Self::Taken,
            _ if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::Sqlite(error),
        }
    }
}

/// The result of a statement.
pub type Result<T> = std::result::Result<T, Error>;

/// The database; clones share its connections.
#[derive(Clone)]
pub struct Db {
    readers: r2d2::Pool<SqliteConnectionManager>,
    writer: Arc<Mutex<Connection>>,
    before_write: Arc<OnceLock<BeforeWrite>>,
}

type BeforeWrite = Box<dyn Fn(&Tx) -> Result<()> + Send + Sync>;

impl Db {
    /// Opens the file, making it (0600) when missing, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self> {
        create_private_file(path)?;
        let mut writer = Connection::open(path)?;
        configure(&writer)?;
        migrate::migrate(&mut writer, path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let manager = SqliteConnectionManager::file(path)
            .with_flags(flags)
            .with_init(|connection| {
                connection.busy_timeout(BUSY_TIMEOUT)?;
                connection.pragma_update(None, "query_only", true)?;
                connection.pragma_update(None, "cache_size", -256)
            });
        let readers = r2d2::Pool::builder()
            .max_size(READERS)
            .min_idle(Some(1))
            .thread_pool(Arc::new(scheduled_thread_pool::ScheduledThreadPool::new(1)))
            .test_on_check_out(false)
            .build(manager)?;
        Ok(Self {
            readers,
            writer: Arc::new(Mutex::new(writer)),
            before_write: Arc::default(),
        })
    }

    /// Has something looked after at the beginning of each transaction that writes, where no other process can change it
    /// any more. For the key: what is sealed in a transaction is sealed with the one that counts.
    pub fn before_each_write(&self, check: impl Fn(&Tx) -> Result<()> + Send + Sync + 'static) {
        let _only_the_first = self.before_write.set(Box::new(check));
    }

    /// Runs a query on a reader.
    pub async fn read<T, F>(&self, query: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let readers = self.readers.clone();
        run_blocking(move || query(&*readers.get()?)).await
    }

    /// Runs statements in one transaction on the writer; an error rolls all of them back.
    pub async fn write<T, E, F>(&self, statements: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Tx) -> std::result::Result<T, E> + Send + 'static,
    {
        let db = self.clone();
        run_blocking(move || {
            // A panic in a transaction rolled it back when it unwound; the connection is good.
            let mut connection = db.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            db.transact(&mut connection, statements)
        })
        .await
    }

    /// The same, and on the disk when it returns: what is done to a file afterwards cannot come before it. Otherwise a loss
    /// of power may take the last transactions back (SQLite docs, "PRAGMA synchronous").
    pub async fn write_durably<T, E, F>(&self, statements: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Tx) -> std::result::Result<T, E> + Send + 'static,
    {
        let db = self.clone();
        run_blocking(move || {
            let mut connection = db.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let set = |connection: &Connection, level| connection.pragma_update(None, "synchronous", level);
            set(&connection, "full").map_err(Error::from)?;
            let outcome = db.transact(&mut connection, statements);
            // It only costs time to go on like this; what was written is written.
            if let Err(error) = set(&connection, "normal") {
                tracing::warn!(%error, "the database goes on writing durably");
            }
            outcome
        })
        .await
    }

    fn transact<T, E: From<Error>>(
        &self,
        connection: &mut Connection,
        statements: impl FnOnce(&Tx) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::from)?;
        if let Some(check) = self.before_write.get() {
            check(&tx)?;
        }
        let value = statements(&tx)?;
        tx.commit().map_err(Error::from)?;
        Ok(value)
    }
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The busy timeout comes first: setting the journal mode itself may have to wait.
fn configure(connection: &Connection) -> Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -512)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    Ok(())
}

fn create_private_file(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    Ok(())
}

/// One page of a list, newest first.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Rows wanted.
    pub limit: u32,
    /// Only rows with a smaller id (the cursor of the page before).
    pub before: Option<i64>,
}

impl Page {
    /// Rows of a page that does not say how many.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// Most rows of a page.
    pub const MAX_LIMIT: u32 = 200;

    /// The first page.
    pub const fn first(limit: u32) -> Self {
        Self { limit, before: None }
    }

    fn before(self) -> i64 {
        self.before.unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failed_write_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("dhow.db")).unwrap();
        let failed: Result<()> = db
            .write(|tx| {
                meta::set(tx, "a", "1")?;
                Err(Error::Taken)
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(db.read(|c| meta::find(c, "a")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("dhow.db")).unwrap();
        assert!(db.read(|c| meta::set(c, "a", "1")).await.is_err());
    }
}
