//! Which step looks how, and which sentence tells how a deployment ended.

use super::*;
use crate::model::deployment::ErrorKind;
use crate::model::ids::{AppId, DeploymentId};
use crate::model::time::Timestamp;

fn deployment(status: Status, step: Option<Step>) -> Deployment {
    let at = |seconds| Timestamp::from_millis(1_795_686_067_000).plus_seconds(seconds);
    Deployment {
        id: DeploymentId(7),
        app_id: AppId(1),
        number: 3,
        status,
        step,
        trigger: Trigger::Manual,
        wanted_commit: None,
        wanted_release_id: None,
        is_fresh: false,
        commit: None,
        image: None,
        created_at: at(0),
        started_at: (status != Status::Queued).then(|| at(1)),
        finished_at: status.is_final().then(|| at(9)),
        error: None,
        release_id: None,
        release_number: None,
        switch: None,
    }
}

fn runs(ended: &[Step], running: Option<Step>) -> Vec<StepRun> {
    let run = |step, millis| StepRun {
        step,
        started_at: Timestamp::from_millis(0),
        millis,
    };
    let ended = ended.iter().map(|step| run(*step, Some(800)));
    ended.chain(running.map(|step| run(step, None))).collect()
}

fn states(deployment: &Deployment, runs: &[StepRun]) -> String {
    let steps = Steps::of(deployment, runs);
    steps.steps.iter().map(|step| step.state).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_step_shows_how_far_it_is() {
    use Step::{Build, Check, Fetch, Retire, Start, Switch};
    let all = [Fetch, Build, Start, Check, Switch, Retire];
    let cases = [
        (
            Status::Queued,
            None,
            runs(&[], None),
            "pending pending pending pending pending pending",
        ),
        (
            Status::Running,
            None,
            runs(&[], None),
            "pending pending pending pending pending pending",
        ),
        (
            Status::Running,
            Some(Build),
            runs(&[Fetch], Some(Build)),
            "done current pending pending pending pending",
        ),
        // A second attempt that has not come as far as the first one.
        (
            Status::Running,
            Some(Fetch),
            runs(&[Build], Some(Fetch)),
            "current pending pending pending pending pending",
        ),
        (
            Status::Queued,
            Some(Build),
            runs(&[Fetch], Some(Build)),
            "pending pending pending pending pending pending",
        ),
        (
            Status::Failed,
            Some(Build),
            runs(&[Fetch, Build], None),
            "done failed pending pending pending pending",
        ),
        (
            Status::Cancelled,
            Some(Build),
            runs(&[Fetch, Build], None),
            "done skipped pending pending pending pending",
        ),
        (
            Status::Superseded,
            None,
            runs(&[], None),
            "pending pending pending pending pending pending",
        ),
        (
            Status::Succeeded,
            Some(Retire),
            runs(&all, None),
            "done done done done done done",
        ),
        (
            Status::Succeeded,
            Some(Retire),
            runs(&all[2..], None),
            "skipped skipped done done done done",
        ),
    ];
    for (status, step, runs, expected) in cases {
        assert_eq!(states(&deployment(status, step), &runs), expected, "{status} {step:?}");
    }
    let rollback = Deployment {
        trigger: Trigger::Rollback,
        ..deployment(Status::Running, Some(Start))
    };
    assert_eq!(
        states(&rollback, &runs(&[], Some(Start))),
        "skipped skipped current pending pending pending"
    );
    let with = |trigger, status, step| Deployment {
        trigger,
        ..deployment(status, step)
    };
    for (deployment, expected) in [
        (
            with(Trigger::Rollback, Status::Queued, None),
            "skipped skipped pending pending pending pending",
        ),
        (
            with(Trigger::Restart, Status::Failed, None),
            "skipped skipped pending pending pending pending",
        ),
        // Whether settings take a build is known once it has begun.
        (
            with(Trigger::Config, Status::Queued, None),
            "pending pending pending pending pending pending",
        ),
        (
            with(Trigger::Config, Status::Failed, Some(Start)),
            "skipped skipped failed pending pending pending",
        ),
        (
            with(Trigger::Config, Status::Running, Some(Start)),
            "skipped skipped current pending pending pending",
        ),
    ] {
        assert_eq!(states(&deployment, &[]), expected, "{}", deployment.trigger);
    }
    let words = Steps::of(&with(Trigger::Config, Status::Queued, None), &[]).to_string();
    assert!(
        words.contains(" only if needed") && words.contains(" to come"),
        "{words}"
    );
}

#[test]
fn the_step_that_runs_tells_its_time_so_far_in_whole_seconds() {
    let since = |seconds: i64| StepRun {
        step: Step::Build,
        started_at: Timestamp::now().plus_seconds(-seconds),
        millis: None,
    };
    assert_eq!(so_far(&since(0)), None);
    assert_eq!(so_far(&since(12)).as_deref(), Some("12 s"));
    assert_eq!(so_far(&since(125)).as_deref(), Some("2 min 5 s"));
    let running = deployment(Status::Running, Some(Step::Build));
    let markup = Steps::of(&running, &[since(12)]).to_string();
    assert!(markup.contains("<span class=\"step-time\">12 s"), "{markup}");
}

#[test]
fn steps_tell_their_time_and_their_state_in_words() {
    let markup = Steps::of(
        &deployment(Status::Failed, Some(Step::Build)),
        &runs(&[Step::Fetch, Step::Build], None),
    )
    .to_string();
    assert!(markup.starts_with("<ol class=\"steps\" id=\"steps\""), "{markup}");
    assert!(
        markup.contains("build</span><span class=\"visually-hidden\"> failed</span><span class=\"step-time\">0.8 s")
    );
    assert_eq!(markup.matches("<li").count(), 6);
}

#[test]
fn the_line_tells_commit_and_time_as_text() {
    let running = Deployment {
        commit: Some(CommitInfo {
            sha: "4f2c1e9aaaaaaaaa".into(),
            message: "<img src=x onerror=alert(1)>".into(),
            author: "Ana <ana@example.org>".into(),
        }),
        ..deployment(Status::Succeeded, Some(Step::Retire))
    };
    let markup = DeploymentLine::of(&running, None).to_string();
    assert!(
        markup.contains("<code>4f2c1e9</code> <span class=\"subject\">&#60;img src=x onerror=alert(1)&#62;</span>")
    );
    assert!(
        markup.contains("manual, started <time") && markup.contains("took 8.0 s"),
        "{markup}"
    );
    assert!(!markup.contains("<img"));
}

#[test]
fn the_outcome_says_what_happened_and_what_serves() {
    let outcome = |deployment: &Deployment, active| Outcome::seen(active, false, deployment).to_string();
    let failed = Deployment {
        error: Some((ErrorKind::BuildFailed, "The build failed: <b>exit code 3</b>".into())),
        ..deployment(Status::Failed, Some(Step::Build))
    };
    let markup = outcome(&failed, Some(12));
    for expected in [
        "exit code 3&#60;/b&#62;",
        "v12 keeps serving",
        "build_failed",
        "#log-end",
    ] {
        assert!(markup.contains(expected), "{expected} in {markup}");
    }
    assert!(outcome(&failed, None).contains("Nothing is live"));
    assert!(outcome(&deployment(Status::Running, None), None).contains("hidden"));
    assert!(outcome(&deployment(Status::Queued, None), None).contains("hidden"));
    let waiting = Outcome {
        waits_for: Some("Waits until deployment 2 of this app has ended.".into()),
        ..Outcome::seen(None, false, &deployment(Status::Queued, None))
    }
    .to_string();
    assert!(
        waiting.contains("deployment 2") && !waiting.contains("hidden"),
        "{waiting}"
    );
    let gone = Outcome {
        rebuild: Some(Rebuild {
            slug: "web".into(),
            sha: "a".repeat(40),
            short: "aaaaaaa".into(),
        }),
        ..Outcome::seen(Some(2), false, &failed)
    }
    .to_string();
    assert!(
        gone.contains("Deploy commit aaaaaaa") && gone.contains(&format!("value=\"{}\"", "a".repeat(40))),
        "{gone}"
    );
    let switched = |requests, failed| Deployment {
        switch: Some(SwitchReport {
            requests,
            failed,
            millis: 340,
        }),
        ..deployment(Status::Succeeded, Some(Step::Retire))
    };
    let cases = [
        (0, 0, "Switched in 0.34 s; no request came in meanwhile."),
        (1, 0, "0 of 1 requests failed, switched in 0.34 s."),
        (1_204, 1, "1 of 1,204 requests failed, switched in 0.34 s."),
        (
            1_234_567,
            1_000,
            "1,000 of 1,234,567 requests failed, switched in 0.34 s.",
        ),
    ];
    for (requests, failed, sentence) in cases {
        let markup = outcome(&switched(requests, failed), Some(1));
        assert!(markup.contains(sentence), "{markup}");
        assert_eq!(markup.contains("notice-warn"), failed > 0);
    }
}
