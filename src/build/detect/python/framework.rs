//! What serves a Python app: told from the framework among its dependencies and from where the source makes the app.

use super::super::draft::Start;
use super::super::{Tree, manifest, versions};
use super::dependencies::Dependencies;
use super::django;

/// Files in which an app is looked for, as modules.
const MODULES: [&str; 12] = [
    "main",
    "app",
    "application",
    "server",
    "api",
    "wsgi",
    "asgi",
    "run",
    "app.main",
    "app.app",
    "api.main",
    "src.main",
];

/// What was found.
#[derive(Debug)]
pub struct App {
    /// The framework's name.
    pub framework: Option<&'static str>,
    /// What starts it.
    pub start: Start,
    /// A server that the dependencies lack, as pip installs it.
    pub server: Option<&'static str>,
    /// The file that tells.
    pub file: String,
    /// What it tells.
    pub means: String,
    /// A step that prepares it for serving.
    pub build: Option<String>,
    /// Whether modules are below `src`.
    pub is_in_src: bool,
}

/// The app, `None` where nothing tells.
pub fn find(tree: &Tree, dependencies: &Dependencies) -> Option<App> {
    if tree.has("manage.py") {
        return django::find(tree, dependencies);
    }
    if dependencies.has("streamlit")
        && let Some(app) = streamlit(tree)
    {
        return Some(app);
    }
    let kinds = [
        ("fastapi", "FastAPI", "FastAPI(", true),
        ("starlette", "Starlette", "Starlette(", true),
        ("litestar", "Litestar", "Litestar(", true),
        ("quart", "Quart", "Quart(", true),
        ("flask", "Flask", "Flask(", false),
        ("bottle", "Bottle", "Bottle(", false),
    ];
    let used = kinds.iter().filter(|(package, ..)| dependencies.has(package));
    used.filter_map(|(_, name, call, is_async)| made(tree, dependencies, name, call, *is_async))
        .next()
        .or_else(|| plain(tree))
}

/// An app that a module makes: `app = Flask(…)`, or a function that returns one.
fn made(tree: &Tree, dependencies: &Dependencies, framework: &'static str, call: &str, is_async: bool) -> Option<App> {
    let (file, module, is_in_src, object) = modules(tree).find_map(|(file, module, is_in_src)| {
        let text = tree.text(&file)?;
        let object = variable(&text, call).or_else(|| factory(&text, call))?;
        Some((file, module, is_in_src, object))
    })?;
    let is_factory = object.ends_with("()");
    let means = format!("makes the {framework} app `{object}`");
    let name = object.trim_end_matches("()");
    let (start, server) = if is_async {
        let option = if is_factory { " --factory" } else { "" };
        let server = (!dependencies.has("uvicorn")).then_some(versions::UVICORN);
        (
            format!("uvicorn {module}:{name}{option} --host 0.0.0.0 --port $PORT"),
            server,
        )
    } else {
        let target = if is_factory {
            format!("'{module}:{object}'")
        } else {
            format!("{module}:{name}")
        };
        let server = (!dependencies.has("gunicorn")).then_some(versions::GUNICORN);
        (
            format!("gunicorn {target} --bind 0.0.0.0:$PORT --access-logfile -"),
            server,
        )
    };
    Some(App {
        framework: Some(framework),
        start: Start::Shell(start),
        server,
        file,
        means,
        build: None,
        is_in_src,
    })
}

