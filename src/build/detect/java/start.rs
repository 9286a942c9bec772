//! What a build of Java's leaves behind, and how that is started.

use super::super::Dockerfile;

/// How the app is packed and started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// One archive that starts by itself.
    SpringBoot {
        /// Whether it is a WAR.
        is_war: bool,
    },
    /// A directory with the app apart from its libraries.
    Quarkus,
    /// One archive, which hears of its port as an argument.
    Ktor,
    /// One archive by Micronaut's plugin for Maven.
    Micronaut,
    /// One archive with all libraries, by this plugin.
    FatJar(&'static str),
    /// The same by Maven's assembly plugin, beside the one without libraries.
    Assembly,
    /// A directory with a start script, by Gradle.
    Distribution {
        /// Whether Micronaut's plugin made it.
        is_micronaut: bool,
    },
}

impl Start {
    /// What the build file says.
    pub fn why(&self) -> String {
        match self {
            Self::SpringBoot { .. } => "Spring Boot's plugin packs the app".to_owned(),
            Self::Quarkus => "Quarkus' plugin packs the app".to_owned(),
            Self::Ktor => {
                "Ktor's plugin packs the app; it hears of its port as -port, where its main class is EngineMain"
                    .to_owned()
            }
            Self::Micronaut | Self::Distribution { is_micronaut: true } => {
                "Micronaut's plugin packs the app".to_owned()
            }
            Self::FatJar(plugin) => {
                format!("{plugin} packs the app and its libraries; it has to listen on $PORT itself")
            }
            Self::Assembly => {
                "maven-assembly-plugin packs the app and its libraries; it has to listen on $PORT itself".to_owned()
            }
            Self::Distribution { is_micronaut: false } => {
                "the application plugin packs the app; it has to listen on $PORT itself".to_owned()
            }
        }
    }

    /// The framework, where it is one.
    pub fn framework(&self) -> Option<&'static str> {
        match self {
            Self::SpringBoot { .. } => Some("Spring Boot"),
            Self::Quarkus => Some("Quarkus"),
            Self::Ktor => Some("Ktor"),
            Self::Micronaut | Self::Distribution { is_micronaut: true } => Some("Micronaut"),
            Self::FatJar(_) | Self::Assembly | Self::Distribution { is_micronaut: false } => None,
        }
    }

    /// Gradle's task that packs it.
    pub fn task(&self) -> &'static str {
        match self {
            Self::SpringBoot { is_war: false } => "bootJar",
            Self::SpringBoot { is_war: true } => "bootWar",
            Self::Quarkus => "quarkusBuild",
            Self::Ktor => "buildFatJar",
            Self::FatJar(_) | Self::Micronaut | Self::Assembly => "shadowJar",
            Self::Distribution { .. } => "installDist",
        }
    }

    /// Puts what was built where the last stage takes it from. `output` is the build's directory, `archives` the one
    /// with its archives.
    pub fn collect(&self, dockerfile: &mut Dockerfile, output: &str, archives: &str) {
        match self {
            Self::Quarkus => {}
            Self::Distribution { .. } => {
                dockerfile.run(
                    &format!(
                        "mv {output}/install/* /dist \\\n    && find /dist/bin -type f ! -name '*.bat' -exec mv {{}} \
                         /dist/bin/start \\;"
                    ),
                    &[],
                );
            }
            _ => {
                let name = match self {
                    Self::Assembly => "-name '*-jar-with-dependencies.jar'".to_owned(),
                    _ => format!(
                        "-name '*.{}' ! -name '*-plain.*' ! -name '*-sources.jar' ! -name '*-javadoc.jar' \\\n    \
                         ! -name '*-tests.jar' ! -name 'original-*'",
                        self.extension()
                    ),
                };
                let target = self.archive();
                dockerfile.run(
                    &format!("find {archives} -maxdepth 1 {name} \\\n    -exec cp {{}} /{target} \\;"),
                    &[],
                );
            }
        }
    }

    /// Takes it into the last stage.
    pub fn take(&self, dockerfile: &mut Dockerfile, output: &str) {
        match self {
            Self::Quarkus => {
                // Libraries change least, so they stand first.
                for part in ["lib/", "*.jar", "app/", "quarkus/"] {
                    let to = if part == "*.jar" { "./" } else { part };
                    dockerfile.line(&format!("COPY --from=build /app/{output}/quarkus-app/{part} {to}"));
                }
            }
            Self::Distribution { .. } => {
                for part in ["lib/", "bin/"] {
                    dockerfile.line(&format!("COPY --from=build /dist/{part} {part}"));
                }
            }
            _ => {
                dockerfile.line(&format!("COPY --from=build /{} ./", self.archive()));
            }
        }
    }

    /// The container's command.
    pub fn command(&self, dockerfile: &mut Dockerfile) {
        match self {
            Self::SpringBoot { .. } => {
                dockerfile.cmd_shell(&format!("env SERVER_PORT=$PORT java -jar {}", self.archive()))
            }
            Self::Quarkus => dockerfile.cmd_shell("env QUARKUS_HTTP_PORT=$PORT java -jar quarkus-run.jar"),
            Self::Micronaut => dockerfile.cmd_shell("env MICRONAUT_SERVER_PORT=$PORT java -jar app.jar"),
            Self::Ktor => dockerfile.cmd_shell("java -jar app.jar -port=$PORT"),
            Self::FatJar(_) | Self::Assembly => dockerfile.cmd(&["java", "-jar", "app.jar"]),
            Self::Distribution { is_micronaut: true } => {
                dockerfile.cmd_shell("env MICRONAUT_SERVER_PORT=$PORT bin/start")
            }
            Self::Distribution { is_micronaut: false } => dockerfile.cmd(&["bin/start"]),
        };
    }

    fn extension(&self) -> &'static str {
        match self {
            Self::SpringBoot { is_war: true } => "war",
            _ => "jar",
        }
    }

    fn archive(&self) -> String {
        format!("app.{}", self.extension())
    }
}
