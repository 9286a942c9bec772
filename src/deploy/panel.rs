//! The panel's own way through the proxy: where the proxy finds it, and how it is known that nobody else comes so.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Context, DeployError, pointing, routes};
use crate::db;
use crate::dns::own_addresses;
use crate::docker;
use crate::model::host::Host;
use crate::model::pointing::{Pointing, Verdict};
use crate::traefik::{self, proxy};

/// The machine's own address in the proxy's network, at which the proxy alone is listened to.
pub async fn gateway(context: &Context) -> Result<Option<IpAddr>, docker::Error> {
    let name = proxy::name(&context.config.instance);
    context.engine.gateway_of(&name, &name).await
}

/// The proxy's address in its own network, while it runs.
pub async fn address(context: &Context) -> Option<IpAddr> {
    let name = proxy::name(&context.config.instance);
    let state = context.engine.inspect_container(&name).await.ok()??;
    state.addresses.get(&name)?.parse().ok()
}

/// What is known of the panel's own name.
#[derive(Default)]
pub(super) struct PanelName(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Where the proxy finds the panel, once it is served.
    door: Option<SocketAddr>,
    /// Where its DNS led when it was last looked up.
    pointing: Option<Pointing>,
    points_here: bool,
}

impl PanelName {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the DNS says now; answers whether that is news, and whether a certificate may be asked for. A DNS that
    /// cannot be asked changes nothing.
    fn note(&self, pointing: &Pointing) -> (bool, bool) {
        let mut known = self.known();
        known.points_here = match pointing.verdict {
            Verdict::Right => true,
            Verdict::Wrong | Verdict::Missing => false,
            Verdict::Unknown => known.points_here,
        };
        let is_news = known.pointing.as_ref() != Some(pointing);
        known.pointing = Some(pointing.clone());
        (is_news, known.points_here)
    }
}

/// Has the proxy pass requests for the panel's own name on to this address. A certificate is asked for once [`look`]
/// sees that the name leads here: an authority counts attempts in vain. One that was had before serves meanwhile.
pub async fn serve(context: &Context, host: &Host, door: SocketAddr) -> anyhow::Result<()> {
    let apps = list_apps_at(context, host).await?;
    if !apps.is_empty() {
        let apps = apps.join(", ");
        tracing::warn!(%host, apps, "apps have domains at the panel's address, which serve nobody now; remove them there");
    }
    write(context, host, door, false).await?;
    context.panel_name.known().door = Some(door);
    Ok(())
}

/// Looks up where the panel's own name leads, each time while that is wrong and else where `is_all`, and has the proxy
/// ask for its certificate as long as that is here.
pub(super) async fn look(context: &Context, is_all: bool) -> Result<(), DeployError> {
    let may_have_certificate = |host: &&Host| context.config.has_acme() && host.is_public_name();
    let Some(host) = context.config.panel_domain.as_ref().filter(may_have_certificate) else {
        return Ok(());
    };
    let (door, is_right) = {
        let known = context.panel_name.known();
        (known.door, known.points_here)
    };
    let Some(door) = door.filter(|_| is_all || !is_right) else {
        return Ok(());
    };
    let (own, known) = (own_addresses(), pointing::known_addresses(context).await);
    let pointing = Pointing::new(context.dns.look_up(host).await, &own, &known);
    let (is_news, points_here) = context.panel_name.note(&pointing);
    if is_news && !points_here {
        tracing::warn!(%host, "the panel waits for its certificate: {}", words(host, &pointing));
    }
    // The same text is not written again.
    write(context, host, door, points_here).await?;
    Ok(())
}

/// What is wrong with the panel's DNS, and which record makes it right.
fn words(host: &Host, pointing: &Pointing) -> String {
    let found: Vec<String> = pointing.found.iter().map(IpAddr::to_string).collect();
    let now = match pointing.verdict {
        Verdict::Right => "its DNS leads to this machine".to_owned(),
        Verdict::Wrong => format!("its DNS leads to {}, not to this machine alone", found.join(", ")),
        Verdict::Missing => "its DNS has no address".to_owned(),
        Verdict::Unknown => {
            let reason = pointing.reason.as_deref().unwrap_or_default();
            format!("the DNS could not be asked ({reason})")
        }
    };
    match pointing.records(host) {
        records if records.is_empty() => format!("{now}. Make a record that leads to this machine."),
        records => format!("{now}. Record to make: {}", records.join("; ")),
    }
}

async fn write(context: &Context, host: &Host, door: SocketAddr, points_here: bool) -> Result<(), traefik::Error> {
    let text = traefik::render_panel(host, door, routes::public_ports(context), points_here);
    context.routes.write(traefik::panel_file(), &text).await?;
    Ok(())
}

/// The slugs of apps that have the panel's host from before it was the panel's.
async fn list_apps_at(context: &Context, host: &Host) -> Result<Vec<String>, db::Error> {
    let at = host.clone();
    let holders = context.db.read(move |c| db::domains::list_holders(c, &[&at])).await?;
    let mut apps: Vec<String> = holders.into_iter().map(|holder| holder.slug).collect();
    apps.dedup();
    Ok(apps)
}

#[cfg(test)]
mod tests {
    use super::{PanelName, words};
    use crate::model::host::Host;
    use crate::model::pointing::{Found, Pointing};
    use std::net::IpAddr;

    #[test]
    fn the_panel_asks_for_a_certificate_only_while_its_dns_is_right_and_says_once_what_is_wrong() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let seen = |found| Pointing::new(found, &[address("9.9.9.9")], &[]);
        let at = |text| seen(Found::Addresses(vec![address(text)]));
        let unknown = || seen(Found::Unknown("timed out".to_owned()));
        let name = PanelName::default();
        for (pointing, expected) in [
            (unknown(), (true, false)),
            (at("8.8.8.8"), (true, false)),
            (at("8.8.8.8"), (false, false)),
            (at("9.9.9.9"), (true, true)),
            (unknown(), (true, true)),
            (at("8.8.8.8"), (true, false)),
        ] {
            assert_eq!(name.note(&pointing), expected, "{pointing:?}");
        }
        let host = Host::parse("dhow.example.com").expect("a host");
        assert_eq!(
            words(&host, &at("8.8.8.8")),
            "its DNS leads to 8.8.8.8, not to this machine alone. Record to make: dhow.example.com. A 9.9.9.9"
        );
    }
}