/// Each module that is there: its file, its name, whether it is below `src`.
fn modules(tree: &Tree) -> impl Iterator<Item = (String, String, bool)> {
    let packages = ["", "src"].map(|root| {
        let names = tree
            .names(root)
            .into_iter()
            .filter(|name| manifest::is_word(name) && !name.contains('.'));
        let prefix = if root.is_empty() { "" } else { "src/" };
        names
            .filter(move |name| tree.has(&format!("{prefix}{name}/__init__.py")) && !name.contains("test"))
            .flat_map(|name| [name.clone(), format!("{name}.main"), format!("{name}.app")])
            .collect::<Vec<String>>()
    });
    let [root, src] = packages;
    let named = MODULES.map(str::to_owned).to_vec();
    let candidates = [(named.clone(), false), (root, false), (named, true), (src, true)];
    candidates.into_iter().flat_map(move |(modules, is_in_src)| {
        let prefix = if is_in_src { "src/" } else { "" };
        modules.into_iter().filter_map(move |module| {
            // Without this file the directory is no package: its modules import each other by their bare names.
            if module == "src.main" && !tree.has("src/__init__.py") {
                return None;
            }
            let path = format!("{prefix}{}", module.replace('.', "/"));
            let files = [format!("{path}.py"), format!("{path}/__init__.py")];
            let file = files.into_iter().find(|file| tree.has(file))?;
            Some((file, module, is_in_src))
        })
    })
}

/// The variable at the start of a line that a call of this name is assigned to.
fn variable(text: &str, call: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (left, right) = line.split_once('=')?;
        let called = right.trim_start().split('(').next()?;
        let is_call = right.contains(call) && called.rsplit('.').next() == call.strip_suffix('(');
        let name = left.split(':').next()?;
        let is_at_start = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
        let name = name.trim();
        (is_call && is_at_start && is_identifier(name)).then(|| name.to_owned())
    })
}

/// A function at the start of a line that is named as such functions are, in a file that makes an app.
fn factory(text: &str, call: &str) -> Option<String> {
    let names = ["create_app", "make_app", "build_app", "get_app"];
    let is_defined = |name: &&str| text.lines().any(|line| line.starts_with(&format!("def {name}(")));
    let name = names.into_iter().find(is_defined)?;
    text.contains(call).then(|| format!("{name}()"))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn streamlit(tree: &Tree) -> Option<App> {
    let files = ["streamlit_app.py", "app.py", "main.py", "Home.py"];
    let file = files
        .into_iter()
        .find(|file| tree.text(file).is_some_and(|text| text.contains("streamlit")))?;
    Some(App {
        framework: Some("Streamlit"),
        start: Start::Shell(format!(
            "streamlit run {file} --server.address 0.0.0.0 --server.port $PORT"
        )),
        server: None,
        file: file.to_owned(),
        means: "is a Streamlit app".to_owned(),
        build: None,
        is_in_src: false,
    })
}

fn plain(tree: &Tree) -> Option<App> {
    let file = tree.first(&["main.py", "app.py", "src/main.py"])?;
    Some(App {
        framework: None,
        start: Start::Words(vec!["python".to_owned(), file.to_owned()]),
        server: None,
        file: file.to_owned(),
        means: "is what starts; it has to listen on 0.0.0.0 and the port in PORT".to_owned(),
        build: None,
        is_in_src: false,
    })
}

#[cfg(test)]
mod tests {
    use super::{factory, variable};

    #[test]
    fn the_variable_that_holds_the_app_is_found() {
        for (line, expected) in [
            ("app = FastAPI()", Some("app")),
            ("api: FastAPI = FastAPI(title='x')", Some("api")),
            ("app = fastapi.FastAPI(", Some("app")),
            ("app=FastAPI()", Some("app")),
            ("    app = FastAPI()", None),
            ("# app = FastAPI()", None),
            ("self.app = FastAPI()", None),
            ("app = wrap(FastAPI())", None),
            ("x; rm = FastAPI()", None),
            ("app == FastAPI()", None),
        ] {
            assert_eq!(variable(line, "FastAPI(").as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_function_that_makes_the_app_is_found() {
        let text = "def create_app(config=None):\n    app = Flask(__name__)\n    return app\n";
        assert_eq!(factory(text, "Flask(").as_deref(), Some("create_app()"));
        assert_eq!(factory("def create_app():\n    pass\n", "Flask("), None);
    }
}
