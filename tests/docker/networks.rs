//! Networks: cut from a pool, ours only, joined and left.

use std::collections::BTreeMap;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use bollard::query_parameters::InspectNetworkOptions;
use dhow::docker::Error;
use dhow::model::subnet::SubnetPool;

use crate::harness::{Place, outsider};

#[tokio::test]
async fn a_network_gets_the_first_range_that_nobody_uses() {
    let place = Place::open().await;
    let pool = SubnetPool::parse("10.197.0.0/22").unwrap();
    let foreign = foreign_network(&place, "foreign", "10.197.0.0/24").await;
    let names: Vec<String> = (0..3).map(|number| format!("{}-net{number}", place.name)).collect();
    for (name, expected) in names.iter().zip(["10.197.1.0/24", "10.197.2.0/24", "10.197.3.0/24"]) {
        let labels = BTreeMap::from([("dhow.project".to_owned(), "shop".to_owned())]);
        place.engine.ensure_network(name, Some(&pool), labels).await.unwrap();
        assert_eq!(subnet_of(name).await, expected);
        place
            .engine
            .ensure_network(name, Some(&pool), BTreeMap::new())
            .await
            .expect("it is there already");
    }
    let fourth = format!("{}-net4", place.name);
    match place.engine.ensure_network(&fourth, Some(&pool), BTreeMap::new()).await {
        Err(Error::Refused(text)) => assert!(
            text.contains("10.197.0.0/22") && text.contains("--subnet-pool"),
            "{text}"
        ),
        other => panic!("{other:?}"),
    }
    let mut listed = place.engine.list_networks().await.unwrap();
    listed.sort();
    assert_eq!(listed, names);

    place.engine.remove_network(&names[0]).await.unwrap();
    place.engine.remove_network(&names[0]).await.expect("gone is fine");
    place
        .engine
        .ensure_network(&fourth, Some(&pool), BTreeMap::new())
        .await
        .unwrap();
    assert_eq!(subnet_of(&fourth).await, "10.197.1.0/24", "a freed range is used again");
    assert_eq!(subnet_of(&foreign).await, "10.197.0.0/24");
}

#[tokio::test]
async fn many_at_once_get_one_network_each_name() {
    let place = Place::open().await;
    let pool = SubnetPool::parse("10.198.0.0/22").unwrap();
    let name = format!("{}-once", place.name);
    let attempts = (0..6).map(|_| place.engine.ensure_network(&name, Some(&pool), BTreeMap::new()));
    for outcome in futures_util::future::join_all(attempts).await {
        outcome.unwrap();
    }
    assert_eq!(place.engine.list_networks().await.unwrap(), [name]);
}

#[tokio::test]
async fn a_foreign_network_is_named_in_the_conflict_and_left_alone() {
    let place = Place::open().await;
    let name = foreign_network(&place, "taken", "10.199.0.0/24").await;
    match place.engine.ensure_network(&name, None, BTreeMap::new()).await {
        Err(Error::Conflict(text)) => assert!(text.contains(&name) && text.contains("somebody else"), "{text}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        place.engine.remove_network(&name).await,
        Err(Error::Refused(_))
    ));
    let spec = place.sleeper("web");
    place.engine.create_container(&spec).await.unwrap();
    assert!(matches!(
        place.engine.connect_network(&name, &spec.name).await,
        Err(Error::Refused(_))
    ));
    assert_eq!(subnet_of(&name).await, "10.199.0.0/24");
}

#[tokio::test]
async fn a_container_joins_and_leaves() {
    let place = Place::open().await;
    let network = format!("{}-shop", place.name);
    place
        .engine
        .ensure_network(&network, None, BTreeMap::new())
        .await
        .unwrap();
    let spec = place.sleeper("web");
    place.engine.create_container(&spec).await.unwrap();
    for is_running in [false, true] {
        if is_running {
            place.engine.start_container(&spec.name).await.unwrap();
        }
        place.engine.connect_network(&network, &spec.name).await.unwrap();
        place
            .engine
            .connect_network(&network, &spec.name)
            .await
            .expect("in it already is fine");
        let state = place.engine.inspect_container(&spec.name).await.unwrap().unwrap();
        assert_eq!(
            state.addresses.contains_key(&network),
            is_running,
            "addresses come with the start"
        );
        if is_running {
            let occupied = place.engine.remove_network(&network).await;
            assert!(matches!(occupied, Err(Error::Conflict(_))), "{occupied:?}");
        }
        place.engine.disconnect_network(&network, &spec.name).await.unwrap();
        place
            .engine
            .disconnect_network(&network, &spec.name)
            .await
            .expect("not in it is fine");
    }
    place
        .engine
        .disconnect_network(&network, "dhowtest-none")
        .await
        .expect("no such container is fine");
    place
        .engine
        .disconnect_network("dhowtest-none", &spec.name)
        .await
        .expect("no such network is fine");
    let missing = place.engine.connect_network("dhowtest-none", &spec.name).await;
    assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
    place.engine.remove_network(&network).await.unwrap();
}

async fn foreign_network(place: &Place, suffix: &str, subnet: &str) -> String {
    let name = format!("{}-{suffix}", place.name);
    let config = IpamConfig {
        subnet: Some(subnet.to_owned()),
        ..Default::default()
    };
    let ipam = Some(Ipam {
        config: Some(vec![config]),
        ..Default::default()
    });
    let labels = Some(place.foreign_labels());
    let request = NetworkCreateRequest {
        name: name.clone(),
        ipam,
        labels,
        ..Default::default()
    };
    outsider().create_network(request).await.unwrap();
    name
}

async fn subnet_of(name: &str) -> String {
    let found = outsider()
        .inspect_network(name, None::<InspectNetworkOptions>)
        .await
        .unwrap();
    found.ipam.unwrap().config.unwrap()[0].subnet.clone().unwrap()
}
