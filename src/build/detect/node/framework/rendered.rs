//! Frameworks that answer requests with a server of their own, unless they are told to write files.

use super::super::super::Tree;
use super::super::config::Config;
use super::super::package::Package;
use super::{Framework, Output, builds_by, words};

/// Next.js reads the address to listen on from `HOSTNAME`, which Docker sets to the container's id.
const NEXT_VARIABLES: &[(&str, &str)] = &[("HOSTNAME", "0.0.0.0")];
const HOST: &[(&str, &str)] = &[("HOST", "0.0.0.0")];

/// Next.js: `output` in its configuration decides.
pub fn next(tree: &Tree, package: &Package) -> Option<Framework> {
    package.version_of("next")?;
    let config = Config::find(tree, &["next.config"]);
    let says = |output: &str| config.as_ref().is_some_and(|config| config.says("output", output));
    let mut next = Framework::new("Next.js", "next", "next", Output::Unknown);
    next.variables = NEXT_VARIABLES;
    next.build_cache = Some(".next/cache");
    let file = config.as_ref().map_or("", |config| &config.file);
    if says("export") {
        next.output = site("out", false);
        return Some(next.because(file, "output \"export\" makes a static site in out"));
    }
    next.writes = true;
    if !says("standalone") {
        next.loads = file.ends_with("ts").then_some("typescript");
        next.output = Output::App {
            command: words(&["next", "start"]),
        };
        return Some(next);
    }
    let mut copies = vec![
        (".next/standalone".to_owned(), "./".to_owned()),
        (".next/static".to_owned(), "./.next/static".to_owned()),
    ];
    if tree.has_dir("public") {
        copies.push(("public".to_owned(), "./public".to_owned()));
    }
    next.output = Output::Bundle {
        copies,
        needs_modules: false,
        command: words(&["node", "server.js"]),
    };
    Some(next.because(file, "output \"standalone\" makes a server with just what it needs"))
}

/// Nuxt: a server, unless the build script generates pages.
pub fn nuxt(tree: &Tree, package: &Package) -> Option<Framework> {
    let version = package.version_of("nuxt")?;
    if version.trim_start_matches(['^', '~', 'v', '=']).starts_with("2.") {
        let mut old = Framework::new("Nuxt 2", "nuxt", "nuxt", Output::Unknown);
        old.output = Output::App {
            command: words(&["nuxt", "start"]),
        };
        old.variables = HOST;
        return Some(old);
    }
    let is_generated = ["nuxt", "nuxi"]
        .iter()
        .any(|program| builds_by(package, program, "generate"));
    let mut nuxt = Framework::new("Nuxt", "nuxt", "nuxt", nitro());
    nuxt.variables = HOST;
    if is_generated {
        let is_single_page = Config::find(tree, &["nuxt.config"]).is_some_and(|config| config.says("ssr", "false"));
        nuxt.output = site(".output/public", is_single_page);
        return Some(nuxt.because(
            "package.json",
            "scripts.build generates a static site in .output/public",
        ));
    }
    Some(nuxt)
}

/// React Router as a framework, and Remix, which became it.
pub fn react_router(tree: &Tree, package: &Package) -> Option<Framework> {
    let (name, library, server) = if package.uses("@react-router/dev") {
        ("React Router", "@react-router/dev", "react-router-serve")
    } else if package.uses("@remix-run/dev") {
        ("Remix", "@remix-run/dev", "remix-serve")
    } else {
        return None;
    };
    let has_server = package.uses("@react-router/serve") || package.uses("@remix-run/serve");
    let output = match has_server {
        true => Output::App {
            command: words(&[server, "./build/server/index.js"]),
        },
        false => Output::Unknown,
    };
    let framework = Framework::new(name, server, library, output);
    let Some(config) = Config::find(tree, &["react-router.config", "vite.config"]) else {
        return Some(framework);
    };
    if config.says("ssr", "false") {
        let mut framework = framework.because(&config.file, "ssr false makes a static site in build/client");
        framework.output = site("build/client", true);
        return Some(framework);
    }
    Some(framework)
}

