//! The variables that an app has now: its own, and its project's where it has none of that name.
//!
//! A project's are sealed again for the app, so that whatever a release freezes or a step opens is bound to one app.

use std::collections::BTreeSet;

use super::{Context, DeployError};
use crate::db;
use crate::model::app::App;
use crate::model::env_var::{EnvKey, EnvOwner, SealedEnvVar};
use crate::model::ids::{AppId, ProjectId};
use crate::secrets::SecretKey;

/// Both lists as stored.
pub struct Variables {
    app: AppId,
    project: ProjectId,
    own: Vec<SealedEnvVar>,
    shared: Vec<SealedEnvVar>,
}

impl Variables {
    /// Reads both lists at one moment.
    pub fn read(c: &db::Tx, app: AppId, project: ProjectId) -> db::Result<Self> {
        Ok(Self {
            app,
            project,
            own: db::env_vars::list(c, EnvOwner::App(app))?,
            shared: db::env_vars::list(c, EnvOwner::Project(project))?,
        })
    }

    /// One list by key; the app's own count.
    ///
    /// # Errors
    /// `SecretUnreadable` when a shared one cannot be opened.
    pub fn sealed_for_app(self, secrets: &SecretKey) -> Result<Vec<SealedEnvVar>, DeployError> {
        let taken: BTreeSet<EnvKey> = self.own.iter().map(|var| var.key.clone()).collect();
        let (app, project) = (EnvOwner::App(self.app), EnvOwner::Project(self.project));
        let mut all = self.own;
        for mut var in self.shared.into_iter().filter(|var| !taken.contains(&var.key)) {
            let value = secrets.unseal(&project.seal_identity(&var.key), &var.sealed);
            let value = value.map_err(DeployError::unreadable(var.key.as_str()))?;
            var.sealed = secrets.seal(&app.seal_identity(&var.key), &value);
            all.push(var);
        }
        all.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(all)
    }
}

/// The variables of an app as its next release would have them, sealed for the app.
pub async fn now(context: &Context, app: &App) -> Result<Vec<SealedEnvVar>, DeployError> {
    let (id, project) = (app.id, app.project_id);
    let read = context.db.read(move |c| Variables::read(c, id, project)).await?;
    read.sealed_for_app(&context.secrets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::env_var::EnvScope;

    #[test]
    fn a_project_s_variables_are_an_app_s_unless_it_has_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let secrets = SecretKey::load_or_create(&directory.path().join("secret.key")).unwrap();
        let (app, project) = (AppId(1), ProjectId(1));
        let var = |owner: EnvOwner, key: &str, value: &str| {
            let key = EnvKey::parse(key).unwrap();
            SealedEnvVar {
                sealed: secrets.seal(&owner.seal_identity(&key), value),
                key,
                is_secret: false,
                scope: EnvScope::Run,
            }
        };
        let of_project = |key, value| var(EnvOwner::Project(project), key, value);
        let read = |shared| Variables {
            app,
            project,
            own: vec![var(EnvOwner::App(app), "B", "own")],
            shared,
        };
        let all = read(vec![of_project("A", "shared"), of_project("B", "hidden")]);
        let all: Vec<(String, String)> = all
            .sealed_for_app(&secrets)
            .unwrap()
            .iter()
            .map(|var| {
                let value = secrets.unseal(&var.key.seal_identity(app), &var.sealed).unwrap();
                (var.key.to_string(), value)
            })
            .collect();
        assert_eq!(all, [("A".into(), "shared".into()), ("B".into(), "own".into())]);

        let foreign = read(vec![var(EnvOwner::Project(ProjectId(2)), "A", "of another project")]);
        let refused = foreign.sealed_for_app(&secrets).unwrap_err();
        assert!(matches!(refused, DeployError::SecretUnreadable { key } if key == "A"));
    }
}
