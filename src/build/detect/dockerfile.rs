//! Writes Dockerfiles line by line. What comes out has to be good to read, and to keep in a repository: no heredocs
//! and no `# syntax=` line, which old engines do not know.

use std::fmt::Write as _;

use super::Wishes;

/// Id of the build secret that holds the certificate authority of the operator's network, where there is one.
pub const CA_SECRET: &str = "dhow_ca";
/// Name of the build argument that is another text once the value of a build secret has changed.
pub const SECRETS_ARGUMENT: &str = "DHOW_SECRETS";
/// What programs that load something call the file with the authorities that they trust.
const CA_VARIABLES: [&str; 8] = [
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
    "DENO_CERT",
];

/// A directory that outlives a build: a package manager's downloads.
#[derive(Debug, Clone, Copy)]
pub struct Cache {
    /// Where it is mounted.
    pub path: &'static str,
    /// Whether one build at a time may use it, since its program does not lock it itself.
    pub is_exclusive: bool,
}

impl Cache {
    /// One that several builds may use at once.
    pub const fn shared(path: &'static str) -> Self {
        Self {
            path,
            is_exclusive: false,
        }
    }

    /// One for a single build at a time.
    pub const fn exclusive(path: &'static str) -> Self {
        Self {
            path,
            is_exclusive: true,
        }
    }
}

/// A Dockerfile as it grows.
#[derive(Debug)]
pub struct Dockerfile {
    text: String,
    wishes: Wishes,
    /// Whether the stage knows already where the authority is.
    knows_ca: bool,
    /// Whether the stage has a name: then something is built in it.
    is_building: bool,
    /// Whether the stage has declared the app's build arguments already.
    knows_arguments: bool,
}

impl Dockerfile {
    /// An empty one as the wishes have it.
    pub fn new(wishes: &Wishes) -> Self {
        Self {
            text: String::new(),
            wishes: wishes.clone(),
            knows_ca: false,
            is_building: false,
            knows_arguments: false,
        }
    }

    /// Begins a stage, `FROM image AS name`; the last one has no name.
    pub fn from(&mut self, image: &str, name: Option<&str>) -> &mut Self {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.knows_ca = false;
        self.knows_arguments = false;
        self.is_building = name.is_some();
        match name {
            Some(name) => self.line(&format!("FROM {image} AS {name}")),
            None => self.line(&format!("FROM {image}")),
        }
    }

    /// One line as it stands.
    pub fn line(&mut self, line: &str) -> &mut Self {
        self.text.push_str(line);
        self.text.push('\n');
        self
    }

    /// A comment that says why the next line is there.
    pub fn comment(&mut self, why: &str) -> &mut Self {
        self.line(&format!("# {why}"))
    }

    /// `COPY` within the context, from → to.
    pub fn copy(&mut self, from: &[&str], to: &str) -> &mut Self {
        let paths: Vec<&str> = from.iter().copied().chain([to]).collect();
        if paths.iter().any(|path| path.contains([' ', '"', '\\'])) {
            let quoted: Vec<String> = paths.iter().map(|path| json_string(path)).collect();
            return self.line(&format!("COPY [{}]", quoted.join(", ")));
        }
        self.line(&format!("COPY {}", paths.join(" ")))
    }

    /// A command of ours that reaches no network and needs none of the app's variables.
    pub fn run(&mut self, command: &str, caches: &[Cache]) -> &mut Self {
        let mounts = self.cache_mounts(caches);
        self.run_with(command, &mounts)
    }

    /// A command of ours that loads something. Where the app is built it has the build's variables, too.
    pub fn run_online(&mut self, command: &str, caches: &[Cache]) -> &mut Self {
        let has_variables = self.is_building && !command.starts_with("apt-get");
        if has_variables {
            self.declare_arguments();
        }
        self.declare_ca();
        let secrets = if has_variables {
            self.wishes.secrets.clone()
        } else {
            Vec::new()
        };
        let mut mounts = Vec::new();
        if self.wishes.has_ca {
            mounts.push(format!("--mount=type=secret,id={CA_SECRET}"));
        }
        mounts.extend(secrets.iter().map(|name| format!("--mount=type=secret,id={name}")));
        mounts.extend(self.cache_mounts(caches));
        self.run_with(&with_secrets(command, &secrets), &mounts)
    }

    /// A command that a user typed: one line for the shell, whatever it holds. It may load something.
    pub fn run_typed(&mut self, command: &str, caches: &[Cache]) -> &mut Self {
        // These would be read as the Dockerfile's own: a list, an option, a heredoc, a line that goes on.
        let is_plain =
            !command.starts_with(['[', '-', '#']) && !command.contains("<<") && !command.ends_with(['\\', '`']);
        if is_plain {
            return self.run_online(command, caches);
        }
        self.run_online(&format!("eval {}", single_quoted(command)), caches)
    }

    /// The command of the container, without a shell.
    pub fn cmd(&mut self, words: &[&str]) -> &mut Self {
        self.line(&format!("CMD {}", json_list(words)))
    }

