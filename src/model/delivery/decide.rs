//! The rules that say what a delivery leads to, as far as they need no look into the repository.

use super::{Decision, Event, Push, Verdict};
use crate::model::app::AppSettings;
use crate::model::source::{CommitSha, Source};

/// What by GitHub's and GitLab's documentation, and by Dhow's own word, asks that a commit be skipped.
const SKIP_MARKERS: [&str; 6] = [
    "[skip ci]",
    "[ci skip]",
    "[no ci]",
    "[skip actions]",
    "[actions skip]",
    "[skip dhow]",
];

/// What is to be done about a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is deployed.
    Skip(Verdict),
    /// This commit is deployed.
    Deploy(Push, CommitSha, Verdict),
    /// Whether this commit is deployed depends on which files changed.
    AskRepository(Push, CommitSha),
}

/// Decides about a delivery with the app's settings of now.
pub fn decide(settings: &AppSettings, event: &Event) -> Outcome {
    match event {
        Event::Push(push) => of_push(settings, push).unwrap_or_else(Outcome::Skip),
        Event::Pushes(_) => decide(settings, &concerning(settings, event)),
        Event::Ping => skip(Decision::Ping, "ping", "Ping: the webhook is connected."),
        Event::Other => skip(
            Decision::OtherEvent,
            "only pushes deploy",
            "Not a push: nothing is deployed for this event.",
        ),
        Event::Unreadable(why) => skip(Decision::Unreadable, "the payload must be readable", why),
    }
}

fn skip(decision: Decision, rule: &str, reason: &str) -> Outcome {
    Outcome::Skip(verdict(decision, rule, reason))
}

fn verdict(decision: Decision, rule: impl Into<String>, reason: impl Into<String>) -> Verdict {
    Verdict {
        decision,
        rule: rule.into(),
        reason: reason.into(),
    }
}

fn of_push(settings: &AppSettings, push: &Push) -> Result<Outcome, Verdict> {
    let Source::Git {
        branch, watch_paths, ..
    } = &settings.source
    else {
        let reason = match settings.source {
            Source::Image { .. } => "Not a Git app: this app runs a ready image.",
            Source::Git { .. } | Source::Push { .. } => {
                "Not a Git app: this app is deployed by pushing to Dhow itself."
            }
        };
        return Err(verdict(Decision::NotGit, "source", reason));
    };
    let followed = branch.as_ref().map(|branch| branch.as_str());
    let Some(followed) = followed.or(push.default_branch.as_deref()) else {
        let reason = "Unknown branch: the app follows the default one, which the forge does not name. Deploy the app \
                      once by hand, or name the branch in its settings.";
        return Err(verdict(Decision::OtherBranch, "default branch", reason));
    };
    let rule = format!("branch {followed}");
    refuse_other_ref(push, followed, &rule)?;
    let Some(after) = &push.after else {
        let reason = "Branch deleted: nothing is deployed, and what runs goes on running.";
        return Err(verdict(Decision::BranchDeleted, rule, reason));
    };
    if !settings.auto_deploy {
        let reason = "Automatic deployment is off: deploy it by hand, or turn it on in the app's settings.";
        return Err(verdict(Decision::AutoDeployOff, "automatic deployment", reason));
    }
    if let Some(marker) = &push.skip_marker {
        let reason = format!("Skipped: every commit of the push is marked {marker}.");
        return Err(verdict(Decision::SkipMarker, format!("marker {marker}"), reason));
    }
    if watch_paths.is_empty() {
        let reason = format!("Deploys {}, as every push to this branch does.", after.short());
        let verdict = verdict(Decision::Deploy, rule, reason);
        return Ok(Outcome::Deploy(push.clone(), after.clone(), verdict));
    }
    Ok(Outcome::AskRepository(push.clone(), after.clone()))
}

/// Compares whole names: a tag, or the end of another branch's name, may read like the branch.
fn refuse_other_ref(push: &Push, followed: &str, rule: &str) -> Result<(), Verdict> {
    let Some(pushed) = push.branch() else {
        let tag = push.git_ref.strip_prefix("refs/tags/").unwrap_or(&push.git_ref);
        let reason = format!("Tag pushed: {tag} is a tag, only branch {followed} deploys this app.");
        return Err(verdict(Decision::Tag, rule, reason));
    };
    if followed != pushed {
        let reason = format!("Other branch: {pushed} was pushed, only branch {followed} deploys this app.");
        return Err(verdict(Decision::OtherBranch, rule, reason));
    }
    Ok(())
}

/// The one push that concerns an app, of a delivery that tells of several at once: the one of its branch, else the first.
pub fn concerning(settings: &AppSettings, event: &Event) -> Event {
    let Event::Pushes(pushes) = event else {
        return event.clone();
    };
    let followed = match &settings.source {
        Source::Git { branch, .. } => branch.as_ref().map(|branch| branch.as_str()),
        Source::Push { .. } | Source::Image { .. } => None,
    };
    let own = pushes
        .iter()
        .find(|push| push.branch().is_some() && push.branch() == followed);
    own.or(pushes.first())
        .map_or(Event::Other, |push| Event::Push(push.clone()))
}

