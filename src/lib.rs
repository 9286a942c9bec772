//! Dhow: a self-hosted platform-as-a-service small enough for one VPS.
//!
//! The map of modules is in the README; which module may use which is checked by `tests/architecture.rs`.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::actions::Actions;
use crate::config::{Config, SHUTDOWN_TIMEOUT};
use crate::db::{Db, meta};
use crate::deploy::{Parts, Paths, Worker};
use crate::dns::Dns;
use crate::docker::Engine;
use crate::events::Events;
use crate::logs::Logs;
use crate::model::container::Ownership;
use crate::secrets::{KeyLock, Passwords, SecretKey};
use crate::web::door::Door;

pub mod actions;
pub mod api;
pub mod build;
pub mod cli;
pub mod config;
pub mod db;
pub mod deploy;
pub mod dns;
pub mod docker;
pub mod events;
pub mod git;
pub mod hooks;
pub mod logs;
pub mod model;
pub mod outbound;
pub mod secrets;
pub mod telemetry;
pub mod traefik;
pub mod web;

/// The database's name in the data directory.
pub const DATABASE_FILE: &str = "dhow.db";
/// Held by the one `serve` of a data directory.
const LOCK_FILE: &str = "serve.lock";
/// In `meta`: the random identity that this installation's Docker objects carry.
const OWNER: &str = "owner";
/// The key's name in the data directory.
pub const KEY_FILE: &str = "secret.key";

/// Serves on a listener until `shutdown` resolves. `tell` is given each line that is meant for the operator.
pub async fn run(
    mut config: Config,
    listener: TcpListener,
    tell: impl Fn(&str) -> anyhow::Result<()>,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let data_dir = prepare_data_dir(&config.data.path)?;
    let _lock = lock(&data_dir)?;
    // A port 0 was chosen by the system.
    let address = listener.local_addr().context("the panel's address cannot be told")?;
    config.listen = address;
    let config = Arc::new(config);
    let stop = CancellationToken::new();
    let (actions, worker) = assemble(&config, &data_dir, &stop).await?;
    let pages_and_api = web::router(actions.clone(), stop.clone()).merge(api::router(actions.clone(), stop.clone()));
    let router = web::with_sessions(pages_and_api, &actions, &stop)
        .merge(web::open_router(actions.clone(), stop.clone()))
        .merge(hooks::router(actions.clone(), stop.clone()));
    let door = open_door(&config, &actions).await?;
    tell(&format!("dhow is ready on http://{address}"))?;
    if let Some(token) = actions.claim_token().await.context("users cannot be read")? {
        tell(&format!(
            "No user exists yet. Become the owner within an hour: http://{address}/setup?token={token}"
        ))?;
    }
    let worker = tokio::spawn(worker.run());
    let server = tokio::spawn(web::connections::serve(
        listener,
        router.clone(),
        Door::Direct,
        stop.clone(),
    ));
    let by_proxy = match door {
        Some(door) => tokio::spawn(web::connections::serve(
            door,
            router,
            Door::proxy(actions),
            stop.clone(),
        )),
        None => tokio::spawn(std::future::ready(())),
    };
    shutdown.await;
    tracing::info!("stopping; apps and proxy go on running");
    stop.cancel();
    let stopped = async { (worker.await, server.await, by_proxy.await) };
    match tokio::time::timeout(SHUTDOWN_TIMEOUT, stopped).await {
        Ok((Ok(()), Ok(()), Ok(()))) => {}
        Ok(ended) => tracing::warn!(?ended, "a part ended by a fault"),
        Err(_elapsed) => tracing::warn!("not everything ended in time; the next start takes it up"),
    }
    Ok(())
}

/// Opens the door through which the proxy brings visitors of the panel, where it has a name of its own.
async fn open_door(config: &Config, actions: &Actions) -> anyhow::Result<Option<TcpListener>> {
    let Some(host) = &config.panel_domain else {
        return Ok(None);
    };
    let gateway = actions.deployer.proxy_gateway().await?;
    let gateway = gateway.context("the proxy's network has no address of this machine, which --panel-domain needs")?;
    // The panel's own port where it is free there, for firewalls that have to know it.
    let door = match TcpListener::bind((gateway, config.listen.port())).await {
        Ok(door) => door,
        Err(_) => TcpListener::bind((gateway, 0))
            .await
            .with_context(|| format!("nothing can listen on {gateway}, which --panel-domain needs"))?,
    };
    actions.deployer.serve_panel(host, door.local_addr()?).await?;
    Ok(Some(door))
}

