//! The engine seen from outside Dhow, by the docker command: what is there, whose it is, and removal by label.

use std::collections::BTreeSet;

use serde_json::Value;

use super::docker_cli;

/// Kinds of objects, with the arguments that list them.
const LISTS: [(&str, &[&str]); 4] = [
    ("container", &["ps", "--all", "--quiet", "--no-trunc"]),
    ("network", &["network", "ls", "--quiet", "--no-trunc"]),
    ("volume", &["volume", "ls", "--quiet"]),
    ("image", &["images", "--quiet", "--no-trunc"]),
];

/// Runs docker and answers what it printed, trimmed; fails loudly, so that a machine without Docker never passes.
#[track_caller]
pub fn docker(arguments: &[&str]) -> String {
    try_docker(arguments).unwrap_or_else(|error| panic!("docker {arguments:?}: {error}"))
}

pub fn try_docker(arguments: &[&str]) -> Result<String, String> {
    let output = docker_cli::run(arguments)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// Whether there is an engine.
pub fn answers() -> bool {
    try_docker(&["version"]).is_ok()
}

/// `docker inspect` of one object.
#[track_caller]
pub fn inspect(kind: &str, id: &str) -> Value {
    let text = docker(&["inspect", "--type", kind, id]);
    serde_json::from_str::<Value>(&text).unwrap()[0].take()
}

/// Ids of the objects of a kind that carry all the labels ("key=value" or "key").
pub fn labelled(kind: &str, labels: &[&str]) -> Vec<String> {
    let (_, list) = LISTS.iter().find(|(name, _)| *name == kind).unwrap();
    let mut arguments = list.to_vec();
    let filters: Vec<String> = labels.iter().map(|label| format!("--filter=label={label}")).collect();
    arguments.extend(filters.iter().map(String::as_str));
    let mut ids: Vec<String> = docker(&arguments).lines().map(str::to_owned).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Removes everything of an instance, whatever made it: the end of each test, also of a failed one.
pub fn remove_instance(instance: &str) {
    let label = format!("dhow.instance={instance}");
    let remove: [(&str, &[&str]); 4] = [
        ("container", &["rm", "--force", "--volumes"]),
        ("network", &["network", "rm"]),
        ("volume", &["volume", "rm", "--force"]),
        ("image", &["rmi", "--force"]),
    ];
    let named = format!("--filter=reference={instance}/*");
    let names = docker(&["images", "--format={{.Repository}}:{{.Tag}}", &named]);
    if !names.is_empty() {
        let names: Vec<&str> = names.lines().collect();
        let _ = try_docker(&[&["rmi", "--force"], &names[..]].concat());
    }
    for (kind, arguments) in remove {
        let ids = labelled(kind, &[&label]);
        if ids.is_empty() {
            continue;
        }
        let arguments: Vec<&str> = arguments
            .iter()
            .copied()
            .chain(ids.iter().map(String::as_str))
            .collect();
        if let Err(error) = try_docker(&arguments) {
            eprintln!("cannot remove a {kind} of {instance}: {error}");
        }
    }
}

/// What a container has printed, on both streams.
pub fn logs(id: &str) -> String {
    match docker_cli::run(&["logs", "--tail", "400", id]) {
        Ok(output) => String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        Err(error) => error,
    }
}

/// The words of every container of an instance: parties whose logs explain a failure.
pub fn container_logs(instance: &str) -> String {
    let label = format!("dhow.instance={instance}");
    let mut words = String::new();
    for id in labelled("container", &[&label]) {
        let state = try_docker(&["inspect", "-f", "{{.Name}} {{.State.Status}} {{.State.ExitCode}}", &id]);
        words.push_str(&format!("--- {}\n{}\n", state.unwrap_or_default(), logs(&id)));
    }
    words
}

/// SIGKILL to a container's first process behind the engine's back, which therefore takes it for a crash.
#[track_caller]
pub fn kill_process_of(id: &str) {
    let pid = inspect("container", id)["State"]["Pid"].to_string();
    // By a container, since a tester who may use the engine need not be root.
    let run = ["run", "--rm", "--pid=host", "--label=dhow.bait=kill", "busybox:1"];
    docker(&[&run[..], &["kill", "-s", "KILL", &pid]].concat());
}

/// The engine's own address on its default bridge, where builds reach what a test serves and nobody outside this machine
/// does. Some engines name only the subnet, of which it is then the first one.
pub fn bridge_address() -> String {
    let known = docker(&[
        "network",
        "inspect",
        "bridge",
        "-f",
        "{{range .IPAM.Config}}{{or .Gateway .Subnet}}{{end}}",
    ]);
    match known.split_once(".0/") {
        Some((network, _)) => format!("{network}.1"),
        None => known,
    }
}

/// Objects that are not Dhow's: some made here as bait, and all that the engine had before.
pub struct ForeignObjects {
    before: BTreeSet<(String, String)>,
    bait: String,
}

impl ForeignObjects {
    /// Takes the snapshot and lays the bait: objects that look like those of the app `mine` of `instance`, by their names
    /// and by all labels but the instance's own, and others without any label.
    pub fn beside(instance: &str) -> Self {
        let bait = format!("bait{instance}");
        let mine = format!("dhow.bait={bait}");
        let neighbour = format!("dhow.instance={instance}x");
        let alike = [
            neighbour.as_str(),
            "dhow.owner=somebody",
            "dhow.kind=app",
            "dhow.project=mine",
            "dhow.app=mine",
        ];
        for (name, labels) in [("plain", vec![]), ("alike", alike.to_vec())] {
            let name = format!("{instance}-{name}");
            let with = |arguments: &[&str], rest: &[&str]| {
                let mut all: Vec<&str> = arguments.to_vec();
                for label in labels.iter().copied().chain([mine.as_str()]) {
                    all.extend(["--label", label]);
                }
                all.extend(rest);
                docker(&all)
            };
            with(&["network", "create"], &[&name]);
            with(&["volume", "create"], &[&name]);
            let stopped = with(
                &["create", "--name", &format!("{name}-stopped")],
                &["busybox:1", "true"],
            );
            with(
                &["run", "--detach", "--init", "--name", &name, "--network", &name],
                &["busybox:1", "sleep", "900"],
            );
            let changes: Vec<String> = labels
                .iter()
                .chain([&mine.as_str()])
                .map(|label| format!("LABEL {label}"))
                .collect();
            let mut commit = vec!["commit"];
            commit.extend(changes.iter().flat_map(|change| ["--change", change.as_str()]));
            docker(&[&commit[..], &[&stopped, &format!("{name}:bait")]].concat());
        }
        Self {
            before: everything(&bait),
            bait,
        }
    }

    /// Fails when an object that was there before is gone, or one that ran no longer runs.
    #[track_caller]
    pub fn assert_survived(&self) {
        let now = everything(&self.bait);
        let gone: Vec<_> = self.before.difference(&now).collect();
        assert!(gone.is_empty(), "foreign objects are gone: {gone:?}");
        let bait = format!("label=dhow.bait={}", self.bait);
        let running = docker(&["ps", "--quiet", "--filter", &bait]);
        assert_eq!(running.lines().count(), 2, "both foreign containers still run");
    }
}

impl Drop for ForeignObjects {
    fn drop(&mut self) {
        let label = format!("dhow.bait={}", self.bait);
        for (kind, remove) in [
            ("container", "rm"),
            ("network", "rm"),
            ("volume", "rm"),
            ("image", "rm"),
        ] {
            for id in labelled(kind, &[&label]) {
                let force: &[&str] = if kind == "network" { &[] } else { &["--force"] };
                let _ = try_docker(&[&[kind, remove], force, &[id.as_str()]].concat());
            }
        }
    }
}

/// Every object of the engine but those of tests, and this test's own bait; images by name, since builds leave and take
/// nameless ones.
fn everything(bait: &str) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    let own = format!("dhow.bait={bait}");
    // Names and labels in one answer: other tests make containers that are gone before a second one.
    for (kind, name) in [("container", "ID"), ("network", "ID"), ("volume", "Name")] {
        let format = format!("--format={{{{.{name}}}}} {{{{.Labels}}}}");
        let (_, list) = LISTS.iter().find(|(listed, _)| *listed == kind).unwrap();
        let list: Vec<&str> = list.iter().copied().filter(|word| *word != "--quiet").collect();
        for line in docker(&[&list[..], &[&format]].concat()).lines() {
            let (id, labels) = line.split_once(' ').unwrap_or((line, ""));
            let is_of_tests = ["dhow.instance=", "dhow.bait="]
                .iter()
                .any(|label| labels.contains(label));
            if !is_of_tests || labels.contains(&own) {
                all.insert((kind.to_owned(), id.to_owned()));
            }
        }
    }
    let of_tests = || [labelled("image", &["dhow.instance"]), labelled("image", &["dhow.bait"])].concat();
    // Asked before and after, since other tests make and remove theirs meanwhile.
    let mut theirs = of_tests();
    let own_bait = labelled("image", &[&own]);
    let images = docker(&["images", "--no-trunc", "--filter=dangling=false", "--format={{.ID}}"]);
    theirs.extend(of_tests());
    let foreign = images
        .lines()
        .map(str::to_owned)
        .filter(|id| own_bait.contains(id) || !theirs.contains(id));
    all.extend(foreign.map(|id| ("image".to_owned(), id)));
    all
}