/// The marker with which a push asks to be skipped: every one of its commits must have one, or an unmarked one would be
/// lost. `is_complete` says whether the forge told of all of them.
pub fn skip_marker<'a>(messages: impl IntoIterator<Item = &'a str>, is_complete: bool) -> Option<String> {
    let mut first = None;
    for message in messages {
        let message = message.to_lowercase();
        let marker = SKIP_MARKERS.iter().find(|marker| message.contains(**marker))?;
        first.get_or_insert(*marker);
    }
    first.filter(|_| is_complete).map(|marker| (*marker).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::app::{BuildSettings, Builder, Health, Port, Resources, RunSettings};
    use crate::model::source::{Branch, GitUrl, RelativePath, WatchPath};
    use crate::model::text::Name;

    fn settings(branch: Option<&str>, watch_paths: &[&str]) -> AppSettings {
        let watch_paths = watch_paths.iter().map(|path| WatchPath::parse(path).unwrap());
        AppSettings {
            name: Name::parse("Web").unwrap(),
            source: Source::Git {
                url: GitUrl::parse("https://git.example.com/a/b.git").unwrap(),
                branch: branch.map(|branch| Branch::parse(branch).unwrap()),
                root_dir: RelativePath::default(),
                submodules: true,
                watch_paths: watch_paths.collect(),
            },
            build: BuildSettings {
                builder: Builder::Dockerfile,
                context: RelativePath::default(),
                dockerfile: RelativePath::parse("Dockerfile").unwrap(),
                target: None,
                build_command: None,
                publish_dir: None,
            },
            run: RunSettings {
                port: Port::DEFAULT,
                health: Health {
                    path: None,
                    timeout_s: 60,
                },
                resources: Resources::default(),
                start_command: None,
                release_command: None,
                stop_timeout_s: 10,
            },
            is_port_guessed: false,
            auto_deploy: true,
        }
    }

    fn push(git_ref: &str) -> Push {
        Push {
            git_ref: git_ref.to_owned(),
            after: Some(CommitSha::parse(&"a".repeat(40)).unwrap()),
            ..Push::default()
        }
    }

    fn decision(settings: &AppSettings, push: Push) -> &'static str {
        match decide(settings, &Event::Push(push)) {
            Outcome::Skip(verdict) | Outcome::Deploy(_, _, verdict) => verdict.decision.as_str(),
            Outcome::AskRepository(..) => "ask",
        }
    }

    #[test]
    fn only_the_whole_name_of_the_branch_deploys() {
        let app = settings(Some("main"), &[]);
        for (git_ref, expected) in [
            ("refs/heads/main", "deploy"),
            ("refs/heads/feature/main", "other_branch"),
            ("refs/heads/Main", "other_branch"),
            ("refs/tags/main", "tag"),
            ("main", "tag"),
        ] {
            assert_eq!(decision(&app, push(git_ref)), expected, "{git_ref}");
        }
    }

    #[test]
    fn an_app_without_a_branch_follows_the_default_one() {
        let app = settings(None, &[]);
        let named = |branch: Option<&str>| Push {
            default_branch: branch.map(str::to_owned),
            ..push("refs/heads/next")
        };
        assert_eq!(decision(&app, named(Some("main"))), "other_branch");
        assert_eq!(decision(&app, named(Some("next"))), "deploy");
        assert_eq!(decision(&app, named(None)), "other_branch");
    }

    #[test]
    fn of_several_branches_the_own_one_counts() {
        let app = settings(Some("main"), &[]);
        let several = Event::Pushes(vec![
            push("refs/tags/main"),
            push("refs/heads/x"),
            push("refs/heads/main"),
        ]);
        assert_eq!(concerning(&app, &several), Event::Push(push("refs/heads/main")));
        assert!(matches!(decide(&app, &several), Outcome::Deploy(..)));
        assert_eq!(concerning(&app, &Event::Pushes(Vec::new())), Event::Other);
    }

    #[test]
    fn settings_and_markers_hold_a_push_back() {
        let (app, pushed) = (settings(Some("main"), &[]), push("refs/heads/main"));
        let deleted = Push {
            after: None,
            ..pushed.clone()
        };
        assert_eq!(decision(&app, deleted), "branch_deleted");
        let marked = Push {
            skip_marker: Some("[skip ci]".to_owned()),
            ..pushed.clone()
        };
        assert_eq!(decision(&app, marked), "skip_marker");
        let off = AppSettings {
            auto_deploy: false,
            ..app.clone()
        };
        assert_eq!(decision(&off, pushed.clone()), "auto_deploy_off");
        assert_eq!(decision(&settings(Some("main"), &["docs"]), pushed.clone()), "ask");
        let source = Source::Push {
            branch: None,
            root_dir: RelativePath::default(),
        };
        assert_eq!(decision(&AppSettings { source, ..app }, pushed), "not_git");
    }

    /// Case wh-skip-ci.
    #[test]
    fn wh_skip_ci_only_when_every_commit_is_marked() {
        assert_eq!(skip_marker(["fix: real change", "docs [skip ci]"], true), None);
        assert_eq!(skip_marker(["docs [CI skip]"], true).as_deref(), Some("[ci skip]"));
        assert_eq!(
            skip_marker(["a\n\n[skip dhow]", "[no ci] b"], true).as_deref(),
            Some("[skip dhow]")
        );
        assert_eq!(skip_marker(["docs [skip ci]"], false), None);
        assert_eq!(skip_marker([], true), None);
        assert_eq!(skip_marker(["skip ci"], true), None);
    }
}
