//! Projects come and go, each with a network that the proxy joins and leaves, while another project's app is busy.

use crate::harness::dhow::Dhow;
use crate::harness::docker::labelled;
use crate::harness::git_server::GitServer;
use crate::harness::load::Load;
use crate::harness::wait::{eventually, seconds};

#[tokio::test(flavor = "multi_thread")]
async fn making_and_deleting_projects_loses_no_request_of_another_app() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("busy");
    repository.commit_app("busy");
    api.live_app("Busy", "busy", &repository).await;

    let visitors = Load::on(&dhow, "busy.localhost");
    // Names that sort before and after the busy project's.
    for project in ["aaa", "zzz"] {
        let app = api.live_app(project, &format!("{project}-app"), &repository).await;
        assert_eq!(
            dhow.visit(&format!("{app}.localhost"), "/").await.expect(200).text(),
            "busy"
        );
        let network = format!("dhow.project={project}");
        assert_eq!(
            labelled("network", &[&format!("dhow.instance={}", dhow.instance), &network]).len(),
            1,
            "its network"
        );

        api.delete(&format!("/apps/{app}")).await.expect(202);
        eventually("the app is gone", seconds(60), || async {
            let answer = api.get(&format!("/apps/{app}")).await;
            if answer.status == 404 && dhow.containers_of(&app).is_empty() {
                Ok(())
            } else {
                Err(answer.to_string())
            }
        })
        .await;
        let deleted = api.delete(&format!("/projects/{project}")).await;
        assert!(matches!(deleted.status, 202 | 204), "{deleted}");
        eventually("the project's network is gone", seconds(30), || async {
            let left = labelled("network", &[&format!("dhow.instance={}", dhow.instance), &network]);
            if left.is_empty() {
                Ok(())
            } else {
                Err(format!("{left:?}"))
            }
        })
        .await;
        dhow.visit(&format!("{app}.localhost"), "/").await.expect(404);
    }
    visitors.assert_nothing_failed("the life of two other projects").await;
}
