//! One conversation over SSH: dial, check the host key, sign in, ask for the repository, carry bytes.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{self, AuthResult, Handle};
use russh::keys::{Algorithm, EcdsaCurve, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate, decode_secret_key};
use russh::{Channel, ChannelMsg, SshId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::SshRelay;
use crate::git::Error;
use crate::git::relay::MAX_LIST_BYTES;

/// Kinds of host keys that can be checked, in order of preference; RSA is not among them.
const HOST_KEYS: [Algorithm; 4] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP256,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP384,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP521,
    },
];

/// Carries one conversation between libgit2 and the server's `git-upload-pack`.
pub(super) async fn converse(relay: &SshRelay<'_>, client: TcpStream) -> Result<(), Error> {
    let key = find_key(relay)?;
    let mut session = connect(relay).await?;
    sign_in(relay, &mut session, key).await?;
    let channel = ask(relay, &session).await?;
    carry(relay, channel, client).await
}

/// A key with its fingerprint.
struct Key {
    private: PrivateKeyWithHashAlg,
    fingerprint: String,
}

fn find_key(relay: &SshRelay<'_>) -> Result<Key, Error> {
    let url = relay.door.url;
    let found = relay
        .door
        .access
        .credential
        .and_then(|credential| credential.key_for(url));
    let (private, fingerprint) = found.ok_or_else(|| {
        Error::Auth(format!(
            "{} is reached by SSH, and the app has no key for it. Make one on the app's source page, and add its public \
             half to the repository as a deploy key.",
            url.authority()
        ))
    })?;
    let private = decode_secret_key(private, None)
        .map_err(|_| Error::Auth("The app's SSH key cannot be read. Make a new one on its source page.".to_owned()))?;
    Ok(Key {
        private: PrivateKeyWithHashAlg::new(Arc::new(private), None),
        fingerprint: fingerprint.to_owned(),
    })
}

/// Notes what the server shows; accepts any, since it is judged before anything else is said.
struct Witness(Arc<Mutex<Option<PublicKey>>>);

impl client::Handler for Witness {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            return Ok(false);
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
        Ok(true)
    }
}

async fn connect(relay: &SshRelay<'_>) -> Result<Handle<Witness>, Error> {
    let (url, access) = (relay.door.url, relay.door.access);
    let limit = access.limits.connect;
    let dialled = relay.door.destination.dial(limit).await;
    let socket = dialled.map_err(|reason| relay.unreachable(&reason))?;
    let mut preferred = russh::Preferred::default();
    let known = access.host_keys.algorithm_of(url);
    let others = HOST_KEYS.into_iter().filter(|kind| Some(kind) != known.as_ref());
    preferred.key = Cow::Owned(known.iter().cloned().chain(others).collect());
    let config = client::Config {
        client_id: SshId::Standard(Cow::Borrowed("SSH-2.0-dhow")),
        preferred,
        ..client::Config::default()
    };
    let shown = Arc::default();
    let connecting = client::connect_stream(Arc::new(config), socket, Witness(Arc::clone(&shown)));
    let session = match timeout(limit, connecting).await {
        Ok(Ok(session)) => session,
        Ok(Err(error)) => return Err(relay.unreachable(&explain(&error))),
        Err(_) => return Err(relay.unreachable(&format!("it did not greet within {} s", limit.as_secs_f32()))),
    };
    let shown: Option<PublicKey> = shown.lock().unwrap_or_else(PoisonError::into_inner).take();
    let shown = shown.ok_or_else(|| relay.unreachable("it showed no host key"))?;
    access.host_keys.check(url, &shown)?;
    Ok(session)
}

/// Tries the key, once.
async fn sign_in(relay: &SshRelay<'_>, session: &mut Handle<Witness>, key: Key) -> Result<(), Error> {
    let (url, limit) = (relay.door.url, relay.door.access.limits.connect);
    let user = url.ssh_user().unwrap_or_default();
    match timeout(limit, session.authenticate_publickey(user, key.private)).await {
        Ok(Ok(AuthResult::Success)) => Ok(()),
        Ok(Ok(AuthResult::Failure { .. })) => Err(Error::Auth(format!(
            "Authentication failed: {} does not accept the app's key {} for the user {user}. Add the public key, which \
             is on the app's source page, to the repository as a deploy key.",
            url.authority(),
            key.fingerprint
        ))),
        Ok(Err(error)) => Err(relay.unreachable(&explain(&error))),
        Err(_) => Err(relay.unreachable(&format!("it did not judge the key within {} s", limit.as_secs_f32()))),
    }
}

