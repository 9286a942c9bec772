//! Build secrets: given to the step that mounts them, by a session of Dhow's own, and left nowhere.

use dhow::docker::{BuildError, Engine};
use sha2::Digest as _;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};

use crate::docker_cli;
use crate::harness::{Place, ownership};
use crate::relay::ENGINE;
use crate::workshop::{Checkout, build_with_secrets, run};

fn told(arguments: &[&str]) -> String {
    let output = docker_cli::run(arguments).unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_secret_is_seen_by_the_step_that_mounts_it_and_left_nowhere() {
    let place = Place::open().await;
    let dockerfile = format!(
        "FROM busybox:1\nRUN --mount=type=secret,id=TOKEN : {} && sha256sum < /run/secrets/TOKEN > /digest\n\
         RUN test ! -s /run/secrets/TOKEN\n",
        place.name
    );
    let checkout = Checkout::new(&[("Dockerfile", &dockerfile)]);
    let value = "sk-line one\n\"two\" $HOME é\n";
    let secrets = vec![
        ("TOKEN".to_owned(), value.to_owned()),
        ("OTHER".to_owned(), "x".to_owned()),
    ];
    let built = build_with_secrets(&place, &checkout, secrets).await;
    let expected: String = sha2::Sha256::digest(value)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let found = run(&place, built.image(), "cat /digest; grep -rc sk-line /run /etc || true").await;
    assert!(found.starts_with(&expected), "byte for byte: {found}");
    let history = told(&["history", "--no-trunc", built.image()]);
    let described = told(&["image", "inspect", built.image()]);
    for text in [&history, &described, &built.log()] {
        assert!(!text.contains("sk-line"), "{text}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_fails_the_build_by_its_name() {
    let place = Place::open().await;
    let dockerfile = format!(
        "FROM busybox:1\nRUN --mount=type=secret,id=NPM_TOKEN : {}; echo never\n",
        place.name
    );
    let checkout = Checkout::new(&[("Dockerfile", &dockerfile)]);
    let built = build_with_secrets(&place, &checkout, vec![("OTHER".to_owned(), "x".to_owned())]).await;
    match &built.outcome {
        Err(error @ BuildError::SecretMissing { id }) => {
            assert_eq!(id, "NPM_TOKEN");
            assert!(error.to_string().contains("`NPM_TOKEN`"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(!built.lines.iter().any(|(_, line)| line == "never"), "{}", built.log());
}

#[tokio::test]
async fn an_engine_that_is_reached_by_tcp_is_served_secrets_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let relaying = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut engine = UnixStream::connect(ENGINE).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut engine).await });
        }
    });
    let mut place = Place::open().await;
    place.engine = Engine::connect(Some(&address), ownership(&place.name)).await.unwrap();
    let dockerfile = format!(
        "FROM busybox:1\nRUN --mount=type=secret,id=TOKEN : {} && wc -c < /run/secrets/TOKEN > /size\n",
        place.name
    );
    let checkout = Checkout::new(&[("Dockerfile", &dockerfile)]);
    let built = build_with_secrets(&place, &checkout, vec![("TOKEN".to_owned(), "12345".to_owned())]).await;
    assert_eq!(run(&place, built.image(), "cat /size").await, "5");
    relaying.abort();
}