    /// The command of the container, by a shell that gives way to it: for those that need `$PORT`.
    pub fn cmd_shell(&mut self, command: &str) -> &mut Self {
        self.cmd(&["/bin/sh", "-c", &giving_way(command)])
    }

    /// The finished text.
    pub fn finish(self) -> String {
        self.text
    }

    fn declare_ca(&mut self) {
        if !self.wishes.has_ca || self.knows_ca {
            return;
        }
        self.knows_ca = true;
        let variables: Vec<String> = CA_VARIABLES
            .iter()
            .map(|name| format!("{name}=/run/secrets/{CA_SECRET}"))
            .collect();
        self.comment("The certificate authority of this server's network (--build-ca-file)");
        self.line(&format!("ARG {}", variables.join(" \\\n    ")));
    }

    fn declare_arguments(&mut self) {
        if self.knows_arguments {
            return;
        }
        self.knows_arguments = true;
        for name in self.wishes.arguments.clone() {
            self.line(&format!("ARG {name}"));
        }
        if !self.wishes.secrets.is_empty() {
            self.comment("Changes with the secrets, so that no step with an old one is taken from the cache");
            self.line(&format!("ARG {SECRETS_ARGUMENT}"));
        }
    }

    fn cache_mounts(&self, caches: &[Cache]) -> Vec<String> {
        let mount = |cache: &Cache| {
            let sharing = if cache.is_exclusive { ",sharing=locked" } else { "" };
            let id = format!("{}{}", self.wishes.cache_scope, cache.path);
            format!("--mount=type=cache,id={id},target={}{sharing}", cache.path)
        };
        caches.iter().map(mount).collect()
    }

    fn run_with(&mut self, command: &str, mounts: &[String]) -> &mut Self {
        if mounts.is_empty() {
            return self.line(&format!("RUN {command}"));
        }
        let _infallible = write!(self.text, "RUN {} \\\n    ", mounts.join(" \\\n    "));
        self.line(command)
    }
}

/// The command after its secrets were read from where they are mounted.
fn with_secrets(command: &str, secrets: &[String]) -> String {
    let read: String = secrets
        .iter()
        // Apart from the `export`, which would succeed without the file, too.
        .map(|name| format!("{name}=\"$(cat /run/secrets/{name})\" && export {name} && \\\n    "))
        .collect();
    format!("{read}{command}")
}

/// One word of a shell.
fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The command with `exec` before the program that stays: `migrate && serve` has to come to its second half. What is
/// no chain of plain commands is left as it is.
fn giving_way(command: &str) -> String {
    let Some(bare) = without_quoted(command) else {
        return command.to_owned();
    };
    let start = bare.rfind("&&").map_or(0, |at| at + 2);
    let (before, last) = command.split_at(start);
    let others = bare.replace("&&", "").replace("${", "");
    let first = last.split_whitespace().next().unwrap_or("exec");
    if first == "exec" || others.contains([';', '|', '&', '<', '>', '(', '{', '`', '\n']) {
        return command.to_owned();
    }
    // `exec` takes no assignments before the program; `env` does.
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_assignment = first.split_once('=').is_some_and(|(name, _)| is_name(name));
    let env = if is_assignment { "env " } else { "" };
    let space = if before.is_empty() { "" } else { " " };
    format!("{before}{space}exec {env}{}", last.trim_start())
}

/// The text with a `q` for each byte in quotes; `None` where a quote stays open.
fn without_quoted(text: &str) -> Option<String> {
    let mut quote = None;
    let mut bare = String::with_capacity(text.len());
    for letter in text.chars() {
        match quote {
            Some(open) => {
                quote = quote.filter(|_| letter != open);
                bare.extend(std::iter::repeat_n('q', letter.len_utf8()));
            }
            None => {
                quote = matches!(letter, '\'' | '"').then_some(letter);
                bare.push(letter);
            }
        }
    }
    quote.is_none().then_some(bare)
}

/// A list in the form that `RUN`, `CMD` and `COPY` take as JSON.
fn json_list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| json_string(word)).collect();
    format!("[{}]", quoted.join(", "))
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::giving_way;

    #[test]
    fn exec_stands_before_the_program_that_stays() {
        for (command, expected) in [
            ("gunicorn app:app", "exec gunicorn app:app"),
            ("puma -p ${PORT:-3000}", "exec puma -p ${PORT:-3000}"),
            ("a migrate && b serve", "a migrate && exec b serve"),
            ("cd src && A=b c", "cd src && exec env A=b c"),
            ("A=b c", "exec env A=b c"),
            ("./a=b c", "exec ./a=b c"),
            ("exec a", "exec a"),
            ("a; b", "a; b"),
            ("a | b", "a | b"),
            ("a || b && c", "a || b && c"),
            ("a & b", "a & b"),
            ("sh -c 'a && b'", "exec sh -c 'a && b'"),
            ("a 'é;' && b 'c:d()'", "a 'é;' && exec b 'c:d()'"),
            ("a 'b", "a 'b"),
            ("if a; then b; fi", "if a; then b; fi"),
            ("a $(b) && c", "a $(b) && c"),
            ("cat <<EOF", "cat <<EOF"),
        ] {
            assert_eq!(giving_way(command), expected, "{command}");
        }
    }
}