/// Asks for the repository.
async fn ask(relay: &SshRelay<'_>, session: &Handle<Witness>) -> Result<Channel<client::Msg>, Error> {
    let limit = relay.door.access.limits.connect;
    // The path holds no quote: no such address can be made.
    let command = format!("git-upload-pack '{}'", relay.door.url.path());
    let asking = async {
        let channel = session.channel_open_session().await?;
        channel.exec(true, command).await?;
        Ok::<_, russh::Error>(channel)
    };
    match timeout(limit, asking).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(error)) => Err(relay.unreachable(&explain(&error))),
        Err(_) => Err(relay.unreachable(&format!("it did not answer within {} s", limit.as_secs_f32()))),
    }
}

/// Carries bytes until one side ends.
async fn carry(relay: &SshRelay<'_>, mut channel: Channel<client::Msg>, client: TcpStream) -> Result<(), Error> {
    let (idle, pack_bytes) = (relay.door.access.limits.idle, relay.door.access.limits.pack_bytes);
    let authority = &relay.door.destination.authority;
    let (mut from_client, mut to_client) = client.into_split();
    let mut buffer = vec![0; 32 * 1024];
    let (mut received, mut has_asked) = (0, false);
    loop {
        tokio::select! {
            read = from_client.read(&mut buffer) => match read {
                Ok(count) if count > 0 => {
                    has_asked = true;
                    let sent = channel.data_bytes(buffer[..count].to_vec()).await;
                    sent.map_err(|error| relay.unreachable(&explain(&error)))?;
                }
                // libgit2 has what it wanted, or has given up, and says why.
                _ => return Ok(()),
            },
            message = timeout(idle, channel.wait()) => match message {
                Err(_) => {
                    return Err(relay.unreachable(&format!("it has sent nothing for {} s", idle.as_secs_f32())));
                }
                Ok(Some(ChannelMsg::Data { data })) => {
                    received += data.len() as u64;
                    // The list of branches is kept in memory, packs on disk.
                    if !has_asked && received > MAX_LIST_BYTES {
                        return Err(Error::list_too_long(authority, MAX_LIST_BYTES));
                    }
                    if received > pack_bytes.saturating_add(MAX_LIST_BYTES) {
                        return Err(Error::pack_too_large(authority, pack_bytes));
                    }
                    if to_client.write_all(&data).await.is_err() {
                        return Ok(());
                    }
                }
                Ok(Some(ChannelMsg::ExtendedData { data, .. })) => relay.hear(&data),
                Ok(Some(ChannelMsg::Failure | ChannelMsg::Close) | None) => {
                    let _gone = to_client.shutdown().await;
                    return if received == 0 { Err(nothing_given(relay)) } else { Ok(()) };
                }
                Ok(Some(_)) => {}
            },
        }
    }
}

/// The server took the key, and then gave nothing out.
fn nothing_given(relay: &SshRelay<'_>) -> Error {
    let (url, said) = (relay.door.url, relay.remarks().join(" "));
    let said = if said.is_empty() {
        String::new()
    } else {
        format!(" (“{said}”)")
    };
    Error::RepositoryNotFound(format!(
        "{} gives out no repository {} to the app's key{said}. Check the spelling, and that the key is a deploy key of \
         this very repository.",
        url.authority(),
        url.path()
    ))
}

fn explain(error: &russh::Error) -> String {
    match error {
        russh::Error::NoCommonAlgo { kind, .. } => {
            format!("it offers no {kind:?} algorithm that Dhow knows; host keys may be Ed25519 or ECDSA, not RSA")
        }
        russh::Error::Disconnect | russh::Error::HUP => "it closed the connection".to_owned(),
        error => error.to_string().trim_end_matches('.').to_owned(),
    }
}
