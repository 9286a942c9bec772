//! Django: the project that `manage.py` names, its WSGI application and its static files.

use std::collections::BTreeSet;

use super::super::draft::Start;
use super::super::{Tree, manifest, versions};
use super::dependencies::Dependencies;
use super::framework::App;

/// The app of a source with `manage.py`; `None` when its WSGI application is not found.
pub fn find(tree: &Tree, dependencies: &Dependencies) -> Option<App> {
    let settings = settings_module(&tree.text("manage.py")?);
    let settings = settings_texts(tree, settings.as_deref());
    let text: String = settings.concat();
    let application = assigned(&text, "WSGI_APPLICATION").and_then(|value| module_of(tree, &value));
    let module = application.or_else(|| any_wsgi(tree))?;
    let file = format!("{}.py", module.replace('.', "/"));
    let server = (!dependencies.has("gunicorn")).then_some(versions::GUNICORN);
    Some(App {
        framework: Some("Django"),
        start: Start::Shell(format!(
            "gunicorn {module}:application --bind 0.0.0.0:$PORT --access-logfile -"
        )),
        server,
        means: "is the WSGI application of the project that manage.py runs".to_owned(),
        file,
        build: assigned(&text, "STATIC_ROOT").map(|_| collect(&text)),
        is_in_src: false,
    })
}

/// `os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")`.
fn settings_module(manage: &str) -> Option<String> {
    let (_, after) = manage.split_once("DJANGO_SETTINGS_MODULE")?;
    let after = after.get(1..)?;
    let start = after.find(['"', '\''])?;
    let module = after[start + 1..].split(['"', '\'']).next()?;
    is_module(module).then(|| module.to_owned())
}

fn is_module(text: &str) -> bool {
    text.split('.')
        .all(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// The settings, with those beside them when they are a package.
fn settings_texts(tree: &Tree, module: Option<&str>) -> Vec<String> {
    let Some(path) = module.map(|module| module.replace('.', "/")) else {
        return Vec::new();
    };
    if let Some(text) = tree.text(&format!("{path}.py")) {
        let package = path
            .rsplit_once('/')
            .filter(|(package, _)| package.ends_with("settings"));
        let base = package.and_then(|(package, _)| tree.text(&format!("{package}/base.py")));
        return [Some(text), base].into_iter().flatten().collect();
    }
    let names = tree.names(&path).into_iter().filter(|name| name.ends_with(".py"));
    names.filter_map(|name| tree.text(&format!("{path}/{name}"))).collect()
}

/// What a setting at the start of a line is.
fn assigned(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (left, right) = line.split_once('=')?;
        let is_it = left.split(':').next()?.trim_end() == name;
        let value = right.trim().trim_matches(['"', '\'']);
        (is_it && value != "None").then(|| value.to_owned())
    })
}

/// `shop.wsgi.application` → `shop.wsgi`, when that file is there.
fn module_of(tree: &Tree, application: &str) -> Option<String> {
    let module = application.strip_suffix(".application")?;
    let is_there = is_module(module) && tree.has(&format!("{}.py", module.replace('.', "/")));
    is_there.then(|| module.to_owned())
}

fn any_wsgi(tree: &Tree) -> Option<String> {
    let packages = tree
        .names("")
        .into_iter()
        .filter(|name| is_module(name) && manifest::is_word(name));
    packages
        .map(|name| format!("{name}.wsgi"))
        .find(|module| tree.has(&format!("{}.py", module.replace('.', "/"))))
}

/// Collecting static files loads the settings, which often insist on a secret key; none that counts is needed for it.
fn collect(settings: &str) -> String {
    let mut keys = BTreeSet::new();
    for line in settings
        .lines()
        .filter(|line| line.contains("environ[") || line.contains('('))
    {
        let words = line.split(['"', '\'']).filter(|word| word.ends_with("SECRET_KEY"));
        keys.extend(words.filter(|word| is_module(word) && !word.contains('.')));
    }
    let placeholders: String = keys.iter().map(|key| format!("{key}=only-for-this-step ")).collect();
    format!("{placeholders}python manage.py collectstatic --noinput")
}

#[cfg(test)]
mod tests {
    use super::{assigned, collect, settings_module};

    #[test]
    fn the_settings_module_is_read_in_each_spelling() {
        for (text, expected) in [
            (
                "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"shop.settings\")",
                Some("shop.settings"),
            ),
            (
                "os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings.production'",
                Some("config.settings.production"),
            ),
            ("os.environ.setdefault('DJANGO_SETTINGS_MODULE', '../../etc')", None),
            ("DJANGO_SETTINGS_MODULE", None),
            ("", None),
        ] {
            assert_eq!(settings_module(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn settings_are_read_at_the_start_of_lines() {
        assert!(assigned("STATIC_ROOT = BASE_DIR / 'static'\n", "STATIC_ROOT").is_some());
        assert_eq!(assigned("# STATIC_ROOT = 'x'\n", "STATIC_ROOT"), None);
        assert_eq!(assigned("STATIC_ROOT = None\n", "STATIC_ROOT"), None);
    }

    #[test]
    fn a_secret_key_that_the_settings_insist_on_has_a_placeholder() {
        assert_eq!(
            collect("SECRET_KEY = os.environ[\"DJANGO_SECRET_KEY\"]\n"),
            "DJANGO_SECRET_KEY=only-for-this-step python manage.py collectstatic --noinput"
        );
        assert_eq!(
            collect("SECRET_KEY = os.environ[\"$(id) SECRET_KEY\"]\n"),
            "python manage.py collectstatic --noinput"
        );
    }
}