/// Puts the parts together; each failure says what to do.
async fn assemble(
    config: &Arc<Config>,
    data_dir: &Path,
    stop: &CancellationToken,
) -> anyhow::Result<(Actions, Worker)> {
    config.build_network.check().map_err(anyhow::Error::msg)?;
    let database = data_dir.join(DATABASE_FILE);
    let db = Db::open(&database).with_context(|| {
        format!(
            "{} cannot be used; put a backup in its place, or choose another --data-dir",
            database.display()
        )
    })?;
    let secrets = open_key(&db, &data_dir.join(KEY_FILE)).await?;
    actions::webhooks::make_missing(&db, &secrets).await?;
    let logs = Logs::open(&data_dir.join("logs")).context("the directory of logs cannot be used")?;
    let owner = find_or_make_owner(&db).await?;
    let ownership = Ownership {
        instance: config.instance.clone(),
        owner,
    };
    let engine = Engine::connect(config.engine_address().as_deref(), ownership).await?;
    if let Some(object) = engine.other_owner().await? {
        bail!(
            "another Dhow uses the instance name “{}” on this engine ({object}); choose another one with --instance",
            config.instance
        );
    }
    let events = Events::new();
    let parts = Parts {
        dns: Dns::new(config.resolver)?,
        config: Arc::clone(config),
        paths: Paths::new(data_dir),
        db: db.clone(),
        events: events.clone(),
        logs: logs.clone(),
        secrets: secrets.clone(),
        engine,
        shutdown: stop.clone(),
    };
    let (deployer, worker) = deploy::Context::start(parts).await?;
    let passwords = Passwords::start().context("the thread for passwords cannot be started")?;
    Ok((
        Actions::new(db, deployer, events, logs, Arc::clone(config), secrets, passwords),
        worker,
    ))
}

/// Makes the data directory (0700) when missing and answers its absolute path.
pub fn prepare_data_dir(path: &Path) -> anyhow::Result<PathBuf> {
    let unusable = || {
        format!(
            "the data directory {} cannot be used; choose another one with --data-dir",
            path.display()
        )
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(unusable)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).with_context(unusable)?;
    path.canonicalize().with_context(unusable)
}

/// Whether Dhow serves on a data directory now; taken for granted where that cannot be told.
pub fn is_served(data_dir: &Path) -> bool {
    match fs::File::open(data_dir.join(LOCK_FILE)) {
        Ok(file) => file.try_lock().is_err(),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

/// One `serve` a data directory; the lock goes with the process, however it ends.
fn lock(data_dir: &Path) -> anyhow::Result<fs::File> {
    let path = data_dir.join(LOCK_FILE);
    let open = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let file = open.with_context(|| format!("{} cannot be written", path.display()))?;
    if file.try_lock().is_err() {
        bail!(
            "another dhow serves {}; stop it, or choose another --data-dir",
            data_dir.display()
        );
    }
    Ok(file)
}

/// The key of this installation, made at its first start. A missing or another key would lose all that is sealed, bit
/// by bit: nothing is started then, and nothing overwritten.
async fn open_key(db: &Db, path: &Path) -> anyhow::Result<SecretKey> {
    let alone = KeyLock::wait(path)?;
    let stored = db.read(|c| meta::find(c, meta::KEY_FINGERPRINT)).await?;
    let secrets = alone.open(stored.as_deref())?;
    if stored.is_none() {
        let fingerprint = secrets.fingerprint();
        db.write(move |tx| meta::set(tx, meta::KEY_FINGERPRINT, &fingerprint))
            .await?;
    }
    let followed = secrets.clone();
    db.before_each_write(move |tx| {
        let fingerprint = meta::find(tx, meta::KEY_FINGERPRINT)?;
        let followed = fingerprint.map_or(Ok(()), |fingerprint| followed.follow(&fingerprint));
        followed.map_err(|error| db::Error::Key(error.to_string()))
    });
    Ok(secrets)
}

/// The identity of this installation, made once.
async fn find_or_make_owner(db: &Db) -> db::Result<String> {
    db.write(|tx| {
        if let Some(owner) = meta::find(tx, OWNER)? {
            return Ok(owner);
        }
        let owner = secrets::random_label();
        meta::set(tx, OWNER, &owner)?;
        Ok(owner)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Rotation;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_start_during_a_rotation_waits_for_it_and_takes_the_new_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(KEY_FILE);
        let db = Db::open(&dir.path().join(DATABASE_FILE)).unwrap();
        let old = open_key(&db, &path).await.unwrap().fingerprint();
        let rotation = Rotation::begin(KeyLock::wait(&path).unwrap(), &old).unwrap();
        let new = rotation.new_key().fingerprint();
        let (second, at) = (Db::open(&dir.path().join(DATABASE_FILE)).unwrap(), path.clone());
        let starting = tokio::spawn(async move { open_key(&second, &at).await });
        let lock = path.with_extension("key.lock");
        let opened = || {
            let files = fs::read_dir("/proc/self/fd").unwrap().flatten();
            files
                .filter(|file| fs::read_link(file.path()).is_ok_and(|to| to == lock))
                .count()
        };
        while opened() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let fingerprint = new.clone();
        let written = db.write(move |tx| meta::set(tx, meta::KEY_FINGERPRINT, &fingerprint));
        written.await.unwrap();
        rotation.finish().unwrap();
        assert_eq!(starting.await.unwrap().unwrap().fingerprint(), new);
    }
}
