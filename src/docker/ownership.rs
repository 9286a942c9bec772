//! Which objects are ours: the one place that decides it.

use std::collections::HashMap;

use bollard::models::{ContainerSummary, ImageSummary, Network, Volume};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
};

use super::{Engine, Error};
use crate::model::container::{KIND_LABEL, Ownership};

/// Labels as bollard gives them.
pub(super) type Labels = HashMap<String, String>;
/// Filters of a list, as bollard takes them.
pub(super) type Filters = HashMap<String, Vec<String>>;

impl Engine {
    /// Describes the first object that has this instance's label and another owner's or none, as `container dhow--proxy`.
    pub async fn other_owner(&self) -> Result<Option<String>, Error> {
        let filters = label_filters([format!("{}={}", Ownership::INSTANCE_LABEL, self.ownership.instance)]);
        for container in self.containers(&filters).await? {
            if !self.has_our_labels(container.labels.as_ref()) {
                return Ok(Some(format!("container {}", name_of(&container))));
            }
        }
        for network in self.networks(&filters).await? {
            if !self.has_our_labels(network.labels.as_ref()) {
                return Ok(Some(format!("network {}", network.name.unwrap_or_default())));
            }
        }
        for image in self.images(&filters).await? {
            if !self.has_our_labels(Some(&image.labels)) {
                return Ok(Some(format!(
                    "image {}",
                    image.repo_tags.into_iter().next().unwrap_or(image.id)
                )));
            }
        }
        let volumes = self.volumes(&filters).await?;
        let foreign = volumes
            .into_iter()
            .find(|volume| !self.has_our_labels(Some(&volume.labels)));
        Ok(foreign.map(|volume| format!("volume {}", volume.name)))
    }

    /// Containers that pass the filters, stopped ones included.
    pub(super) async fn containers(&self, filters: &Filters) -> Result<Vec<ContainerSummary>, Error> {
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(filters)
            .build();
        let docker = self.docker().await?;
        docker.list_containers(Some(options)).await.map_err(self.explain())
    }

    /// Networks that pass the filters.
    pub(super) async fn networks(&self, filters: &Filters) -> Result<Vec<Network>, Error> {
        let options = ListNetworksOptionsBuilder::default().filters(filters).build();
        let docker = self.docker().await?;
        docker.list_networks(Some(options)).await.map_err(self.explain())
    }

    /// Images that pass the filters.
    pub(super) async fn images(&self, filters: &Filters) -> Result<Vec<ImageSummary>, Error> {
        let options = ListImagesOptionsBuilder::default().filters(filters).build();
        let docker = self.docker().await?;
        docker.list_images(Some(options)).await.map_err(self.explain())
    }

    async fn volumes(&self, filters: &Filters) -> Result<Vec<Volume>, Error> {
        let options = ListVolumesOptionsBuilder::default().filters(filters).build();
        let docker = self.docker().await?;
        let answer = docker.list_volumes(Some(options)).await.map_err(self.explain())?;
        Ok(answer.volumes.unwrap_or_default())
    }

    /// Whether an object carries both labels of ownership with our values.
    pub(super) fn has_our_labels(&self, labels: Option<&Labels>) -> bool {
        let has = |key, value: &String| labels.is_some_and(|labels| labels.get(key) == Some(value));
        has(Ownership::INSTANCE_LABEL, &self.ownership.instance) && has(Ownership::OWNER_LABEL, &self.ownership.owner)
    }

    /// Like [`Self::has_our_labels`], for containers: those made by hand from our images inherit both labels, but not
    /// the kind, which no image carries.
    pub(super) fn is_our_container(&self, labels: Option<&Labels>) -> bool {
        self.has_our_labels(labels) && labels.is_some_and(|labels| labels.contains_key(KIND_LABEL))
    }

    /// Filters for objects with both labels and the given further ones (`key` or `key=value`).
    pub(super) fn our_filters(&self, further: impl IntoIterator<Item = String>) -> Filters {
        let ours = self.ownership.labels().into_iter();
        label_filters(ours.map(|(key, value)| format!("{key}={value}")).chain(further))
    }

    /// The labels with those of ownership added; ours win.
    pub(super) fn with_our_labels<'a>(&self, labels: impl IntoIterator<Item = (&'a String, &'a String)>) -> Labels {
        let given = labels.into_iter().map(|(key, value)| (key.clone(), value.clone()));
        given.chain(self.ownership.labels()).collect()
    }
}

/// Name of a listed container, without the leading slash. Links of old times are further names with a second slash.
pub(super) fn name_of(container: &ContainerSummary) -> String {
    let names = container.names.as_deref().unwrap_or_default();
    let own = names
        .iter()
        .filter_map(|name| name.strip_prefix('/'))
        .find(|name| !name.contains('/'));
    own.map_or_else(|| container.id.clone().unwrap_or_default(), str::to_owned)
}

fn label_filters(labels: impl IntoIterator<Item = String>) -> Filters {
    HashMap::from([("label".to_owned(), labels.into_iter().collect())])
}
