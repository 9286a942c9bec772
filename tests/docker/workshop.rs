//! Building in tests: a checkout from a list of files, the outcome with its log, and a look into the image.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use dhow::build::{BuildPlan, Context, plan};
use dhow::docker::{BuildError, Engine, ImageBuild};
use dhow::model::container::APP_LABEL;
use tokio::sync::mpsc;

use crate::harness::Place;

/// A checkout to build from.
pub struct Checkout(tempfile::TempDir);

impl Checkout {
    pub fn new(files: &[(&str, &str)]) -> Checkout {
        let directory = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        Checkout(directory)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// What a build left: its outcome and its log, each line with the time at which it came.
pub struct Built {
    pub outcome: Result<String, BuildError>,
    pub lines: Vec<(Duration, String)>,
}

impl Built {
    pub fn log(&self) -> String {
        self.lines.iter().map(|(_, line)| format!("{line}\n")).collect()
    }

    pub fn image(&self) -> &str {
        self.outcome
            .as_ref()
            .unwrap_or_else(|error| panic!("{error}\n{}", self.log()))
    }

    pub fn time_of(&self, wanted: &str) -> Duration {
        let found = self.lines.iter().find(|(_, line)| line == wanted);
        found
            .unwrap_or_else(|| panic!("no line `{wanted}` in:\n{}", self.log()))
            .0
    }
}

/// A build of two lines; for tests that are about something else.
pub async fn build_trivially(engine: &Engine, tag: &str) {
    let checkout = Checkout::new(&[("Dockerfile", "FROM busybox:1\nRUN true\n")]);
    let plan = plan(checkout.path(), "", ".", "Dockerfile", None).unwrap();
    let context = Context::open(&plan).unwrap();
    let build = ImageBuild {
        tag: tag.to_owned(),
        dockerfile: context.dockerfile().to_owned(),
        needs: plan.needs,
        target: None,
        args: Vec::new(),
        secrets: Vec::new(),
        labels: BTreeMap::new(),
        is_fresh: false,
    };
    let (sender, _receiver) = mpsc::channel(64);
    engine.build_image(&build, context.into_stream(), sender).await.unwrap();
}

pub async fn build(place: &Place, checkout: &Checkout, context: &str, dockerfile: &str) -> Built {
    build_with(place, checkout, context, dockerfile, Vec::new(), None).await
}

pub async fn build_with(
    place: &Place,
    checkout: &Checkout,
    context: &str,
    dockerfile: &str,
    args: Vec<(String, String)>,
    target: Option<&str>,
) -> Built {
    let plan = plan(checkout.path(), "", context, dockerfile, target).unwrap();
    let context = Context::open(&plan).unwrap();
    let build = ImageBuild {
        tag: format!("{}/app:1", place.name),
        dockerfile: context.dockerfile().to_owned(),
        needs: plan.needs,
        target: plan.target,
        args,
        secrets: Vec::new(),
        labels: BTreeMap::from([(APP_LABEL.to_owned(), "shop".to_owned())]),
        is_fresh: false,
    };
    carry_out(place, &build, context).await
}

pub async fn build_with_secrets(place: &Place, checkout: &Checkout, secrets: Vec<(String, String)>) -> Built {
    let plan = plan(checkout.path(), "", ".", "Dockerfile", None).unwrap();
    let context = Context::open(&plan).unwrap();
    let build = ImageBuild {
        tag: format!("{}/app:1", place.name),
        dockerfile: context.dockerfile().to_owned(),
        needs: plan.needs,
        target: None,
        args: Vec::new(),
        secrets,
        labels: BTreeMap::new(),
        is_fresh: false,
    };
    carry_out(place, &build, context).await
}

pub async fn build_plan(place: &Place, plan: BuildPlan) -> Built {
    let context = Context::open(&plan).unwrap();
    let build = ImageBuild {
        tag: format!("{}/app:1", place.name),
        dockerfile: context.dockerfile().to_owned(),
        needs: plan.needs,
        target: plan.target,
        args: Vec::new(),
        secrets: Vec::new(),
        labels: BTreeMap::new(),
        is_fresh: false,
    };
    carry_out(place, &build, context).await
}

async fn carry_out(place: &Place, build: &ImageBuild, context: Context) -> Built {
    let (sender, mut receiver) = mpsc::channel(16);
    let begun = Instant::now();
    let collecting = tokio::spawn(async move {
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push((begun.elapsed(), line));
        }
        lines
    });
    let outcome = place.engine.build_image(build, context.into_stream(), sender).await;
    Built {
        outcome,
        lines: collecting.await.unwrap(),
    }
}

/// Output of a command in a container of the image.
pub async fn run(place: &Place, image: &str, command: &str) -> String {
    let mut spec = place.sleeper("probe");
    spec.image = image.to_owned();
    spec.entrypoint = Some(vec!["/bin/sh".to_owned(), "-c".to_owned()]);
    spec.command = Some(vec![command.to_owned()]);
    place.engine.create_container(&spec).await.unwrap();
    place.engine.start_container(&spec.name).await.unwrap();
    place.engine.wait_container(&spec.name).await.unwrap();
    let output = place.engine.last_output(&spec.name, 1000).await.unwrap();
    place.engine.remove_container(&spec.name).await.unwrap();
    output.join("\n")
}
