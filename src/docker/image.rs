//! Images: found, pulled, listed by app and removed.

use std::collections::BTreeMap;

use bollard::auth::DockerCredentials;
use bollard::errors::Error as BollardError;
use bollard::models::ImageInspect;
use bollard::query_parameters::{CreateImageOptionsBuilder, RemoveImageOptions};
use futures_util::TryStreamExt;

use super::ownership::{Filters, Labels};
use super::{Engine, Error};
use crate::model::container::APP_LABEL;
use crate::model::ids::DeploymentId;

/// An image on the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The engine's id (`sha256:…`), which names its content.
    pub id: String,
    /// Names that point to it, as `busybox:1`.
    pub tags: Vec<String>,
    /// Labels, ownership included where it is ours.
    pub labels: BTreeMap<String, String>,
    /// TCP ports that it declares by EXPOSE, lowest first.
    pub exposed_ports: Vec<u16>,
    /// The variable `PORT` that it brings.
    pub port_variable: Option<String>,
    /// Whether it declares a HEALTHCHECK.
    pub has_health_check: bool,
    /// Size in bytes, shared layers included.
    pub size_bytes: i64,
}

/// An image as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSummary {
    /// The engine's id (`sha256:…`).
    pub id: String,
    /// Names that point to it.
    pub tags: Vec<String>,
    /// Labels, ownership included.
    pub labels: BTreeMap<String, String>,
}

/// A name that Dhow gave to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageTag {
    /// The name, as `dhow/web:12-1f2e3d`.
    pub name: String,
    /// Slug of the app in it.
    pub app: String,
    /// The deployment that gave it.
    pub deployment: DeploymentId,
    /// The image's id.
    pub image_id: String,
}

impl Engine {
    /// The image of that name or id, whoever made it; `None` when it is not on the engine.
    pub async fn find_image(&self, reference: &str) -> Result<Option<Image>, Error> {
        Ok(self.inspect_image(reference).await?.map(image_from))
    }

    /// Fetches it from its registry under its own name, without a login. `NotFound` when the registry has none of that name or asks for a password.
    pub async fn pull_image(&self, reference: &str) -> Result<(), Error> {
        let reference = with_tag(checked(reference)?);
        let docker = self.docker().await?;
        let options = CreateImageOptionsBuilder::default().from_image(&reference).build();
        let progress = docker.create_image(Some(options), None, None::<DockerCredentials>);
        match progress
            .try_for_each(|_| async { Ok(()) })
            .await
            .map_err(self.explain())
        {
            Err(Error::NotFound(message)) => Err(Error::NotFound(message)),
            Err(Error::Refused(message)) if says_missing(&message) => Err(Error::NotFound(message)),
            outcome => outcome,
        }
    }

    /// Removes it, or only that name of it while it has others; one that is in use or gone is fine. `Refused` when it is
    /// not ours: it carries no labels of ours, and the name is none that Dhow gave.
    pub async fn remove_image(&self, reference: &str) -> Result<(), Error> {
        let Some(found) = self.inspect_image(reference).await? else {
            return Ok(());
        };
        let is_our_name = self.ownership.parse_image_name(reference).is_some();
        if !is_our_name && !self.has_our_labels(found.config.as_ref().and_then(|config| config.labels.as_ref())) {
            return Err(Error::Refused(format!(
                "image `{reference}` does not belong to this Dhow and is left alone"
            )));
        }
        self.delete_image(reference).await
    }

    /// Removes an image that was fetched as `name@sha256:…`, once nothing else on the engine names or uses it; whether it
    /// is gone.
    pub async fn remove_fetched(&self, reference: &str) -> Result<bool, Error> {
        let Some(found) = self.inspect_image(reference).await? else {
            return Ok(true);
        };
        // Somebody's own name for it, or that of another deployment; with it the layers stay anyway.
        if !found.repo_tags.unwrap_or_default().is_empty() {
            return Ok(false);
        }
        self.delete_image(reference).await?;
        Ok(self.inspect_image(reference).await?.is_none())
    }