/// SvelteKit: the adapter decides.
pub fn sveltekit(tree: &Tree, package: &Package) -> Option<Framework> {
    package.version_of("@sveltejs/kit")?;
    let kit = Framework::new("SvelteKit", "vite", "@sveltejs/kit", Output::Unknown);
    let Some(config) = Config::find(tree, &["svelte.config", "vite.config"]) else {
        return Some(kit);
    };
    let adapter = |name: &str| config.mentions(&format!("@sveltejs/adapter-{name}"));
    let file = config.file.clone();
    if adapter("node") {
        let directory = plain(config.value("out"), "build");
        let mut kit = kit.because(&file, format!("adapter-node makes a server in {directory}"));
        kit.output = Output::Bundle {
            copies: vec![
                (directory.clone(), format!("./{directory}")),
                ("package.json".to_owned(), "./".to_owned()),
            ],
            needs_modules: package.dependencies("dependencies").next().is_some(),
            command: words(&["node", &directory]),
        };
        kit.variables = &[
            ("PROTOCOL_HEADER", "x-forwarded-proto"),
            ("HOST_HEADER", "x-forwarded-host"),
        ];
        kit.variables_are =
            Some("Forms are refused unless the app knows its own address, of which only the proxy in front can tell");
        return Some(kit);
    }
    if adapter("static") {
        let directory = plain(config.value("pages"), "build");
        let mut kit = kit.because(&file, format!("adapter-static makes a static site in {directory}"));
        kit.output = site(
            &directory,
            config.value("fallback").is_some_and(|page| page == "index.html"),
        );
        return Some(kit);
    }
    Some(
        match ["auto", "vercel", "netlify", "cloudflare"]
            .into_iter()
            .find(|name| adapter(name))
        {
            Some(other) => Framework {
                output: unusable_adapter(&file, other),
                ..kit
            },
            None => kit,
        },
    )
}

fn unusable_adapter(file: &str, adapter: &str) -> Output {
    Output::Nothing(format!(
        "{file} uses @sveltejs/adapter-{adapter}, which makes nothing that can run here. Use @sveltejs/adapter-node for \
         a server, or @sveltejs/adapter-static for a static site"
    ))
}

/// Astro: a site, unless there is an adapter for Node.js.
pub fn astro(tree: &Tree, package: &Package) -> Option<Framework> {
    package.version_of("astro")?;
    let config = Config::find(tree, &["astro.config"]);
    let value = |key: &str| config.as_ref().and_then(|config| config.value(key));
    let directory = plain(value("outDir"), "dist");
    let file = config.as_ref().map_or("package.json", |config| &config.file).to_owned();
    let mut astro = Framework::new("Astro", "astro", "astro", site(&directory, false));
    let has_node =
        package.uses("@astrojs/node") && config.as_ref().is_some_and(|config| config.mentions("@astrojs/node"));
    if has_node && value("mode") == Some("middleware") {
        astro.output = Output::Unknown;
        return Some(astro.because(
            &file,
            "@astrojs/node in mode \"middleware\" leaves the server to the app",
        ));
    }
    if has_node {
        astro.variables = HOST;
        astro.output = Output::Bundle {
            copies: vec![
                (directory.clone(), format!("./{directory}")),
                ("package.json".to_owned(), "./".to_owned()),
            ],
            needs_modules: true,
            command: words(&["node", &format!("{directory}/server/entry.mjs")]),
        };
        return Some(astro.because(&file, format!("@astrojs/node makes a server in {directory}/server")));
    }
    if value("output") == Some("server") {
        astro.output = Output::Nothing(format!(
            "{file} has output \"server\" without an adapter that can run here. Add @astrojs/node for a server, or \
             remove output for a static site"
        ));
        return Some(astro);
    }
    Some(astro.because(&file, format!("no server adapter: a static site in {directory}")))
}

/// NestJS, whose start script is for development.
pub fn nest(_: &Tree, package: &Package) -> Option<Framework> {
    package.version_of("@nestjs/core")?;
    let output = Output::App {
        command: words(&["node", "dist/main"]),
    };
    Some(Framework::new("NestJS", "nest", "@nestjs/core", output))
}

/// What Nitro, the server of Nuxt, leaves behind.
fn nitro() -> Output {
    Output::Bundle {
        copies: vec![(".output".to_owned(), "./.output".to_owned())],
        needs_modules: false,
        command: words(&["node", ".output/server/index.mjs"]),
    }
}

fn site(directory: &str, is_single_page: bool) -> Output {
    Output::Site {
        directory: directory.to_owned(),
        is_single_page,
    }
}

/// A directory from a configuration, unless it is none that a Dockerfile can name.
pub(super) fn plain(found: Option<&str>, default: &str) -> String {
    let found = found.unwrap_or(default).trim_start_matches("./").trim_end_matches('/');
    match super::super::package::is_plain_path(found) {
        true => found.to_owned(),
        false => default.to_owned(),
    }
}
