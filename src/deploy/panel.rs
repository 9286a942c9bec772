//! The panel's own way through the proxy: where the proxy finds it, and how it is known that nobody else comes so.

use std::net::{IpAddr, SocketAddr};

use super::{Context, routes};
use crate::db;
use crate::docker;
use crate::model::host::Host;
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

/// Has the proxy pass requests for the panel's own name on to this address.
pub async fn serve(context: &Context, host: &Host, door: SocketAddr) -> anyhow::Result<()> {
    let apps = list_apps_at(context, host).await?;
    if !apps.is_empty() {
        tracing::warn!(%host, apps = apps.join(", "), "apps have domains at the panel's address, which serve nobody now; remove them there");
    }
    let has_certificate = context.config.has_acme() && host.is_public_name();
    let text = traefik::render_panel(host, door, routes::public_ports(context), has_certificate);
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
