//! Networks: one a project and one for the proxy, each with a range of addresses of its own.

use std::collections::BTreeMap;

use super::{Engine, Error};
use crate::model::subnet::SubnetPool;

impl Engine {
    /// Makes a bridge network, with a /24 from the pool if one is given, unless ours exists already. `Conflict` when a
    /// foreign network has the name, `Refused` when no range of the pool is free.
    pub async fn ensure_network(
        &self,
        name: &str,
        subnet: Option<&SubnetPool>,
        labels: BTreeMap<String, String>,
    ) -> Result<(), Error> {
        todo!("{name} {subnet:?} {labels:?}")
    }

    /// Removes it; one that is gone is fine. `Refused` when it is not ours, `Conflict` when a container is still in it.
    pub async fn remove_network(&self, name: &str) -> Result<(), Error> {
        todo!("{name}")
    }

    /// Names of our networks.
    pub async fn list_networks(&self) -> Result<Vec<String>, Error> {
        todo!()
    }

    /// Puts a container into a network; one that is in it already is fine.
    pub async fn connect_network(&self, network: &str, container: &str) -> Result<(), Error> {
        todo!("{network} {container}")
    }

    /// Takes a container out of a network; one that is not in it, or a network or container that is gone, is fine.
    pub async fn disconnect_network(&self, network: &str, container: &str) -> Result<(), Error> {
        todo!("{network} {container}")
    }
}
