//! Uploaded certificates among the hosts of all apps: the proxy keeps them in one store and chooses by their names,
//! whoever uploaded them, and has none made for a host that one of them is for (Traefik docs, "TLS").

use super::claim;
use super::input::Checked;
use crate::actions::{Error, Result};
use crate::db;
use crate::model::Invalid;
use crate::model::certificate::CertificateChain;
use crate::model::domain::{Domain, Tls};
use crate::model::host::Host;
use crate::model::ids::ProjectId;
use crate::model::user::Actor;

/// Refuses a certificate that would act at the panel's host or at one of another project, which is for an owner or
/// admin of the instance to allow. `before`: the domain before the change; what served already may stay.
pub(super) fn check(
    tx: &db::Tx,
    panel: Option<&Host>,
    actor: &Actor,
    project: ProjectId,
    before: Option<&Domain>,
    checked: &Checked,
) -> Result<()> {
    let meant = checked
        .certificate
        .as_ref()
        .filter(|_| checked.domain.tls == Tls::Custom);
    let Some((chain, _)) = meant else { return Ok(()) };
    let served = before.filter(|domain| domain.tls == Tls::Custom);
    let served = served.and_then(|domain| domain.certificate.as_ref());
    if actor.sees_all() || served.is_some_and(|served| served.chain == chain.pem) {
        return Ok(());
    }
    let whose = if let Some(host) = panel.filter(|host| chain.acts_on(host)) {
        format!("{host}, the panel's own address")
    } else {
        let holders = db::domains::list_holders_outside(tx, project)?;
        match holders.iter().find(|holder| chain.acts_on(&holder.host)) {
            Some(holder) => format!(
                "{}, which belongs to {}",
                holder.host,
                claim::name_for(tx, actor, holder)?
            ),
            None => return Ok(()),
        }
    };
    let message = format!(
        "The certificate would act at {whose}. Use one without that name; only an admin of this Dhow may upload this one."
    );
    Err(Error::field("certificate", Invalid::new(message)))
}

/// The certificates that the proxy has from anybody.
pub(super) async fn list(db: &db::Db) -> Result<Vec<CertificateChain>> {
    let chains = db.read(db::domains::list_certificates).await?;
    let chains = chains.iter().filter_map(|pem| CertificateChain::parse(pem).ok());
    Ok(chains.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::domains::{DomainInput, input};
    use crate::model::domain::StoredCertificate;
    use crate::model::user::{Email, Role};
    use rcgen::{CertificateParams, KeyPair};

    const ROWS: &str = "
        INSERT INTO projects (id, slug, name, created_at) VALUES (1, 'ours', 'Ours', 0), (2, 'theirs', 'Theirs', 0);
        INSERT INTO apps (id, project_id, slug, name, source_kind, builder, build_context, build_dockerfile, port,
            health_timeout_s, auto_deploy, created_at)
            VALUES (1, 1, 'own', 'Own', 'push', 'dockerfile', '.', 'Dockerfile', 80, 60, 1, 0),
                   (2, 2, 'other', 'Other', 'push', 'dockerfile', '.', 'Dockerfile', 80, 60, 1, 0);
        INSERT INTO domains (app_id, host, path_prefix, tls, created_at)
            VALUES (1, 'b.example.com', '/', 'off', 0), (2, 'a.example.org', '/', 'off', 0),
                   (2, '*.wild.org', '/', 'off', 0);
    ";

    fn with_names(names: &[&str]) -> Checked {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let input = DomainInput {
            host: "a.example.com".to_owned(),
            tls: "custom".to_owned(),
            certificate: Some(certificate.pem()),
            private_key: Some(key.serialize_pem()),
            ..DomainInput::default()
        };
        input::check(&input, None).expect("a certificate for the host")
    }

    #[tokio::test]
    async fn a_certificate_for_somebody_elses_host_too_is_for_an_admin_to_upload() {
        let dir = tempfile::tempdir().unwrap();
        let db = db::Db::open(&dir.path().join("dhow.db")).unwrap();
        let tried = db.write(|tx| {
            tx.execute_batch(ROWS).unwrap();
            let panel = Host::parse("dhow.example.com").unwrap();
            let actor = |name: &str, role| {
                db::users::insert(tx, &Email::parse(name).unwrap(), "hash", role).unwrap();
                Actor::person(db::users::find_by_email(tx, name).unwrap().unwrap())
            };
            let (member, admin) = (actor("m@x", Role::Member), actor("a@x", Role::Admin));
            for (names, refusal) in [
                (&["a.example.com"][..], None),
                (&["a.example.com", "b.example.com", "c.example.org"], None),
                (
                    &["a.example.com", "a.example.org"],
                    Some("a.example.org, which belongs to an app of another"),
                ),
                (
                    &["a.example.com", "*.example.org"],
                    Some("a.example.org, which belongs"),
                ),
                (&["a.example.com", "x.wild.org"], Some("*.wild.org, which belongs")),
                (&["*.example.com"], Some("dhow.example.com, the panel's")),
            ] {
                let checked = with_names(names);
                let check = |actor, before| check(tx, Some(&panel), actor, ProjectId(1), before, &checked);
                let answer = check(&member, None).map_err(|error| format!("{error:?}"));
                match refusal {
                    None => assert_eq!(answer, Ok(()), "{names:?}"),
                    Some(words) => assert!(
                        answer.clone().is_err_and(|e| e.contains(words)),
                        "{names:?}: {answer:?}"
                    ),
                }
                assert!(check(&admin, None).is_ok(), "{names:?}");
                let stored = Domain {
                    certificate: Some(StoredCertificate {
                        chain: checked.certificate.as_ref().unwrap().0.pem.clone(),
                        sealed_key: Vec::new(),
                    }),
                    ..checked.domain.clone()
                };
                assert!(check(&member, Some(&stored)).is_ok(), "what serves already stays");
            }
            Ok::<_, Error>(())
        });
        tried.await.unwrap();
    }
}
