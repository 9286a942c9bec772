//! Networks: one a project and one for the proxy, each with a range of addresses of its own.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use bollard::models::{
    Ipam, IpamConfig, Network, NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest,
};

use super::ownership::{Filters, Labels};
use super::{Engine, Error};
use crate::model::subnet::{Subnet, SubnetPool, routed_networks};

/// The routes of the machine that Dhow runs on; without the file there are none to mind.
const ROUTES: &str = "/proc/net/route";

impl Engine {
    /// Makes a bridge network, with a /24 from the pool if one is given, unless ours exists already. `Conflict` when a
    /// foreign network has the name, `Refused` when no range of the pool is free.
    pub async fn ensure_network(
        &self,
        name: &str,
        subnet: Option<&SubnetPool>,
        labels: BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let _one_at_a_time = self.network_creation.lock().await;
        let networks = self.networks(&Filters::new()).await?;
        if let Some(holder) = networks.iter().find(|network| network.name.as_deref() == Some(name)) {
            return self.confirm_ours(name, holder);
        }
        let labels = self.with_our_labels(&labels);
        let Some(pool) = subnet else {
            return self.create_network(name, None, labels).await;
        };
        let mut taken: Vec<Subnet> = networks.iter().flat_map(subnets_of).collect();
        // A network of the machine itself, such as a VPN, would be cut off; the engine does not look at those.
        taken.extend(routed_networks(&std::fs::read_to_string(ROUTES).unwrap_or_default()));
        for candidate in pool
            .subnets()
            .filter(|candidate| !taken.iter().any(|subnet| subnet.overlaps(candidate)))
        {
            match self.create_network(name, Some(candidate), labels.clone()).await {
                // Another instance was faster, or a range that the list does not show is in the way.
                Err(Error::Refused(message)) if message.contains("overlap") => {}
                outcome => return outcome,
            }
        }
        Err(Error::Refused(format!(
            "no /24 of the pool {pool} is free for network `{name}`; remove networks that are not needed or start Dhow \
             with a larger --subnet-pool"
        )))
    }

    /// Removes it; one that is gone is fine. `Refused` when it is not ours, `Conflict` when a container is still in it.
    pub async fn remove_network(&self, name: &str) -> Result<(), Error> {
        let id = match self.our_network(name).await {
            Ok(network) => network.id.unwrap_or_default(),
            Err(Error::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let docker = self.docker().await?;
        match docker.remove_network(&id).await.map_err(self.explain()) {
            Err(Error::NotFound(_)) => Ok(()),
            Err(Error::Refused(message)) if message.contains("active endpoints") => Err(Error::Conflict(message)),
            outcome => outcome,
        }
    }

    /// The machine's own address in a network, as one of our containers in it was told; `None` where it was told none.
    pub async fn gateway_of(&self, container: &str, network: &str) -> Result<Option<IpAddr>, Error> {
        let found = self.our_container(container).await?;
        let networks = found.network_settings.and_then(|settings| settings.networks);
        let endpoint = networks.and_then(|mut networks| networks.remove(network));
        Ok(endpoint.and_then(|endpoint| endpoint.gateway?.parse().ok()))
    }

    /// Names of our networks.
    pub async fn list_networks(&self) -> Result<Vec<String>, Error> {
        let networks = self.networks(&self.our_filters([])).await?;
        Ok(networks.into_iter().filter_map(|network| network.name).collect())
    }

    /// Puts a container into a network, both ours; one that is in it already is fine.
    pub async fn connect_network(&self, network: &str, container: &str) -> Result<(), Error> {
        let network = self.our_network(network).await?;
        let (container, is_member) = self.member(container, &network).await?;
        if is_member {
            return Ok(());
        }
        let docker = self.docker().await?;
        let request = NetworkConnectRequest {
            container,
            endpoint_config: None,
        };
        let outcome = docker.connect_network(&network.id.unwrap_or_default(), request).await;
        match outcome.map_err(self.explain()) {
            // Somebody else was faster.
            Err(Error::Refused(message) | Error::Conflict(message))
                if message.contains("already exists in network") =>
            {
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Takes a container out of a network, both ours; one that is not in it, or a network or container that is gone,
    /// is fine.
    pub async fn disconnect_network(&self, network: &str, container: &str) -> Result<(), Error> {
        let outcome = self.disconnect(network, container).await;
        match outcome {
            Err(Error::NotFound(_)) => Ok(()),
            Err(Error::Refused(message)) if message.contains("is not connected to") => Ok(()),
            outcome => outcome,
        }
    }

    async fn disconnect(&self, network: &str, container: &str) -> Result<(), Error> {
        let network = self.our_network(network).await?;
        let (container, is_member) = self.member(container, &network).await?;
        if !is_member {
            return Ok(());
        }
        let docker = self.docker().await?;
        let request = NetworkDisconnectRequest { container, force: None };
        docker
            .disconnect_network(&network.id.unwrap_or_default(), request)
            .await
            .map_err(self.explain())
    }

    /// Id of our container, and whether it is in the network. A network that was made anew under its old name counts
    /// by its id.
    async fn member(&self, container: &str, network: &Network) -> Result<(String, bool), Error> {
        let found = self.our_container(container).await?;
        let endpoints = found
            .network_settings
            .and_then(|settings| settings.networks)
            .unwrap_or_default();
        let is_member = endpoints.values().any(|endpoint| endpoint.network_id == network.id);
        Ok((found.id.unwrap_or_default(), is_member))
    }

    async fn our_network(&self, name: &str) -> Result<Network, Error> {
        // The engine's filter by name also finds names that only contain it.
        let filters = HashMap::from([("name".to_owned(), vec![name.to_owned()])]);
        let found = self
            .networks(&filters)
            .await?
            .into_iter()
            .find(|network| network.name.as_deref() == Some(name));
        let network = found.ok_or_else(|| Error::NotFound(format!("there is no network `{name}`")))?;
        if self.has_our_labels(network.labels.as_ref()) {
            return Ok(network);
        }
        Err(Error::Refused(format!(
            "network `{name}` does not belong to this Dhow and is left alone"
        )))
    }

    fn confirm_ours(&self, name: &str, holder: &Network) -> Result<(), Error> {
        if self.has_our_labels(holder.labels.as_ref()) {
            return Ok(());
        }
        let id: String = holder.id.iter().flat_map(|id| id.chars()).take(12).collect();
        Err(Error::Conflict(format!(
            "the name `{name}` is taken by network {id}, which belongs to somebody else; remove or rename it"
        )))
    }

    async fn create_network(&self, name: &str, subnet: Option<Subnet>, labels: Labels) -> Result<(), Error> {
        let ipam = subnet.map(|subnet| Ipam {
            config: Some(vec![IpamConfig {
                subnet: Some(subnet.to_string()),
                ..Default::default()
            }]),
            ..Default::default()
        });
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            ipam,
            labels: Some(labels),
            ..Default::default()
        };
        let docker = self.docker().await?;
        docker.create_network(request).await.map(drop).map_err(self.explain())
    }
}

fn subnets_of(network: &Network) -> Vec<Subnet> {
    let configs = network.ipam.iter().flat_map(|ipam| ipam.config.iter().flatten());
    configs
        .filter_map(|config| Subnet::parse(config.subnet.as_deref()?).ok())
        .collect()
}
