//! Java and Kotlin, built by Maven or Gradle: Spring Boot, Quarkus, Micronaut, Ktor, and whatever packs itself into one
//! archive or a directory with a start script.
//!
//! Dependencies have no layer of their own: Maven and Gradle keep them in a cache that outlives the build, where a change
//! of one of them costs one download; to load them beforehand fails with modules that need each other.

mod gradle;
mod maven;
mod script;
mod start;
mod version;

use start::Start;
use version::Asked;

use super::dockerfile::CA_SECRET;
use super::versions::MAVEN;
use super::{Cache, Detected, Dockerfile, GeneratedFile, PORT, Reason, Tree, Undetected, Wishes, draft, site};

/// Files that tell of Java.
pub const LOOKED_FOR: &[&str] = &["pom.xml", "build.gradle", "build.gradle.kts"];

/// What builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Maven,
    Gradle,
}

struct App<'a> {
    tree: &'a Tree,
    wishes: &'a Wishes,
    tool: Tool,
    /// Whether the source names the version of its tool, and brings what loads it.
    has_wrapper: bool,
    /// The directory that is started, with a slash at its end; empty for the root.
    directory: String,
    start: Option<Start>,
    java: u32,
    is_kotlin: bool,
    reasons: Vec<Reason>,
}

/// What build files tell.
#[derive(Debug)]
struct Build {
    /// The directory of what is started, relative to the root; none is the root itself.
    directory: Option<String>,
    /// How it is started, where that is told.
    start: Option<Start>,
    /// The Java that they ask for.
    java: Option<Asked>,
    /// Whether the app is written in Kotlin.
    is_kotlin: bool,
    /// What led to it.
    reasons: Vec<Reason>,
}

/// Recognises Java and Kotlin.
pub fn detect(tree: &Tree, wishes: &Wishes) -> Result<Option<Detected>, Undetected> {
    let gradle_files = [
        "build.gradle.kts",
        "build.gradle",
        "settings.gradle.kts",
        "settings.gradle",
    ];
    let (tool, file, build) = if tree.has("pom.xml") {
        (Tool::Maven, "pom.xml", maven::read(tree, wishes)?)
    } else if let Some(file) = tree.first(&gradle_files) {
        (Tool::Gradle, file, gradle::read(tree, wishes)?)
    } else {
        return Ok(None);
    };
    if build.start.is_none() && !wishes.has_start_command && wishes.publish_dir.is_none() {
        return Err(Undetected::Incomplete(no_start(file, tool)));
    }
    let mut reasons = build.reasons;
    let (java, reason) = find_java(tree, tool, build.java);
    reasons.extend(reason);
    let (wrapper, properties) = match tool {
        Tool::Maven => ("mvnw", ".mvn/wrapper/maven-wrapper.properties"),
        Tool::Gradle => ("gradlew", "gradle/wrapper/gradle-wrapper.properties"),
    };
    let has_wrapper = tree.has(wrapper) && tree.has(properties);
    if has_wrapper {
        reasons.push(Reason::new(
            wrapper,
            "the build tool comes in the version that it names",
        ));
    }
    if reasons.is_empty() {
        reasons.push(Reason::new(file, "it is what is built"));
    }
    let directory = build.directory.map(|directory| format!("{directory}/"));
    let app = App {
        tree,
        wishes,
        tool,
        has_wrapper,
        directory: directory.unwrap_or_default(),
        start: build.start,
        java,
        is_kotlin: build.is_kotlin,
        reasons,
    };
    app.plan().map(Some)
}

fn find_java(tree: &Tree, tool: Tool, of_build: Option<Asked>) -> (u32, Option<Reason>) {
    let newest = match tool {
        Tool::Maven => None,
        Tool::Gradle => gradle::newest_java(tree),
    };
    version::version(tree, of_build, newest)
}

fn no_start(file: &str, tool: Tool) -> String {
    let plugins = match tool {
        Tool::Maven => "spring-boot-maven-plugin, quarkus-maven-plugin, micronaut-maven-plugin, maven-shade-plugin",
        Tool::Gradle => "org.springframework.boot, io.quarkus, io.ktor.plugin, com.gradleup.shadow, application",
    };
    format!("{file} is there, but no plugin that packs something to start. Add one ({plugins}), or set a start command")
}

