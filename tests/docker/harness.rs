//! A place on the engine for one test: its own instance name, and nothing left of it afterwards, also on panic.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder,
};
use dhow::docker::Engine;
use dhow::model::container::{ContainerSpec, KIND_LABEL, Ownership, RestartPolicy};

/// Marks what a test makes on behalf of "somebody else".
pub const FOREIGN_LABEL: &str = "dhow-test.instance";

/// One test's engine handle and instance name.
pub struct Place {
    pub engine: Engine,
    pub name: String,
}

impl Place {
    pub async fn open() -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("dhowtest-{}-{number}", std::process::id());
        let host = std::env::var("DOCKER_HOST").ok();
        let engine = Engine::connect(host.as_deref(), ownership(&name)).await;
        let engine = engine.unwrap_or_else(|error| panic!("these tests need a Docker engine (make testbed): {error}"));
        Place { engine, name }
    }

    /// A spec that sleeps, in the default bridge network.
    pub fn sleeper(&self, suffix: &str) -> ContainerSpec {
        ContainerSpec {
            name: format!("{}-{suffix}", self.name),
            image: "busybox:1".to_owned(),
            entrypoint: None,
            command: Some(words("sleep 600")),
            env: Vec::new(),
            labels: BTreeMap::from([(KIND_LABEL.to_owned(), "app".to_owned())]),
            network: "bridge".to_owned(),
            ports: Vec::new(),
            binds: Vec::new(),
            memory_bytes: None,
            nano_cpus: None,
            pids_limit: None,
            stop_timeout: Duration::from_secs(5),
            restart: RestartPolicy::No,
            has_init: true,
        }
    }

    /// Labels of an object that is not ours but that the test has to clear away.
    pub fn foreign_labels(&self) -> HashMap<String, String> {
        HashMap::from([(FOREIGN_LABEL.to_owned(), self.name.clone())])
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let name = self.name.clone();
        let clearing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                clear(&format!("{}={name}", Ownership::INSTANCE_LABEL)).await;
                clear(&format!("{FOREIGN_LABEL}={name}")).await;
            });
        });
        clearing.join().expect("clearing ends");
    }
}

pub fn ownership(instance: &str) -> Ownership {
    Ownership {
        instance: instance.to_owned(),
        owner: format!("owner-of-{instance}"),
    }
}

pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A second client, for doing what Dhow itself never does.
pub fn outsider() -> Docker {
    Docker::connect_with_defaults().expect("the engine's address is usable")
}

async fn clear(label: &str) {
    let docker = outsider();
    let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filters)
        .build();
    for container in docker.list_containers(Some(options)).await.unwrap_or_default() {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let _ = docker
            .remove_container(&container.id.unwrap_or_default(), Some(options))
            .await;
    }
    let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
    for network in docker.list_networks(Some(options)).await.unwrap_or_default() {
        let _ = docker.remove_network(&network.id.unwrap_or_default()).await;
    }
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    for image in docker.list_images(Some(options)).await.unwrap_or_default() {
        let options = RemoveImageOptionsBuilder::default().force(true).build();
        let _ = docker.remove_image(&image.id, Some(options), None).await;
    }
}
