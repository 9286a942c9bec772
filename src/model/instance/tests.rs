use std::collections::BTreeMap;

use super::*;

const STARTED: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const DEPLOYMENT: DeploymentId = DeploymentId(7);

/// A container that has run since `STARTED`, for the first time.
fn container() -> ContainerState {
    ContainerState {
        id: "0123".to_owned(),
        name: "dhow-web-7".to_owned(),
        image_id: "sha256:4567".to_owned(),
        labels: BTreeMap::new(),
        is_running: true,
        is_paused: false,
        is_restarting: false,
        started_at: Some(STARTED),
        finished_at: None,
        exit_code: 0,
        was_out_of_memory: false,
        restart_count: 0,
        last_health_check: None,
        health: None,
        pid: 42,
        addresses: BTreeMap::new(),
        host_ports: BTreeMap::new(),
    }
}

/// The same after an end three seconds later.
fn ended(exit_code: i64) -> ContainerState {
    ContainerState {
        is_running: false,
        finished_at: Some(STARTED.plus_seconds(3)),
        exit_code,
        pid: 0,
        ..container()
    }
}

/// The same after that end and a start one second after it.
fn started_again() -> ContainerState {
    ContainerState {
        started_at: Some(STARTED.plus_seconds(4)),
        finished_at: Some(STARTED.plus_seconds(3)),
        restart_count: 1,
        ..container()
    }
}

fn judge(container: &ContainerState, told: Told, before: Option<&Instance>, seconds: i64) -> Instance {
    Instance::judge(DEPLOYMENT, Some(container), told, before, STARTED.plus_seconds(seconds))
}

fn told(exit_code: Option<i64>, out_of_memory_after: Option<i64>) -> Told {
    Told {
        exit_code,
        out_of_memory_at: out_of_memory_after.map(|seconds| STARTED.plus_seconds(seconds)),
    }
}

#[test]
fn the_state_follows_from_the_container_and_the_time() {
    let waiting = ContainerState {
        is_restarting: true,
        restart_count: 1,
        ..ended(1)
    };
    let cases = [
        (container(), 0, InstanceState::Running),
        (ended(1), 3, InstanceState::Exited),
        (waiting, 3, InstanceState::Restarting),
        (started_again(), 5, InstanceState::Restarting),
        (started_again(), 13, InstanceState::Restarting),
        (started_again(), 14, InstanceState::Running),
        // The engine's clock is ahead of ours.
        (started_again(), -60, InstanceState::Restarting),
    ];
    for (container, seconds, expected) in cases {
        let seen = judge(&container, Told::default(), None, seconds);
        assert_eq!(seen.state, expected, "{seconds} s: {container:?}");
    }
}

#[test]
fn the_last_end_is_remembered_until_the_instance_is_steady() {
    let seen = judge(&ended(3), Told::default(), None, 3);
    assert_eq!((seen.exit_code, seen.since), (Some(3), STARTED.plus_seconds(3)));

    let restarting = judge(&started_again(), told(Some(3), None), None, 5);
    assert_eq!(
        (restarting.exit_code, restarting.since),
        (Some(3), STARTED.plus_seconds(3))
    );
    assert_eq!(restarting.restarts, 1);
    let later = judge(&started_again(), Told::default(), Some(&restarting), 6);
    assert_eq!(later, restarting, "nothing has changed");

    let steady = judge(&started_again(), Told::default(), Some(&later), 20);
    assert_eq!((steady.exit_code, steady.since), (None, STARTED.plus_seconds(4)));
}

#[test]
fn what_was_seen_of_another_end_or_instance_does_not_count() {
    let before = judge(&started_again(), told(Some(137), Some(3)), None, 5);
    assert!(before.was_out_of_memory);
    let again = ContainerState {
        finished_at: Some(STARTED.plus_seconds(8)),
        started_at: Some(STARTED.plus_seconds(9)),
        restart_count: 2,
        ..container()
    };
    let seen = judge(&again, Told::default(), Some(&before), 9);
    assert_eq!((seen.exit_code, seen.was_out_of_memory), (None, false));
    let other = Instance {
        deployment_id: DeploymentId(8),
        ..before
    };
    assert_eq!(
        judge(&started_again(), Told::default(), Some(&other), 5).exit_code,
        None
    );
}

#[test]
fn memory_ran_out_when_the_engine_says_so_or_told_it_about_the_time_of_the_kill() {
    let flagged = |exit_code| ContainerState {
        was_out_of_memory: true,
        ..ended(exit_code)
    };
    let cases = [
        (ended(137), Told::default(), false),
        (flagged(137), Told::default(), true),
        (flagged(1), Told::default(), true),
        (ended(137), told(None, Some(2)), true),
        // The event came late, as it does in Docker 20.10.
        (ended(137), told(None, Some(4)), true),
        (ended(137), told(None, Some(-60)), false),
        // A worker was killed, and the program went on until it ended for a reason of its own.
        (ended(1), told(None, Some(2)), false),
        (started_again(), told(Some(137), Some(3)), true),
        (
            ContainerState {
                was_out_of_memory: true,
                ..started_again()
            },
            told(Some(1), None),
            false,
        ),
    ];
    for (container, told, expected) in cases {
        let seen = judge(&container, told, None, 5);
        assert_eq!(seen.was_out_of_memory, expected, "{told:?} {container:?}");
    }
    let seen = judge(&started_again(), told(Some(137), Some(3)), None, 5);
    assert!(judge(&started_again(), Told::default(), Some(&seen), 6).was_out_of_memory);
}

#[test]
fn a_missing_or_never_started_container_is_so_since_it_was_first_seen() {
    let missing = |before: Option<&Instance>, seconds| {
        Instance::judge(DEPLOYMENT, None, Told::default(), before, STARTED.plus_seconds(seconds))
    };
    let first = missing(None, 5);
    assert_eq!(
        (first.state, first.since),
        (InstanceState::Missing, STARTED.plus_seconds(5))
    );
    assert_eq!(missing(Some(&first), 9), first);

    let never = ContainerState {
        is_running: false,
        started_at: None,
        exit_code: 127,
        ..container()
    };
    let first = judge(&never, Told::default(), None, 5);
    assert_eq!((first.state, first.exit_code), (InstanceState::Exited, Some(127)));
    assert_eq!(judge(&never, Told::default(), Some(&first), 9), first);
}

#[test]
fn only_a_running_instance_can_be_unhealthy() {
    let health = |container: ContainerState| ContainerState {
        health: Some("unhealthy".to_owned()),
        ..container
    };
    assert!(judge(&health(container()), Told::default(), None, 1).is_unhealthy);
    assert!(!judge(&health(ended(1)), Told::default(), None, 5).is_unhealthy);
    assert!(!judge(&container(), Told::default(), None, 1).is_unhealthy);
}