    async fn delete_image(&self, reference: &str) -> Result<(), Error> {
        let docker = self.docker().await?;
        let removed = docker.remove_image(reference, None::<RemoveImageOptions>, None).await;
        match removed.map_err(self.explain()) {
            Ok(_) | Err(Error::NotFound(_) | Error::Conflict(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The names that Dhow gave to images, those that carry none of its labels included.
    pub async fn list_image_tags(&self) -> Result<Vec<ImageTag>, Error> {
        let pattern = format!("{}/*", self.ownership.instance);
        let filters = Filters::from([("reference".to_owned(), vec![pattern])]);
        let images = self.images(&filters).await?;
        let named = images.into_iter().flat_map(|image| {
            let tags = image.repo_tags.into_iter();
            tags.filter_map(|name| {
                let (app, deployment) = self.ownership.parse_image_name(&name)?;
                Some(ImageTag {
                    app: app.to_owned(),
                    deployment,
                    image_id: image.id.clone(),
                    name,
                })
            })
            .collect::<Vec<_>>()
        });
        Ok(named.collect())
    }

    /// Whether an image is Dhow's own: by its labels, or because the name that leads to it is one that Dhow gave.
    pub fn is_ours(&self, image: &Image, reference: &str) -> bool {
        let labels: Labels = image.labels.clone().into_iter().collect();
        self.ownership.parse_image_name(reference).is_some() || self.has_our_labels(Some(&labels))
    }

    /// Our images, optionally only those of an app (label `dhow.app`).
    pub async fn list_images(&self, app: Option<&str>) -> Result<Vec<ImageSummary>, Error> {
        let filters = self.our_filters(app.map(|app| format!("{APP_LABEL}={app}")));
        let images = self.images(&filters).await?.into_iter().map(|image| ImageSummary {
            id: image.id,
            tags: image.repo_tags,
            labels: image.labels.into_iter().collect(),
        });
        Ok(images.collect())
    }

    async fn inspect_image(&self, reference: &str) -> Result<Option<ImageInspect>, Error> {
        let docker = self.docker().await?;
        match docker.inspect_image(checked(reference)?).await {
            Ok(found) => Ok(Some(found)),
            Err(BollardError::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(self.connection.explain(error)),
        }
    }
}

fn image_from(inspected: ImageInspect) -> Image {
    let config = inspected.config.unwrap_or_default();
    let ports = config.exposed_ports.unwrap_or_default();
    let mut exposed_ports: Vec<u16> = ports
        .iter()
        .filter_map(|port| port.strip_suffix("/tcp").unwrap_or(port).parse().ok())
        .collect();
    exposed_ports.sort_unstable();
    let port_variable = config
        .env
        .unwrap_or_default()
        .iter()
        .find_map(|pair| pair.strip_prefix("PORT=").map(str::to_owned));
    let health_test = config.healthcheck.and_then(|check| check.test).unwrap_or_default();
    Image {
        id: inspected.id.unwrap_or_default(),
        tags: inspected.repo_tags.unwrap_or_default(),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        exposed_ports,
        port_variable,
        has_health_check: health_test.first().is_some_and(|kind| kind != "NONE"),
        size_bytes: inspected.size.unwrap_or(0),
    }
}

/// A reference becomes part of the request's path: nothing may be in it that could lead to another resource.
pub(super) fn checked(reference: &str) -> Result<&str, Error> {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "._-/:@".contains(character);
    let has_odd_part = reference
        .split('/')
        .any(|part| part.is_empty() || part.starts_with('.'));
    if reference.chars().all(is_allowed) && !has_odd_part {
        return Ok(reference);
    }
    Err(Error::Refused(format!(
        "`{reference}` is not an image reference such as `nginx:1.27` or `ghcr.io/owner/app`"
    )))
}

/// Without a tag the engine would pull every tag there is.
pub(super) fn with_tag(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    if last.contains([':', '@']) {
        reference.to_owned()
    } else {
        format!("{reference}:latest")
    }
}

fn says_missing(message: &str) -> bool {
    [
        "manifest unknown",
        "not found",
        "pull access denied",
        "no matching manifest",
        "does not exist",
    ]
    .iter()
    .any(|text| message.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_cannot_lead_to_another_resource() {
        let refused = [
            "",
            "../containers/x",
            "a/../b",
            "a//b",
            "a?b=c",
            "a#b",
            "a b",
            "a%2fb",
            "/a",
        ];
        for reference in refused {
            assert!(matches!(checked(reference), Err(Error::Refused(_))), "{reference}");
        }
        for reference in [
            "busybox",
            "busybox:1",
            "ghcr.io/owner/app:v1.2_3",
            "localhost:5000/a@sha256:ab",
            "sha256:ab",
        ] {
            assert!(checked(reference).is_ok(), "{reference}");
        }
    }

    #[test]
    fn a_reference_without_tag_means_latest() {
        let cases = [
            ("busybox", "busybox:latest"),
            ("busybox:1", "busybox:1"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("app@sha256:ab", "app@sha256:ab"),
        ];
        for (given, expected) in cases {
            assert_eq!(with_tag(given), expected);
        }
    }
}