impl App<'_> {
    fn plan(mut self) -> Result<Detected, Undetected> {
        let mut dockerfile = Dockerfile::new(self.wishes);
        self.build(&mut dockerfile);
        let mut files: Vec<GeneratedFile> = Vec::new();
        if let Some(directory) = &self.wishes.publish_dir {
            let content = site::Content::Stage {
                stage: "build",
                path: format!("/app/{}", directory.trim_start_matches("./")),
            };
            let served = site::serve(&mut dockerfile, &content, false, self.tree)?;
            files.push(served.file);
            self.reasons.extend(served.reasons);
        } else {
            self.serve(&mut dockerfile);
        }
        Ok(Detected {
            summary: self.summary(),
            reasons: self.reasons,
            dockerfile: dockerfile.finish(),
            files,
        })
    }

    fn summary(&self) -> String {
        let language = if self.is_kotlin { "Kotlin, Java" } else { "Java" };
        let tool = match self.tool {
            Tool::Maven => "Maven",
            Tool::Gradle => "Gradle",
        };
        let framework = self.start.and_then(|start| start.framework());
        let framework = framework.map(|name| format!(", {name}")).unwrap_or_default();
        let site = if self.wishes.publish_dir.is_some() {
            ", static site"
        } else {
            ""
        };
        format!("{language} {}, {tool}{framework}{site}", self.java)
    }

    fn build(&self, dockerfile: &mut Dockerfile) {
        let java = self.java;
        let image = match self.tool {
            _ if self.has_wrapper => format!("eclipse-temurin:{java}-jdk"),
            Tool::Maven => format!("{MAVEN}-{java}"),
            // The first Gradle that runs on Java 25 is 9.1.
            Tool::Gradle if java > 24 => format!("gradle:9-jdk{java}"),
            Tool::Gradle => format!("gradle:8-jdk{java}"),
        };
        dockerfile.from(&image, Some("build"));
        dockerfile.line("WORKDIR /app");
        if self.wishes.has_ca {
            self.trust(dockerfile);
        }
        let cache = match self.tool {
            Tool::Maven => Cache::exclusive("/root/.m2"),
            Tool::Gradle => {
                dockerfile.line("ENV GRADLE_USER_HOME=/var/cache/gradle");
                Cache::exclusive("/var/cache/gradle")
            }
        };
        dockerfile.copy(&["."], "./");
        match &self.wishes.build_command {
            Some(command) => dockerfile.run_typed(command, &[cache]),
            None => dockerfile.run_online(&self.command(), &[cache]),
        };
        if let Some(start) = self.start.filter(|_| self.wishes.publish_dir.is_none()) {
            let output = self.output();
            let archives = match self.tool {
                Tool::Maven => output.clone(),
                Tool::Gradle => format!("{output}/libs"),
            };
            start.collect(dockerfile, &output, &archives);
        }
    }

    /// Java reads no authority from a file of PEM: a copy of its own store learns it, and stays in this stage.
    fn trust(&self, dockerfile: &mut Dockerfile) {
        let store = if self.java == 8 {
            "jre/lib/security"
        } else {
            "lib/security"
        };
        dockerfile.run_online(
            &format!(
                "cp \"$JAVA_HOME/{store}/cacerts\" /tmp/cacerts \\\n    \
                 && awk '/BEGIN CERTIFICATE/ {{ n++ }} n {{ print > (\"/tmp/authority-\" n \".pem\") }}' /run/secrets/{CA_SECRET} \\\n    \
                 && for file in /tmp/authority-*.pem; do \\\n        \
                 keytool -importcert -noprompt -alias \"$file\" -file \"$file\" -keystore /tmp/cacerts -storepass changeit || exit 1; \\\n    \
                 done"
            ),
            &[],
        );
        dockerfile.line("ENV JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=/tmp/cacerts");
    }

    fn command(&self) -> String {
        let directory = self.directory.trim_end_matches('/');
        match self.tool {
            Tool::Maven => {
                let program = if self.has_wrapper { "sh mvnw" } else { "mvn" };
                let module = if directory.is_empty() {
                    String::new()
                } else {
                    format!(" -pl {directory} -am")
                };
                format!("{program} -B -DskipTests{module} package")
            }
            Tool::Gradle => {
                let program = if self.has_wrapper { "sh gradlew" } else { "gradle" };
                let task = self.start.map_or("assemble", |start| start.task());
                let project = if directory.is_empty() {
                    String::new()
                } else {
                    format!(":{}:", directory.replace('/', ":"))
                };
                format!("{program} --no-daemon {project}{task}")
            }
        }
    }

    /// The directory with what was built, relative to the root.
    fn output(&self) -> String {
        let name = match self.tool {
            Tool::Maven => "target",
            Tool::Gradle => "build",
        };
        format!("{}{name}", self.directory)
    }

    fn serve(&self, dockerfile: &mut Dockerfile) {
        dockerfile.from(&format!("eclipse-temurin:{}-jre", self.java), None);
        dockerfile.comment(draft::OWN_DIRECTORY);
        dockerfile.run(
            "useradd --uid 10001 --create-home app \\\n    && install -d -o app -g app /app",
            &[],
        );
        dockerfile.line("WORKDIR /app");
        match self.start {
            Some(start) => start.take(dockerfile, &self.output()),
            None => {
                let output = self.output();
                dockerfile.line(&format!("COPY --from=build /app/{output}/ {output}/"));
            }
        }
        dockerfile.comment("Of the container's memory; Java alone would take a quarter.");
        dockerfile.line(&format!(
            "ENV PORT={PORT} \\\n    JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75.0"
        ));
        dockerfile.line("USER 10001");
        if let Some(start) = self.start.filter(|_| !self.wishes.has_start_command) {
            start.command(dockerfile);
        }
    }
}
