//! How a Ruby app is started: by its Procfile, by Puma as it is configured, or by the server that its gems bring.

use super::super::{Dockerfile, Reason, Tree, procfile};
use super::gemfile::Gemfile;

/// The container's command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Words.
    Plain(&'static [&'static str]),
    /// A command of a shell, which knows `$PORT`.
    Shell(String),
}

impl Start {
    /// Finds it, and what led to it.
    pub fn find(tree: &Tree, gems: &Gemfile, is_rails: bool) -> Option<(Self, Reason)> {
        if let Some(command) = procfile::web(tree) {
            let reason = Reason::new("Procfile", "its web process is what is started");
            return Some((Self::Shell(command), reason));
        }
        let rack = "config.ru";
        let has_app = is_rails || tree.has(rack);
        if has_app && gems.has("puma") {
            let config = tree.text("config/puma.rb").unwrap_or_default();
            if config.contains("PORT") {
                let reason = Reason::new("config/puma.rb", "Puma listens on the port that it reads there");
                return Some((Self::Plain(&["bundle", "exec", "puma", "-C", "config/puma.rb"]), reason));
            }
            let start = Self::Shell("bundle exec puma -b tcp://0.0.0.0:$PORT".to_owned());
            return Some((start, Reason::new("Gemfile", "puma is the server")));
        }
        if is_rails {
            let start = Self::Shell("bundle exec rails server -b 0.0.0.0 -p $PORT".to_owned());
            return Some((
                start,
                Reason::new("Gemfile", "rails starts the server that is installed"),
            ));
        }
        if has_app && gems.has("unicorn") {
            let start = Self::Shell("bundle exec unicorn -l 0.0.0.0:$PORT".to_owned());
            return Some((start, Reason::new("Gemfile", "unicorn is the server")));
        }
        let has_server = ["falcon", "thin", "webrick"].iter().any(|gem| gems.has(gem));
        if has_app && has_server {
            let start = Self::Shell("bundle exec rackup -o 0.0.0.0 -p $PORT".to_owned());
            return Some((start, Reason::new(rack, "rackup starts the server that is installed")));
        }
        let has_server = has_server || gems.has("puma");
        let script = tree.first(&["app.rb", "main.rb", "server.rb"])?;
        (gems.direct.contains("sinatra") && has_server).then(|| {
            let start = Self::Shell(format!("bundle exec ruby {script} -o 0.0.0.0 -p $PORT"));
            (start, Reason::new(script, "Sinatra's own server is started by it"))
        })
    }

    /// Writes it.
    pub fn write(&self, dockerfile: &mut Dockerfile) {
        match self {
            Self::Plain(words) => dockerfile.cmd(words),
            Self::Shell(command) => dockerfile.cmd_shell(command),
        };
    }
}
