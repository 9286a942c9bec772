//! Whose an object is: what belongs to others is named, refused and left alone.

use std::collections::BTreeMap;

use bollard::models::{ContainerCreateBody, VolumeCreateRequest};
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveVolumeOptions};
use dhow::docker::{Engine, Error};
use dhow::model::container::{Ownership, RestartPolicy};

use crate::harness::{Place, outsider, ownership};

/// Case run-name-conflict.
#[tokio::test]
async fn run_name_conflict_a_foreign_container_is_named_in_the_conflict_and_left_alone() {
    let place = Place::open().await;
    let spec = place.sleeper("taken");
    let options = CreateContainerOptionsBuilder::default().name(&spec.name).build();
    let labels = Some(place.foreign_labels());
    let body = ContainerCreateBody {
        image: Some("busybox:1".to_owned()),
        labels,
        ..Default::default()
    };
    let foreign = outsider().create_container(Some(options), body).await.unwrap();
    match place.engine.create_container(&spec).await {
        Err(Error::Conflict(text)) => {
            for part in [&spec.name, &foreign.id[..12], "busybox:1", "somebody else"] {
                assert!(text.contains(part), "{part} in: {text}");
            }
        }
        other => panic!("{other:?}"),
    }
    let refusals = [
        place.engine.remove_container(&spec.name).await,
        place.engine.stop_container(&spec.name).await,
        place.engine.start_container(&spec.name).await,
        place.engine.set_restart_policy(&spec.name, RestartPolicy::No).await,
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Err(Error::Refused(_))), "{refusal:?}");
    }
    assert!(place.engine.list_containers(None).await.unwrap().is_empty());
    assert_eq!(
        place.engine.inspect_container(&spec.name).await.unwrap().unwrap().id,
        foreign.id,
        "still there"
    );
}

#[tokio::test]
async fn an_image_of_others_is_found_but_not_removed() {
    let place = Place::open().await;
    let image = place
        .engine
        .find_image("busybox:1")
        .await
        .unwrap()
        .expect("the testbed has it");
    assert!(image.id.starts_with("sha256:") && image.tags.contains(&"busybox:1".to_owned()) && image.size_bytes > 0);
    assert!(matches!(
        place.engine.remove_image("busybox:1").await,
        Err(Error::Refused(_))
    ));
    assert!(place.engine.find_image("busybox:1").await.unwrap().is_some());
}

#[tokio::test]
async fn another_owner_of_the_instance_name_is_noticed() {
    let place = Place::open().await;
    assert_eq!(place.engine.other_owner().await.unwrap(), None);
    let spec = place.sleeper("mine");
    place.engine.create_container(&spec).await.unwrap();
    place
        .engine
        .ensure_network(&format!("{}-net", place.name), None, BTreeMap::new())
        .await
        .unwrap();
    assert_eq!(
        place.engine.other_owner().await.unwrap(),
        None,
        "our own objects are no others'"
    );

    let second = Ownership {
        owner: "second".to_owned(),
        ..ownership(&place.name)
    };
    let host = std::env::var("DOCKER_HOST").ok();
    let second = Engine::connect(host.as_deref(), second).await.unwrap();
    assert_eq!(
        second.other_owner().await.unwrap(),
        Some(format!("container {}", spec.name))
    );
    assert!(second.list_containers(None).await.unwrap().is_empty());
    assert!(matches!(
        second.remove_container(&spec.name).await,
        Err(Error::Refused(_))
    ));
    place.engine.remove_container(&spec.name).await.unwrap();
    assert_eq!(
        second.other_owner().await.unwrap(),
        Some(format!("network {}-net", place.name))
    );
    place
        .engine
        .remove_network(&format!("{}-net", place.name))
        .await
        .unwrap();

    let volume = format!("{}-data", place.name);
    let labels = Some([(Ownership::INSTANCE_LABEL.to_owned(), place.name.clone())].into());
    let request = VolumeCreateRequest {
        name: Some(volume.clone()),
        labels,
        ..Default::default()
    };
    outsider().create_volume(request).await.unwrap();
    let found = place.engine.other_owner().await;
    outsider()
        .remove_volume(&volume, None::<RemoveVolumeOptions>)
        .await
        .unwrap();
    assert_eq!(
        found.unwrap(),
        Some(format!("volume {volume}")),
        "a missing owner label counts as another owner"
    );
}
